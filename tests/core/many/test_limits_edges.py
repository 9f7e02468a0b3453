"""Rules at their edges: groups without a policy, long lists of names, and the moment at which a breaker closes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.many.limits import Breaker, Rules, why_full, why_open, with_room
from phoenix.core.model import Cause, Outcome
from tests.builders import NOON, a_record, a_rotation, after
from tests.core.many.test_limits import a_rolled_back, rules

HOUR = timedelta(hours=1)


def names(count: int) -> list[str]:
    return [f"g{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "told"), [(3, "g0, g1, g2."), (4, "g0, g1, g2 and 1 more."), (9, "g0, g1, g2 and 6 more.")]
)
def test_three_names_are_told_and_the_rest_counted(count: int, told: str) -> None:
    full = why_full(rules(in_flight=count), names(count), "web")

    assert full == f"{count} rotations in flight, {count} allowed: {told}"


def test_a_group_without_a_policy_has_no_labels_and_is_in_nobodys_way() -> None:
    limited = rules(per_label={"tier": 1})

    assert why_full(limited, ["stranger"], "a") is None
    assert why_full(limited, ["a"], "stranger") is None
    assert with_room(limited, ["stranger"], ["stranger-too", "a", "b"]) == ("stranger-too", "a")


@pytest.mark.parametrize(("minutes", "opened"), [(-59, True), (-60, False)])
def test_a_rollback_counts_for_as_long_as_the_breaker_looks_back(minutes: float, opened: bool) -> None:
    breaker = Rules(breaker=Breaker(1, HOUR))

    told = why_open(breaker, [a_rolled_back("web", minutes=minutes)], NOON)

    assert (told is not None) is opened
    assert told is None or told == "1 rollback within 1h, 1 stop starts: web."


def test_what_failed_counts_and_what_an_operator_took_back_or_what_succeeded_does_not() -> None:
    breaker = Rules(breaker=Breaker(1, HOUR))
    failed = a_record(a_rotation(outcome=Outcome.FAILED, cause=Cause.ENVIRONMENT, ended_at=after(-1)), group="failed")
    succeeded = a_record(a_rotation(outcome=Outcome.SUCCEEDED, ended_at=after(-1)), group="fine")
    taken_back = a_rolled_back("operator", Cause.OPERATOR, minutes=-1)

    assert why_open(breaker, [failed, succeeded, taken_back], NOON) == "1 rollback within 1h, 1 stop starts: failed."
    assert why_open(breaker, [succeeded, taken_back, a_record(a_rotation())], NOON) is None
