"""Has the candidate failed, and whose fault is it? The image is blamed only for what it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.failure import Failure, find_failure
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Cause, Judgement, Slot, TargetState, Verdict
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from tests.builders import (
    CANARY,
    NOON,
    a_rotation,
    a_slot,
    after,
    an_instance,
    an_observation,
    some_instances,
    some_terms,
)
from tests.core.test_ready import candidates, seeing

FAILED = Verdict("alarm", Judgement.FAIL, "web-5xx is in ALARM", Cause.IMAGE)


PAUSED = Ask(after(-1), "oncall")


def a_launch_failure(minutes: float = 0, **changes: Any) -> LaunchFailure:
    """Missing capacity, which may come back."""
    standard = {"permanent": False, "blames_image": False, "words": "no m7g.large in eu-west-1a"}
    return LaunchFailure(after(minutes), **{**standard, **changes})


def some_failures(*minutes: float) -> tuple[LaunchFailure, ...]:
    return tuple(a_launch_failure(m) for m in minutes)


def test_a_calm_rotation_has_not_failed() -> None:
    assert find_failure(a_rotation(), an_observation()) is None


def test_the_first_gate_that_fails_says_why_and_whose_fault_it_is() -> None:
    missing = Verdict("http", Judgement.FAIL, "no answer", Cause.ENVIRONMENT)
    fine = Verdict("target_health", Judgement.PASS, "4 of 4")

    failure = find_failure(a_rotation(), an_observation(verdicts=(fine, missing, FAILED)))

    assert failure is not None
    assert (failure.reason, failure.cause) == ("http: no answer", Cause.ENVIRONMENT)


def test_once_only_the_clean_up_is_left_nothing_fails_any_more() -> None:
    assert find_failure(a_rotation(closing_since=NOON), an_observation(at=after(999), verdicts=(FAILED,))) is None


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        ({}, Cause.ENVIRONMENT),
        ({"launched_at": NOON}, Cause.IMAGE),
        ({"in_service_high": 1}, Cause.IMAGE),
        ({"first_healthy_at": NOON}, Cause.IMAGE),
        ({"succeeded_at": NOON}, Cause.IMAGE),
    ],
)
def test_a_gate_that_fails_before_anything_was_launched_does_not_blame_the_image(
    known: dict[str, Any], cause: Cause
) -> None:
    failure = find_failure(a_rotation(**known), an_observation(verdicts=(FAILED,)))

    assert failure is not None
    assert failure.cause is cause


def test_while_it_is_paused_no_time_runs_out_but_a_failing_gate_still_counts() -> None:
    rotation = a_rotation(paused=PAUSED)

    assert find_failure(rotation, an_observation(at=after(999))) is None
    assert find_failure(rotation, an_observation(verdicts=(FAILED,))) is not None


@pytest.mark.edge(9)
@pytest.mark.parametrize(("blames_image", "cause"), [(True, Cause.IMAGE), (False, Cause.ENVIRONMENT)])
def test_a_launch_that_can_never_succeed_fails_at_once_in_awss_words(blames_image: bool, cause: Cause) -> None:
    denied = a_launch_failure(permanent=True, blames_image=blames_image, words="KMS key denied")

    failure = find_failure(a_rotation(), an_observation(failures=(denied,)))

    assert failure is not None
    assert (failure.reason, failure.cause) == ("the launch failed: KMS key denied", cause)


def test_an_instance_of_the_right_version_that_runs_another_image_is_a_failure_that_blames_no_image() -> None:
    right, wrong = a_rotation().new.image, "ami-0other"
    first, *others = some_instances(3, template_version="2", image=right)
    green = a_slot(Slot.GREEN, instances=(replace(first, id="i-0other", image=wrong), *others))

    failure = find_failure(a_rotation(), an_observation(green=green))

    assert failure is not None
    assert f"(i-0other) runs {wrong}, not {right}" in failure.reason
    assert failure.cause is Cause.ENVIRONMENT


def test_an_image_that_ec2_may_only_not_know_yet_is_waited_for_and_then_blamed() -> None:
    unknown = {
        "permanent": True,
        "blames_image": True,
        "absent": True,
        "words": "The image id '[ami-1]' does not exist.",
    }
    early, late = a_launch_failure(4.9, **unknown), a_launch_failure(5, **unknown)
    rotation = a_rotation(started_at=NOON)

    assert find_failure(rotation, an_observation(at=after(6), failures=(early, early, early))) is None
    failure = find_failure(rotation, an_observation(at=after(6), failures=(late, early)))
    assert failure is not None
    assert failure.cause is Cause.IMAGE


@pytest.mark.parametrize(
    ("third", "cause"), [({"blames_image": True}, Cause.IMAGE), ({"blames_image": False}, Cause.ENVIRONMENT)]
)
def test_launches_that_the_images_own_start_up_ends_are_its_fault_if_all_are(
    third: dict[str, bool], cause: Cause
) -> None:
    abandoned = [a_launch_failure(n, blames_image=True, words="abandoned") for n in (3, 2)]

    failure = find_failure(a_rotation(), an_observation(failures=(*abandoned, a_launch_failure(1, **third))))

    assert failure is not None
    assert failure.cause is cause


def test_a_reason_that_phoenix_does_not_know_is_called_so() -> None:
    unheard = [a_launch_failure(n, words="the moon is full", known=False) for n in (3, 2, 1)]

    failure = find_failure(a_rotation(), an_observation(failures=tuple(unheard)))

    assert failure is not None
    assert failure.reason == "3 launches in a row failed: AWS's reason is not known to phoenix: the moon is full"


@pytest.mark.edge(10)
@pytest.mark.edge(28)
def test_missing_capacity_is_tolerated_twice_and_is_never_the_images_fault() -> None:
    assert find_failure(a_rotation(), an_observation(failures=some_failures(1, 2))) is None

    failure = find_failure(a_rotation(), an_observation(failures=some_failures(3, 2, 1)))

    assert failure is not None
    assert failure.cause is Cause.ENVIRONMENT
    assert failure.reason == "3 launches in a row failed: no m7g.large in eu-west-1a"


def test_failures_before_the_last_progress_or_before_it_grew_do_not_count() -> None:
    old = some_failures(3, 2, 1)

    assert find_failure(a_rotation(progress_at=after(2.5)), an_observation(failures=old)) is None
    assert find_failure(a_rotation(grown_since=after(4)), an_observation(failures=old)) is None
    assert find_failure(a_rotation(grown_since=None), an_observation(failures=old)) is None


def test_a_launch_that_fails_after_the_step_was_proved_fails_nothing() -> None:
    permanent = a_launch_failure(permanent=True)

    assert find_failure(a_rotation(proved_at=NOON), an_observation(failures=(permanent,))) is None


def test_instances_that_run_and_never_get_healthy_blame_the_image() -> None:
    ill = a_slot(Slot.GREEN, 4, "2", instances=some_instances(4, template_version="2", target=TargetState.UNHEALTHY))

    failure = find_failure(a_rotation(), an_observation(green=ill, at=after(15)))

    assert failure is not None
    assert failure.cause is Cause.IMAGE
    assert failure.reason == "0 of 4 became healthy within 15m; 4 run and are not healthy: 4x unhealthy"


@pytest.mark.edge(9)
def test_instances_that_never_came_blame_the_environment_and_quote_the_last_failure() -> None:
    seen = an_observation(at=after(15), failures=some_failures(14))

    failure = find_failure(a_rotation(), seen)

    assert failure is not None
    assert failure.cause is Cause.ENVIRONMENT
    assert failure.reason == "0 of 4 were launched within 15m; last failure: no m7g.large in eu-west-1a"


def test_the_launch_has_its_whole_time_and_one_that_is_enough_is_never_overdue() -> None:
    assert find_failure(a_rotation(), an_observation(at=after(14.9))) is None
    assert find_failure(a_rotation(), an_observation(green=a_slot(Slot.GREEN, 4, "2"), at=after(16))) is None
    assert find_failure(a_rotation(proved_at=NOON), an_observation(at=after(16))) is None


@pytest.mark.edge(50)
def test_the_deadline_ends_whatever_is_stuck_and_says_in_what() -> None:
    stuck = a_rotation(proved_at=NOON, waiting_for="settling")

    failure = find_failure(stuck, an_observation(at=after(120)))

    assert failure is not None
    assert failure.cause is Cause.ENVIRONMENT
    assert failure.reason == "the deadline passed after 2h while: settling"


def test_a_bake_that_waits_for_a_person_does_not_run_into_the_deadline() -> None:
    manual = (Step(100, 100, 100, None),)
    resting = a_rotation(manual, proved_at=NOON, shifted_at=NOON, baking_since=NOON)

    assert find_failure(resting, an_observation(at=NOON + timedelta(days=3))) is None
    assert find_failure(a_rotation(manual, proved_at=NOON), an_observation(at=after(121))) is not None


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
