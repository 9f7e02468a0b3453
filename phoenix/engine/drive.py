"""Run ticks until nothing is due: poll while AWS is busy, otherwise wait for what is known to come.

Holds the lease from the first tick to the last by renewing it with each one. A transient error is the next tick's
business; a signal ends the drive between two ticks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from phoenix.again import again
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import WATCH_POLLS, renew
from phoenix.engine.once import Ticked, tick_once
from phoenix.engine.report import Report, Watch, report_on
from phoenix.errors import (
    Interrupted,
    LeaseLost,
    StateConflict,
    TransientError,
    Unreachable,
)
from phoenix.ports import Lease

T = TypeVar("T")

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""The time after which a driver gives up on nothing but transient errors; the rotation stays as it is."""

Leave = Callable[[Ticked], bool]
"""Asked after every tick: may the driver leave the group for now?"""


def stays(_: Ticked) -> bool:
    """Stay to the end."""
    return False


def drive(group: Group, lease: Lease, watch: Watch, first: Ticked | None = None, leave: Leave = stays) -> Report:
    """Tick until the rotation has ended, is held, or may be left.

    Raises:
        Interrupted: a signal came; whatever is in flight goes on with the next tick, anybody's.
        LeaseLost: another driver took the group over.
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


def patiently(group: Desk, attempt: Callable[[], T], *, reached: bool = True) -> T:
    """Return the attempt's result; repeat it over transient errors, a poll interval apart.

    `reached` False: AWS has not answered anything yet, so no answer at all is a wrong address rather than a bad moment.

    Raises:
        TransientError: nothing but those for `PATIENCE`.
        Unreachable: AWS does not answer, and has not before.
    """
    # Counted from the first error: one attempt may outlast a laptop's sleep, and deserves another all the same.
    give_up_at: list[datetime] = []

    def give_up(error: TransientError, _made: int) -> bool:
        if not give_up_at:
            give_up_at.append(group.clock.now() + PATIENCE)
        if group.clock.stopping:
            hint = f"phoenix status --group {group.name}"
            raise Interrupted(f"stopped while waiting for AWS: {error.message}", hint=hint) from error
        return (isinstance(error, Unreachable) and not reached) or group.clock.now() >= give_up_at[0]

    def pause(error: TransientError) -> float:
        log.warning("tick.failed", extra={"group": group.name, "reason": error.message})
        return 0.0 if isinstance(error, StateConflict) else group.poll_seconds

    return again(attempt, TransientError, give_up=give_up, pause=pause, sleep=group.clock.sleep)


def _next_tick(group: Group, lease: Lease) -> tuple[Lease, Ticked]:
    renewed = renew(group, lease)
    record = group.store.load(group.name)
    if record is None:
        raise LeaseLost(group.name, None)
    return renewed, tick_once(group, renewed, record)


def _wait(group: Desk, ticked: Ticked, before: Ticked | None) -> None:
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
