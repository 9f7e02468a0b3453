from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.aws.rights import actions_of
from phoenix.errors import StateConflict, StoreError, Throttled
from phoenix.stores.dynamodb import DynamoStore
from phoenix.stores.tolerant import TolerantStore
from tests.stores.builders import NOON, a_full_record, a_record, a_rotation
from tests.stores.dynamo import Wire, a_dynamo_store, a_table

MINUTE = timedelta(minutes=1)
CONTENDERS, ROUNDS = 16, 3


# --- answers that get lost, and drivers that die ----------------------------------------------------------------------


def test_a_save_whose_answer_was_lost_and_that_was_asked_for_again_has_happened(aws: Wire, store: DynamoStore) -> None:
    aws.on_call = _twice_when_writing

    saved = store.save(a_full_record())

    assert (saved.version, store.load("web")) == (1, saved)


def test_a_claim_and_a_release_whose_answers_were_lost_have_happened(aws: Wire, store: DynamoStore) -> None:
    aws.on_call = _twice_when_writing

    lease = store.claim("web", "ada", NOON, MINUTE)
    assert (lease.epoch, store.lease_of("web")) == (1, lease)

    store.release(lease, NOON)
    assert (store.lease_of("web"), store.due(NOON)) == (None, ["web"])


def test_a_driver_that_dies_between_filing_and_saving_leaves_the_history_as_it_was(
    aws: Wire, store: DynamoStore
) -> None:
    saved = store.save(a_record(rotation=a_rotation()))

    def die(method: str, parameters: dict[str, Any], go_on: Callable[[], Any]) -> Any:
        if method == "put_item" and parameters["Item"]["item"]["S"] == "record":
            raise Throttled("died here")
        return go_on()

    aws.on_call = die
    with pytest.raises(Throttled):
        store.save(replace(saved, rotation=a_rotation("r-2", started_at=NOON + MINUTE)))

    aws.on_call = None
    assert list(store.history("web")) == [saved.rotation]
    ended = store.save(replace(saved, rotation=a_rotation(replaced=1)))
    assert list(store.history("web")) == [ended.rotation]


def test_what_is_filed_is_what_was_saved_last_and_not_what_was_read_first(aws: Wire, table: str) -> None:
    one, another = a_dynamo_store(aws, table), a_dynamo_store(aws, table)
    first = one.save(a_record(rotation=a_rotation()))
    second = another.save(replace(first, rotation=a_rotation(replaced=1)))

    third = one.save(replace(second, rotation=a_rotation("r-2", started_at=NOON + MINUTE)))

    assert list(one.history("web")) == [third.rotation, second.rotation]


def test_a_rotation_is_not_filed_over_by_a_driver_that_had_read_it_earlier(aws: Wire, table: str) -> None:
    slow, quick = a_dynamo_store(aws, table), a_dynamo_store(aws, table)
    read_early = slow.save(a_record(rotation=a_rotation()))
    later = quick.save(replace(read_early, rotation=a_rotation(replaced=1)))
    last = quick.save(replace(later, rotation=a_rotation("r-2", started_at=NOON + MINUTE)))

    with pytest.raises(StateConflict):
        slow.save(replace(read_early, rotation=a_rotation("r-3", started_at=NOON + MINUTE)))

    assert list(slow.history("web")) == [last.rotation, later.rotation]


# --- calls ------------------------------------------------------------------------------------------------------------


def test_a_tick_reads_its_record_once_and_a_save_is_one_write(aws: Wire, store: DynamoStore, table: str) -> None:
    a_dynamo_store(aws, table).save(a_record(rotation=a_rotation()))
    aws.actions.clear()

    record = store.load("web")
    assert record is not None
    store.save(replace(record, highest_number=7))

    assert aws.actions == ["dynamodb:GetItem", "dynamodb:PutItem"]


def test_every_call_is_declared(aws: Wire, store: DynamoStore) -> None:
    lease = store.claim("web", "ada", NOON, MINUTE)
    store.save(a_full_record())
    store.holds(lease)
    store.release(lease)
    store.due(NOON)
    store.load_many(["web"])
    store.history("web")

    assert set(aws.actions) == actions_of(DynamoStore.IAM_ACTIONS, implied=False)


def test_hundreds_of_records_are_read_a_hundred_at_a_time(aws: Wire, store: DynamoStore) -> None:
    names = [f"group-{number}" for number in range(205)]
    for name in names[::5]:
        store.save(a_record(name))
    aws.actions.clear()

    assert sorted(store.load_many(names)) == sorted(names[::5])
    assert aws.actions == ["dynamodb:BatchGetItem"] * 3


def test_records_that_were_left_out_of_an_answer_are_asked_for_again(aws: Wire, store: DynamoStore) -> None:
    for name in ("web", "api", "jobs"):
        store.save(a_record(name))
    aws.on_call = _one_at_a_time

    assert set(store.load_many(["web", "api", "jobs"])) == {"web", "api", "jobs"}


