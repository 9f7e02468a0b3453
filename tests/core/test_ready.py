"""When a generation can carry traffic: what counts as ready, how many are enough, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from phoenix.core.clocks import CandidateFacts
from phoenix.core.model import Instance, Judgement, Observation, Slot, TargetState, Verdict
from phoenix.core.progress import advance_clocks
from phoenix.core.ready import (
    candidate_goal,
    capacity_verdict,
    old_goal,
    patience,
    shortcomings,
    sick_since,
)
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.sides import sides_of
from phoenix.core.terms import Step
from tests.builders import (
    NOON,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
)
from tests.core.slots import has_enough


def seeing(*instances: Instance, **changes: Any) -> Observation:
    """A candidate in green of these instances."""
    return an_observation(green=a_slot(Slot.GREEN, len(instances), "2", instances=instances), **changes)


def candidates(count: int, **changes: Any) -> tuple[Instance, ...]:
    return some_instances(count, **{"template_version": "2", **changes})


def verdict(rotation: Rotation, seen: Observation) -> Verdict:
    return capacity_verdict(rotation, seen, "target_health")


def test_the_candidates_goal_never_falls() -> None:
    assert candidate_goal(a_rotation(candidate_target=6)) == 6
    assert candidate_goal(a_rotation(need=9)) == 9


def test_the_goal_carries_the_weight_even_where_the_capacity_is_less() -> None:
    step = Step(50, 50, 67)

    assert candidate_goal(a_rotation((step,), need=2)) == 2
    assert old_goal(a_rotation((step,), need=2), step) == 1
    assert candidate_goal(a_rotation(terms=some_terms((step,), serving=NO_TRAFFIC), need=2)) == 1


@pytest.mark.edge(17)
def test_a_candidate_in_one_zone_is_not_enough_where_the_live_one_has_several() -> None:
    crowded = seeing(*candidates(4, zone="eu-west-1a"))

    assert not has_enough(a_rotation(), crowded)
    assert verdict(a_rotation(), crowded).reason == "4 of 4 healthy, all in one zone"
    assert has_enough(a_rotation(need=1), seeing(*candidates(1)))


def test_a_candidate_in_one_zone_is_enough_where_the_live_one_has_one() -> None:
    blue = a_slot(instances=some_instances(4, zone="eu-west-1a"))

    assert has_enough(a_rotation(), an_observation(blue, a_slot(Slot.GREEN, 4, "2")))


def test_without_cross_zone_balancing_a_candidate_needs_an_instance_in_every_zone() -> None:
    rotation = a_rotation(terms=some_terms(zones=3))
    in_two = [an_instance(n, template_version="2", zone=f"eu-west-1{'ab'[n % 2]}") for n in range(4)]

    assert not has_enough(rotation, seeing(*in_two))
    assert verdict(rotation, seeing(*in_two)).reason == "4 of 4 healthy, in 2 of 3 zones"
    assert has_enough(rotation, seeing(*candidates(4)))


def test_without_cross_zone_balancing_a_generation_with_traffic_has_as_many_instances_as_there_are_zones() -> None:
    small = Step(new_capacity=25, old_capacity=25, new_weight=10)
    rotation = a_rotation(need=4, step=1, terms=some_terms(zones=3, steps=(small,)))

    assert candidate_goal(rotation) == 3
    assert old_goal(rotation, small) == 4


def test_a_budget_for_sick_instances_does_not_ask_for_more_zones_than_instances() -> None:
    rotation = a_rotation(terms=some_terms(max_unhealthy_percent=50), need=2)

    assert has_enough(rotation, seeing(*candidates(1), an_instance(2, template_version="2", target=None)))


@pytest.mark.edge(19)
def test_an_instance_that_is_wanted_but_not_listed_yet_is_missing() -> None:
    green = a_slot(Slot.GREEN, 4, "2", instances=candidates(3))

    assert verdict(a_rotation(), an_observation(green=green)).reason == "3 of 4 healthy"


@pytest.mark.edge(21)
@pytest.mark.parametrize(
    ("since", "judgement"), [(None, "WAIT"), (after(seconds=-29), "WAIT"), (after(seconds=-30), "PASS")]
)
def test_one_good_look_is_not_health(since: datetime | None, judgement: str) -> None:
    rotation = a_rotation(terms=some_terms(healthy_for=timedelta(seconds=30)), ready_since=since)

    assert verdict(rotation, seeing(*candidates(4))).judgement.value == judgement


def test_a_candidate_without_traffic_is_waited_for_however_long_it_takes() -> None:
    assert verdict(a_rotation(short_since=after(-60)), seeing(*candidates(1))).judgement is Judgement.WAIT


@pytest.mark.edge(21)
@pytest.mark.parametrize(("minutes", "judgement"), [(1, "WAIT"), (2, "WAIT"), (2.1, "FAIL")])
def test_under_traffic_a_blip_is_tolerated_for_as_long_as_one_replacement_takes(minutes: float, judgement: str) -> None:
    rotation = a_rotation(weight=50, short_since=after(-minutes), grew_in=timedelta(minutes=2))

    found = verdict(rotation, seeing(*candidates(3)))

    assert found.judgement.value == judgement
    assert "at most 2m is tolerated" in found.reason


@pytest.mark.edge(17)
def test_traffic_without_a_healthy_instance_fails_at_once() -> None:
    found = verdict(a_rotation(weight=5, short_since=NOON), seeing(*candidates(4, target=TargetState.UNHEALTHY)))

    assert (found.judgement, found.reason) == (
        Judgement.FAIL,
        "0 of 4 healthy, with 5 % of the traffic: 4x unhealthy",
    )


def test_patience_is_never_less_than_a_minute_more_than_healthy_for() -> None:
    assert patience(timedelta(seconds=30), CandidateFacts(grew_in=timedelta(seconds=3))) == timedelta(
        minutes=1, seconds=30
    )
    assert patience(timedelta(0), CandidateFacts(grew_in=None)) == timedelta(minutes=1)


def test_a_sick_instance_is_remembered_since_it_was_first_seen_sick_and_forgotten_when_well() -> None:
    sick = [an_instance(n, template_version="2", target=TargetState.UNHEALTHY) for n in (1, 2)]
    rotation = a_rotation(sick={sick[0].id: after(-5), "i-gone": after(-9)})

    new = sides_of(rotation, seeing(*candidates(1), *sick)).new
    found = sick_since(new, rotation.candidate.sick, NOON)

    assert found == {sick[0].id: after(-5), sick[1].id: NOON}


def test_an_instance_that_was_handed_to_aws_already_is_not_sick_a_second_time() -> None:
    handed_over = an_instance(1, template_version="2", healthy=False, target=TargetState.UNHEALTHY)

    new = sides_of(a_rotation(), seeing(handed_over)).new

    assert sick_since(new, {handed_over.id: after(-5)}, NOON) == {}


# --- why not ----------------------------------------------------------------------------------------------------------

SICK = {"target": TargetState.UNHEALTHY, "target_words": "503 on /healthz:8080"}


def test_why_instances_are_not_healthy_is_counted_in_the_sentence() -> None:
    booting = an_instance(9, template_version="2", lifecycle="Pending", target=None)

    said = verdict(a_rotation(), seeing(*candidates(3, **SICK), booting))

    assert (said.judgement, said.reason) == (
        Judgement.WAIT,
        "0 of 4 healthy: 3x 503 on /healthz:8080, 1x Pending",
    )


def test_under_traffic_the_reason_is_told_as_well() -> None:
    said = verdict(a_rotation(weight=5, proved_at=NOON), seeing(*candidates(4, **SICK)))

    assert said.judgement is Judgement.FAIL
    assert said.reason == "0 of 4 healthy, with 5 % of the traffic: 4x 503 on /healthz:8080"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lifecycle": "Pending:Wait", "target": None}, "Pending:Wait"),
        ({"healthy": False}, "unhealthy to Auto Scaling"),
        ({"target": None}, "not registered"),
        ({"target": TargetState.INITIAL}, "initial"),
        ({"target": TargetState.UNUSED, "target_words": "Target is not in use"}, "Target is not in use"),
    ],
)
def test_each_shortcoming_has_a_name(changes: dict[str, Any], words: str) -> None:
    state = a_slot(Slot.GREEN, 1, "2", instances=candidates(1, **changes))

    assert shortcomings(state, "2", target_health=True) == ((1, words),)


def test_without_a_load_balancer_its_health_is_no_shortcoming() -> None:
    instances = (*candidates(2, target=None), an_instance(8, template_version="2", lifecycle="Pending"))

    assert shortcomings(a_slot(Slot.GREEN, 3, "2", instances=instances), "2", target_health=False) == ((1, "Pending"),)


def test_what_leaves_and_what_is_of_another_version_lacks_nothing() -> None:
    leaving = an_instance(7, template_version="2", lifecycle="Terminating")

    state = a_slot(Slot.GREEN, 2, "2", instances=(leaving, *some_instances(1, target=None)))

    assert shortcomings(state, "2", target_health=True) == ()


def test_a_candidate_that_flaps_is_told_from_one_that_never_was_healthy() -> None:
    rotation, seen = a_rotation(grown_since=NOON), seeing()
    for second, healthy in ((0, 3), (5, 4), (11, 3), (15, 4), (17, 3)):
        seen = replace(seeing(*candidates(healthy), *candidates(4 - healthy, **SICK)), at=NOON + timedelta(0, second))
        rotation = advance_clocks(rotation, seen)

    assert (rotation.growth.times_ready, rotation.growth.longest_ready) == (2, timedelta(seconds=6))
    assert verdict(rotation, seen).reason.endswith("1x 503 on /healthz:8080; was healthy 2 times, longest 6s")
