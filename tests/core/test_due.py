"""When a driver must look at a group again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from phoenix.core.due import next_look
from phoenix.core.record import GroupRecord, Setback
from phoenix.core.story import Ask
from tests.builders import NOON, a_generation, a_record, a_rotation, after

RETAINED = a_generation(41)


def at_rest(**changes: Any) -> GroupRecord:
    return a_record(a_rotation(ended_at=NOON), **changes)


def test_a_group_at_rest_is_not_due() -> None:
    assert next_look(at_rest(), NOON) is None
    assert next_look(GroupRecord("web"), NOON) is None


@pytest.mark.parametrize(
    ("decided", "due"),
    [(None, after(1)), (after(10), after(1)), (after(seconds=5), after(seconds=5)), (NOON, NOON)],
    ids=["no time was named", "it bakes", "it moves", "there is more to do"],
)
def test_a_rotation_in_flight_is_looked_at_within_a_minute(decided: datetime | None, due: datetime) -> None:
    assert next_look(a_record(a_rotation()), NOON, decided) == due


def test_a_paused_rotation_is_watched_since_a_gate_may_still_turn_it_back() -> None:
    paused = a_rotation(paused=Ask(NOON, "ada"))

    assert next_look(a_record(paused, paused=Ask(NOON, "ada")), NOON) == after(1)


def test_a_held_rotation_waits_for_a_person() -> None:
    assert next_look(a_record(a_rotation(held="who was that?")), NOON, after(1)) is None


@pytest.mark.parametrize(
    ("hot_until", "due"),
    [(after(60), after(5)), (after(3), after(3)), (NOON, after(5)), (None, None)],
    ids=["it follows the live one", "its time is nearly over", "another writer gave it traffic", "it is cold"],
)
def test_a_hot_generation_is_followed_until_it_goes_cold(hot_until: datetime | None, due: datetime | None) -> None:
    assert next_look(at_rest(retained=RETAINED, hot_until=hot_until), NOON) == due


def test_what_is_being_cleaned_up_is_looked_at_when_the_decision_says_so() -> None:
    assert next_look(at_rest(), NOON, after(seconds=1)) == after(seconds=1)


def test_a_setback_is_due_once_and_then_the_group_is_idle() -> None:
    record = at_rest(setback=Setback(1, after(60)))

    assert next_look(record, NOON) == after(60)
    assert next_look(record, after(60)) is None


def test_the_earliest_of_several_times_counts() -> None:
    record = at_rest(retained=RETAINED, hot_until=after(30), setback=Setback(1, after(2)))

    assert next_look(record, NOON) == after(2)
