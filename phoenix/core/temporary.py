"""One line of the ledger: what a rotation changes for as long as it lasts. Pure: frozen values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Temporary(StrEnum):
    """What a rotation changes for as long as it lasts."""

    CAPACITY = "capacity"
    SCHEDULES = "schedules"
    TAGS = "tags"
    STICKINESS = "stickiness"
    REFERENCE = "reference"
    FAILOVER = "failover"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: what is changed where (a slot, or a route's ARN), and what there `had` been before.

    `made` is what was there when nothing was missing any more, `since` since when; empty while it is being changed, and
    then `asked` is what AWS has been asked for and has taken. `mended` counts how often another writer has changed it
    since, and phoenix has put it back.
    """

    kind: Temporary
    where: str
    had: str
    since: datetime
    made: str = ""
    mended: int = 0
    asked: str = ""
