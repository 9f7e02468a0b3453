"""Scheduled actions: which ones fire while a rotation lasts, and what they would do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phoenix.fleets.group_schedules import Span, judge_firing, judge_sleeping, next_firing

AT = datetime(2026, 11, 18, 2, 41, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = Span(AT, HOUR, need=4)


def an_action(recurrence: str | None = "0 3 * * *", **facts: Any) -> dict[str, Any]:
    """Nineteen minutes from now, unless told otherwise."""
    plain = {"ScheduledActionName": "nightly", "Recurrence": recurrence}
    return {key: value for key, value in (plain | facts).items() if value is not None}


def found(action: dict[str, Any]) -> list[tuple[str, bool]]:
    """Names of what is said, and whether they are warnings."""
    return [(blocker.name, blocker.warning) for blocker in judge_firing("web-blue", [action], SPAN)]


@pytest.mark.edge(6)
@pytest.mark.parametrize(
    "changes", [{"MaxSize": 3}, {"DesiredCapacity": 2}, {"MinSize": 1}, {"MaxSize": 2, "DesiredCapacity": 4}]
)
def test_one_that_would_cut_into_the_need_stands_in_the_way(changes: Any) -> None:
    assert found(an_action(**changes)) == [("scheduled-shrink", False)]


@pytest.mark.edge(6)
@pytest.mark.parametrize(
    "changes", [{"MinSize": 8}, {"MaxSize": 20, "DesiredCapacity": 10}, {"MinSize": 2, "DesiredCapacity": 4}]
)
def test_one_that_keeps_the_need_is_worth_a_warning(changes: Any) -> None:
    assert found(an_action(**changes)) == [("scheduled-change", True)]


def test_one_that_fires_after_the_planned_end_is_not_mentioned() -> None:
    assert found(an_action("0 4 * * *", MaxSize=0)) == []


def test_the_warning_says_when_and_what() -> None:
    (blocker,) = judge_firing("web-blue", [an_action(MinSize=1, MaxSize=2)], SPAN)

    assert '"nightly" fires at 2026-11-18 03:00 UTC' in blocker.text
    assert "min 1, max 2" in blocker.text
    assert "--scheduled-action-name nightly" in str(blocker.remedy)


@pytest.mark.parametrize(
    ("action", "fires_at"),
    [
        (an_action(None, StartTime=AT + HOUR), AT + HOUR),
        (an_action(None, StartTime=AT - HOUR), None),
        (an_action(None), None),
        (an_action("0 4 * * *", TimeZone="Europe/Berlin"), datetime(2026, 11, 18, 3, tzinfo=UTC)),
        (an_action(StartTime=datetime(2026, 11, 20, 3, tzinfo=UTC)), datetime(2026, 11, 20, 3, tzinfo=UTC)),
        (an_action(EndTime=AT), None),
        (an_action("every night"), AT),
        (an_action(TimeZone="Mars/Olympus"), AT),
    ],
)
def test_the_next_firing_is_the_one_that_aws_means(action: dict[str, Any], fires_at: datetime | None) -> None:
    assert next_firing(action, AT) == fires_at


def test_those_of_the_slot_that_is_not_live_sleep() -> None:
    assert [(b.name, b.warning) for b in judge_sleeping("web-green", [an_action()])] == [("scheduled-action", True)]
