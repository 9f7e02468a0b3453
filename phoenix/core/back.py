"""Turning a rotation round. Pure.

A rollback is never a rotation of its own: it is the same record with another target, so that every crash and every
repetition on the way back is covered by what covers the way forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phoenix.core import tags
from phoenix.core.model import Capacity, Cause, Observation, Outcome
from phoenix.core.progress import noted
from phoenix.core.record import UNKNOWN_IMAGE, Ask, Generation, GroupRecord, Rotation


def turn_back(rotation: Rotation, seen: Observation, ask: Ask, cause: Cause, *, now: bool = False) -> Rotation:
    """The rotation with the old generation as its target. Clocks start anew; what it was held or paused for is over."""
    reason = ask.reason or f"rolled back by {ask.by}"
    # Somebody else may have given it traffic: then the data plane needs its time to follow the way back all the same.
    has_traffic = any(route.percent(rotation.new.slot) > 0 for route in seen.routes)
    turned = replace(
        rotation,
        exposed_at=rotation.exposed_at or (seen.at if has_traffic else None),
        back=ask,
        back_now=now,
        cause=cause,
        reason=reason,
        grown_since=None,
        ready_since=None,
        short_since=None,
        proved_at=None,
        shifted_at=None,
        shrunk_at=None,
        baking_since=None,
        closing_since=None,
        succeeded_at=rotation.succeeded_at or rotation.closing_since,
        promoted=None,
        paused=None,
        held=None,
    )
    if cause is not Cause.OPERATOR:
        return noted(turned, seen, "FAIL", reason)
    return noted(turned, seen, "rollback", f"by {ask.by}" + (f": {ask.reason}" if ask.reason else ""))


def reopen(record: GroupRecord, rotation: Rotation, seen: Observation) -> Rotation:
    """A rotation that has succeeded, in flight again, so that it can be turned back. The need is what lives now."""
    live = seen.slots[rotation.new.slot]
    return replace(
        rotation,
        outcome=Outcome.IN_PROGRESS,
        ended_at=None,
        closing_since=None,
        need=max(live.desired, 1),
        # Emptied already, by a way back that was recorded elsewhere: its numbers would empty the one it came back to.
        capacity=Capacity(live.min, live.max) if live.max > 0 else rotation.capacity,
        weight=100,
        intended_weight=100,
        exposed_at=rotation.exposed_at or rotation.ended_at,
        old=record.retained or rotation.old,
    )


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
