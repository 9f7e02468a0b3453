"""A former driver's requests: how long they may still take effect, and what its successor leaves alone until then.

Pure. AWS does not ask who holds a lease. But a request has a time-out, and a signature an end: after the one the driver
no longer waits for the request, after the other AWS refuses it. docs/decisions/0023-gap.md draws the times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from phoenix.core.action import Action, SetRole
from phoenix.core.model import Fence, Observation, SlotState
from phoenix.core.roles import numbers

CONNECT = timedelta(seconds=3)
READ = timedelta(seconds=20)
CLOCKS = timedelta(seconds=5)
"""By how much the clocks of two drivers may differ. `phoenix doctor` compares with AWS's."""
SIGNED_FOR = timedelta(minutes=5)
"""AWS: "In most cases, a request must reach AWS within five minutes of the time stamp in the request."
(IAM user guide, reference_aws-signing.)"""
DELIVERED = timedelta(seconds=5)
"""A request that a process sent before it was killed has reached AWS by then: the machine goes on."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The time that a request may take to connect and to be answered, and by how much clocks may differ."""

    connect: timedelta = CONNECT
    read: timedelta = READ
    clocks: timedelta = CLOCKS

    @property
    def request(self) -> timedelta:
        """The time that a request may take in all."""
        return self.connect + self.read

    @property
    def needed(self) -> timedelta:
        """The part of the lease that has to be left when a request is sent."""
        return self.request + self.clocks


def patience_under(lease: timedelta) -> Patience:
    """The patience that fits into a lease of that length: half of it for a request, a twelfth for the clocks."""
    share = min(1.0, lease / 2 / (CONNECT + READ))
    return Patience(CONNECT * share, READ * share, min(CLOCKS, lease / 12))


def fence_of(owner: str, epoch: int, until: datetime, now: datetime, patience: Patience) -> Fence:
    """The fence for a holder whose lease runs until then: it sends nothing that may take longer than that."""
    return Fence(owner, epoch, now, answered_by=until + patience.needed, refused_from=until + SIGNED_FOR)


def of_dead(fence: Fence, now: datetime) -> Fence:
    """The same once the process is known to have ended, on this very machine."""
    at_most = now + DELIVERED
    return replace(fence, answered_by=min(fence.answered_by, at_most), refused_from=min(fence.refused_from, at_most))


def still_standing(fences: tuple[Fence, ...], now: datetime) -> tuple[Fence, ...]:
    """Those that have not come to their end."""
    return tuple(fence for fence in fences if fence.refused_from > now)


def answering(seen: Observation) -> Fence | None:
    """The former holder whose last request may be on its way for longest; None when all have been answered."""
    late = [fence for fence in seen.fences if fence.answered_by > seen.at]
    return max(late, key=lambda fence: fence.answered_by, default=None)


def unrefused(seen: Observation) -> Fence | None:
    """The former holder whose last request AWS would take for longest; None when it would take none."""
    late = [fence for fence in seen.fences if fence.refused_from > seen.at]
    return max(late, key=lambda fence: fence.refused_from, default=None)


def takes_away(action: Action, state: SlotState) -> bool:
    """True for an action that ends instances of the slot."""
    if not isinstance(action, SetRole) or action.slot is not state.slot:
        return False
    then = numbers(action.role, action.count, action.owner)
    return min(then.max, state.desired if then.desired is None else then.desired) < state.desired
