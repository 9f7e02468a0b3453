"""One DynamoDB table as the store needs it: its shape, the calls to it, and in one sentence what is wrong with it.

Must never create the table: whoever runs phoenix need not have that right. Must never let anything but a TransientError
or a StoreError out: a PermanentError would hold a rotation for what is wrong with its store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TypeAlias

from phoenix.aws.errors import code_of
from phoenix.aws.rights import ALL, ROTATE, WRITERS, Right, Rights, with_key
from phoenix.aws.session import Aws
from phoenix.errors import NotFound, PermanentError, StoreError, Throttled

Item: TypeAlias = Mapping[str, str | int]
"""As DynamoDB keeps it, without its type marks: texts and whole numbers are all that is in there."""

_READS: Final = ("BatchGetItem", "DescribeTable", "GetItem", "Query")
IAM_ACTIONS: Final[Rights] = frozenset(
    {
        *(Right(f"dynamodb:{call}", "ReadRecords", ALL, ("${table_arn}",)) for call in _READS),
        Right("dynamodb:Query", "FindDue", ROTATE, ("${table_arn}/index/due",)),
        Right("dynamodb:PutItem", "WriteRecords", WRITERS, ("${table_arn}",)),
        *with_key("dynamodb", "Decrypt", "DescribeKey"),
        *with_key("dynamodb", "Encrypt", "GenerateDataKey", roles=WRITERS),
    }
)
DUE: Final = "due"
"""The index, its hash key, and that key's only value: an item that lacks it is not in the index."""
MOST_AT_ONCE: Final = 100
"""Keys that BatchGetItem takes in one call."""
MOST_BYTES: Final = 400 * 1024 - 1024
"""An item takes 400 KB; a kilobyte is more than enough for what is around the body."""


def definition(name: str) -> dict[str, Any]:
    """What `CreateTable` has to be told. Switch on TTL for `expires` besides, and the history removes itself."""
    keys = ("group", "item", DUE, "due_at")
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _schema("group", "item"),
        "GlobalSecondaryIndexes": [
            {"IndexName": DUE, "KeySchema": _schema(DUE, "due_at"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
    }


class Table:
    """The table `name`. Reads are consistent, except those of the index."""

    def __init__(self, name: str, aws: Aws) -> None:
        self.name = name
        self._aws = aws

    @property
    def region(self) -> str | None:
        """Where the table is looked for."""
        return self._aws.region

    def account(self) -> str:
        """The account that the table is in; one call."""
        arn = str(self._call("describe_table", TableName=self.name)["Table"]["TableArn"])
        return arn.split(":")[4]

    def get(self, group: str, item: str) -> Item | None:
        """One item; None when there is none."""
        found = self._call("get_item", TableName=self.name, Key=_key(group, item), ConsistentRead=True).get("Item")
        return _plain(found) if found else None

    def get_many(self, groups: Sequence[str], item: str) -> Iterator[Item]:
        """That item of each group that has it, a hundred in one call, in any order."""
        wanted = [_key(group, item) for group in dict.fromkeys(groups)]
        while wanted:
            asked, wanted = wanted[:MOST_AT_ONCE], wanted[MOST_AT_ONCE:]
            request = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer = self._call("batch_get_item", RequestItems=request)
            missed = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if len(missed) == len(asked):  # some missing is no more than a long answer; all missing is a busy table
                raise Throttled(f"the table {self.name} is out of breath: dynamodb:BatchGetItem brought nothing")
            wanted += missed
            yield from map(_plain, answer["Responses"].get(self.name, ()))

    def put(self, item: Item, only_if: str, **values: str | int) -> bool:
        """Write the item where the condition is true of the one that is there; False where it is not.

        `only_if` names attributes as `#name` and values as `:name`. A lost answer is asked for again, so False may also
        mean that the item has been written already.
        """
        try:
            self._call(
                "put_item",
                TableName=self.name,
                Item=_typed(item),
                ConditionExpression=only_if,
                **_expression(only_if, values),
            )
        except StoreError as error:
            if error.__cause__ is None or not _is_refused(error.__cause__):
                raise
            return False
        return True

    def newest(self, group: str, prefix: str, limit: int) -> Iterator[Item]:
        """Items of the group whose names begin with the prefix, the last by name first."""
        asked = {"Limit": limit, "ConsistentRead": True, "ScanIndexForward": False}
        found = self._query("#group = :group AND begins_with(#item, :prefix)", asked, group=group, prefix=prefix)
        return islice(found, limit)

    def due(self, until: str) -> Iterator[Item]:
        """Keys of everything in the index up to that time, the earliest first."""
        return self._query("#due = :due AND #due_at <= :until", {"IndexName": DUE}, due=DUE, until=until)

    def _query(self, condition: str, asked: Mapping[str, Any], **values: str | int) -> Iterator[Item]:
        asked = {"KeyConditionExpression": condition, **_expression(condition, values), **asked}
        with self._explained():
            for found in self._aws.pages("dynamodb", "query", "Items", TableName=self.name, **asked):
                yield _plain(found)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        with self._explained():
            return self._aws.call("dynamodb", method, **parameters)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            raise StoreError(
                f"the store dynamodb://{self.name} is not there: {self.region} has no such table",
                hint=f"aws dynamodb create-table --region {self.region} --cli-input-json "
                f"'{json.dumps(definition(self.name), separators=(',', ':'))}'   makes it",
            ) from error
        except PermanentError as error:
            raise StoreError(
                f"the store dynamodb://{self.name} cannot be used: {error.message}", hint=error.hint
            ) from error


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def _key(group: str, item: str) -> dict[str, Any]:
    return _typed({"group": group, "item": item})


def _typed(item: Item) -> dict[str, Any]:
    return {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in item.items()}


def _plain(found: Mapping[str, Mapping[str, str]]) -> Item:
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in found.items()}


def _expression(text: str, values: Mapping[str, str | int]) -> dict[str, Any]:
    """Names with a mark of their own, always: DynamoDB has some 570 reserved words, `group` and `owner` among them."""
    given: dict[str, Any] = {"ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", text)}}
    if values:
        given["ExpressionAttributeValues"] = _typed({f":{name}": value for name, value in values.items()})
    return given


def _is_refused(error: BaseException) -> bool:
    return isinstance(error, PermanentError) and code_of(error) == "ConditionalCheckFailedException"
