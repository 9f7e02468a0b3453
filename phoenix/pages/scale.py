"""From times and numbers to places in a picture. Pure arithmetic; one decimal place is finer than any screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

_STEPS: Final = tuple(
    timedelta(seconds=s) for s in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
)
_MOST_TICKS: Final = 9
Lane = tuple[float, float, float]
"""Top, height, and the value at the top."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and its words."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Time from left to right."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """The place of a time; the edge for one outside."""
        part = (at - self.start) / (self.end - self.start)
        return round(self.left + (self.right - self.left) * min(max(part, 0.0), 1.0), 1)


def ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return round times, at most nine; with the date where the picture is longer than a day."""
    length = scale.end - scale.start
    step = next((s for s in _STEPS if length / s <= _MOST_TICKS), _whole_days(length))
    form = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M" if length < timedelta(days=1) else "%d %b %H:%M"
    midnight = scale.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * -((midnight - scale.start) // step)
    found = []
    while at <= scale.end:
        if at >= scale.start:
            found.append(Tick(scale.x(at), f"{at:{form}}"))
        at += step
    return tuple(found)


def _whole_days(length: timedelta) -> timedelta:
    return timedelta(days=-(-(length // _MOST_TICKS) // timedelta(days=1)) + 1)


def count_ticks(most: float, top: float, height: float) -> tuple[Tick, ...]:
    """Return 0, the middle where it is a whole number or the axis has no whole ones, and the most."""
    middle = [most / 2] if most % 2 == 0 or most < 1 else []
    return tuple(Tick(y_of(value, (top, height, most)), f"{value:g}") for value in (0, *middle, most))


def step_path(
    scale: Scale, points: Sequence[tuple[datetime, float]], end: datetime, lane: Lane, *, close: bool = False
) -> str:
    """Return a path that keeps each value until the next one; `close` fills the area below it."""
    if not points:
        return ""
    first = scale.x(points[0][0])
    parts, last = [f"M{first} {y_of(points[0][1], lane)}"], points[0][1]
    for at, value in points[1:]:
        if value != last:
            parts.append(f"H{scale.x(at)}V{y_of(value, lane)}")
            last = value
    parts.append(f"H{scale.x(end)}")
    bottom = lane[0] + lane[1]
    return "".join([*parts, f"V{bottom:g}H{first}Z"] if close else parts)


def line_path(scale: Scale, points: Sequence[tuple[datetime, float]], lane: Lane) -> str:
    """Return a path from point to point; measurements more than three gaps apart are not joined."""
    gaps = sorted(later[0] - earlier[0] for earlier, later in pairwise(points))
    most = gaps[len(gaps) // 2] * 3 if gaps else timedelta(0)
    parts: list[str] = []
    before: datetime | None = None
    for at, value in points:
        joined = before is not None and at - before <= most
        parts.append(f"{'L' if joined else 'M'}{scale.x(at)} {y_of(value, lane)}")
        before = at
    return "".join(parts)


def y_of(value: float, lane: Lane) -> float:
    """The place of a value in a lane; the edge for one outside."""
    top, height, most = lane
    return round(top + height * (1 - min(max(value / most, 0.0), 1.0)), 1)
