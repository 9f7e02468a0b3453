"""`tick` and `advance` do for one group: take back leftovers, go on with a rotation in flight, let the retained
generation go cold, start a rotation that is due. For cron once, for Lambda for as long as something moves.

Must never depend on why it was called: a call that is second, late or idle finds the lease taken, or nothing due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from phoenix.core.back import heed_hold
from phoenix.core.drill import Ending
from phoenix.core.due import WATCHED
from phoenix.core.janitor import leftovers, moved_weights
from phoenix.core.many.triage import NOTE_HOLDS
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.tags import TAINTED
from phoenix.core.taint import read_taint
from phoenix.core.trigger import counts_from
from phoenix.engine import drill as drills
from phoenix.engine.bases import note_old_base
from phoenix.engine.drive import drive
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import claim, give_back
from phoenix.engine.many.rules import in_turn, tell_of_breaker
from phoenix.engine.many.standstill import note_standstill
from phoenix.engine.once import Ticked, tick_once
from phoenix.engine.outbox import send_left
from phoenix.engine.plan import describe, plan_for
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.report import Plan, Report, report_on, watch_nothing
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import begin
from phoenix.engine.snowflakes import note_snowflakes
from phoenix.engine.survey import Survey, survey
from phoenix.errors import Blocked, Interrupted, LeaseHeld, LeaseLost, LostRecord, StateConflict, TransientError
from phoenix.ports import Lease

EXPECTED = frozenset({"window", "freeze", "paused", "quarantine", "limit", "breaker"})
"""Blockers that a person has wished for; cron must not send a mail about them every minute."""
MOST_IN_A_ROW = 20
"""Ticks that follow one another at once; more would mean that two of them undo each other."""
DRILL_OUTCOME = {None: Outcome.IN_PROGRESS, Ending.WHOLE: Outcome.SUCCEEDED, Ending.FAILED: Outcome.FAILED}
BY_SCHEDULE = RotateRequest(scheduled=True)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit's report, and the time at which the group is due next; None: nothing is known to be."""

    report: Report
    look_again_at: datetime | None = None


def tick(group: Group) -> Report:
    """One pass. The report's sentence is empty when there is nothing to say; its exit status is always 0.

    Raises:
        PhoenixError: something went wrong with this group; others are not concerned.
    """
    return _attended(group, stay=False)


def advance(group: Group) -> Report:
    """The same, and go on with a rotation in flight until nothing is due within a minute, or the clock says to stop."""
    return _attended(group, stay=True)


def _attended(group: Group, *, stay: bool) -> Report:
    try:
        lease = claim(group)
    except LeaseHeld as held:
        return _busy(group, held.message)
    look_again_at: datetime | None = None
    try:
        visit = _visit(group, lease, stay=stay)
        look_again_at = visit.look_again_at
        send_left(group)
        return replace(visit.report, exit_status=0)
    except (LeaseHeld, LeaseLost, StateConflict) as busy:
        return _busy(group, busy.message)
    except TransientError:
        look_again_at = group.clock.now() + WATCHED
        raise
    finally:
        give_back(group, lease, look_again_at)


def _busy(group: Group, why: str) -> Report:
    kept = group.store.load(group.name) or GroupRecord(group.name)
    return replace(report_on(group, kept, sentence=f"busy: {why}", outcome=Outcome.IN_PROGRESS), exit_status=0)


def _visit(group: Group, lease: Lease, *, stay: bool) -> _Visit:
    record = group.store.load(group.name)
    if record is not None and record.in_flight is not None:
        # Also where it ends in this pass: that is the news, and what is due next can wait for the next pass.
        return _go_on(group, lease, _until_waiting(group, lease, tick_once(group, lease, record)), stay=stay)
    if record is not None and record.drill_in_flight is not None:
        return _drilled(group, drills.drill_once(group, lease, record), lease, stay=stay)
    if record is not None and (record.hot_until is not None or _is_announced(record)):
        record = _until_waiting(group, lease, tick_once(group, lease, record)).record
    visit = _start_if_due(group, lease, record, stay=stay)
    return visit if group.drill is None or visit.report.record.in_flight else _drill_if_due(group, lease, visit, stay)


def _is_announced(record: GroupRecord) -> bool:
    """True where clients look its instances up: an autoscaler launches and ends some at any time."""
    return record.rotation is not None and bool(record.rotation.terms.discovery)


def _drill_if_due(group: Group, lease: Lease, visit: _Visit, stay: bool) -> _Visit:
    """A rotation that is due comes first; a drill waits for its end."""
    started = drills.start_if_due(group, lease)
    if started is not None:
        return _drilled(group, started, lease, stay=stay)
    due = [at for at in (visit.look_again_at, drills.next_start(group, group.store.load(group.name))) if at is not None]
    return replace(visit, look_again_at=min(due, default=None))


def _drilled(group: Group, drilled: drills.Drilled, lease: Lease, *, stay: bool) -> _Visit:
    if stay and drilled.drill.in_flight:
        try:
            drilled = drills.follow(group, lease, drilled.record, lambda _: None)
        except Interrupted:  # the next driver goes on measuring, at once
            kept = group.store.load(group.name) or drilled.record
            return _Visit(report_on(group, kept, sentence=drilled.drill.sentence), group.clock.now())
    outcome = DRILL_OUTCOME.get(drilled.drill.ending, Outcome.NONE)
    report = report_on(group, drilled.record, drilled.seen, sentence=drilled.drill.sentence, outcome=outcome)
    return _Visit(report, drills.looks_again_at(drilled))


