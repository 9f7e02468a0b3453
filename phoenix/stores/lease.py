"""Decide who gets a lease: one rule for all stores.

Must never give a group to two owners: a store applies the rule inside the transaction that writes the answer.
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
    """A driver's request for a lease; `force` takes it from its present owner.

    `one_machine` False: the drivers run on many machines, whose names repeat, so only time tells that one is dead.
    """

    group: str
    owner: str
    now: datetime
    ttl: timedelta
    force: bool = False
    one_machine: bool = True

    def settle(self, held: Lease | None, epoch: int, fences: tuple[Fence, ...] = ()) -> Lease:
        """Return the lease to write. `epoch` is the group's highest so far, 0 for none; `fences` are the stored ones.

        Raises:
            LeaseHeld: another driver has it, it has not expired, and its owner is not known to be dead.
        """
        # The driver's own fences are over: it has no request on its way while it asks for a lease.
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
    """Return the fences that remain once this lease is released."""
    return tuple(fence for fence in fences if fence.epoch != lease.epoch)


def encode_fences(fences: tuple[Fence, ...]) -> str | None:
    """Spell the fences as stores keep them, one a line; None for no fences."""
    times = ((f, " ".join(map(as_text, (f.taken_at, f.answered_by, f.refused_from)))) for f in fences)
    lines = [f"{written} {fence.epoch} {fence.owner}" for fence, written in times]
    return "\n".join(lines) or None


def decode_fences(written: str | None) -> tuple[Fence, ...]:
    """Read fences from a store; a row of an older version has none."""
    return tuple(map(_decode_fence, (written or "").splitlines()))


def _decode_fence(line: str) -> Fence:
    *times, epoch, owner = line.split(" ", 4)
    return Fence(owner, int(epoch), *map(datetime.fromisoformat, times))


def is_same(held: Lease | None, lease: Lease) -> bool:
    """True while the lease has the same owner and epoch; its expiry does not matter."""
    return held is not None and (held.owner, held.epoch) == (lease.owner, lease.epoch)
