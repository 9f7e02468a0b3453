"""The time of a rehearsal: it stands still until it is told to pass."""

from __future__ import annotations

from datetime import datetime, timedelta


class RehearsedClock:
    """Begins at a moment that is given, and never stops a driver."""

    stopping = False

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The time of the rehearsal."""
        return self._at

    def elapsed(self) -> float:
        """The same in seconds."""
        return self._at.timestamp()

    def sleep(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self._at += timedelta(seconds=max(seconds, 0.0))
