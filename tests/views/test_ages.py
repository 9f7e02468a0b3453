"""The last block of the status of all groups."""

from __future__ import annotations

from datetime import timedelta

from phoenix.engine.many.age import Age
from phoenix.views import ages
from tests.views.builders import NEW, NOW

WEEK, DAY = timedelta(days=7), timedelta(days=1)


def an_age(group: str, days: float | None, limit: timedelta | None = WEEK) -> Age:
    since = None if days is None else NOW - days * DAY
    return Age(group, NOW, NEW if days is not None else None, since, limit)


def test_every_group_is_named_the_oldest_first_and_unknown_ones_before() -> None:
    shown = ages.render([an_age("web", 3), an_age("api", 9), an_age("db", None)])

    assert [line.split() for line in shown.split("\n") if line.startswith("  ")] == [
        ["group", "oldest", "age"],
        ["db", "-", "not", "known", "over"],
        ["api", "42", "9d", "over"],
        ["web", "42", "3d"],
    ]
    assert "Age limit 7d: 2 groups of 3 older." in shown


def test_it_says_that_nothing_is_too_old_and_nothing_at_all_without_a_limit() -> None:
    assert "Age limit 7d: no group is older." in ages.render([an_age("web", 3)])
    assert ages.render([an_age("web", 3, None)]) == ""


def test_machines_get_seconds() -> None:
    assert ages.document(an_age("web", 8)) == {
        "generation": 42,
        "since": "2026-11-10T02:58:39Z",
        "seconds": 691200,
        "max_seconds": 604800,
        "over": True,
    }
