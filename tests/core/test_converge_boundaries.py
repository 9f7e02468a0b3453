"""The comparisons on which a shift or a shrink hangs: each side of every boundary, because one off is one too few."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.action import SetRole, SetWeights, WriteTags
from phoenix.core.back import reopen
from phoenix.core.decide import decide
from phoenix.core.model import Role, Slot, TargetState
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.core.terms import Capacity
from tests.builders import (
    CANARY,
    NOON,
    OLD_IMAGE,
    OWNER,
    ROLLING,
    a_record,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
)
from tests.core.slots import BLUE, GREEN, baking, blue, decided, goes_back, green, missing

SICK: dict[str, Any] = {"target": TargetState.UNHEALTHY}
RETURNING = a_rotation(
    CANARY, back=Ask(NOON, "oncall"), exposed_at=NOON, weight=50, intended_weight=50, grown_since=NOON
)


def old_with(ready: int, sick: int = 0, **changes: Any) -> Any:
    instances = (*some_instances(ready), *(an_instance(n, **SICK) for n in range(50, 50 + sick)))
    return a_slot(healthy=ready + sick, instances=instances, **changes)


@pytest.mark.parametrize(
    ("old", "new", "percent", "goes"),
    [(2, 2, 50, False), (3, 3, 50, False), (3, 1, 50, True), (3, 4, 99, False), (3, 3, 100, True), (2, 3, 100, False)],
)  # fmt: skip
def test_fewer_than_the_need_take_the_traffic_only_where_they_carry_as_much_as_both(
    old: int, new: int, percent: int, goes: bool
) -> None:
    seen = an_observation(old_with(old, desired=4), a_slot(GREEN, new, "2"), percent)

    assert goes_back(RETURNING, seen) is goes


def test_the_worst_route_says_how_much_is_carried() -> None:
    seen = an_observation(old_with(3, desired=4), a_slot(GREEN, 4, "2"), routes=(a_route(100), a_route(50, ":80")))

    assert not goes_back(RETURNING, replace(seen, routes=seen.routes[:1]))
    assert not goes_back(RETURNING, seen)
    weak = an_observation(old_with(1, desired=4), a_slot(GREEN, 4, "2"), routes=(a_route(100), a_route(90, ":80")))
    assert not goes_back(RETURNING, replace(weak, routes=weak.routes[:1]))


def test_without_routes_the_new_generations_own_count_is_what_is_carried() -> None:
    terms = some_terms(CANARY, serving=NO_TRAFFIC)
    rotation = replace(RETURNING, terms=terms)

    assert goes_back(rotation, an_observation(old_with(3, desired=4), a_slot(GREEN, 3, "2"), routes=()))
    assert not goes_back(rotation, an_observation(old_with(3, desired=4), a_slot(GREEN, 4, "2"), routes=()))


def test_an_old_generation_that_is_still_too_small_goes_on_growing() -> None:
    seen = an_observation(old_with(3), a_slot(GREEN, 3, "2"), 100)

    assert not goes_back(RETURNING, seen)


def test_after_its_time_is_up_one_ready_instance_has_to_do_and_none_never_does() -> None:
    late = after(15)

    assert goes_back(RETURNING, an_observation(old_with(1), a_slot(GREEN, 4, "2"), 50, at=late))
    assert not goes_back(RETURNING, an_observation(old_with(1), a_slot(GREEN, 4, "2"), 50, at=after(14.9)))
    assert not goes_back(RETURNING, an_observation(old_with(0, 4), a_slot(GREEN, 4, "2"), 50, at=late))


@pytest.mark.parametrize(("ready", "returned"), [(2, True), (1, False)])
def test_a_share_moved_away_by_another_writer_is_taken_back_only_onto_enough(ready: int, returned: bool) -> None:
    rotation = a_rotation(ROLLING, proved_at=NOON, weight=50, intended_weight=50, exposed_at=NOON)
    seen = an_observation(old_with(ready, 4 - ready, min=4, max=8), green(rotation, 2), 60)

    shifts = [action for action in missing(rotation, seen) if isinstance(action, SetWeights)]

    assert [shift.percent for shift in shifts] == ([50] if returned else [])


def test_an_old_generation_that_grows_again_keeps_its_own_template_version() -> None:
    rotation = a_rotation(CANARY, back=Ask(NOON, "oncall"), exposed_at=NOON, grown_since=NOON)
    same, other = blue(rotation, 1, desired=1, min=0), blue(rotation, 1, desired=1, min=0, template_version="9")

    grown = [missing(rotation, an_observation(state, green(rotation), 50)) for state in (same, other)]

    assert SetRole(BLUE, Role.PINNED, 4, OWNER) in grown[0]
    assert SetRole(BLUE, Role.PINNED, 4, OWNER, version="1") in grown[1]


def test_the_owners_numbers_are_noted_before_the_old_generation_grows_over_them() -> None:
    rotation = a_rotation(CANARY, back=Ask(NOON, "oncall"), exposed_at=NOON, grown_since=NOON)
    seen = an_observation(a_slot(healthy=1), green(rotation), 50)

    note, growth = missing(rotation, seen)[:2]

    assert note == WriteTags({BLUE: {"phoenix:capacity": "2 8", "phoenix:generation": f"41 {OLD_IMAGE} 1"}})
    assert growth == SetRole(BLUE, Role.PINNED, 4, OWNER)


def test_a_rotation_that_is_reopened_has_all_weight_and_needs_what_lives() -> None:
    rotation = a_rotation(ended_at=after(9), closing_since=after(8), weight=0, intended_weight=0)
    record = a_record(rotation)
    seen = an_observation(a_slot(healthy=4), a_slot(GREEN, 6, "2", min=2, max=9), 100)

    again = reopen(record, rotation, seen)

    assert (again.weight, again.intended_weight, again.need, again.capacity) == (100, 100, 6, Capacity(2, 9))
    assert (again.exposed_at, again.ended_at, again.clocks.closing_since) == (after(9), None, None)


# --- strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("healthy", [1, 2])
def test_weight_on_an_empty_slot_is_put_back_as_soon_as_one_instance_serves(healthy: int) -> None:
    rotation = a_rotation(step=0, grown_since=None, new=replace(a_rotation().new, template_version=None))
    seen = an_observation(a_slot(healthy=healthy), a_slot(GREEN, 0), 1)

    decision = decide(a_record(rotation), seen)

    assert decision.actions == (SetWeights(Slot.GREEN, 0),)
    assert decided(decision.record).exposed_at == NOON


def test_weight_that_the_live_one_has_lost_to_an_unhealthy_slot_is_put_back_the_other_way_too() -> None:
    rotation = a_rotation(weight=100, intended_weight=100, exposed_at=NOON, proved_at=NOON, shifted_at=after(-5))
    seen = an_observation(old_with(0, 4), a_slot(GREEN, 4, "2"), 0)

    decision = decide(a_record(rotation), seen)

    assert decision.actions == (SetWeights(Slot.GREEN, 100),)


def test_a_hold_is_decided_with_no_action_and_nothing_due() -> None:
    rotation = baking()
    seen = an_observation(blue(rotation), green(rotation), 70, at=after(5))

    decision = decide(a_record(rotation), seen)

    assert (decision.actions, decision.look_again_at, decision.moving) == ((), None, False)
    assert decided(decision.record).events[-1].at == after(5)
    assert decided(decision.record).events[-1].name == "held"
