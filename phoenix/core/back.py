"""Turning a rotation round. Pure.

A rollback is never a rotation of its own: it is the same record with another target, so that every crash and every
repetition on the way back is covered by what covers the way forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phoenix.core import tags
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.model import Cause, Observation
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, WayBack
from phoenix.core.terms import Capacity


def turn_back(rotation: Rotation, seen: Observation, ask: Ask, cause: Cause, *, now: bool = False) -> Rotation:
    """The rotation with the old generation as its target."""
    reason = ask.reason or f"rolled back by {ask.by}"
    turned = rotation.turn_back(WayBack(ask, cause, reason, now))
    if any(route.percent(rotation.new.slot) > 0 for route in seen.routes):
        # Another writer may have given it traffic: then the data plane needs its time to follow the way back, too.
        turned = turned.expose(seen.at)
    if cause is not Cause.OPERATOR:
        return turned.note(seen.at, "FAIL", reason)
    return turned.note(seen.at, "rollback", ask.text, ask)


def reopen(record: GroupRecord, rotation: Rotation, seen: Observation) -> Rotation:
    """A rotation that has succeeded, in flight again, so that it can be turned back. The need is what lives now."""
    live = seen.slots[rotation.new.slot]
    # Emptied already, by a way back that was recorded elsewhere: its numbers would empty the one it came back to.
    capacity = Capacity(live.min, live.max) if live.max > 0 else rotation.capacity
    return rotation.reopen(old=record.retained or rotation.old, need=max(live.desired, 1), capacity=capacity)


def last_good(record: GroupRecord) -> Generation | None:
    """The newest earlier generation that can be launched again and was not rolled back from."""
    bad = _not_to_go_back_to(record)
    return next((g for g in reversed(record.known) if g.template_version is not None and g.image not in bad), None)


def last_good_image(record: GroupRecord, history: Sequence[Rotation]) -> str | None:
    """The same from the history, newest first, where the record knows no such generation."""
    bad = _not_to_go_back_to(record)
    served = (g for past in history for g in (past.new, past.old) if g is past.old or past.succeeded_at is not None)
    return next((g.image for g in served if g.image not in bad), None)


def _not_to_go_back_to(record: GroupRecord) -> frozenset[str]:
    live = {record.live.image} if record.live is not None else set()
    return frozenset({UNKNOWN_IMAGE, *live, *(entry.image for entry in record.quarantine)})


def heed_hold(record: GroupRecord, seen: Observation) -> GroupRecord:
    """The record after a rollback that could not reach the store: what it did to AWS is what counts."""
    notes = (tags.read_hold(state.tags) for state in seen.slots.values())
    note = next((n for n in notes if n is not None), None)
    rotation = record.rotation
    if note is None or rotation is None or rotation.id != note.rotation or rotation.back is not None:
        return record
    forward = rotation if rotation.in_flight else reopen(record, rotation, seen)
    ask = Ask(seen.at, note.by, "rolled back without the store")
    return replace(record, rotation=turn_back(forward, seen, ask, Cause.OPERATOR))
