"""`rotate`: start a rotation that is due and drive it, or go on with the one in flight."""

from __future__ import annotations

from phoenix.core.back import heed_hold
from phoenix.core.generation import Generation
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.engine.drive import drive
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import claim, give_back
from phoenix.engine.many.rules import in_turn, refuse_out_of_turn
from phoenix.engine.observe import observe
from phoenix.engine.once import tick_once, told_on_groups
from phoenix.engine.outbox import save_telling
from phoenix.engine.plan import describe, plan_for
from phoenix.engine.report import NotStarted, Report, Watch, report_on, watch_nothing
from phoenix.engine.request import RotateRequest
from phoenix.engine.start import new_record
from phoenix.engine.survey import Survey, survey
from phoenix.errors import Blocked, LeaseLost
from phoenix.ports import Lease


def rotate(group: Group, request: RotateRequest, watch: Watch = watch_nothing) -> Report:
    """Start a rotation if one is due, and follow it to the end of its last bake.

    Raises:
        NotStarted: blockers stand in the way; nothing was changed.
        Blocked: a rotation to another image is in flight.
        LeaseHeld: another driver has this group.
    """
    kept = group.store.load(group.name)
    if kept is not None and kept.in_flight is not None:
        return _go_on(group, request, kept.in_flight, watch)
    found = survey(group, request)
    undone = heed_hold(found.record, found.seen).in_flight
    if undone is not None:
        # A rollback without this store has to be finished, and known, first.
        return _go_on(group, request, undone, watch)
    plan = plan_for(group, request, found)
    if not plan.due:
        return report_on(group, found.record, found.seen, sentence=describe(plan), outcome=Outcome.NONE)
    if plan.in_the_way or plan.next is None:
        raise NotStarted(plan)
    lease = claim(group)
    try:
        with in_turn(group, request) as turn:
            record = begin(group, found, plan.next, request.narrowed(plan.blockers), turn)
        with group.tracer.about(record.rotation):
            return _run(group, lease, request, watch)
    finally:
        give_back(group, lease)


def begin(
    group: Group, found: Survey, new: Generation, request: RotateRequest, turn: Lease | None = None
) -> GroupRecord:
    """Record the intent; the ticks act on it. A record that has moved since the survey means another driver was faster.

    Raises:
        Blocked: the `turn` in which it was to be recorded is over; nothing was saved.
    """
    record = new_record(group, found, new, request)
    refuse_out_of_turn(group, turn)
    return save_telling(group, found.record, record)


def _go_on(group: Group, request: RotateRequest, rotation: Rotation, watch: Watch) -> Report:
    if request.image is not None and request.image != rotation.new.image:
        raise Blocked(
            f"{group.name} is being rotated to {rotation.new.image} ({rotation.id}), not to {request.image}",
            hint=f"phoenix abort --group {group.name}   ends the one in flight",
        )
    lease = claim(group)
    try:
        with group.tracer.about(rotation):
            return _run(group, lease, request, watch)
    finally:
        give_back(group, lease)


def _run(group: Group, lease: Lease, request: RotateRequest, watch: Watch) -> Report:
    if not request.wait:
        ticked = told_on_groups(group, lease, tick_once(group, lease, _loaded(group)))
        return report_on(group, ticked.record, ticked.seen)
    try:
        return drive(group, lease, watch)
    except LeaseLost as lost:
        return _preempted(group, lost)


def _loaded(group: Desk) -> GroupRecord:
    record = group.store.load(group.name)
    if record is None:
        raise LeaseLost(group.name, None)
    return record


def _preempted(group: Group, lost: LeaseLost) -> Report:
    """A rollback or an abort took over: the old generation comes back, and that is how this command ends."""
    record = group.store.load(group.name)
    rotation = record.rotation if record else None
    if record is None or rotation is None or rotation.back is None:
        raise lost
    sentence = f"pre-empted: {rotation.back.ask.by} is rolling back to generation {rotation.old.number}"
    seen = observe(group, record).seen
    return report_on(group, record, seen, sentence=sentence, outcome=Outcome.ROLLED_BACK)
