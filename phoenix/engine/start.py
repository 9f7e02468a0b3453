"""Start a rotation: from a plan without blockers to a record with an intent. Changes nothing in AWS."""

from __future__ import annotations

import secrets
from dataclasses import replace

from phoenix.core import tags
from phoenix.core.generation import Generation
from phoenix.core.model import SlotState
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event, Origin
from phoenix.core.terms import Capacity
from phoenix.engine.group import Group, Ports
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import Survey

_ID_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"


def new_record(group: Group, found: Survey, new: Generation, request: RotateRequest) -> GroupRecord:
    """The record with a rotation from what is live to `new`, as the survey has found it due and unblocked."""
    record, seen, terms, live = found.record, found.seen, found.terms, found.live_state
    at = seen.at
    old = replace(_identified(group, found.live, live), images=tuple(sorted({i.image for i in found.instances})))
    origin = _origin(group, found, request)
    owner = group.terms.capacity or tags.read_capacity(live.tags) or Capacity(live.min, live.max)
    rotation = Rotation(
        id=_new_id(group.name, new.number),
        group=group.name,
        old=old,
        new=replace(new, since=at),
        terms=terms,
        started_at=at,
        deadline=at + terms.rotation_timeout,
        origin=origin,
        need=live.desired,
        capacity=owner,
        waiting_for="starting",
        events=(Event(at, "start", f"image {new.image_name or new.image}, by {group.by}: {origin.trigger}"),),
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


def _origin(group: Group, found: Survey, request: RotateRequest) -> Origin:
    live, slots = found.live_state, found.seen.slots
    return Origin(
        trigger="; ".join(found.reasons) + _asked(request),
        by=group.by,
        policy=group.policy,
        store=group.store.location,
        trace=_new_trace(),
        ignored={name: Ask(found.seen.at, group.by, request.reason) for name in sorted(request.by_name)},
        pin=group.fleet.resolve_version(live.slot) if live.template_version is None else None,
        templates={slot: state.template for slot, state in slots.items()},
        arns={slot: state.arn for slot, state in slots.items()},
    )


def _identified(group: Ports, live: Generation, state: SlotState) -> Generation:
    """By what the live generation can be launched again. One that phoenix has made is known by its template's id."""
    if live.template is not None and live.template == state.template:
        return live
    return group.fleet.identify(live)


def _asked(request: RotateRequest) -> str:
    """A note for the next person: which blockers were ignored, and why."""
    ignored = f"; ignoring {', '.join(sorted(request.ignore))}" if request.ignore else ""
    return ignored + (f': "{request.reason}"' if request.reason else "")


def _new_id(group: str, number: int) -> str:
    """`web-42-7k3f`: readable aloud, and different even if a store was lost and numbers begin again."""
    return f"{group}-{number}-{''.join(secrets.choice(_ID_LETTERS) for _ in range(4))}"


def _new_trace() -> str:
    """A W3C traceparent of our own, whether or not anybody traces: log lines are found by it, too."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
