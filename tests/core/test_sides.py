"""Both sides of a rotation: who is ready on each, by every source of health, and its share of the traffic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.model import Instance, Route, Slot, TargetState
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.sides import has_traffic, is_ready, sides_of
from tests.builders import (
    NEW_IMAGE,
    OLD_IMAGE,
    a_generation,
    a_rotation,
    a_slot,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
)

BLUE, GREEN = Slot.BLUE, Slot.GREEN
LIFECYCLES = [
    "Pending",
    "Pending:Wait",
    "Standby",
    "Terminating",
    "Terminating:Wait",
    "Terminating:Retained",
    "Warmed:Stopped",
]
LIFECYCLES += ["Detaching", "Quarantined", "ReplacingRootVolume", "ANameYetToBeInvented"]


@pytest.mark.edge(11)
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_only_in_service_is_ready_whatever_else_aws_may_name(lifecycle: str) -> None:
    assert not is_ready(an_instance(lifecycle=lifecycle), target_health=True)


@pytest.mark.edge(14)
def test_healthy_for_auto_scaling_is_not_yet_serving() -> None:
    assert not is_ready(an_instance(lifecycle="Pending", healthy=True), target_health=False)
    assert not is_ready(an_instance(target=TargetState.INITIAL), target_health=True)
    assert not is_ready(an_instance(healthy=False), target_health=True)


@pytest.mark.edge(15)
@pytest.mark.parametrize("target", [None, *(t for t in TargetState if t is not TargetState.HEALTHY)])
def test_an_instance_that_its_load_balancer_does_not_call_healthy_is_not_ready(target: TargetState | None) -> None:
    assert not is_ready(an_instance(target=target), target_health=True)
    assert is_ready(an_instance(target=target), target_health=False)


@pytest.mark.edge(15)
def test_instances_of_another_version_do_not_count_for_the_candidate_but_do_for_the_old_slot() -> None:
    sides = sides_of(a_rotation(), an_observation(a_slot(healthy=4, version="7"), a_slot(Slot.GREEN, 4, "1")))

    assert (sides.old.ready_count, sides.new.ready_count) == (4, 0)


@pytest.mark.parametrize(
    ("ready", "sick", "goal", "enough"),
    [(4, 0, 2, True), (4, 2, 2, False), (4, 2, 0, True), (1, 1, 1, False), (2, 0, 1, True), (0, 1, 1, False)],
)  # fmt: skip
def test_the_old_generation_keeps_enough_whichever_instances_aws_takes(
    ready: int, sick: int, goal: int, enough: bool
) -> None:
    sick_ones = (an_instance(n, target=TargetState.UNHEALTHY) for n in range(50, 50 + sick))
    instances = (*some_instances(ready), *sick_ones)

    seen = an_observation(a_slot(healthy=ready + sick, instances=instances))

    assert sides_of(a_rotation(), seen).old.keeps(goal) is enough


def test_an_instance_of_an_image_that_the_old_generation_never_had_is_foreign_and_not_ready() -> None:
    rotation = a_rotation(old=a_generation(41, image=OLD_IMAGE))
    one, other = an_instance(1, image=OLD_IMAGE), an_instance(2, image=NEW_IMAGE)

    old = sides_of(rotation, an_observation(a_slot(healthy=2, instances=(one, other)))).old

    assert (old.ready, old.foreign) == ((one,), (other,))


def test_without_a_load_balancer_instances_in_service_are_ready_and_there_are_no_shares() -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))
    unlisted = tuple(an_instance(n, target=None) for n in range(3))

    old = sides_of(rotation, an_observation(a_slot(healthy=3, instances=unlisted), routes=())).old

    assert (old.ready_count, old.shares, old.is_exposed) == (3, (), False)


def test_a_side_has_a_share_only_where_every_route_says_so() -> None:
    routes = (Route("arn:1", ":80", {BLUE: 95, GREEN: 5}), Route("arn:2", ":443", {BLUE: 100, GREEN: 0}))

    sides = sides_of(a_rotation(), an_observation(routes=routes))

    assert (sides.old.shares, sides.new.shares) == ((95, 100), (5, 0))
    assert not sides.new.has(5)
    assert sides.new.is_exposed
    assert sides_of(a_rotation(), an_observation(routes=routes[:1])).new.has(5)


@pytest.mark.parametrize(("back", "winner"), [(True, BLUE), (False, GREEN)])
def test_the_side_that_wins_is_the_old_one_on_the_way_back_and_the_new_one_forward(back: bool, winner: Slot) -> None:
    has_all, loses = sides_of(a_rotation(), an_observation()).end(back=back)

    assert (has_all.state.slot, loses.state.slot) == (winner, winner.other)


def test_zones_of_ready_instances_and_of_those_in_service_differ_while_some_are_sick() -> None:
    well = an_instance(1, zone="eu-west-1a")
    sick = replace(an_instance(2, zone="eu-west-1b"), target=TargetState.UNHEALTHY)

    old = sides_of(a_rotation(), an_observation(a_slot(healthy=2, instances=(well, sick)))).old

    assert old.ready_zones == {"eu-west-1a"}
    assert old.zones == {"eu-west-1a", "eu-west-1b"}


# --- traffic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weight", "healthy", "expected"), [(0, 4, False), (5, 4, True)])
def test_where_weights_are_moved_they_say_whether_users_are_answered(weight: int, healthy: int, expected: bool) -> None:
    rotation = a_rotation(weight=weight)
    seen = an_observation(green=a_slot(GREEN, healthy=healthy, version="2"), weight=weight)

    assert has_traffic(rotation, seen) is expected


@pytest.mark.parametrize("reserve", [True, False])
@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ((), False),
        ((an_instance(lifecycle="Pending:Wait", template_version="2"),), False),
        ((an_instance(template_version="1"),), False),
        ((an_instance(template_version="2"),), True),
    ],
)
def test_without_weights_users_are_answered_from_the_first_instance_in_service_on(
    instances: tuple[Instance, ...], expected: bool, reserve: bool
) -> None:
    rotation = a_rotation(terms=some_terms(serving=Serving.of(weights=False, health=True, reserve=reserve)))
    seen = an_observation(green=a_slot(GREEN, instances=instances), routes=())

    assert has_traffic(rotation, seen) is expected
