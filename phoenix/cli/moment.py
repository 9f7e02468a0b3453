"""Times on the command line: a duration before now (`1h`), a time of day (`02:00`) or a date, in UTC.

Must never guess a time zone: what names none is UTC, as every clock on a screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import click


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it was typed; one field is set."""

    ago: timedelta | None = None
    time_of_day: time | None = None
    at: datetime | None = None

    def before(self, now: datetime) -> datetime:
        """The time meant: that long before now, or the last time that the clock showed it."""
        if self.at is not None:
            return self.at
        if self.time_of_day is None:
            return now - (self.ago or timedelta(0))
        today = datetime.combine(now.astimezone(UTC).date(), self.time_of_day, UTC)
        return today if today <= now else today - timedelta(days=1)


class _Moment(click.ParamType[Moment]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        """Read one; a wrong one is a usage error."""
        from phoenix.keys import parse_duration

        typed = str(value)
        try:
            if len(typed) == len("02:00") and typed[2] == ":":
                return Moment(time_of_day=time.fromisoformat(typed))
            if "-" in typed:
                at = datetime.fromisoformat(typed)
                return Moment(at=at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC))
            return Moment(ago=parse_duration(typed))
        except ValueError:
            self.fail(f"{typed!r} is no time: 1h (that long ago), 02:00 or 2026-11-18T02:00 (UTC)", param, ctx)


MOMENT = _Moment()
