"""A piece of news as a value, and when it is due to be sent. Pure; what is news, and sending it, is the engine's.

Must never change its id: it is what those who get a piece of news twice, after a crash, tell it by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SOONEST_AGAIN = timedelta(minutes=1)
"""Other drivers leave news alone for this long once one has begun to send it; a driver silent for longer is dead."""
LATEST_AGAIN = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news, in the outbox until it has reached everybody.

    `tried_at` is when a driver last began to send it, None before the first time. `reached` names the notifiers that
    have taken it. `facts` are for machines, and never empty strings.
    """

    id: str
    at: datetime
    event: str
    subject: str
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)
    tried_at: datetime | None = None
    reached: tuple[str, ...] = ()

    @property
    def due_at(self) -> datetime:
        """The time of the next try: at once the first time, then after waits that double, an hour at most."""
        if self.tried_at is None:
            return self.at
        waited = self.tried_at - self.at
        return self.tried_at + min(max(waited, SOONEST_AGAIN), LATEST_AGAIN)

    def is_stale(self, now: datetime) -> bool:
        """True when it has been tried for so long that it is no news any more."""
        return now - self.at >= GIVEN_UP_AFTER
