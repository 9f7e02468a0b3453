"""Verdicts, failures and refusals to the letter: these sentences are what an operator reads at three in the morning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.explain import ago
from phoenix.core.failure import Failure, find_failure
from phoenix.core.image import Candidate, Wanted, choose, unfit
from phoenix.core.model import NO_TRAFFIC, Cause, Judgement, Slot, Step, TargetState, Verdict
from phoenix.core.ready import capacity_verdict, is_short, patience
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from tests.builders import CANARY, NOON, a_rotation, a_slot, after, an_instance, an_observation, some_terms
from tests.core.slots import has_enough
from tests.core.test_failure import a_launch_failure, some_failures
from tests.core.test_image import OWNERS, WANTED, a_shelf_image
from tests.core.test_ready import candidates, seeing

WAIT, FAIL, PASS = Judgement.WAIT, Judgement.FAIL, Judgement.PASS
HALF_A_MINUTE = timedelta(seconds=30)
GROWS = (Step(50, 100, 25), Step(100, 100, 50))


def said(rotation: Rotation, *instances: Any, **changes: Any) -> Verdict:
    return capacity_verdict(rotation, seeing(*instances, **changes), "in_service")


# --- readiness --------------------------------------------------------------------------------------------------------


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


def test_under_traffic_with_nobody_fails_at_once() -> None:
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


def test_a_zone_of_the_live_one_counts_only_while_somebody_serves_there() -> None:
    blue = a_slot(instances=(an_instance(0), an_instance(1, lifecycle="Pending")))
    green = a_slot(Slot.GREEN, 4, "2", instances=candidates(4, zone="eu-west-1a"))

    assert has_enough(a_rotation(), an_observation(blue, green))


# --- failures ---------------------------------------------------------------------------------------------------------


def test_too_few_healthy_are_counted_against_those_that_run() -> None:
    ill = candidates(1, target=TargetState.UNHEALTHY)
    well = tuple(an_instance(n, template_version="2") for n in (5, 6))
    pending = tuple(an_instance(n, template_version="2", lifecycle="Pending") for n in (7,))

    failure = find_failure(a_rotation(), seeing(*ill, *well, *pending, at=after(15)))

    assert failure == Failure(
        "2 of 4 became healthy within 15m; 1 run and are not healthy: 1x Pending, 1x unhealthy", Cause.IMAGE
    )


def test_instances_of_another_version_do_not_run_for_the_candidate() -> None:
    strangers = tuple(an_instance(n, template_version="7") for n in range(4))

    failure = find_failure(a_rotation(), seeing(*strangers, at=after(15)))

    assert failure == Failure("0 of 4 were launched within 15m", Cause.ENVIRONMENT)


def test_the_newest_of_many_failures_is_quoted_and_the_permanent_one_before_it() -> None:
    newest, permanent = a_launch_failure(3, words="newest"), a_launch_failure(1, permanent=True, words="denied")
    many = (newest, *some_failures(2, 1))

    assert find_failure(a_rotation(), an_observation(failures=many)) == Failure(
        "3 launches in a row failed: newest", Cause.ENVIRONMENT
    )
    assert find_failure(a_rotation(), an_observation(failures=(*many, permanent))) == Failure(
        "the launch failed: denied", Cause.ENVIRONMENT
    )


def test_a_failure_at_the_very_moment_of_progress_counts() -> None:
    at_once = a_launch_failure(1, permanent=True)

    assert find_failure(a_rotation(progress_at=after(1)), an_observation(failures=(at_once,))) is not None


def test_the_deadline_without_a_word_of_what_was_waited_for_names_the_rotation() -> None:
    late = a_rotation(proved_at=NOON, deadline=after(5), terms=some_terms(rotation_timeout=timedelta(minutes=5)))

    assert find_failure(late, an_observation(at=after(5))) == Failure(
        "the deadline passed after 5m while: the rotation", Cause.ENVIRONMENT
    )
    assert find_failure(late, an_observation(at=after(4.9))) is None


def test_a_promoted_manual_bake_counts_against_the_deadline_again() -> None:
    manual = (Step(100, 100, 100, None),)
    resting: dict[str, Any] = {"proved_at": NOON, "shifted_at": NOON, "baking_since": NOON}
    promoted = a_rotation(manual, **resting, promoted=Ask(NOON, "oncall"))

    assert find_failure(promoted, an_observation(at=after(121))) is not None
    assert find_failure(a_rotation(CANARY, **resting), an_observation(at=after(121))) is not None


# --- images -----------------------------------------------------------------------------------------------------------

REFUSALS = {
    "owner 999999999999 is not among the policy's owners": {"owner": "999999999999"},
    "state is pending": {"state": "pending"},
    "the account's Allowed AMIs settings forbid it": {"allowed": False},
    "architecture is arm64, not x86_64": {"architecture": "arm64"},
    "virtualization is paravirtual, not hvm": {"virtualization": "paravirtual"},
    "it has no ENA support": {"ena": False},
    "it is deprecated": {"deprecated_at": NOON},
    "tags differ: wants service=web, channel=stable": {"tags": {"owner": "team"}},
    "tags differ: wants channel=stable": {"tags": {"service": "web"}},
    "its creation date is in the future": {"age": timedelta(seconds=-1)},
    "younger than min_age (0:10:00)": {"age": timedelta(minutes=9)},
}
PICKY = Wanted(OWNERS, "x86_64", tags={"service": "web", "channel": "stable"}, min_age=timedelta(minutes=10))
FITS: dict[str, Any] = {"tags": {"service": "web", "channel": "stable"}}


@pytest.mark.parametrize(("words", "facts"), REFUSALS.items(), ids=list(REFUSALS))
def test_an_image_that_is_not_chosen_says_why(words: str, facts: dict[str, Any]) -> None:
    assert unfit(a_shelf_image(**{**FITS, **facts}), PICKY, NOON) == words
    assert unfit(a_shelf_image(**FITS), PICKY, NOON) is None


def test_the_most_fundamental_reason_is_the_one_that_is_given() -> None:
    everything: dict[str, Any] = {"owner": "999999999999", "state": "pending", "ena": False, "tags": {}}

    assert "owner" in (unfit(a_shelf_image(**everything), PICKY, NOON) or "")


def test_of_two_of_the_same_moment_the_greater_id_is_chosen_and_the_rest_is_older() -> None:
    low, high, bad = a_shelf_image(1), a_shelf_image(2), a_shelf_image(3, state="failed")

    judged = choose([low, bad, high], WANTED, NOON)

    assert judged == (
        Candidate(high),
        Candidate(bad, "state is failed"),
        Candidate(low, f"older than {high.id}"),
    )


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"days": 1, "minutes": 5}, "1d"),
        ({"days": 1, "hours": 1}, "1d 1h"),
        ({"hours": 1}, "1h"),
        ({"minutes": 1}, "1m"),
        ({"seconds": 1}, "1s"),
        ({"hours": 23, "minutes": 59}, "23h59m"),
        ({"minutes": 1, "seconds": 1}, "1m1s"),
    ],
)
def test_a_span_turns_over_at_each_unit(span: dict[str, int], text: str) -> None:
    assert ago(timedelta(**span)) == text
