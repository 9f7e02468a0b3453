"""Carry out actions, one by one, as long as the lease is ours. The only place from which AWS is changed."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from phoenix.core.action import Action, Announce, Drain, SetFailover, SetOptIns, SetWeights, Undrain
from phoenix.core.explain import ago
from phoenix.core.record import GroupRecord
from phoenix.core.temporary import STALE_READS
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.lease import kept, permit_under
from phoenix.engine.working import tell
from phoenix.errors import TransientError
from phoenix.permit import permitted
from phoenix.ports import Lease

log = logging.getLogger(__name__)

OLDEST = STALE_READS
"""An observation older than this is not acted upon."""


def apply(
    group: Group, lease: Lease, record: GroupRecord, actions: tuple[Action, ...], seen_at: datetime
) -> GroupRecord:
    """Do what was decided upon what was seen then; returns the record with the routes that were found on the way.

    Raises:
        LeaseLost: another driver has taken the group over; nothing was done after that.
        TransientError: what was decided upon has become too old meanwhile, or the lease too short for one more request;
            the next tick looks again.
    """
    rotation = record.rotation.id if record.rotation else ""
    for action in actions:
        lease = kept(group, lease)
        _refuse_old_news(group, seen_at)
        name = type(action).__name__
        began = group.clock.now()
        with group.tracer.span("apply", group=group.name, action=name), permitted(permit_under(group, lease)):
            record = carry_out(group, record, action)
        took_ms = round((group.clock.now() - began).total_seconds() * 1000)
        facts = {"group": group.name, "rotation": rotation, "action": name, "took_ms": took_ms}
        log.info("action.applied", extra=facts)
    return record


def _refuse_old_news(group: Desk, seen_at: datetime) -> None:
    """A laptop that slept between the look and the call still has its lease if no other driver wanted it."""
    age = group.clock.now() - seen_at
    if age > OLDEST:
        raise TransientError(f"what was seen of {group.name} is {ago(age)} old by now; the next tick looks again")


def carry_out(group: Ports, record: GroupRecord, action: Action) -> GroupRecord:
    """One action, by the fleet or by the router that it is for; returns the record with the routes found on the way."""
    if isinstance(action, SetFailover):
        group.router.set_failover(action, record.target_groups)
        return record
    if isinstance(action, SetOptIns):
        group.router.set_opt_ins(action, record.target_groups, tuple(record.routes))
        return record
    if isinstance(action, Drain | Undrain | Announce):
        tell(group, record, action)
        return record
    if not isinstance(action, SetWeights):
        group.fleet.apply(action)
        return record
    if action.only_from:
        # The owner may have added a rule since we last searched; one left out would keep its traffic where it was.
        record = replace(record, routes={r.arn: r.name for r in group.router.find(record.target_groups)})
    group.router.shift(action, record.target_groups, tuple(record.routes))
    return record
