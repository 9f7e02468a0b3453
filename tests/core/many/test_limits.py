"""Rules for all groups: room for another rotation, and a breaker after too many have gone wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.many.limits import Breaker, Limits, Rules, in_flight, why_full, why_open, with_room
from phoenix.core.model import Cause, Outcome
from phoenix.core.record import GroupRecord
from tests.builders import NOON, a_record, a_rotation, after

TIERS = {"a": {"tier": "web"}, "b": {"tier": "web"}, "c": {"tier": "db"}, "d": {}}


def rules(**limits: object) -> Rules:
    return Rules(limits=Limits(**limits), labels=TIERS)  # type: ignore[arg-type]


def a_rolled_back(group: str, cause: Cause | None = Cause.IMAGE, minutes: float = 0) -> GroupRecord:
    ended: dict[str, Any] = {"outcome": Outcome.ROLLED_BACK, "cause": cause, "ended_at": after(minutes)}
    return a_record(a_rotation(**ended), group=group)


def test_without_limits_there_is_always_room() -> None:
    assert why_full(rules(), ["a", "b", "c"], "d") is None
    assert with_room(rules(), ["a"], ["b", "c", "d"]) == ("b", "c", "d")


def test_a_limit_names_what_it_counted() -> None:
    assert why_full(rules(in_flight=2), ["a", "b"], "c") == "2 rotations in flight, 2 allowed: a, b."
    assert why_full(rules(in_flight=3), ["a", "b"], "c") is None


def test_a_group_does_not_stand_in_its_own_way() -> None:
    assert why_full(rules(in_flight=1, per_label={"tier": 1}), ["a"], "a") is None


def test_a_limit_per_label_counts_those_with_the_same_value() -> None:
    limited = rules(per_label={"tier": 1})

    assert why_full(limited, ["a"], "b") == "1 rotation in flight with tier: web, 1 allowed: a."
    assert why_full(limited, ["a"], "c") is None
    assert why_full(limited, ["a"], "d") is None


def test_of_those_that_wait_only_as_many_as_have_room_are_chosen_in_their_order() -> None:
    assert with_room(rules(in_flight=3), ["x"], ["a", "b", "c"]) == ("a", "b")
    assert with_room(rules(per_label={"tier": 1}), [], ["a", "b", "c", "d"]) == ("a", "c", "d")
    assert with_room(rules(per_label={"tier": 1}), ["b"], ["a", "c"]) == ("c",)


def test_a_held_rotation_is_in_flight_and_an_ended_one_is_not() -> None:
    records = [a_record(a_rotation(held="x"), group="a"), a_rolled_back("b"), a_record(group="c")]

    assert in_flight(records) == ("a",)


@pytest.mark.parametrize(
    ("records", "is_open"),
    [
        ([a_rolled_back("a"), a_rolled_back("b")], True),
        ([a_rolled_back("a"), a_rolled_back("b", Cause.ENVIRONMENT)], True),
        ([a_rolled_back("a"), a_rolled_back("b", Cause.OPERATOR)], False),
        ([a_rolled_back("a"), a_rolled_back("b", None)], False),
        ([a_rolled_back("a"), a_rolled_back("b", minutes=-361)], False),
        ([a_rolled_back("a"), a_record(a_rotation(ended_at=NOON, outcome=Outcome.SUCCEEDED))], False),
        ([a_rolled_back("a")], False),
    ],
)
def test_the_breaker_counts_groups_that_were_rolled_back_lately_by_themselves(
    records: list[GroupRecord], is_open: bool
) -> None:
    limited = Rules(breaker=Breaker(2, timedelta(hours=6)))

    found = why_open(limited, records, NOON)

    assert found == ("2 rollbacks within 6h, 2 stop starts: a, b." if is_open else None)


def test_without_a_breaker_nothing_trips() -> None:
    assert why_open(Rules(), [a_rolled_back("a")], NOON) is None
    assert not Rules().concern_starts


HOUR = timedelta(hours=1)


def names(count: int) -> list[str]:
    return [f"g{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "told"), [(3, "g0, g1, g2."), (4, "g0, g1, g2 and 1 more."), (9, "g0, g1, g2 and 6 more.")]
)
def test_three_names_are_told_and_the_rest_counted(count: int, told: str) -> None:
    full = why_full(rules(in_flight=count), names(count), "web")

    assert full == f"{count} rotations in flight, {count} allowed: {told}"


def test_a_group_without_a_policy_has_no_labels_and_is_not_in_the_way() -> None:
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
