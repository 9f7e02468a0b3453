"""Clocks for the sandbox: one that stands still until told, one that runs at any speed.

Neither may ever go backwards: the sandbox's past has already happened.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

A_WEDNESDAY_NIGHT = datetime(2026, 11, 18, 2, 41, 2, tzinfo=UTC)


class SandboxClock(Protocol):
    """A clock as the sandbox needs it."""

    def now(self) -> datetime:
        """The virtual time, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that much virtual time pass."""
        ...


class ManualClock:
    """Stands still. Sleeping on it moves it, at once, so that a rotation of hours takes milliseconds."""

    def __init__(self, start: datetime = A_WEDNESDAY_NIGHT) -> None:
        self._now = start.astimezone(UTC)
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """True once the driver is asked to stop."""
        return self._stopping

    def stop(self) -> None:
        """Ask the driver to stop."""
        self._stopping = True

    def now(self) -> datetime:
        """The time it was last moved to."""
        return self._now

    def elapsed(self) -> float:
        """Virtual seconds since 1970."""
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move the clock; returns at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: the number is negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock does not go backwards, but was asked to by {seconds} s")
        self._now += timedelta(seconds=seconds)


class ScaledClock:
    """A wall clock that runs at `speed`: 60 makes a virtual minute last a real second."""

    def __init__(
        self,
        speed: float = 1.0,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._stop = threading.Event()
        self._monotonic, self._sleep = monotonic, sleep or self._stop.wait
        self._began = monotonic()
        self._start = (start or datetime.now(UTC)).astimezone(UTC)

    @property
    def stopping(self) -> bool:
        """True once the driver is asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the driver to stop; ends the current sleep at once. Safe in a signal handler."""
        self._stop.set()

    def now(self) -> datetime:
        """The virtual time."""
        return self._start + timedelta(seconds=(self._monotonic() - self._began) * self.speed)

    def on_the_wall(self, moment: datetime) -> datetime:
        """Return the wall clock's time at that virtual moment; moments before the start are unchanged."""
        return moment if moment <= self._start else self._start + (moment - self._start) / self.speed

    def elapsed(self) -> float:
        """Virtual seconds since 1970."""
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Really wait, for `seconds / speed`."""
        if seconds > 0:
            self._sleep(seconds / self.speed)


class SkewedClock:
    """Another machine's clock: wrong by some seconds, and as fast as the one that it follows."""

    def __init__(self, clock: ManualClock | ScaledClock, seconds: float) -> None:
        self._clock, self._wrong_by = clock, timedelta(seconds=seconds)

    @property
    def stopping(self) -> bool:
        """True once the driver is asked to stop."""
        return self._clock.stopping

    def now(self) -> datetime:
        """Return the time by this machine's wrong clock."""
        return self._clock.now() + self._wrong_by

    def elapsed(self) -> float:
        """Return virtual seconds since 1970: the clock's time is wrong, not its speed."""
        return self._clock.elapsed()

    def sleep(self, seconds: float) -> None:
        """Let that much virtual time pass, for all machines."""
        self._clock.sleep(seconds)
