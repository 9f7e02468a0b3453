"""Who gets a lease: the one rule that all stores share.

Must never give a group to two owners: a store asks inside the transaction that writes the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from phoenix.errors import LeaseHeld
from phoenix.ports import Lease
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

    def settle(self, held: Lease | None, epoch: int) -> Lease:
        """The lease as it is to be written. `epoch` is the highest that the group has seen, 0 for none.

        Raises:
            LeaseHeld: it is somebody else's, has not expired, and nothing says that its owner is dead.
        """
        if held is not None and held.owner == self.owner:
            return replace(held, until=self.now + self.ttl)
        if held is None or self.force or held.until <= self.now or (self.one_machine and is_dead(held.owner)):
            return Lease(self.group, self.owner, epoch + 1, since=self.now, until=self.now + self.ttl)
        raise LeaseHeld(self.group, held.owner, held.since, held.until)


def is_same(held: Lease | None, lease: Lease) -> bool:
    """True while the lease has not changed hands; how long it still runs does not matter."""
    return held is not None and (held.owner, held.epoch) == (lease.owner, lease.epoch)
