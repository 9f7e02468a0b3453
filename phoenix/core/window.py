"""The times at which a rotation may start: windows open on a cron schedule, freezes close whole days.

Pure but for the cron library. A schedule that cannot be evaluated counts as closed: never start on a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LOOK_BACK = 400
"""Openings to look at, back or ahead, before giving up; freezes may swallow many of them."""


@dataclass(frozen=True, slots=True)
class Window:
    """Opens at each local time that `schedule` (five cron fields) names, for `duration`."""

    schedule: str
    duration: timedelta
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Closed on whole days, both included, in the time zone named. `file` is where it stands, None: the group's own."""

    first: date
    last: date
    reason: str
    timezone: str = "UTC"
    file: str | None = None

    def covers(self, at: datetime) -> bool:
        """True while the freeze holds."""
        return self.first <= at.astimezone(_zone(self.timezone)).date() <= self.last

    @property
    def ends_at(self) -> datetime:
        """The first instant after the freeze, UTC."""
        midnight = datetime.combine(self.last + timedelta(days=1), time(), _zone(self.timezone))
        return midnight.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that a window is open, UTC."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """All windows and freezes of a group. No windows: open at any time that is not frozen."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def freeze_at(self, at: datetime) -> Freeze | None:
        """The freeze that holds now, if one does."""
        return next((f for f in self.freezes if f.covers(at)), None)

    def opening_at(self, at: datetime) -> Opening | None:
        """The opening that `at` lies in, the one that closes last; None when closed. Freezes are not looked at."""
        open_now = [o for w in self.windows if (o := _current_opening(w, at)) is not None]
        return max(open_now, key=lambda o: o.closes_at, default=None)

    def next_opening(self, at: datetime) -> datetime | None:
        """The next time after `at` at which a start is allowed, freezes considered; None when not within sight."""
        instant = self._after_freezes(at)
        if not self.windows:
            return instant
        for _ in range(_LOOK_BACK):
            if self.opening_at(instant) is not None:
                return instant
            starts = [s for w in self.windows if (s := _next_start(w, instant)) is not None]
            if not starts:
                return None
            instant = self._after_freezes(min(starts))
        return None

    def _after_freezes(self, at: datetime) -> datetime:
        for _ in range(len(self.freezes) + 1):
            frozen = self.freeze_at(at)
            if frozen is None:
                return at
            at = frozen.ends_at
        return at


NEVER: Final = Calendar(windows=(Window("never", timedelta(0)),))
"""Nothing starts, and no opening is in sight: for a group whose calendar is not known."""


def _current_opening(window: Window, at: datetime) -> Opening | None:
    start = next(_starts_before(window, at), None)
    if start is None or start + window.duration <= at:
        return None
    return Opening(start, start + window.duration)


def _starts_before(window: Window, at: datetime) -> Iterator[datetime]:
    zone = _zone(window.timezone)
    local = at.astimezone(zone)
    # In the second of two equal hours the clock has been set back: what the first one opened lies ahead on the dial.
    set_back = _offset(local, fold=0) - _offset(local, fold=1) if local.fold else timedelta(0)
    dial = local.replace(tzinfo=None, fold=0, microsecond=0) + set_back + timedelta(seconds=1)
    for named in _schedule(window, dial, reverse=True):
        start = _instant(named, zone)
        if start <= at:
            yield start


def _next_start(window: Window, at: datetime) -> datetime | None:
    zone = _zone(window.timezone)
    dial = at.astimezone(zone).replace(tzinfo=None, fold=0)
    starts = (_instant(named, zone) for named in _schedule(window, dial))
    return next((start for start in starts if start > at), None)


def _schedule(window: Window, dial: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    """The local times that the schedule names, none if it is no schedule; zones are not the cron library's business,
    because its rules for changed clocks depend on how the schedule is written."""
    from cronsim import CronSim, CronSimError

    try:
        yield from CronSim(window.schedule, dial, reverse=reverse)
    except CronSimError:
        return


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo  # a rollback asks for no time zone, and loads this module for its types

    return ZoneInfo(name)


def _instant(named: datetime, zone: ZoneInfo) -> datetime:
    """The instant when clocks show that local time: the next one if they skip it, the first if they show it twice."""
    while True:
        instant = named.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None, fold=0) == named:
            return instant
        named += timedelta(minutes=1)


def _offset(local: datetime, fold: int) -> timedelta:
    return local.replace(fold=fold).utcoffset() or timedelta(0)
