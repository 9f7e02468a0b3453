"""The value of the tag that marks an instance as changed by hand: who, when and why. Pure.

Must never fail on a value: any writer may have set the tag, and that it is there makes the instance tainted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from phoenix.core.tags import fitting

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Taint:
    """`at` and `by` None: another writer than phoenix has tagged it, and the whole value is the reason."""

    why: str
    at: datetime | None = None
    by: str | None = None

    @property
    def text(self) -> str:
        """`debugging, ann@laptop 2026-11-18 02:41 UTC`."""
        who = f", {self.by} {self.at:%Y-%m-%d %H:%M} UTC" if self.at is not None else ""
        return f"{self.why or 'no reason given'}{who}"


def write_taint(by: str, at: datetime, why: str) -> str:
    """`2026-11-18T02:41:12Z ann@laptop debugging the cache`, in the letters that a tag takes."""
    who = by.replace(" ", "_") or "unknown"
    return fitting(f"{at.astimezone(UTC).strftime(_TIME)} {who} {why}".strip())


def read_taint(value: str) -> Taint:
    """What the value says; any text is a reason."""
    first, _, rest = value.partition(" ")
    try:
        at = datetime.strptime(first, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return Taint(value)
    by, _, why = rest.partition(" ")
    return Taint(why, at, by) if by else Taint(value)
