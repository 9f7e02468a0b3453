"""Whose rotation is it? The tags on the groups against the record of one store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import Observation, Slot, SlotState
from phoenix.core.ownership import foreign_rotation, foreign_store, is_outdated, was_replaced
from phoenix.core.roles import is_pinned
from phoenix.core.routine import Routine
from tests.builders import a_record, a_rotation, a_slot, an_observation

OURS, THEIRS = "sqlite:///ours", "dynamodb://theirs"
PINNED = {tags.CAPACITY: "2 8"}
QUIET = frozenset({Routine.SCHEDULES})


def seen_with(
    blue: dict[str, str], green: dict[str, str] | None = None, weight: int = 0, **changes: Any
) -> Observation:
    state = a_slot(Slot.GREEN, 0, tags=green or {}, **changes)
    return an_observation(a_slot(tags=blue), state, weight)


def later(number: int = 43, rotation: str = "web-43-else", store: str = THEIRS) -> dict[str, str]:
    return {tags.STORE: store, tags.ROTATION: f"{rotation} 42 {number} 2026-11-18T20:00:00Z"}


@pytest.mark.parametrize(
    ("blue", "green", "other"),
    [
        ({}, {}, None),
        ({tags.STORE: OURS}, {tags.STORE: OURS}, None),
        ({tags.STORE: ""}, {}, None),
        ({tags.STORE: OURS}, {tags.STORE: THEIRS}, THEIRS),
        ({tags.STORE: THEIRS}, {tags.STORE: "aaa"}, "aaa"),
    ],
)
def test_another_store_is_one_that_the_tags_name_and_that_is_not_ours(
    blue: dict[str, str], green: dict[str, str], other: str | None
) -> None:
    assert foreign_store(seen_with(blue, green), OURS) == other


@pytest.mark.parametrize(
    ("state", "pinned"),
    [
        (a_slot(), False),
        (a_slot(tags=PINNED), True),
        (a_slot(tags=PINNED, suspended=QUIET), False),
        (a_slot(tags=PINNED, suspended=QUIET, min=3), True),
        (a_slot(tags=PINNED, suspended=QUIET, max=5), True),
        (a_slot(tags=PINNED, suspended=frozenset({Routine.LAUNCHES})), True),
        (a_slot(suspended=QUIET), False),
    ],
)
def test_a_slot_is_pinned_by_its_note_unless_it_is_only_kept_hot(state: SlotState, pinned: bool) -> None:
    assert is_pinned(state) is pinned


def test_a_pinned_group_of_another_store_is_a_rotation_of_that_store() -> None:
    mine = {tags.STORE: THEIRS, **PINNED}

    assert foreign_rotation(seen_with(mine), OURS) == THEIRS
    assert foreign_rotation(seen_with(mine), THEIRS) is None
    assert foreign_rotation(seen_with({tags.STORE: THEIRS}), OURS) is None


def test_a_note_on_an_empty_slot_is_a_rotation_only_while_no_slot_is_live() -> None:
    at_rest = seen_with({tags.STORE: THEIRS}, PINNED)

    assert foreign_rotation(at_rest, OURS) is None
    assert foreign_rotation(replace(at_rest, routes=seen_with({}, weight=50).routes), OURS) == THEIRS


@pytest.mark.parametrize(
    ("notes", "outdated"),
    [
        (later(43), True),
        (later(42), True),
        (later(41), False),
        (later(43, rotation="web-42-test"), False),
        (later(43, store=OURS), False),
        ({tags.STORE: THEIRS}, False),
    ],
)
def test_a_record_is_outdated_by_a_later_rotation_of_another_store(notes: dict[str, str], outdated: bool) -> None:
    record = a_record(a_rotation(step=1))

    assert is_outdated(record, seen_with(notes), OURS) is outdated
    assert is_outdated(record, seen_with({}, notes), OURS) is outdated


def test_a_record_that_has_not_written_its_tags_yet_is_not_outdated_by_what_was_there() -> None:
    assert not is_outdated(a_record(a_rotation(step=0)), seen_with(later()), OURS)
    assert not is_outdated(a_record(), seen_with(later()), OURS)


@pytest.mark.parametrize(
    ("named", "ours", "replaced"),
    [
        ("sqlite://a1@laptop/phoenix.db", "sqlite://b2@laptop/phoenix.db", True),
        ("sqlite://a1@laptop/phoenix.db", "sqlite://b2@server/phoenix.db", False),
        ("sqlite://b2@laptop/phoenix.db", "sqlite://b2@laptop/phoenix.db", False),
        ("dynamodb://theirs", "sqlite://b2@laptop/phoenix.db", False),
        ("dynamodb://theirs", "dynamodb://ours", False),
    ],
)
def test_a_store_was_replaced_by_one_that_stands_in_its_place(named: str, ours: str, replaced: bool) -> None:
    assert was_replaced(seen_with({tags.STORE: named}), ours) is replaced


def test_without_a_foreign_store_none_was_replaced() -> None:
    assert not was_replaced(seen_with({}), "sqlite://b2@laptop/phoenix.db")
