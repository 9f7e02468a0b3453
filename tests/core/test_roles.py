"""The role table of a pair, row by row, and its inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core import tags
from phoenix.core.action import SetRole
from phoenix.core.model import Role, Slot, SlotState
from phoenix.core.roles import COLD, Numbers, Standing, as_found, at_rest, missing_role, numbers, standing_of
from phoenix.core.routine import Routine
from phoenix.core.terms import Capacity
from tests.builders import OWNER, a_generation, a_rotation, a_slot, tags_of

BLUE, GREEN = Slot.BLUE, Slot.GREEN
QUIET = frozenset({Routine.SCHEDULES})
NOTED = {tags.CAPACITY: "2 8"}
CANDIDATE = tags_of(a_rotation())[GREEN]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(Role.LIVE, 4, OWNER), Numbers(2, 8, None)),
        (Standing(Role.PINNED, 4, OWNER), Numbers(4, 8, None)),
        (Standing(Role.CANDIDATE, 4, OWNER), Numbers(4, 8, None)),
        (Standing(Role.RETAINED, 4), Numbers(4, 4, 4)),
        (Standing(Role.COLD, 0), Numbers(0, 0, 0)),
    ],
)
def test_a_role_and_a_count_are_these_numbers(standing: Standing, expected: Numbers) -> None:
    assert standing.numbers == expected


@pytest.mark.parametrize("role", [Role.LIVE, Role.PINNED, Role.CANDIDATE])
def test_a_slot_has_room_for_its_instances_above_the_owners_maximum(role: Role) -> None:
    assert numbers(role, 12, OWNER).max == 12


def test_a_live_slot_that_shrinks_is_pinned_to_exactly_the_count() -> None:
    assert numbers(Role.PINNED, 2) == Numbers(2, 2, None)


@pytest.mark.parametrize("role", [Role.LIVE, Role.PINNED, Role.CANDIDATE])
def test_desired_belongs_to_the_autoscaler_until_a_slot_leaves_service(role: Role) -> None:
    assert numbers(role, 4, OWNER).desired is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (a_slot(min=2, max=8), Standing(Role.LIVE, 4, OWNER)),
        (a_slot(min=4, max=8, tags=NOTED), Standing(Role.PINNED, 4, Capacity(4, 8))),
        (a_slot(min=2, max=2, tags=NOTED), Standing(Role.PINNED, 2)),
        (a_slot(healthy=0, tags=NOTED), Standing(Role.PINNED, 0)),
        (a_slot(GREEN, min=4, max=8, tags=CANDIDATE, suspended=QUIET), Standing(Role.CANDIDATE, 4, Capacity(4, 8))),
        (a_slot(tags=NOTED, suspended=QUIET), Standing(Role.RETAINED, 4)),
        (a_slot(GREEN, 0, suspended=QUIET), COLD),
        (a_slot(GREEN, 0, tags=NOTED, suspended=QUIET), COLD),
        (a_slot(GREEN, min=2, max=8, suspended=QUIET), Standing(Role.LIVE, 4, OWNER)),
    ],
)
def test_numbers_tags_and_schedules_tell_the_role(state: SlotState, expected: Standing) -> None:
    assert standing_of(state) == expected


@given(
    bounds=st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(sorted),
    noted=st.booleans(),
    quiet=st.booleans(),
    was_candidate=st.booleans(),
)
def test_a_slot_has_the_numbers_of_the_role_in_which_it_stands(
    bounds: list[int], noted: bool, quiet: bool, was_candidate: bool
) -> None:
    own = (NOTED if noted else {}) | (dict(CANDIDATE) if was_candidate else {})
    least, desired, most = bounds
    state = a_slot(GREEN, desired, min=least, max=most, tags=own, suspended=QUIET if quiet else frozenset())

    assert standing_of(state).numbers.are_in(state)
    assert as_found(state).numbers.are_in(state)


def test_a_slot_that_stands_as_wanted_needs_no_action() -> None:
    live = a_slot(min=2, max=8)

    assert list(missing_role(live, at_rest(live, OWNER))) == []
    assert list(missing_role(live, Standing(Role.PINNED, 4, OWNER))) == [SetRole(BLUE, Role.PINNED, 4, OWNER)]


def test_another_generation_in_the_slot_is_missing_too() -> None:
    old, live = a_generation(41, template="lt-1"), a_slot(min=2, max=8, version="9", template="lt-1")

    (action,) = missing_role(live, at_rest(live, OWNER), old)

    assert action == SetRole(BLUE, Role.LIVE, 4, OWNER, "1", "lt-1")


def test_a_retained_slot_that_an_autoscaler_has_moved_is_set_again() -> None:
    moved = a_slot(min=4, max=4, desired=5)

    assert list(missing_role(moved, Standing(Role.RETAINED, 4))) == [SetRole(BLUE, Role.RETAINED, 4)]
