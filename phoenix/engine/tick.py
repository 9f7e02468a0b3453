"""`tick`: one pass for one group, for cron: advance what is in flight, start what is due, tidy up, let the retained
go cold.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from phoenix.core.back import heed_hold
from phoenix.core.janitor import leftovers
from phoenix.core.model import Outcome
from phoenix.core.record import Generation, GroupRecord
from phoenix.engine.drive import claim
from phoenix.engine.group import Group
from phoenix.engine.once import Ticked, tick_once
from phoenix.engine.plan import describe, plan_for
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.report import Report
from phoenix.engine.reporting import report_on
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import begin
from phoenix.engine.survey import Survey, survey
from phoenix.errors import LeaseHeld, LeaseLost, LostRecord, StateConflict
from phoenix.ports import Lease

EXPECTED = frozenset({"window", "freeze", "paused", "quarantine"})
"""Blockers that are somebody's wish; cron must not send a mail about them every minute."""
MOST_IN_A_ROW = 20
"""Ticks that follow one another at once; more would mean that two of them undo each other."""


def tick(group: Group) -> Report:
    """One pass. The report's sentence is empty when there is nothing to say; its exit status is always 0.

    Raises:
        PhoenixError: something went wrong with this group; others are not concerned.
    """
    record = group.store.load(group.name)
    try:
        if record is not None and record.in_flight is not None:
            # Also where it ends in this pass: that is the news, and what is due next can wait for the next pass.
            ticked = _advance(group)
            return _quiet(report_on(group, ticked.record, ticked.seen))
        if record is not None and record.hot_until is not None:
            record = _advance(group).record
        return _start_if_due(group, record)
    except (LeaseHeld, LeaseLost, StateConflict) as busy:
        kept = record or GroupRecord(group.name)
        return _quiet(report_on(group, kept, sentence=f"busy: {busy.message}", outcome=Outcome.IN_PROGRESS))


def _quiet(report: Report) -> Report:
    return replace(report, exit_status=0)


def _advance(group: Group) -> Ticked:
    """Tick until there is something to wait for. What was true before the lease was ours may be true no more."""
    lease = claim(group)
    try:
        record = group.store.load(group.name) or GroupRecord(group.name)
        return _until_waiting(group, lease, tick_once(group, lease, record))
    finally:
        group.store.release(lease)


def _until_waiting(group: Group, lease: Lease, ticked: Ticked) -> Ticked:
    for _ in range(MOST_IN_A_ROW):
        due = ticked.decision.look_again_at
        if due is None or due > ticked.seen.at:
            break
        before = ticked
        ticked = tick_once(group, lease, ticked.record)
        if ticked.decision.actions and ticked.decision.actions == before.decision.actions:
            break  # AWS does not show yet what was asked of it; the next pass looks again
    return ticked


def _start_if_due(group: Group, record: GroupRecord | None) -> Report:
    kept = record or GroupRecord(group.name)
    if _waits(kept, group.clock.now()):
        return _quiet(report_on(group, kept, sentence="", outcome=Outcome.NONE))
    request = RotateRequest(scheduled=True)
    try:
        found = survey(group, request)
    except LostRecord:
        return _quiet(repair(group, find_repairs(group), wait=False))
    if heed_hold(found.record, found.seen) != found.record:
        ticked = _advance(group)
        return _quiet(report_on(group, ticked.record, ticked.seen))
    if leftovers(found.record, found.seen):
        return _quiet(repair(group, find_repairs(group), wait=False))
    plan = plan_for(group, request, found)
    if not plan.due:
        return _quiet(report_on(group, found.record, found.seen, sentence="", outcome=Outcome.NONE))
    if plan.in_the_way or plan.next is None:
        news = [b.name for b in plan.in_the_way if b.name not in EXPECTED]
        sentence = f"{describe(plan)}; blocked by {', '.join(news)}" if news else ""
        return _quiet(report_on(group, found.record, found.seen, sentence=sentence, outcome=Outcome.NONE))
    return _start(group, found, plan.next)


def _waits(record: GroupRecord, now: datetime) -> bool:
    """True while nothing may start: a pause, or the distance after a setback. `status` says so; cron need not."""
    return record.paused is not None or (record.setback is not None and now < record.setback.not_before)


def _start(group: Group, found: Survey, new: Generation) -> Report:
    lease = claim(group)
    try:
        ticked = _until_waiting(
            group, lease, tick_once(group, lease, begin(group, found, new, RotateRequest(scheduled=True)))
        )
    finally:
        group.store.release(lease)
    return _quiet(report_on(group, ticked.record, ticked.seen))
