"""Is it a schedule, and is it a time zone? Asked once, of the library that evaluates it later.

Must never evaluate a schedule: core.window tells when it opens next.
"""

from __future__ import annotations

import difflib
import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from phoenix.keys import wrong

_FIELDS = "minute hour day-of-month month day-of-week"
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - no instant: the library wants something to count from


def check_schedule(schedule: str) -> str:
    """Return a cron schedule of five fields; six, or those of another dialect, are an error with the right ones."""
    fields = re.sub(r"^\s*cron\((.*)\)\s*$", r"\1", schedule).split()
    if len(fields) != 5 or "?" in fields:
        raise _other_dialect(fields)
    try:
        CronSim(" ".join(fields), _ANY_DAY)
    except (CronSimError, ValueError, AssertionError) as error:
        name = str(error).removeprefix("Bad ")
        what = f"its {name} is wrong" if name in _FIELDS else "it names no time"
        raise wrong(f"not a schedule: {what}; five fields are wanted: {_FIELDS}") from None
    return schedule


def _other_dialect(fields: list[str]) -> Exception:
    count = f"{len(fields)} fields, five are wanted: {_FIELDS}"
    if len(fields) == 6 and "?" in fields:
        five = [field.replace("?", "*") for field in fields[:5]]
        if re.search(r"\d", five[4]):  # EventBridge counts the days of the week from 1
            return wrong(f"{count}; no year, no ?, and Sunday is 0")
        return wrong(f"{count}; no year and no ?", instead=f'"{" ".join(five)}"')
    if len(fields) == 6:
        return wrong(f"{count}; no seconds", instead=f'"{" ".join(fields[1:])}"')
    return wrong(count.replace("1 fields", "1 field"))


def check_timezone(name: str) -> str:
    """Return the name of a time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {zone.lower(): zone for zone in available_timezones()}
        near = [known[found] for found in difflib.get_close_matches(name.lower(), known, n=1)]
        meant = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin"
        raise wrong(f"unknown time zone{meant}", instead=near[0] if near else None) from None
    return name
