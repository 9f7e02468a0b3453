from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.temporary import Ledger
from phoenix.errors import StoreError
from phoenix.stores.codec import (
    decode_note,
    decode_record,
    decode_rotation,
    encode_note,
    encode_record,
    encode_rotation,
)
from phoenix.stores.formats import record_of_today
from tests.stores.builders import a_full_record, a_record, a_rotation
from tests.stores.test_entries import ledgers

st.register_type_strategy(datetime, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
st.register_type_strategy(Mapping, lambda kind: st.dictionaries(*(st.from_type(of) for of in get_args(kind))))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))  # JSON has no others
st.register_type_strategy(timedelta, st.timedeltas(timedelta(0), timedelta(days=400)))


st.register_type_strategy(Ledger, ledgers)


def test_a_full_record_comes_back_as_it_was() -> None:
    record = a_full_record()

    assert decode_record(encode_record(record), "here") == record


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(record=st.from_type(GroupRecord))
def test_any_record_comes_back_as_it_was(record: GroupRecord) -> None:
    assert decode_record(encode_record(record), "here") == record


def test_a_rotation_alone_comes_back_as_it_was() -> None:
    rotation = a_rotation(replaced=2)

    assert decode_rotation(encode_rotation(rotation), "here") == rotation


def test_times_are_written_in_utc_so_that_people_can_read_them() -> None:
    written = json.loads(encode_rotation(a_rotation()))

    assert written["started_at"] == "2026-03-02T12:00:00.123456Z"
    assert written["terms"]["healthy_for"] == "PT30S"


def test_fields_that_an_older_phoenix_did_not_write_take_their_defaults() -> None:
    assert decode_record('{"group": "web", "version": 3}', "here") == a_record("web", version=3)


@pytest.mark.parametrize("written", ['{"group": "web", "shiny": 1}', '{"group": "web", "setback": {"shiny": 1}}'])
def test_a_field_that_only_another_phoenix_knows_is_refused(written: str) -> None:
    with pytest.raises(StoreError, match=r"in here has the field .*shiny.*another version of phoenix.*finish.*upgrade"):
        decode_record(written, "here")


@pytest.mark.parametrize(("kind", "which"), [("capacity", "shiny"), ("shiny", "cannot be read")])
def test_an_entry_of_the_ledger_that_only_another_phoenix_knows_is_refused(kind: str, which: str) -> None:
    record = json.loads(encode_record(a_full_record()))
    entry = {"kind": kind, "where": "blue", "had": "2 8", "since": "2026-03-02T12:00:00Z", "shiny": 1}
    record["rotation"]["ledger"] = [entry if kind == "capacity" else entry | {"shiny": ""}]

    with pytest.raises(StoreError, match=which):
        decode_record(json.dumps(record), "here")


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_a_field_that_only_another_phoenix_knows_is_passed_over_while_it_holds_nothing(nothing: object) -> None:
    record = a_full_record()
    written = json.loads(encode_record(record))
    written["shiny"] = written["rotation"]["sticky"] = written["rotation"]["old"]["referred"] = nothing

    assert decode_record(json.dumps(written), "here") == record


@pytest.mark.parametrize("something", [0, False, [None], {"": ""}])
def test_an_unknown_field_with_anything_in_it_does_hold_something(something: object) -> None:
    with pytest.raises(StoreError, match="shiny"):
        decode_record(json.dumps({"group": "web", "shiny": something}), "here")


@pytest.mark.parametrize("written", ["", "{", "[]", '{"group": 1}', '{"group": "web", "version": "3"}'])
def test_a_damaged_record_is_refused_and_the_store_named(written: str) -> None:
    with pytest.raises(StoreError, match=r"in /var/lib/phoenix\.db cannot be read"):
        decode_record(written, "/var/lib/phoenix.db")


def test_a_damaged_rotation_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        decode_rotation('{"id": "r-1"}', "here")


@pytest.mark.parametrize("state", ["in_flight", "at_rest"])
def test_a_record_as_0_1_0_wrote_it_is_read_and_what_it_did_not_know_takes_its_default(state: str) -> None:
    text = (Path(__file__).parents[1] / "golden" / f"record_0_1_0_{state}.json").read_text(encoding="utf-8")

    record = decode_record(text, "here")

    rotation = record.rotation
    assert rotation is not None
    assert (record.in_flight is None) is (state == "at_rest")
    assert (rotation.old.number, rotation.new.number, rotation.new.template_version) == (41, 42, "17")
    assert (rotation.new.template, rotation.new.images, rotation.origin.templates, rotation.origin.arns) == (
        None,
        (),
        {},
        {},
    )
    assert decode_record(encode_record(record), "here") == record


def test_a_note_as_0_1_0_wrote_it_into_the_record_of_a_group_that_does_not_exist_is_read() -> None:
    text = (Path(__file__).parents[1] / "golden" / "note_0_1_0.json").read_text(encoding="utf-8")

    note = decode_note(text, "the store")

    assert (note.key, note.version, note.by) == ("*breaker*", 3, "phoenix")
    assert (note.at, note.text) == (note.outbox[0].at, "2 rollbacks within 6h, 2 stop starts: api, db.")
    assert decode_note(encode_note(note), "the store") == note


def test_a_note_of_what_is_over_is_read_from_a_record_that_was_not_paused() -> None:
    text = encode_record(GroupRecord("*breaker*", version=4))

    assert decode_note(text, "the store") == Note("*breaker*", version=4)


def test_a_record_as_0_1_0_wrote_it_loses_nothing_when_it_is_written_again() -> None:
    for state in ("in_flight", "at_rest"):
        text = (Path(__file__).parents[1] / "golden" / f"record_0_1_0_{state}.json").read_text(encoding="utf-8")
        again = json.loads(encode_record(decode_record(text, "here")))
        assert _within(record_of_today(json.loads(text), 1), again)


def _within(old: object, new: object) -> bool:
    """True when everything old is there again; the new one may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _within(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_within(a, b) for a, b in zip(old, new, strict=True))
    return old == new


@pytest.mark.parametrize("served", [True, False])
def test_one_flag_for_traffic_is_read_as_what_it_made_possible(served: bool) -> None:
    written = json.loads(encode_rotation(a_rotation()))
    del written["terms"]["serving"]
    written["terms"]["has_traffic"] = served

    read = decode_rotation(json.dumps(written), "here")

    assert read.terms.serving == (Serving() if served else NO_TRAFFIC)
