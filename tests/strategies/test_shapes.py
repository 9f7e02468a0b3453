"""Steps to the last field, and refusals in their words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.terms import Step
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling

MINUTE, NONE = timedelta(minutes=1), timedelta(0)


def test_a_canary_keeps_the_bake_and_the_capacity_of_each_stage() -> None:
    steps = canary([Stage(5, MINUTE, capacity=25), Stage(20, None, capacity=20), Stage(50, 2 * MINUTE)], 9 * MINUTE)

    assert steps == (
        Step(25, 100, 5, MINUTE),
        Step(25, 100, 20, None),
        Step(100, 100, 50, 2 * MINUTE),
        Step(100, 100, 100, 9 * MINUTE),
    )


def test_a_canary_may_have_just_as_much_capacity_as_weight() -> None:
    assert canary([Stage(1, MINUTE, capacity=1), Stage(99, MINUTE, capacity=99)], None)[1].new_capacity == 99


def test_rolling_rests_with_its_pause_between_and_its_bake_at_the_end() -> None:
    assert rolling(50, 9 * MINUTE, Room(50, 150), MINUTE) == (
        Step(50, 50, 50, MINUTE),
        Step(100, 0, 100, 9 * MINUTE),
    )


def test_rolling_does_not_pause_unless_it_is_told_to() -> None:
    assert rolling(50, MINUTE, Room(50, 150))[0].bake == NONE


def test_without_room_to_grow_the_first_step_only_makes_room_and_rests_for_nothing() -> None:
    assert rolling(25, MINUTE, Room(75, 100), MINUTE)[0] == Step(0, 75, 0, NONE)


def test_by_default_a_room_lets_the_group_double_and_never_serve_with_less() -> None:
    assert Room() == Room(100, 200)


@pytest.mark.parametrize(("least", "most"), [(0, 100), (99, 100), (100, 101), (0, 101)])
def test_the_narrowest_rooms_in_which_something_can_move(least: int, most: int) -> None:
    assert rolling(1, MINUTE, Room(least, most))[-1] == Step(100, 0, 100, MINUTE)


@pytest.mark.parametrize("batch", [1, 100])
def test_the_smallest_and_the_greatest_batch_are_batches(batch: int) -> None:
    assert len(rolling(batch, MINUTE, Room())) == 100 // batch


def test_refusals_say_what_would_be_right() -> None:
    with pytest.raises(ValueError, match=r"^weights must rise from stage to stage and stay between 0 and 99$"):
        canary([Stage(100, MINUTE)], MINUTE)
    with pytest.raises(ValueError, match=r"^a stage needs at least as much capacity as weight, and at most 100$"):
        canary([Stage(50, MINUTE, capacity=49)], MINUTE)
    with pytest.raises(ValueError, match=r"^least must be from 0 to 100, most at least 100, and they must differ$"):
        Room(100, 100)
    with pytest.raises(ValueError, match=r"^a batch is from 1 to 100 per cent$"):
        rolling(0, MINUTE, Room())
