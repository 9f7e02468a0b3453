"""Whole rotations of one Auto Scaling group in the model: where they end, what stays, and what a role is told as."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.adopt import adopt
from phoenix.core.decide import decide
from phoenix.core.model import Cause, Outcome, Role, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.roles import standing_of
from phoenix.core.terms import Step
from phoenix.fleets.in_place_calls import End, Enter, Exit
from phoenix.fleets.in_place_slots import split
from tests.builders import a_generation, some_terms, why_held
from tests.fleets.in_place_runs import a_start, every_strategy, numbers
from tests.one_group import SERVING, OneGroup
from tests.world import run, tick, turned, until


@every_strategy
def test_a_good_image_takes_over_and_the_earlier_generation_is_kept_in_standby(steps: tuple[Step, ...]) -> None:
    world = OneGroup(4)

    record = run(world, a_start(steps))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED, why_held(record.rotation)
    assert numbers(world) == (2, 8, 4)
    assert world.version == "2"
    assert len(world.of("2")) == 4
    assert [world.words(server) for server in world.of("1")] == ["Standby"] * 4
    assert not world.suspended
    assert record.retained is not None
    assert record.hot_until == world.now + timedelta(hours=1)


@every_strategy
def test_a_bad_image_never_takes_anything_out_of_service(steps: tuple[Step, ...]) -> None:
    world = OneGroup(4)
    world.bad_versions = {"2"}

    record = run(world, a_start(steps))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert record.rotation.cause is Cause.IMAGE
    assert not [call for call in world.calls if isinstance(call, Enter)]
    assert numbers(world) == (2, 8, 4)
    assert world.version == "1"
    assert not world.of("2")
    assert not {key for key in world.tags if key.startswith((tags.CAPACITY, tags.LEDGER))}


@every_strategy
@pytest.mark.parametrize("moment", ["growth.since", "clocks.proved_at", "clocks.baking_since", "clocks.closing_since"])
def test_turned_back_at_any_moment_everything_is_as_before(steps: tuple[Step, ...], moment: str) -> None:
    world = OneGroup(4)
    record = until(world, a_start(steps), moment)

    record = run(world, turned(world, record))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (numbers(world), world.version, len(world.servers)) == ((2, 8, 4), "1", 4)
    assert all(world.is_serving(server) for server in world.of("1"))
    assert not world.suspended


def test_a_hot_rollback_takes_the_reserve_back_into_service_and_launches_nothing() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    born = {server.id for server in world.servers}
    world.calls.clear()

    record = run(world, turned(world, record))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert [type(call) for call in world.calls].count(Exit) == 1
    assert {server.id for server in world.servers} <= born
    assert (numbers(world), len(world.of("1"))) == ((2, 8, 4), 4)


def test_a_cold_rollback_launches_the_earlier_version_again_before_anything_leaves() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.pass_time(3601)
    for _ in range(3):
        record = tick(world, record).record
    assert not world.of("1")

    record = run(world, turned(world, record))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (numbers(world), world.version, len(world.of("1")), len(world.of("2"))) == ((2, 8, 4), "1", 4, 0)


def test_the_reserve_ends_without_shrinking_the_live_generation() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.pass_time(3601)

    for _ in range(3):
        record = tick(world, record).record

    ends = [call for call in world.calls if isinstance(call, End)]
    assert [call.counted for call in ends] == [False]
    assert numbers(world) == (2, 8, 4)
    assert not {key for key in world.tags if key.startswith(tags.CAPACITY)}
    assert record.hot_until is None


def test_the_next_rotation_ends_the_reserve_first() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    first = record.rotation
    assert first is not None
    second = a_start().rotation
    assert second is not None
    old = replace(first.new, images=())
    new = replace(a_generation(43, template_version=None), slot=Slot.BLUE)
    again = replace(
        second, id="web-43-test", old=old, new=new, started_at=world.now, deadline=world.now + timedelta(hours=2)
    )

    record = run(world, replace(record, rotation=again))

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED, why_held(record.rotation)
    assert not world.of("1")
    assert [world.words(server) for server in world.of("2")] == ["Standby"] * 4
    assert len(world.of("3")) == 4
    assert numbers(world) == (2, 8, 4)


@every_strategy
@pytest.mark.parametrize("moment", ["clocks.proved_at", "clocks.baking_since", "ended_at"])
def test_the_tags_alone_are_enough_to_go_back(steps: tuple[Step, ...], moment: str) -> None:
    world = OneGroup(4)
    record = until(world, a_start(steps), moment)
    seen = world.look(GroupRecord("web"))

    found = adopt("web", seen, some_terms(steps, healthy_for=timedelta(seconds=30), serving=SERVING))

    assert found.rotation is not None
    record = run(world, turned(world, found))
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert (numbers(world), world.version, len(world.of("1")), len(world.servers)) == ((2, 8, 4), "1", 4, 4)


def killed(size: int, steps: tuple[Step, ...], at: int) -> tuple[OneGroup, GroupRecord]:
    """A rotation whose driver dies right after its n-th call to AWS, and is resumed."""
    world, record = OneGroup(size), a_start(steps, need=size)
    made, real = 0, world.make

    def make(call: object) -> None:
        nonlocal made
        real(call)  # type: ignore[arg-type]
        made += 1
        if made == at:
            raise _Killed

    world.make = make  # type: ignore[method-assign]
    return world, _resumed(world, record)


class _Killed(Exception):
    """The driver is gone; the call was made."""


def _resumed(world: OneGroup, record: GroupRecord) -> GroupRecord:
    for _ in range(3000):
        decision = decide(record, world.look(record))
        record = decision.record
        try:
            for action in decision.actions:
                world.apply(action)
        except _Killed:
            continue
        if record.in_flight is None or record.in_flight.held is not None:
            return record
        if decision.look_again_at is None or decision.look_again_at > world.now:
            world.pass_time(5)
    raise AssertionError(f"never ended: {record.rotation}")


@every_strategy
@pytest.mark.parametrize("size", [1, 4, 7])
@pytest.mark.parametrize("at", range(1, 14))
def test_killed_after_any_call_the_end_is_the_same(steps: tuple[Step, ...], size: int, at: int) -> None:
    world, record = killed(size, steps, at)

    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.SUCCEEDED, why_held(record.rotation)
    assert numbers(world) == (min(2, size), size * 2, size)
    assert (len(world.of("2")), len(world.of("1"))) == (size, size)


def _at_rest(world: OneGroup) -> dict[Slot, Role]:
    return {slot: standing_of(state).role for slot, state in split(world.whole(), None).items()}


def test_at_rest_the_roles_are_live_and_cold_and_later_live_and_retained() -> None:
    world = OneGroup(4)
    before = _at_rest(world)

    run(world, a_start())

    assert before == {Slot.BLUE: Role.LIVE, Slot.GREEN: Role.COLD}
    assert _at_rest(world) == {Slot.BLUE: Role.RETAINED, Slot.GREEN: Role.LIVE}


# --- tags that another writer has removed -----------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [{"1"}, {"2"}, set()], ids=["old", "new", "none"])
def test_while_hot_the_record_tells_the_generations_apart_where_tags_are_gone(kept: set[str]) -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.tags = {
        key: value for key, value in world.tags.items() if key.startswith("phoenix:gen") and value[-1] in kept
    }

    slots = split(world.whole(), record.rotation)

    assert [i.template_version for i in slots[Slot.GREEN].instances] == ["2"] * 4
    assert [(i.template_version, i.stands_by) for i in slots[Slot.BLUE].instances] == [("1", True)] * 4


@pytest.mark.parametrize("kept", ["phoenix:generation:blue", "phoenix:generation:green", "none"])
def test_a_reserve_goes_cold_and_nothing_else_does_where_tags_are_gone(kept: str) -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.tags = {key: value for key, value in world.tags.items() if key == kept}

    world.pass_time(3700)
    for _ in range(4):
        record = tick(world, record).record
    quiet = len(world.actions)
    record = tick(world, record).record

    assert (numbers(world), len(world.of("2")), world.of("1")) == ((2, 8, 4), 4, [])
    assert (record.hot_until, len(world.actions)) == (None, quiet)


def test_a_group_that_is_set_to_a_version_of_the_owner_s_stays_where_the_rotation_has_left_it() -> None:
    world = OneGroup(4)
    record = run(world, a_start())
    world.tags.clear()
    world.version = "9"
    for server in world.of("2"):
        server.version = "9"

    slots = split(world.whole(), record.rotation)

    assert len(slots[Slot.GREEN].instances) == 4
    assert all(i.stands_by for i in slots[Slot.BLUE].instances)