def test_a_table_that_is_out_of_breath_is_for_the_next_tick(aws: Wire, store: DynamoStore) -> None:
    aws.on_call = lambda method, asked, go_on: {"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}

    with pytest.raises(Throttled, match="is overloaded"):
        store.load_many(["web"])


# --- what is wrong with it --------------------------------------------------------------------------------------------


def test_a_table_that_is_not_there_is_named_with_the_command_that_makes_it(aws: Wire) -> None:
    store = a_dynamo_store(aws, "phoenix-new")

    with pytest.raises(StoreError, match="eu-west-1 has no such table") as refused:
        store.load("web")

    command, _, definition = (refused.value.hint or "").partition(" --cli-input-json ")
    assert command == "aws dynamodb create-table --region eu-west-1"
    aws.call("dynamodb", "create_table", **json.loads(definition.split("'")[1]))
    assert store.save(a_record()).version == 1


def test_throttling_is_for_the_next_tick(aws: Wire, store: DynamoStore) -> None:
    aws.refusals["dynamodb:GetItem"] = "ProvisionedThroughputExceededException"

    with pytest.raises(Throttled):
        store.claim("web", "ada", NOON, MINUTE)


@pytest.mark.parametrize("call", ["GetItem", "PutItem"])
def test_a_missing_right_is_the_stores_trouble_and_no_reason_to_hold_a_rotation(
    aws: Wire, store: DynamoStore, table: str, call: str
) -> None:
    aws.refusals[f"dynamodb:{call}"] = "AccessDeniedException"

    with pytest.raises(StoreError, match=f"dynamodb://{table} cannot be used: dynamodb:{call}") as refused:
        store.claim("web", "ada", NOON, MINUTE)

    assert refused.value.hint == f"allow dynamodb:{call} for the role that phoenix runs as"


def test_a_record_that_has_become_too_big_says_so_and_is_not_sent(aws: Wire, store: DynamoStore) -> None:
    saved = store.save(a_record())
    aws.actions.clear()

    with pytest.raises(StoreError, match="has grown to 4[0-9]{2} KB, and an item of DynamoDB takes 400"):
        store.save(replace(saved, rotation=a_rotation(policy="x" * 410_000)))

    assert aws.actions == []


@pytest.mark.parametrize("accident", ["ThrottlingException", "AccessDeniedException", "ResourceNotFoundException"])
def test_a_rollback_goes_on_without_it(aws: Wire, store: DynamoStore, accident: str) -> None:
    saved, tolerant = store.save(a_record()), TolerantStore(store)
    assert tolerant.load("web") == saved
    aws.refusals |= dict.fromkeys(actions_of(DynamoStore.IAM_ACTIONS), accident)

    assert tolerant.claim("web", "ada", NOON, MINUTE, force=True).owner == "ada"
    assert tolerant.save(saved).version == 2
    assert tolerant.location == "none"


# --- where it is ------------------------------------------------------------------------------------------------------


def test_its_location_names_account_region_and_table(store: DynamoStore, table: str) -> None:
    assert store.location == f"dynamodb://123456789012/eu-west-1/{table}"


def test_the_location_of_a_table_with_a_long_name_fits_into_a_tag(aws: Wire) -> None:
    tables = [a_table(aws, "t" * 254 + end) for end in "ab"]
    for table in tables:
        a_dynamo_store(aws, table).save(a_record())
    readers = [a_dynamo_store(aws, table) for table in tables]
    aws.actions.clear()
    for reader in readers:
        reader.load("web")

    one, other = (reader.location for reader in readers)

    assert len(one) == len(other) == 256
    assert one != other
    assert set(aws.actions) == {"dynamodb:GetItem"}


def test_who_has_read_a_record_need_not_ask_for_the_location(aws: Wire, store: DynamoStore, table: str) -> None:
    store.save(a_record())
    reader = a_dynamo_store(aws, table)
    aws.actions.clear()

    reader.load("web")

    assert reader.location == store.location
    assert aws.actions == ["dynamodb:GetItem"]


def test_a_copy_of_a_table_is_another_store(aws: Wire, store: DynamoStore, table: str) -> None:
    store.save(a_record())
    copied, key = a_table(aws), {"group": {"S": "web"}, "item": {"S": "record"}}
    found = aws.call("dynamodb", "get_item", TableName=table, Key=key)["Item"]
    aws.call("dynamodb", "put_item", TableName=copied, Item=found)

    copy = a_dynamo_store(aws, copied)
    copy.load("web")

    assert copy.location != store.location


# --- what lies in the table -------------------------------------------------------------------------------------------


def test_what_is_filed_expires_and_what_is_in_use_does_not(aws: Wire, store: DynamoStore, table: str) -> None:
    store.claim("web", "ada", NOON, MINUTE)
    saved = store.save(a_record(rotation=a_rotation()))
    store.save(replace(saved, rotation=a_rotation("r-2", started_at=NOON + MINUTE)))

    found = aws.pages("dynamodb", "scan", "Items", TableName=table)
    expires = {item["item"]["S"]: int(item.get("expires", {}).get("N", 0)) for item in found}

    filed = "rotation#2026-03-02T12:00:00.123456+00:00#r-1"
    assert expires == {"record": 0, "lease": 0, filed: int((NOON + timedelta(days=400)).timestamp())}


def test_a_group_that_is_never_due_is_not_in_the_index(aws: Wire, store: DynamoStore, table: str) -> None:
    store.release(store.claim("web", "ada", NOON, MINUTE))

    assert list(aws.pages("dynamodb", "scan", "Items", TableName=table, IndexName="due")) == []


def _twice_when_writing(method: str, parameters: dict[str, Any], go_on: Callable[[], Any]) -> Any:
    """As botocore does when no answer comes."""
    if method == "put_item":
        go_on()
    return go_on()


def _one_at_a_time(method: str, parameters: dict[str, Any], go_on: Callable[[], Any]) -> Any:
    answer = go_on()
    for name, found in answer["Responses"].items():
        left_out = [{key: item[key] for key in ("group", "item")} for item in found[1:]]
        answer["Responses"][name] = found[:1]
        answer["UnprocessedKeys"] = {name: {"Keys": left_out}} if left_out else {}
    return answer
