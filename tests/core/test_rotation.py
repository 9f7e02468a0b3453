"""Whole rotations in the model world: where they end, and what they leave behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.action import SetWeights
from phoenix.core.decide import decide
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Cause, OnFailure, Outcome, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.routine import Routine
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.terms import Capacity, Step
from phoenix.strategies.rolling import Room, rolling
from tests.builders import ALL_AT_ONCE, CANARY, ROLLING, a_generation, a_record, a_rotation, some_terms, why_held
from tests.world import World, run, tick, turned, until

STRATEGIES = {"blue_green": ALL_AT_ONCE, "canary": CANARY, "rolling": ROLLING}


def a_start(steps: tuple[Step, ...] = ALL_AT_ONCE, *, need: int = 4, **terms: object) -> GroupRecord:
    """A record whose rotation has been decided and nothing else."""
    return a_record(
        a_rotation(
            terms=some_terms(steps, **{"healthy_for": timedelta(seconds=30), **terms}),
            new=a_generation(42, template_version=None),
            need=need,
            capacity=Capacity(min(2, need), need * 2),
            step=0,
            grown_since=None,
        )
    )


@pytest.mark.parametrize("steps", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("balanced", [True, False], ids=["alb", "none"])
def test_a_good_image_becomes_live_and_the_owners_numbers_come_back(steps: tuple[Step, ...], balanced: bool) -> None:
    world = World(4, balanced=balanced)

    record = run(world, a_start(steps, serving=Serving() if balanced else NO_TRAFFIC))

    green = world.places[Slot.GREEN]
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED
    assert (green.min, green.max, green.desired) == (2, 8, 4)
    assert {s.version for s in green.servers} == {"2"}
    assert Routine.SCHEDULES in world.places[Slot.BLUE].suspended
    assert record.live is not None
    assert record.live.number == 42


def test_after_a_success_the_generation_before_stays_whole_and_pinned() -> None:
    world = World(4)

    record = run(world, a_start(CANARY))

    blue = world.places[Slot.BLUE]
    assert (blue.min, blue.max, blue.desired, len(blue.servers)) == (4, 4, 4, 4)
    assert record.retained is not None
    assert record.retained.number == 41
    assert record.hot_until == world.now + timedelta(hours=1)


def test_the_hot_generation_follows_the_live_one_upward_and_goes_cold_in_the_end() -> None:
    world = World(4)
    record = run(world, a_start())
    world.scale(Slot.GREEN, 6)

    record = tick(world, record).record
    followed = world.places[Slot.BLUE].desired
    world.pass_time(3601)
    for _ in range(3):
        record = tick(world, record).record

    assert followed == 6
    assert world.places[Slot.BLUE].desired == 0
    assert tags.CAPACITY not in world.places[Slot.BLUE].tags
    assert record.hot_until is None


@pytest.mark.parametrize("steps", STRATEGIES.values(), ids=STRATEGIES)
def test_a_bad_image_never_gets_traffic_and_is_quarantined(steps: tuple[Step, ...]) -> None:
    world = World(4)
    world.bad_versions = {"2"}

    record = run(world, a_start(steps))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert record.rotation.cause is Cause.IMAGE
    assert record.rotation.exposed_at is None
    assert [q.image for q in record.quarantine] == [a_generation(42).image]
    assert world.places[Slot.GREEN].desired == 0
    assert (world.places[Slot.BLUE].min, world.places[Slot.BLUE].max) == (2, 8)


def test_missing_capacity_rolls_back_without_blaming_the_image() -> None:
    world = World(4)
    record = until(world, a_start(), "growth.since")
    world.places[Slot.GREEN].servers.clear()
    world.launch_error = LaunchFailure(world.now, permanent=True, blames_image=False, words="vCPU limit exceeded")

    record = run(world, record)

    assert record.rotation is not None
    assert record.rotation.cause is Cause.ENVIRONMENT
    assert "vCPU limit exceeded" in (record.rotation.reason or "")
    assert record.quarantine == ()
    assert record.setback is not None
    assert record.setback.not_before == world.now + timedelta(hours=1)


@pytest.mark.parametrize("steps", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("moment", ["growth.since", "clocks.proved_at", "clocks.baking_since", "clocks.closing_since"])
def test_a_rollback_at_any_moment_brings_the_old_generation_back_whole(steps: tuple[Step, ...], moment: str) -> None:
    world = World(4)
    record = until(world, a_start(steps), moment)

    record = run(world, turned(world, record))

    blue = world.places[Slot.BLUE]
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (world.weight, blue.min, blue.max, blue.desired) == (0, 2, 8, 4)
    assert world.places[Slot.GREEN].desired == 0
    assert tags.CAPACITY not in blue.tags


def test_the_first_write_of_a_rollback_after_a_success_is_the_shift() -> None:
    world = World(4)
    record = run(world, a_start())
    world.actions.clear()

    decision = tick(world, turned(world, record))

    assert [type(a).__name__ for a in decision.actions] == ["SetWeights"]
    assert world.weight == 0


def test_a_rollback_to_a_cold_generation_grows_and_proves_it_before_it_shifts() -> None:
    world = World(4)
    record = run(world, a_start())
    world.pass_time(3601)
    for _ in range(3):
        record = tick(world, record).record
    assert world.named == {Slot.GREEN}
    world.actions.clear()

    record = run(world, turned(world, record))

    names = [type(a).__name__ for a in world.actions]
    assert [n for n in names if n in ("SetRole", "SetWeights")][:3] == ["SetRole", "SetWeights", "SetWeights"]
    shifts = [a.percent for a in world.actions if isinstance(a, SetWeights)]
    assert shifts[:2] == [100, 0], "named again at weight 0, so that it is health-checked, and shifted once it is whole"
    assert world.places[Slot.BLUE].desired == 4
    assert record.live is not None
    assert record.live.number == 41


def test_a_scale_out_in_the_middle_survives() -> None:
    world = World(4)
    record = until(world, a_start(CANARY), "clocks.baking_since")
    world.scale(Slot.BLUE, 8)

    record = run(world, record)

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED
    assert world.places[Slot.GREEN].desired == 8


def test_load_that_leaves_the_old_generation_does_not_shrink_it() -> None:
    world = World(4)
    record = until(world, a_start(CANARY), "clocks.baking_since")

    world.scale(Slot.BLUE, 1)

    assert world.places[Slot.BLUE].desired == 4
    assert run(world, record).rotation is not None


def test_weights_changed_by_another_writer_hold_the_rotation() -> None:
    world = World(4)
    record = until(world, a_start(CANARY), "clocks.baking_since")
    world.weight = 70
    world.actions.clear()

    record = run(world, record)

    assert record.rotation is not None
    assert "another writer" in why_held(record.rotation)
    assert not world.actions


def test_weight_that_lands_on_an_empty_generation_is_put_back_at_once() -> None:
    world = World(4)
    record = until(world, a_start(), "growth.since")
    world.weight = 100

    tick(world, record)

    assert world.weight == 0


def test_a_failing_gate_only_holds_where_the_policy_says_pause() -> None:
    world = World(4)
    world.bad_versions = {"2"}

    record = run(world, a_start(on_failure=OnFailure.PAUSE))

    assert record.rotation is not None
    assert record.rotation.held is not None
    assert record.rotation.in_flight


@pytest.mark.parametrize(("most", "least"), [(200, 100), (125, 100), (100, 75)])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
def test_rolling_never_falls_below_its_floor_for_any_size(size: int, most: int, least: int) -> None:
    world = World(size, floor=least)
    steps = rolling(25, timedelta(minutes=5), Room(least, most))

    record = run(world, a_start(steps, need=size))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED
    assert len(world.places[Slot.GREEN].servers) == size


@pytest.mark.parametrize("steps", STRATEGIES.values(), ids=STRATEGIES)
def test_death_between_any_two_actions_ends_like_no_death_at_all(steps: tuple[Step, ...]) -> None:
    calm = World(4)
    run(calm, a_start(steps))
    expected = [(p.min, p.max, p.desired, p.version) for p in calm.places.values()]

    for death in range(len(calm.actions) + 1):
        world = World(4)
        record = run(world, _die_after(world, a_start(steps), death))
        assert record.rotation is not None
        assert record.rotation.outcome is Outcome.SUCCEEDED
        assert [(p.min, p.max, p.desired, p.version) for p in world.places.values()] == expected


def _die_after(world: World, record: GroupRecord, death: int) -> GroupRecord:
    """Run until `death` actions have been taken, die before the next one: the record of that tick is saved."""
    for _ in range(2000):
        before = len(world.actions)
        decision = decide(record, world.look(record))
        for action in decision.actions:
            if len(world.actions) >= death:
                return decision.record
            world.apply(action)
        record = decision.record
        if record.in_flight is None:
            return record
        if len(world.actions) == before:
            world.pass_time(5)
    raise AssertionError("never got there")
