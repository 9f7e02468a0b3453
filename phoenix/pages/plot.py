"""The plot of one measurement with the threshold of its alarm. Geometry only; the template draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from phoenix.core.chronicle import Point, Series
from phoenix.pages.frame import picture
from phoenix.pages.scale import Scale, Tick, count_ticks, line_path, ticks, y_of

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, LEFT, RIGHT, TOP, LANE = 720, 56, 12, 16, 120
_AROUND: Final = timedelta(minutes=5)
_WORSE: Final = {
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "LessThanThreshold": lambda value, limit: value < limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured value; `over`: it breaches the threshold."""

    x: float
    y: float
    over: bool
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that the template draws. `threshold` None: the alarm has none that is one number."""

    name: str
    summary: str
    ticks: tuple[Tick, ...]
    values: tuple[Tick, ...]
    path: str
    dots: tuple[Dot, ...]
    threshold: Tick | None
    failed_at: float
    exposed_at: float | None


def plot(series: Series, failed_at: datetime, exposed_at: datetime | None) -> Markup:
    """Return the plot; the moment at which the rotation failed, and the one from which it had traffic, are marked."""
    return picture("plot.svg", plot=_plot(series, failed_at, exposed_at))


def summary(series: Series) -> str:
    """The plot in one sentence."""
    what = f"{series.metric} of alarm {series.alarm}"
    if not series.points:
        return f"{what}: no measurement in this time."
    highest = max(point.value for point in series.points)
    over = sum(_breaches(series, point) for point in series.points)
    limit = "" if series.threshold is None else f"; {over} beyond the threshold of {series.threshold:g}"
    return f"{what}: {len(series.points)} measurements, at most {highest:g}{limit}."


def _plot(series: Series, failed_at: datetime, exposed_at: datetime | None) -> Plot:
    times = [failed_at, *(point.at for point in series.points), *([exposed_at] if exposed_at is not None else [])]
    scale = Scale(min(times) - _AROUND, max(times) + timedelta(minutes=1), LEFT, WIDTH - RIGHT)
    values = [point.value for point in series.points]
    most = max([*values, series.threshold or 0.0]) * 1.1 or 1.0
    lane = (float(TOP), float(LANE), most)
    limit = series.threshold
    return Plot(
        name=f"{series.alarm}: {series.metric}",
        summary=summary(series),
        ticks=ticks(scale),
        values=count_ticks(_round(most), TOP + LANE * (1 - _round(most) / most), LANE * _round(most) / most),
        path=line_path(scale, series.points, lane),
        dots=tuple(_dot(series, point, scale, lane) for point in series.points),
        threshold=None if limit is None else Tick(y_of(limit, lane), f"threshold {limit:g}"),
        failed_at=scale.x(failed_at),
        exposed_at=None if exposed_at is None else scale.x(exposed_at),
    )


def _dot(series: Series, point: Point, scale: Scale, lane: tuple[float, float, float]) -> Dot:
    title = f"{point.at:%H:%M} UTC: {point.value:g}"
    return Dot(scale.x(point.at), y_of(point.value, lane), _breaches(series, point), title)


def _breaches(series: Series, point: Point) -> bool:
    worse = _WORSE.get(series.comparison)
    return worse is not None and series.threshold is not None and worse(point.value, series.threshold)


def _round(most: float) -> float:
    """The largest number of one digit that is not above `most`."""
    size = 10.0 ** (len(f"{int(most)}") - 1) if most >= 1 else 0.1
    return max(int(most / size) * size, size / 10)
