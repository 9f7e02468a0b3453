"""The wall clock, and a stop request that wakes it.

The only place outside the sandbox that asks the machine for the time.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class WallClock:
    """Real time. `stop()` ends the current sleep and all later ones at once; drivers ask `stopping` between ticks."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        """True once the driver was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the driver to stop; safe in a signal handler."""
        self._stop.set()

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Seconds since the machine's start. Linux's monotonic clock stands still while it sleeps, BOOTTIME goes on;
        macOS's own goes on."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until `stop()`."""
        self._stop.wait(max(0.0, seconds))
