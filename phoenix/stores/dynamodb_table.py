"""One DynamoDB table as the store needs it: its shape, the calls to it, and its errors as one sentence.

Must never create the table: the role that runs phoenix need not have that right. Must never raise anything but a
TransientError or a StoreError: a PermanentError would hold a rotation because of its store.
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
"""An item without DynamoDB's type marks: it holds texts and whole numbers only."""

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
"""An item takes 400 KB; a kilobyte is more than enough for everything besides the body."""


def definition(name: str) -> dict[str, Any]:
    """Return the parameters of `CreateTable`. With TTL switched on for `expires`, DynamoDB removes old history."""
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
        """The Region of the table."""
        return self._aws.region

    def account(self) -> str:
        """The account of the table; one call."""
        arn = str(self._call("describe_table", TableName=self.name)["Table"]["TableArn"])
        return arn.split(":")[4]

    def get(self, group: str, item: str) -> Item | None:
        """One item; None when there is none."""
        found = self._call("get_item", TableName=self.name, Key=_key(group, item), ConsistentRead=True).get("Item")
        return _plain(found) if found else None

    def get_many(self, groups: Sequence[str], item: str) -> Iterator[Item]:
        """Return the item of each group that has it, a hundred per call, in any order."""
        wanted = [_key(group, item) for group in dict.fromkeys(groups)]
        while wanted:
            asked, wanted = wanted[:MOST_AT_ONCE], wanted[MOST_AT_ONCE:]
            request = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer = self._call("batch_get_item", RequestItems=request)
            missed = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if len(missed) == len(asked):  # some unprocessed keys mean a long answer; all unprocessed mean a busy table
                raise Throttled(f"the table {self.name} is overloaded: dynamodb:BatchGetItem returned nothing")
            wanted += missed
            yield from map(_plain, answer["Responses"].get(self.name, ()))

    def put(self, item: Item, only_if: str, **values: str | int) -> bool:
        """Write the item if the condition holds for the stored one; False if it does not.

        `only_if` names attributes as `#name` and values as `:name`. A call whose answer was lost is repeated, so False
        may also mean that the item was already written.
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
        """Return the group's items whose names begin with the prefix, in descending order of name."""
        asked = {"Limit": limit, "ConsistentRead": True, "ScanIndexForward": False}
        found = self._query("#group = :group AND begins_with(#item, :prefix)", asked, group=group, prefix=prefix)
        return islice(found, limit)

    def due(self, until: str) -> Iterator[Item]:
        """Return the keys in the index up to that time, the earliest first."""
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
                f"the store dynamodb://{self.name} does not exist: {self.region} has no such table",
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
    """Give every attribute name a placeholder: DynamoDB reserves some 570 words, `group` and `owner` among them."""
    given: dict[str, Any] = {"ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", text)}}
    if values:
        given["ExpressionAttributeValues"] = _typed({f":{name}": value for name, value in values.items()})
    return given


def _is_refused(error: BaseException) -> bool:
    return isinstance(error, PermanentError) and code_of(error) == "ConditionalCheckFailedException"