def _go_on(group: Group, lease: Lease, ticked: Ticked, *, stay: bool) -> _Visit:
    if not stay or ticked.record.in_flight is None or _may_be_left(ticked):
        return _Visit(report_on(group, ticked.record, ticked.seen), ticked.decision.look_again_at)
    try:
        return _Visit(drive(group, lease, watch_nothing, ticked, _may_be_left))
    except Interrupted:
        # In the middle of something: the next driver should not wait.
        kept = group.store.load(group.name) or ticked.record
        return _Visit(report_on(group, kept), group.clock.now())


def _may_be_left(ticked: Ticked) -> bool:
    """True when nothing moves, and nothing is known to be due within a minute."""
    due = ticked.decision.look_again_at
    return not ticked.decision.moving and (due is None or due - ticked.seen.at > WATCHED)


def _until_waiting(group: Group, lease: Lease, ticked: Ticked) -> Ticked:
    """Tick until there is something to wait for."""
    for _ in range(MOST_IN_A_ROW):
        due = ticked.decision.look_again_at
        if due is None or due > ticked.seen.at:
            break
        before = ticked
        ticked = tick_once(group, lease, ticked.record)
        if ticked.decision.actions and ticked.decision.actions == before.decision.actions:
            break  # AWS does not show yet what was asked of it; the next pass looks again
    return ticked


def _start_if_due(group: Group, lease: Lease, record: GroupRecord | None, *, stay: bool) -> _Visit:
    kept = record or GroupRecord(group.name)
    if _waits(kept, group.clock.now()):
        return _Visit(report_on(group, kept, sentence="", outcome=Outcome.NONE))
    try:
        found = survey(group, BY_SCHEDULE)
    except LostRecord:
        return _Visit(repair(group, find_repairs(group), wait=False))
    if heed_hold(found.record, found.seen) != found.record:
        stored = group.store.load(group.name) or GroupRecord(group.name)
        return _go_on(group, lease, _until_waiting(group, lease, tick_once(group, lease, stored)), stay=stay)
    if leftovers(found.record, found.seen):
        return _Visit(repair(group, find_repairs(group), wait=False))
    plan = plan_for(group, BY_SCHEDULE, found)
    if not plan.due:
        _note(group, record, found)
        note_snowflakes(group, found)
        note_standstill(group, found.record, plan)
        note_old_base(group, found)
        moved = moved_weights(found.record, found.seen)
        # Not put back by a pass: who moved them may have had a reason. Not silent either.
        told = f"{moved.text} with: phoenix repair --group {group.name}" if moved is not None else ""
        quiet = report_on(group, found.record, found.seen, sentence=told, outcome=Outcome.NONE)
        return _Visit(quiet, _due_by_itself_at(group, found))
    if plan.in_the_way or plan.next is None:
        return _blocked(group, found, plan)
    return _start(group, lease, found, plan, stay=stay)


def _waits(record: GroupRecord, now: datetime) -> bool:
    """True while nothing may start: a pause, or the distance after a setback. `status` says so; cron need not."""
    return record.paused is not None or (record.setback is not None and now < record.setback.not_before)


def _note(group: Desk, kept: GroupRecord | None, found: Survey) -> None:
    """Remember who lives in a group that phoenix has not rotated yet: idle groups are judged by their records."""
    then = kept.noted_at if kept is not None else None
    noted = replace(found.record, live=found.live, noted_at=then)
    is_old = noted.rotation is None and (then is None or found.seen.at - then > NOTE_HOLDS)
    if noted != kept or is_old:
        group.store.save(replace(noted, noted_at=found.seen.at))


def _due_by_itself_at(group: Group, found: Survey) -> datetime | None:
    """When an instance will be too old, or tainted for long enough."""
    when, limit = group.rotate_when, group.rotate_when.max_instance_lifetime
    ages = [i.launched_at + limit for i in found.instances] if limit is not None else []
    taints = [read_taint(i.tags[TAINTED]) for i in found.instances if when.tainted and TAINTED in i.tags]
    return min((*ages, *(counts_from(when, taint, found.seen.at) for taint in taints)), default=None)


def _blocked(group: Group, found: Survey, plan: Plan) -> _Visit:
    """Report what a person must mend. A window that opens is due then; a limit of other groups, with the idle."""
    note_standstill(group, found.record, plan)
    note_old_base(group, found)
    note_snowflakes(group, found)
    names = {blocker.name for blocker in plan.in_the_way}
    if "breaker" in names:
        tell_of_breaker(group, next(b.text for b in plan.in_the_way if b.name == "breaker"))
    news = [b.name for b in plan.in_the_way if b.name not in EXPECTED]
    sentence = f"{describe(plan)}; blocked by {', '.join(news)}" if news else ""
    opens_at = group.calendar.next_opening(found.seen.at) if names and names <= {"window", "freeze"} else None
    later = opens_at if opens_at is not None and opens_at > found.seen.at else None
    return _Visit(report_on(group, found.record, found.seen, sentence=sentence, outcome=Outcome.NONE), later)


def _start(group: Group, lease: Lease, found: Survey, plan: Plan, *, stay: bool) -> _Visit:
    assert plan.next is not None  # noqa: S101 - a plan without one is blocked
    try:
        with in_turn(group, BY_SCHEDULE) as turn:
            record = begin(group, found, plan.next, BY_SCHEDULE, turn)
    except Blocked:
        # Others were faster. With the next idle look there may be room again.
        return _Visit(report_on(group, found.record, found.seen, sentence="", outcome=Outcome.NONE))
    tell_of_breaker(group, None)
    return _go_on(group, lease, _until_waiting(group, lease, tick_once(group, lease, record)), stay=stay)
