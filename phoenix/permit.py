"""The permit to change AWS: it ends before the lease does, and every request checks it.

A check of the lease and the call that follows it are two instructions: a process may freeze between them for as long as
a laptop sleeps. So the check is made again where a request is signed, where it is sent, and for every repeat of it
(`phoenix.aws.fence`). Must never ask a store: there is no time for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from phoenix.core.fence import Patience
from phoenix.errors import LeaseRanOut
from phoenix.ports import Clock, Lease

_CURRENT: ContextVar[Permit | None] = ContextVar("permit", default=None)


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send requests that will be answered, or given up, before the lease ends."""

    lease: Lease
    clock: Clock
    patience: Patience

    def left(self) -> timedelta:
        """Return how long the lease still runs, by the clock that has moved further since it was given.

        The wall clock may be set back; the other clock counts the machine's sleep, but not every hypervisor's pause.
        """
        by_wall = self.lease.until - self.clock.now()
        if self.lease.ends is None:
            return by_wall
        return min(by_wall, timedelta(seconds=self.lease.ends - self.clock.elapsed()))

    def check(self) -> None:
        """Return if there is time for one more request.

        Raises:
            LeaseRanOut: the request might still be on its way when another driver holds the lease.
        """
        left = self.left()
        if left < self.patience.needed:
            raise LeaseRanOut(self.lease.group, left, self.patience.needed)


@contextmanager
def permitted(permit: Permit) -> Iterator[None]:
    """Send the requests of the block under this permit, also those of threads that copy its context."""
    token = _CURRENT.set(permit)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_permit() -> Permit | None:
    """Return the permit of the change in progress; None while phoenix only reads."""
    return _CURRENT.get()
