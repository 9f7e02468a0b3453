"""Scheduled actions of the two slots: those that fire while a rotation lasts, and those that sleep meanwhile.

Pure. Must never take a schedule that cannot be evaluated for one that does not fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from phoenix.core.blocker import Blocker


@dataclass(frozen=True, slots=True)
class Span:
    """From the start of a rotation to its earliest end, and the capacity that is needed all the while."""

    starts_at: datetime
    lasts: timedelta
    need: int

    @property
    def ends_at(self) -> datetime:
        """The earliest end of the last bake."""
        return self.starts_at + self.lasts


def judge_sleeping(name: str, actions: Iterable[Mapping[str, Any]]) -> Iterator[Blocker]:
    """Actions of the slot that is not live: they are suspended, which its owner should know."""
    for action in actions:
        yield Blocker(
            "scheduled-action",
            f"Auto Scaling group {name}",
            f'{name} has a scheduled action "{action["ScheduledActionName"]}"; suspended while the slot is not live.',
            f"aws autoscaling describe-scheduled-actions --auto-scaling-group-name {name}",
            warning=True,
        )


def judge_firing(name: str, actions: Iterable[Mapping[str, Any]], span: Span) -> Iterator[Blocker]:
    """Actions of the live slot that fire before the rotation can have ended."""
    for action in actions:
        fires_at = next_firing(action, span.starts_at)
        if fires_at is not None and fires_at <= span.ends_at:
            yield _firing(name, action, fires_at, span.need)


def next_firing(action: Mapping[str, Any], now: datetime) -> datetime | None:
    """The action's next firing, UTC; at once where its recurrence makes no sense to us, None when it is over."""
    # Here and not above: a rollback loads this module with the fleet, and asks for no schedule.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from cronsim import CronSim, CronSimError

    start, end = action.get("StartTime"), action.get("EndTime")
    recurrence = action.get("Recurrence")
    if recurrence is None:
        return start.astimezone(UTC) if start is not None and start >= now else None
    try:
        zone = ZoneInfo(str(action.get("TimeZone") or "UTC"))
        # The first of a recurring action is at its start, and the cron library only looks past the time it is given.
        first = max(now, start) - timedelta(seconds=1) if start is not None else now
        following = next(CronSim(str(recurrence), first.astimezone(zone)))
    except (CronSimError, ZoneInfoNotFoundError, ValueError):
        return now
    except StopIteration:
        return None
    return None if end is not None and following > end else following.astimezone(UTC)


def _firing(name: str, action: Mapping[str, Any], at: datetime, need: int) -> Blocker:
    where, called = f"Auto Scaling group {name}", action["ScheduledActionName"]
    changes = ", ".join(
        f"{word} {action[key]}"
        for word, key in (("min", "MinSize"), ("max", "MaxSize"), ("desired", "DesiredCapacity"))
        if action.get(key) is not None
    )
    text = f'"{called}" fires at {at:%Y-%m-%d %H:%M} UTC, before the rotation can have ended: {changes}.'
    if _cuts_into(action, need):
        return Blocker(
            "scheduled-shrink",
            where,
            f"{text} {need} instances are needed. Rotate after it, or take it away and put it back afterwards:",
            f"aws autoscaling delete-scheduled-action --auto-scaling-group-name {name} \\\n"
            f"    --scheduled-action-name {called}",
        )
    look = f"aws autoscaling describe-scheduled-actions --auto-scaling-group-name {name}"
    return Blocker("scheduled-change", where, f"{text} phoenix follows a growing need.", look, warning=True)


def _cuts_into(action: Mapping[str, Any], need: int) -> bool:
    """A lower minimum alone counts too, unless the action itself keeps enough of them wanted."""
    most = action.get("MaxSize")
    wanted = action.get("DesiredCapacity")
    wanted = action.get("MinSize") if wanted is None else wanted
    return any(number is not None and number < need for number in (most, wanted))
