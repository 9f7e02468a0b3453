"""What must hold of the steps of every strategy, for every input."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from phoenix.core.terms import Step
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling

MINUTE = timedelta(minutes=1)
bakes = st.one_of(st.none(), st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds)))
batches = st.integers(1, 100)


@st.composite
def rooms(draw: st.DrawFn) -> Room:
    least, most = draw(st.integers(0, 100)), draw(st.integers(100, 200))
    assume(least < most)
    return Room(least, most)


@st.composite
def stages(draw: st.DrawFn) -> Sequence[Stage]:
    weights = sorted(draw(st.sets(st.integers(1, 99), max_size=10)))
    return [Stage(weight, draw(bakes), draw(st.integers(weight, 100))) for weight in weights]


def shape(steps: Sequence[Step]) -> list[tuple[int, int, int]]:
    """New capacity, old capacity and new weight of each step."""
    return [(step.new_capacity, step.old_capacity, step.new_weight) for step in steps]


@given(bakes)
def test_blue_green_is_one_step_to_everything(bake: timedelta | None) -> None:
    assert blue_green(bake) == (Step(100, 100, 100, bake),)


@given(stages(), bakes)
def test_a_canary_ends_with_everything_and_keeps_the_way_back_open(given_: Sequence[Stage], bake: timedelta) -> None:
    steps = canary(given_, bake)

    assert steps[-1] == Step(100, 100, 100, bake)
    assert all(step.old_capacity == 100 for step in steps)


@given(stages(), bakes)
def test_a_canary_never_gives_anything_back(given_: Sequence[Stage], bake: timedelta) -> None:
    steps = canary(given_, bake)

    assert all(before.new_weight < after.new_weight for before, after in pairwise(steps))
    assert all(before.new_capacity <= after.new_capacity for before, after in pairwise(steps))
    assert all(step.new_weight <= step.new_capacity for step in steps)


@pytest.mark.parametrize(
    "wrong",
    [
        [Stage(50, MINUTE), Stage(50, MINUTE)],
        [Stage(5, MINUTE), Stage(0, MINUTE)],
        [Stage(-1, MINUTE)],
        [Stage(100, MINUTE)],
        [Stage(50, MINUTE, capacity=49)],
        [Stage(50, MINUTE, capacity=101)],
    ],
)
def test_a_canary_refuses_stages_that_make_no_sense(wrong: list[Stage]) -> None:
    with pytest.raises(ValueError, match="must rise|as much capacity"):
        canary(wrong, MINUTE)


@given(batches, rooms(), bakes)
def test_rolling_ends_with_the_new_generation_alone(batch: int, room: Room, bake: timedelta) -> None:
    assert rolling(batch, bake, room)[-1] == Step(100, 0, 100, bake)


@given(batches, rooms())
def test_rolling_never_has_more_than_may_exist(batch: int, room: Room) -> None:
    steps = (Step(0, 100, 0), *rolling(batch, MINUTE, room))

    assert all(after.new_capacity + before.old_capacity <= room.most for before, after in pairwise(steps))


@given(batches, rooms())
def test_rolling_never_has_fewer_than_must_serve(batch: int, room: Room) -> None:
    assert all(step.new_capacity + step.old_capacity >= room.least for step in rolling(batch, MINUTE, room))


@given(batches, rooms())
def test_rolling_only_ever_grows_the_new_and_shrinks_the_old(batch: int, room: Room) -> None:
    steps = rolling(batch, MINUTE, room)

    for before, after in pairwise((Step(0, 100, 0), *steps)):
        assert before.new_capacity <= after.new_capacity <= before.new_capacity + batch
        assert before.old_capacity >= after.old_capacity
    assert all(before != after for before, after in pairwise(steps))


@given(batches, rooms())
def test_the_weight_of_rolling_follows_capacity(batch: int, room: Room) -> None:
    for step in rolling(batch, MINUTE, room):
        share = 100 * step.new_capacity / (step.new_capacity + step.old_capacity)
        assert abs(step.new_weight - share) <= 0.5
        assert (step.new_weight == 0) == (step.new_capacity == 0)
        assert (step.new_weight == 100) == (step.old_capacity == 0)


@given(batches, rooms(), bakes)
def test_rolling_rests_between_its_batches_as_told(batch: int, room: Room, pause: timedelta | None) -> None:
    *between, _ = rolling(batch, MINUTE, room, pause)

    assert all(step.bake == (pause if step.new_capacity else timedelta(0)) for step in between)


SHAPES = {
    "with room to double": (25, Room(100, 200), [(25, 75, 25), (50, 50, 50), (75, 25, 75), (100, 0, 100)]),
    "without surge": (25, Room(75, 100), [(0, 75, 0), (25, 50, 33), (50, 25, 67), (75, 0, 100), (100, 0, 100)]),
    "with a little of both": (50, Room(90, 110), [(0, 90, 0), (20, 70, 22), (40, 50, 44), (60, 30, 67), (80, 10, 89)]),
    "all at once": (100, Room(100, 200), [(100, 0, 100)]),
    "almost all down first": (100, Room(0, 100), [(0, 1, 0), (99, 0, 100), (100, 0, 100)]),
}


@pytest.mark.parametrize(("batch", "room", "expected"), SHAPES.values(), ids=SHAPES)
def test_rolling_looks_as_one_would_draw_it(batch: int, room: Room, expected: list[tuple[int, int, int]]) -> None:
    assert shape(rolling(batch, MINUTE, room))[: len(expected)] == expected


@pytest.mark.parametrize(("least", "most"), [(100, 100), (-1, 200), (101, 200), (50, 99)])
def test_a_room_in_which_nothing_can_move_is_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="they must differ"):
        Room(least, most)


@pytest.mark.parametrize("batch", [0, 101])
def test_a_batch_is_a_share_of_the_group(batch: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 100"):
        rolling(batch, MINUTE, Room())
