"""A group that is not being rotated: the retained generation follows, then goes cold; the live one is never touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.action import RemoveTags, SetFailover, SetRole, SetWeights
from phoenix.core.decide import decide
from phoenix.core.model import Role, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.rest import rest
from tests.builders import (
    NOON,
    a_generation,
    a_lone_route,
    a_record,
    a_route,
    a_slot,
    after,
    an_instance,
    an_observation,
)

GREEN_LIVE = a_slot(Slot.GREEN, 4, "2", min=2, max=8)


def a_success(**changes: Any) -> GroupRecord:
    """Generation 42 lives in green, 41 is retained in blue and hot for an hour."""
    standard = {"live": a_generation(42), "retained": a_generation(41), "hot_until": after(60)}
    return a_record(**{**standard, **changes})


def test_a_group_that_never_rotated_has_nothing_to_do() -> None:
    decision = decide(a_record(), an_observation())

    assert (decision.actions, decision.look_again_at, decision.reason) == ((), None, "nothing to do")


@pytest.mark.edge(24)
def test_a_hot_generation_in_step_with_the_live_one_needs_no_call() -> None:
    decision = rest(a_success(), an_observation(green=GREEN_LIVE, weight=100))

    assert decision.actions == ()
    assert decision.look_again_at == after(60)
    assert decision.reason == "generation 41 is hot until 13:00:00"


@pytest.mark.parametrize(("live", "kept"), [(6, 6), (2, 4)])
def test_a_hot_generation_follows_the_live_one_upward_only(live: int, kept: int) -> None:
    seen = an_observation(green=a_slot(Slot.GREEN, live, "2"), weight=100)

    actions = rest(a_success(), seen).actions

    assert actions == ((SetRole(Slot.BLUE, Role.RETAINED, kept),) if kept != 4 else ())


def test_when_its_time_is_over_it_is_emptied_and_its_note_removed_and_only_then_called_cold() -> None:
    noted = a_slot(tags={tags.CAPACITY: "2 8"})
    decision = rest(a_success(hot_until=NOON), an_observation(noted, GREEN_LIVE, 100))

    assert decision.actions == (SetRole(Slot.BLUE, Role.COLD, 0), RemoveTags({Slot.BLUE: (tags.CAPACITY,)}))
    assert decision.record.hot_until == NOON

    empty = an_observation(a_slot(healthy=0), GREEN_LIVE, 100)
    leaving = rest(decision.record, empty)
    assert leaving.actions == (SetWeights(Slot.BLUE, 0, unrefer=frozenset({"arn:rule/:443"})),)
    assert leaving.record.hot_until == NOON

    gone = replace(empty, routes=(a_lone_route(Slot.GREEN),))
    assert rest(decision.record, gone).record.hot_until is None


def test_a_generation_that_goes_cold_stays_in_the_rules_until_its_last_instance_has_left() -> None:
    leaving = a_slot(healthy=1, min=0, max=0, desired=0, instances=(an_instance(lifecycle="Terminating:Wait"),))
    seen = an_observation(leaving, GREEN_LIVE, 100)

    waits = rest(a_success(hot_until=NOON), seen)
    given_up = rest(a_success(hot_until=after(-6)), seen)

    assert (waits.actions, waits.look_again_at) == ((), after(5))
    assert given_up.actions == (SetWeights(Slot.BLUE, 0, unrefer=frozenset({"arn:rule/:443"})),)


@pytest.mark.parametrize("sticky", [True, False])
def test_a_cold_generation_stays_in_rules_where_it_could_not_join_again_by_itself(sticky: bool) -> None:
    empty = a_slot(healthy=0, target_groups=("a",) if sticky else ("a", "b"), tags={tags.FAILOVER: "1/off"})
    seen = an_observation(empty, GREEN_LIVE, 100)
    if sticky:
        seen = replace(seen, routes=(replace(a_route(100), sticky_seconds=30),))

    decision = rest(a_success(hot_until=NOON), seen)

    assert (decision.actions, decision.record.hot_until) == ((), None)


def test_thresholds_come_back_once_no_rule_names_the_cold_generation_any_more() -> None:
    empty = a_slot(healthy=0, tags={tags.FAILOVER: "1/off"})
    seen = an_observation(empty, GREEN_LIVE, routes=(a_lone_route(Slot.GREEN),))

    decision = rest(a_success(hot_until=NOON), seen)

    assert decision.actions == (SetFailover(Slot.BLUE, "1/off"), RemoveTags({Slot.BLUE: (tags.FAILOVER,)}))


@pytest.mark.parametrize("hot_until", [NOON, after(60)])
def test_a_retained_generation_that_another_writer_gave_traffic_is_neither_shrunk_nor_grown(hot_until: object) -> None:
    seen = an_observation(green=a_slot(Slot.GREEN, 6, "2"), weight=90)

    decision = rest(a_success(hot_until=hot_until), seen)

    assert decision.actions == ()
    assert "another writer" in decision.reason


def test_a_cold_generation_stays_as_it_is() -> None:
    assert rest(a_success(hot_until=None), an_observation(weight=100)).actions == ()


def test_it_looks_again_at_once_after_what_it_has_changed_and_says_what_that_was() -> None:
    emptied = rest(a_success(hot_until=NOON), an_observation(green=GREEN_LIVE, weight=100))
    empty = a_slot(healthy=0)
    leaving = rest(a_success(hot_until=NOON), an_observation(empty, GREEN_LIVE, 100))
    cold = rest(a_success(hot_until=NOON), an_observation(empty, GREEN_LIVE, routes=(a_lone_route(Slot.GREEN),)))

    assert (emptied.look_again_at, emptied.reason) == (NOON, "generation 41 goes cold")
    assert (leaving.look_again_at, leaving.reason) == (NOON, "generation 41 leaves the rules")
    assert (cold.look_again_at, cold.reason) == (None, "generation 41 is cold")


def test_what_a_lost_rotation_left_is_taken_back_first_and_looked_at_again_at_once() -> None:
    pinned = a_slot(tags={tags.CAPACITY: "2 8"}, min=4, max=8)

    decision = rest(a_record(live=a_generation(41)), an_observation(pinned, a_slot(Slot.GREEN, 0)))

    assert decision.actions
    assert decision.look_again_at == NOON
    assert decision.reason.startswith("cleaning up: ")
