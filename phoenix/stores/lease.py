"""Who gets a lease: the one rule that all stores share.

Must never give a group to two owners: a store asks inside the transaction that writes the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from phoenix.core.fence import fence_of, of_dead, patience_under, still_standing
from phoenix.core.model import Fence
from phoenix.errors import LeaseHeld
from phoenix.ports import Lease
from phoenix.stores.codec import as_text
from phoenix.stores.owner import is_dead


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody asks of a lease; `force` takes it from whoever has it.

    `one_machine` False: drivers of many machines ask, whose names repeat, so only time tells that one is dead.
    """

    group: str
    owner: str
    now: datetime
    ttl: timedelta
    force: bool = False
    one_machine: bool = True

    def settle(self, held: Lease | None, epoch: int, fences: tuple[Fence, ...] = ()) -> Lease:
        """The lease as it is to be written. `epoch` is the highest that the group has seen, 0 for none; `fences` are
        those that are written beside it.

        Raises:
            LeaseHeld: it is somebody else's, has not expired, and nothing says that its owner is dead.
        """
        # Its own are over: a driver that asks for a lease waits for nothing else.
        standing = still_standing(tuple(fence for fence in fences if fence.owner != self.owner), self.now)
        if held is not None and held.owner == self.owner:
            return replace(held, until=self.now + self.ttl, fences=standing)
        if held is not None:
            fence = fence_of(held.owner, held.epoch, held.until, self.now, patience_under(self.ttl))
            if self.one_machine and is_dead(held.owner):
                fence = of_dead(fence, self.now)
            elif not self.force and held.until > self.now:
                raise LeaseHeld(self.group, held.owner, held.since, held.until)
            standing = still_standing((*standing, fence), self.now)
        return Lease(self.group, self.owner, epoch + 1, since=self.now, until=self.now + self.ttl, fences=standing)


def without_fence(fences: tuple[Fence, ...], lease: Lease) -> tuple[Fence, ...]:
    """What is left once this one has been released."""
    return tuple(fence for fence in fences if fence.epoch != lease.epoch)


def encode_fences(fences: tuple[Fence, ...]) -> str | None:
    """As stores keep them, one a line; None where there are none."""
    times = ((f, " ".join(map(as_text, (f.taken_at, f.answered_by, f.refused_from)))) for f in fences)
    lines = [f"{written} {fence.epoch} {fence.owner}" for fence, written in times]
    return "\n".join(lines) or None


def decode_fences(written: str | None) -> tuple[Fence, ...]:
    """From what a store has; a row that an older version has written has none."""
    return tuple(map(_decode_fence, (written or "").splitlines()))


def _decode_fence(line: str) -> Fence:
    *times, epoch, owner = line.split(" ", 4)
    return Fence(owner, int(epoch), *map(datetime.fromisoformat, times))


def is_same(held: Lease | None, lease: Lease) -> bool:
    """True while the lease has not changed hands; how long it still runs does not matter."""
    return held is not None and (held.owner, held.epoch) == (lease.owner, lease.epoch)
