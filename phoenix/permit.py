"""The permit to change AWS: it ends before the lease does, and is asked for wherever a request goes out.

A check of the lease and the call that follows it are two instructions: a process may freeze between them for as long as
a laptop sleeps. So the check is made again where a request is signed, where it is sent, and for every repeat of it
(`phoenix.aws.fence`). Must never ask a store: there is no time for it there.
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
    """The right to send requests, as long as each will have been answered, or given up, before the lease ends."""

    lease: Lease
    clock: Clock
    patience: Patience

    def left(self) -> timedelta:
        """How long the lease still runs, by whichever clock has moved further since it was given.

        A wall clock may be set back; the other one counts the machine's sleep, but not every hypervisor's pause.
        """
        by_wall = self.lease.until - self.clock.now()
        if self.lease.ends is None:
            return by_wall
        return min(by_wall, timedelta(seconds=self.lease.ends - self.clock.elapsed()))

    def check(self) -> None:
        """Do nothing while there is time for one more request.

        Raises:
            LeaseRanOut: it might still be on its way when somebody else holds the lease.
        """
        left = self.left()
        if left < self.patience.needed:
            raise LeaseRanOut(self.lease.group, left, self.patience.needed)


@contextmanager
def permitted(permit: Permit) -> Iterator[None]:
    """What is sent to AWS in the block, in threads that copy its context too, is sent under this permit."""
    token = _CURRENT.set(permit)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_permit() -> Permit | None:
    """The permit under which something is being changed; None while phoenix only looks."""
    return _CURRENT.get()
