"""Turning a rotation round, and whether that would work. Pure.

A rollback is never a rotation of its own: it is the same record with another target, so that every crash and every
repetition on the way back is covered by what covers the way forward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from phoenix.core import tags
from phoenix.core.converge import stays_hot
from phoenix.core.model import Capacity, Cause, Observation, Outcome
from phoenix.core.progress import noted
from phoenix.core.ready import ready_instances
from phoenix.core.record import Ask, GroupRecord, Rotation


@dataclass(frozen=True, slots=True)
class RollbackReady:
    """Whether a rollback would work right now, and the sentence that says why or why not.

    `at_once` is True when its first write is the shift; else it grows first.
    """

    ready: bool
    why: str
    at_once: bool = False


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
    return noted(turned, seen, "FAIL" if cause is not Cause.OPERATOR else "rollback", reason)


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


def rollback_readiness(record: GroupRecord, seen: Observation) -> RollbackReady:
    """Whether `rollback` would work right now, from the record and what was seen."""
    rotation = record.rotation
    if rotation is not None and rotation.in_flight:
        return _readiness_in_flight(rotation, seen)
    if record.retained is None or rotation is None:
        return RollbackReady(ready=False, why="nothing is retained")
    retained, live = seen.slots[record.retained.slot], seen.slots[record.retained.slot.other]
    number, need = record.retained.number, live.desired
    ready = len(ready_instances(retained, None, rotation.terms.has_traffic))
    if record.hot_until is not None and ready >= need:
        return RollbackReady(True, f"{number} has {ready} of {need} healthy, weights move first", at_once=True)
    if record.retained.template_version is None:
        return RollbackReady(False, f"the template version of {number} is not known")
    return RollbackReady(
        True, f"{number} has {ready} of {need} healthy: it grows and is proved first, then weights move"
    )


def _readiness_in_flight(rotation: Rotation, seen: Observation) -> RollbackReady:
    number = rotation.old.number
    if rotation.back is not None:
        return RollbackReady(True, f"rolling back to {number} already", at_once=True)
    ready = len(ready_instances(seen.slots[rotation.old.slot], None, rotation.terms.has_traffic))
    if not rotation.terms.has_traffic:
        return RollbackReady(
            True, f"{number} has {ready} of {rotation.need}; no load balancer: it grows first", ready >= rotation.need
        )
    if ready >= rotation.need:
        return RollbackReady(True, f"{number} has {ready} of {rotation.need} healthy, weights move first", at_once=True)
    if stays_hot(rotation) and ready:
        return RollbackReady(True, f"{number} has only {ready} of {rotation.need} healthy", at_once=False)
    return RollbackReady(
        ready > 0 or rotation.old.template_version is not None,
        f"{number} has {ready} of {rotation.need} healthy: it grows first",
    )
