"""A generation whose instances all say the same thing fails before the launch's time-out; nothing less does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.clocks import SAME_LOOKS
from phoenix.core.failure import SAME_FOR, Failure, find_failure
from phoenix.core.model import Cause, Instance, Slot, TargetState
from phoenix.core.progress import advance_clocks
from phoenix.core.rotation import Rotation
from tests.builders import NOON, a_rotation, a_slot, after, an_observation, some_instances, some_terms

MISMATCH = "Target.ResponseCodeMismatch, 503 on /healthz:8080"
OTHER = "Target.ResponseCodeMismatch, 500 on /healthz:8080"
TIMEOUT = "Target.Timeout, timed out on /healthz:8080"
EVERY = timedelta(seconds=30)
LOOKS = int(SAME_FOR / EVERY) + 1
Look = Sequence[Instance]


def all_say(words: str = MISMATCH, count: int = 4) -> Look:
    """Instances of the candidate that run, and are unhealthy for that reason."""
    return some_instances(count, template_version="2", target=TargetState.UNHEALTHY, target_words=words)


def with_first(**changes: object) -> Look:
    """The same, but for the first of them."""
    first, *others = all_say()
    return (replace(first, **changes), *others)  # type: ignore[arg-type]


def after_looks(looks: Sequence[Look], *, every: timedelta = EVERY, grace: int = 0) -> Failure | None:
    """What becomes of a rotation that has seen these, one after the other."""
    rotation: Rotation = a_rotation(terms=some_terms(launch_timeout=timedelta(hours=1)), target=4)
    failure = None
    for number, instances in enumerate(looks):
        green = a_slot(Slot.GREEN, version="2", instances=tuple(instances), health_grace=timedelta(minutes=grace))
        seen = an_observation(green=green, at=NOON + number * every)
        rotation = advance_clocks(rotation, seen)
        failure = failure or find_failure(rotation, seen)
    return failure


def test_the_same_reason_for_long_enough_fails_with_that_reason_and_blames_the_image() -> None:
    failure = after_looks([all_say()] * LOOKS)

    assert failure is not None
    assert failure.cause is Cause.IMAGE
    assert failure.reason == f"0 of 4 became healthy: 4x {MISMATCH}, the same at every look for 5m"


def test_a_look_less_does_not() -> None:
    assert after_looks([all_say()] * (LOOKS - 1)) is None


def test_few_looks_do_not_however_far_apart() -> None:
    far = [all_say()] * (SAME_LOOKS - 1)

    assert after_looks(far, every=timedelta(minutes=2)) is None


def test_many_looks_in_a_short_time_do_not() -> None:
    assert after_looks([all_say()] * 50, every=timedelta(seconds=5)) is None


@pytest.mark.parametrize(
    "look",
    [
        with_first(target_words=TIMEOUT),
        with_first(target=TargetState.HEALTHY, target_words=""),
        with_first(target=TargetState.INITIAL, target_words="Initial health checks in progress"),
        with_first(target=None),
        with_first(lifecycle="Pending"),
        all_say(count=3),
        (),
    ],
    ids=["mixed", "one healthy", "one registering", "one unlisted", "one booting", "one missing", "none"],
)
def test_instances_that_do_not_all_say_the_same_do_not(look: Look) -> None:
    assert after_looks([look] * 3 * LOOKS) is None


@pytest.mark.parametrize("state", [TargetState.INITIAL, TargetState.UNUSED, TargetState.DRAINING])
def test_a_reason_that_is_about_registration_does_not(state: TargetState) -> None:
    new = some_instances(4, template_version="2", target=state, target_words="Target registration is in progress")

    assert after_looks([new] * 3 * LOOKS) is None


def test_a_reason_that_changes_begins_anew() -> None:
    half = LOOKS // 2 + 1

    assert after_looks([all_say()] * half + [all_say(OTHER)] * half) is None


def test_silence_is_waited_for_until_the_launch_s_time_out() -> None:
    assert after_looks([all_say(TIMEOUT)] * LOOKS) is None


@pytest.mark.parametrize("between", [with_first(target=TargetState.HEALTHY), ()], ids=["healthy", "replaced"])
def test_one_look_at_something_else_begins_it_anew(between: Look) -> None:
    half = LOOKS // 2 + 1

    assert after_looks([all_say()] * half + [between] + [all_say()] * half) is None


def test_the_owner_s_longer_grace_period_holds() -> None:
    assert after_looks([all_say()] * LOOKS, grace=10) is None
    assert after_looks([all_say()] * 2 * LOOKS, grace=10) is not None


def test_once_the_step_is_proved_it_is_for_the_gates_to_say() -> None:
    green = a_slot(Slot.GREEN, version="2", instances=all_say())
    said: dict[str, Any] = {"said": MISMATCH, "said_since": NOON, "said_looks": 99}

    assert find_failure(a_rotation(proved_at=NOON, **said), an_observation(green=green, at=after(9))) is None
    assert find_failure(a_rotation(**said), an_observation(green=green, at=after(9))) is not None


def test_time_in_which_it_stands_still_does_not_count() -> None:
    rotation = a_rotation(said=MISMATCH, said_since=NOON, said_looks=99).stand_still(timedelta(minutes=7))

    assert rotation.growth.said_since == after(7)


MAKERS: tuple[Callable[[], Look], ...] = (all_say, lambda: all_say(TIMEOUT), lambda: with_first(target=None), tuple)


@given(st.lists(st.sampled_from(range(len(MAKERS))), max_size=3 * LOOKS))
def test_it_fails_exactly_where_one_reason_was_unbroken_for_long_enough(kinds: list[int]) -> None:
    longest, run, before = 0, 0, -1
    for kind in kinds:
        run = run + 1 if kind == before else 1
        before = kind
        longest = max(longest, run if kind in (0, 1) else 0)

    assert (after_looks([MAKERS[kind]() for kind in kinds]) is not None) is (longest >= LOOKS)
