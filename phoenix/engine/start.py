"""Start a rotation: from a plan without blockers to a record with an intent. Changes nothing in AWS."""

from __future__ import annotations

import secrets
from dataclasses import replace

from phoenix.core import tags
from phoenix.core.model import Capacity
from phoenix.core.record import Ask, Event, Generation, GroupRecord, Rotation
from phoenix.engine.group import Group
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import Survey

_ID_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"


def new_record(group: Group, found: Survey, new: Generation, request: RotateRequest) -> GroupRecord:
    """The record with a rotation from what is live to `new`, as the survey has found it due and unblocked."""
    record, at, terms, live = found.record, found.seen.at, found.terms, found.live_state
    version = live.template_version
    if not version.isdigit():
        version = group.fleet.resolve_version(live.slot)
    old = replace(found.live, template_version=version)
    trigger = "; ".join(found.reasons) + _asked(request)
    owner = group.terms.capacity or tags.read_capacity(live.tags) or Capacity(live.min, live.max)
    rotation = Rotation(
        id=_new_id(group.name, new.number),
        group=group.name,
        old=old,
        new=replace(new, since=at),
        terms=terms,
        started_at=at,
        deadline=at + terms.rotation_timeout,
        trigger=trigger,
        by=group.by,
        need=live.desired,
        capacity=owner,
        policy=group.policy,
        store=group.store.location,
        trace=_new_trace(),
        ignored={name: Ask(at, group.by, request.reason) for name in sorted(request.by_name)},
        waiting_for="starting",
        events=(Event(at, "start", f"image {new.image_name or new.image}, by {group.by}: {trigger}"),),
    )
    return replace(
        record,
        live=old,
        account=group.about.account,
        region=group.about.region,
        rotation=rotation,
        blocked=None,
        highest_number=max(record.highest_number, new.number, old.number),
    )


def _asked(request: RotateRequest) -> str:
    """What the next person will want to know: that something was ignored, and why."""
    ignored = f"; ignoring {', '.join(sorted(request.ignore))}" if request.ignore else ""
    return ignored + (f': "{request.reason}"' if request.reason else "")


def _new_id(group: str, number: int) -> str:
    """`web-42-7k3f`: readable aloud, and different even if a store was lost and numbers begin again."""
    return f"{group}-{number}-{''.join(secrets.choice(_ID_LETTERS) for _ in range(4))}"


def _new_trace() -> str:
    """A W3C traceparent of our own, whether or not anybody traces: log lines are found by it, too."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
