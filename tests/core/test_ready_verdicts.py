"""Verdicts on readiness, to the letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Judgement, Slot, TargetState, Verdict
from phoenix.core.ready import capacity_verdict, is_short, patience
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.terms import Step
from tests.builders import NOON, a_rotation, a_slot, after, an_instance, an_observation, some_terms
from tests.core.slots import has_enough
from tests.core.test_ready import candidates, seeing

WAIT, FAIL, PASS = Judgement.WAIT, Judgement.FAIL, Judgement.PASS


HALF_A_MINUTE = timedelta(seconds=30)


GROWS = (Step(50, 100, 25), Step(100, 100, 50))


def said(rotation: Rotation, *instances: Any, **changes: Any) -> Verdict:
    return capacity_verdict(rotation, seeing(*instances, **changes), "in_service")


def test_ready_for_long_enough_passes_and_says_for_how_long() -> None:
    rotation = a_rotation(terms=some_terms(healthy_for=HALF_A_MINUTE), ready_since=after(-2))

    assert said(rotation, *candidates(4)) == Verdict("in_service", PASS, "4 of 4 healthy for 2m")


def test_ready_for_too_short_waits_and_says_how_long_is_needed() -> None:
    rotation = a_rotation(terms=some_terms(healthy_for=HALF_A_MINUTE), ready_since=after(seconds=-10))

    assert said(rotation, *candidates(4)) == Verdict("in_service", WAIT, "4 of 4 healthy for 10s, 30s needed")


def test_not_ready_without_traffic_waits_and_counts() -> None:
    assert said(a_rotation(), *candidates(3)) == Verdict("in_service", WAIT, "3 of 4 healthy")


def test_without_a_load_balancer_it_counts_who_is_in_service() -> None:
    rotation = a_rotation(terms=some_terms(serving=NO_TRAFFIC))

    assert said(rotation, *candidates(3, target=None)) == Verdict("in_service", WAIT, "3 of 4 in service")


def test_under_traffic_with_too_few_waits_and_says_how_long_that_is_tolerated() -> None:
    rotation = a_rotation(weight=5, short_since=after(seconds=-20))

    expected = "3 of 4 healthy for 20s, at most 1m is tolerated"
    assert said(rotation, *candidates(3)) == Verdict("in_service", WAIT, expected, Cause.IMAGE)
    assert said(a_rotation(weight=5), *candidates(3)).reason == "3 of 4 healthy for 0s, at most 1m is tolerated"


def test_under_traffic_without_instances_fails_at_once() -> None:
    expected = Verdict("in_service", FAIL, "0 of 4 healthy, with 5 % of the traffic: 4x unhealthy")

    assert said(a_rotation(weight=5), *candidates(4, target=TargetState.UNHEALTHY)) == expected


@pytest.mark.parametrize(("ready", "short"), [(2, False), (1, True)])
def test_while_it_grows_a_candidate_is_measured_by_what_it_carries(ready: int, short: bool) -> None:
    rotation = a_rotation(GROWS, step=2, weight=25)
    verdict = said(rotation, *candidates(ready))

    assert is_short(rotation, ready) is short
    assert verdict.reason.startswith(f"{ready} of 4 healthy")
    assert ("tolerated" in verdict.reason) is short
    assert verdict.judgement is WAIT


@pytest.mark.parametrize("proved_at", [NOON, None])
def test_once_it_is_proved_or_in_its_first_step_it_is_measured_by_its_goal(proved_at: Any) -> None:
    rotation = a_rotation(GROWS, step=2 if proved_at else 1, weight=25, proved_at=proved_at)
    ready = 3 if proved_at else 1

    assert is_short(rotation, ready)
    assert not is_short(rotation, ready + 1)


def test_a_generation_that_needs_long_to_grow_is_given_as_long_to_replace_one() -> None:
    slow = a_rotation(terms=some_terms(healthy_for=HALF_A_MINUTE), grew_in=timedelta(minutes=7))

    assert patience(slow.terms.healthy_for, slow.candidate) == timedelta(minutes=7, seconds=30)


def test_two_zones_are_enough_where_the_live_one_has_three() -> None:
    in_two = [an_instance(n, template_version="2", zone=f"eu-west-1{'ab'[n % 2]}") for n in range(4)]

    assert has_enough(a_rotation(), seeing(*in_two))


def test_a_zone_of_the_live_one_counts_only_while_an_instance_serves_there() -> None:
    blue = a_slot(instances=(an_instance(0), an_instance(1, lifecycle="Pending")))
    green = a_slot(Slot.GREEN, 4, "2", instances=candidates(4, zone="eu-west-1a"))

    assert has_enough(a_rotation(), an_observation(blue, green))
