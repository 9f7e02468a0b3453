"""Run ticks until nothing is due: poll while AWS is busy, otherwise wait for what is known to come.

Holds the lease from the first tick to the last by renewing it with each one. A transient error is the next tick's
business; a signal ends the drive between two ticks.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from phoenix.core.due import WATCHED, next_look
from phoenix.engine.group import Group
from phoenix.engine.once import Ticked, tick_once
from phoenix.engine.report import Report, Watch
from phoenix.engine.reporting import report_on
from phoenix.errors import (
    Interrupted,
    LeaseHeld,
    LeaseLost,
    PhoenixError,
    StateConflict,
    TransientError,
    Unreachable,
)
from phoenix.ports import Lease

T = TypeVar("T")

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a driver goes on with nothing but transient errors before it gives up; the rotation stays as it is."""
WATCH_POLLS = 2
"""Gates of a resting step are looked at every so many poll intervals."""

Leave = Callable[[Ticked], bool]
"""Asked after every tick: may whoever drives leave the group for now?"""


def claim(group: Group, *, force: bool = False) -> Lease:
    """Take or renew the group's lease.

    Raises:
        LeaseHeld: somebody else drives the group.
    """
    # Renewed with every tick: it has to outlast the longest wait between two of them.
    ttl = timedelta(seconds=max(group.lease_seconds, 2 * WATCH_POLLS * group.poll_seconds))
    return group.store.claim(group.name, group.driver, group.clock.now(), ttl, force=force)


def give_back(group: Group, lease: Lease, decided: datetime | None = None) -> None:
    """Release the lease, and say when somebody has to look at the group again. `decided` is what the last tick said.

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


def stays(_: Ticked) -> bool:
    """Stay to the end."""
    return False


def drive(group: Group, lease: Lease, watch: Watch, first: Ticked | None = None, leave: Leave = stays) -> Report:
    """Tick until the rotation has ended, is held, or may be left.

    Raises:
        Interrupted: a signal came; whatever is in flight goes on with the next tick, anybody's.
        LeaseLost: somebody took the group over.
        TransientError: nothing but those for `PATIENCE`.
    """
    going_on = partial(_next_tick, group, lease)
    lease, ticked = (lease, first) if first is not None else patiently(group, going_on)
    before: Ticked | None = None
    while True:
        report = replace(report_on(group, ticked.record, ticked.seen), lease=lease)
        watch(report)
        rotation = ticked.record.in_flight
        if rotation is None or rotation.held is not None or leave(ticked):
            return report
        _wait(group, ticked, before)
        if group.clock.stopping:
            raise Interrupted(
                f"stopped; rotation {rotation.id} of {group.name} stays where it is: {rotation.waiting_for}",
                hint=f"phoenix {'rollback' if rotation.back else 'rotate'} --group {group.name}   goes on with it",
            )
        before = ticked
        lease, ticked = patiently(group, going_on)


def patiently(group: Group, attempt: Callable[[], T], *, reached: bool = True) -> T:
    """What the attempt returns, repeated over transient errors, a poll interval apart.

    `reached` False: AWS has not answered anything yet, so no answer at all is a wrong address rather than a bad moment.

    Raises:
        TransientError: nothing but those for `PATIENCE`.
        Unreachable: nobody answers, and nobody has before.
    """
    give_up_at: datetime | None = None
    while True:
        try:
            return attempt()
        except TransientError as error:
            # Counted from the first error: one attempt may outlast a laptop's sleep, and deserves another all the same.
            give_up_at = give_up_at or group.clock.now() + PATIENCE
            nobody_there = isinstance(error, Unreachable) and not reached
            if group.clock.stopping:
                hint = f"phoenix status --group {group.name}"
                raise Interrupted(f"stopped while waiting for AWS: {error.message}", hint=hint) from error
            if nobody_there or group.clock.now() >= give_up_at:
                raise
            log.warning("tick.failed", extra={"group": group.name, "reason": error.message})
            if not isinstance(error, StateConflict):
                group.clock.sleep(group.poll_seconds)


def _next_tick(group: Group, lease: Lease) -> tuple[Lease, Ticked]:
    renewed = _renew(group, lease)
    record = group.store.load(group.name)
    if record is None:
        raise LeaseLost(group.name, None)
    return renewed, tick_once(group, renewed, record)


def _renew(group: Group, lease: Lease) -> Lease:
    try:
        renewed = claim(group)
    except LeaseHeld as held:
        raise LeaseLost(group.name, held.owner) from held
    if renewed.epoch != lease.epoch:
        # Whoever took over is done; nobody but us could give back what was claimed just now.
        give_back(group, renewed)
        raise LeaseLost(group.name, "somebody else meanwhile")
    return renewed


def _wait(group: Group, ticked: Ticked, before: Ticked | None) -> None:
    """Sleep until there is a reason to look again."""
    poll = timedelta(seconds=group.poll_seconds)
    decision, now = ticked.decision, group.clock.now()
    due = decision.look_again_at
    repeats = before is not None and decision.actions != () and decision.actions == before.decision.actions
    if due is not None and due <= ticked.seen.at and not repeats:
        return
    at_most = now + (poll if decision.moving else WATCH_POLLS * poll)
    until = min(due, at_most) if due is not None and due > now else at_most
    group.clock.sleep(max((until - now).total_seconds(), 0.0))
