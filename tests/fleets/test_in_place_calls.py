"""What a role of one slot is told as: held launches, the first tick of a rollback, and room that shows the middle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.action import SetRole
from phoenix.core.adopt import adopt
from phoenix.core.decide import decide
from phoenix.core.model import Outcome, Role, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Capacity, Step
from phoenix.fleets.in_place_calls import End, Exit, Scene, Update, calls_for
from tests.builders import some_terms, why_held
from tests.fleets.in_place_runs import ALL_AT_ONCE, a_start, every_strategy, numbers
from tests.one_group import SERVING, OneGroup
from tests.world import run, turned, until

# --- held before traffic ----------------------------------------------------------------------------------------------


@every_strategy
def test_new_instances_are_held_until_the_gates_before_traffic_have_passed(steps: tuple[Step, ...]) -> None:
    world = OneGroup(4)
    record = a_start(steps, holds=True)

    record = until(world, record, "growth.released_at")

    assert {world.words(server) for server in world.of("2")} <= {"Pending:Wait", "InService"}
    assert not any(world.is_serving(server) for server in world.of("2"))
    record = run(world, record)
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED, why_held(record.rotation)
    assert (numbers(world), len(world.of("2")), world.hook) == ((2, 8, 4), 4, False)


@every_strategy
@pytest.mark.parametrize("moment", ["growth.since", "growth.released_at", "clocks.proved_at", "clocks.baking_since"])
def test_a_way_back_leaves_nothing_held(steps: tuple[Step, ...], moment: str) -> None:
    world = OneGroup(4)
    record = until(world, a_start(steps, holds=True), moment)

    record = run(world, turned(world, record))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (numbers(world), len(world.of("1")), len(world.servers), world.hook) == ((2, 8, 4), 4, 4, False)


def test_what_is_launched_of_the_old_generation_on_the_way_back_is_not_held() -> None:
    world = OneGroup(4)
    record = until(world, a_start(ALL_AT_ONCE, holds=True), "clocks.baking_since")
    world.servers = [server for server in world.servers if server.version == "2"]

    record = run(world, turned(world, record))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert all(world.is_serving(server) for server in world.of("1"))
    assert (len(world.of("1")), world.hook) == (4, False)


@every_strategy
@pytest.mark.parametrize("size", [1, 4, 7, 30])
def test_an_undisturbed_rotation_puts_nothing_back(steps: tuple[Step, ...], size: int) -> None:
    world = OneGroup(size)

    record = run(world, a_start(steps, need=size))

    assert record.rotation is not None
    assert [event.text for event in record.rotation.events if event.name == "healed"] == []
    assert (numbers(world), len(world.of("1"))) == ((min(2, size), size * 2, size), size)


def test_the_first_tick_of_a_rollback_takes_the_reserve_back_though_it_looked_as_at_rest() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.calls.clear()
    seen = world.look(record)
    back = turned(world, record)

    for action in decide(back, seen).actions:
        world.apply(action)

    assert [type(call) for call in world.calls][:2] == [Update, Exit]


def test_what_serves_is_never_ended_at_rest_where_the_tags_that_say_whose_it_is_are_lost() -> None:
    world = OneGroup(4)
    run(world, a_start())
    whole = world.whole()
    own = replace(whole, slot=Slot.BLUE)
    empty = replace(whole, slot=Slot.GREEN, instances=())

    calls = calls_for(SetRole(Slot.BLUE, Role.COLD, 0), Scene(whole, own, empty, None))

    assert not any(isinstance(call, End) and call.counted for call in calls)


@every_strategy
@pytest.mark.parametrize("moment", ["clocks.proved_at", "clocks.baking_since", "ended_at"])
def test_the_tags_are_enough_where_the_owner_leaves_no_room_above_the_need(
    steps: tuple[Step, ...], moment: str
) -> None:
    world = OneGroup(4)
    world.min = world.max = 4
    start = a_start(steps)
    assert start.rotation is not None
    record = until(world, replace(start, rotation=replace(start.rotation, capacity=Capacity(4, 4))), moment)

    seen = world.look(GroupRecord("web"))
    found = adopt("web", seen, some_terms(steps, healthy_for=timedelta(seconds=30), serving=SERVING))

    record = run(world, turned(world, found))
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (numbers(world), world.version, len(world.of("1")), len(world.servers)) == ((4, 4, 4), "1", 4, 4)
