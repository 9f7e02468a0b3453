"""The lease of a group: taken, renewed while there is work, given back with word of when to come again.

Must never be renewed by a driver that has lost it: it would take the group over from its successor.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core.due import WATCHED, next_look
from phoenix.core.fence import Patience, patience_under
from phoenix.engine.group import Desk
from phoenix.errors import LeaseHeld, LeaseLost, PhoenixError
from phoenix.permit import Permit
from phoenix.ports import Lease

WATCH_POLLS = 2
"""Gates of a resting step are looked at once in this number of poll intervals."""


def claim(group: Desk, *, force: bool = False) -> Lease:
    """Take or renew the group's lease.

    Raises:
        LeaseHeld: another driver has the group.
    """
    # Before the store is asked: however long that takes, the lease ends no later than this process believes.
    now, elapsed, ttl = group.clock.now(), group.clock.elapsed(), _ttl(group)
    lease = group.store.claim(group.name, group.driver, now, ttl, force=force)
    return replace(lease, ends=elapsed + ttl.total_seconds())


def renew(group: Desk, lease: Lease) -> Lease:
    """The same lease, running from now.

    Raises:
        LeaseLost: another driver took the group over.
    """
    try:
        renewed = claim(group)
    except LeaseHeld as held:
        raise LeaseLost(group.name, held.owner) from held
    if renewed.epoch != lease.epoch:
        # The driver that took over is done; only we can give back what was claimed just now.
        give_back(group, renewed)
        raise LeaseLost(group.name, "another driver meanwhile")
    return renewed


def kept(group: Desk, lease: Lease) -> Lease:
    """The lease, with enough left of it to change something; renewed where a tick has taken long.

    Raises:
        LeaseLost: another driver took the group over.
    """
    if permit_under(group, lease).left() < (_ttl(group) + patience_of(group).needed) / 2:
        return renew(group, lease)
    if not group.store.holds(lease):
        taken_by = group.store.lease_of(group.name)
        raise LeaseLost(group.name, taken_by.owner if taken_by else None)
    return lease


def permit_under(group: Desk, lease: Lease) -> Permit:
    """The permit that comes with the lease."""
    return Permit(lease, group.clock, patience_of(group))


def patience_of(group: Desk) -> Patience:
    """The time that this driver gives a request that changes something."""
    return patience_under(_ttl(group))


def give_back(group: Desk, lease: Lease, decided: datetime | None = None) -> None:
    """Release the lease, and say when a driver has to look at the group again. `decided` is what the last tick said.

    Never raises for a store that cannot be read: the lease is given back all the same, and the group is due soon.
    """
    now = group.clock.now()
    try:
        record = group.store.load(group.name)
    except PhoenixError:
        due_at: datetime | None = now + WATCHED
    else:
        due_at = next_look(record, now, decided) if record is not None else decided
    if due_at is not None and due_at > now + WATCHED:
        # What many groups have in common, the hour of their birth for example, must not bring them all at once.
        due_at += timedelta(seconds=zlib.crc32(group.name.encode()) % 60)
    group.store.release(lease, due_at)


def _ttl(group: Desk) -> timedelta:
    """Renewed with every tick: it has to outlast the longest wait between two of them."""
    return timedelta(seconds=max(group.lease_seconds, 2 * WATCH_POLLS * group.poll_seconds))
