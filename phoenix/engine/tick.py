"""`tick`: one pass for one group, for cron: advance what is in flight, start what is due, let the retained go cold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from phoenix.core.model import Outcome
from phoenix.core.record import Generation, GroupRecord
from phoenix.engine.drive import claim
from phoenix.engine.group import Group
from phoenix.engine.once import Ticked, tick_once
from phoenix.engine.plan import describe, plan_for
from phoenix.engine.report import Report
from phoenix.engine.reporting import report_on
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import begin
from phoenix.engine.survey import Survey, survey
from phoenix.errors import LeaseHeld, LeaseLost
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
        if record is not None and (record.in_flight is not None or record.hot_until is not None):
            record = _advance(group, record).record
        if record is not None and record.in_flight is not None:
            return _quiet(report_on(group, record))
        return _start_if_due(group, record)
    except (LeaseHeld, LeaseLost) as busy:
        kept = record or GroupRecord(group.name)
        return _quiet(report_on(group, kept, sentence=f"busy: {busy.message}", outcome=Outcome.IN_PROGRESS))


def _quiet(report: Report) -> Report:
    return replace(report, exit_status=0)


def _advance(group: Group, record: GroupRecord) -> Ticked:
    """Tick until there is something to wait for."""
    lease = claim(group)
    try:
        return _until_waiting(group, lease, tick_once(group, lease, record))
    finally:
        group.store.release(lease)


def _until_waiting(group: Group, lease: Lease, ticked: Ticked) -> Ticked:
    for _ in range(MOST_IN_A_ROW):
        due = ticked.decision.look_again_at
        if due is None or due > ticked.seen.at:
            break
        ticked = tick_once(group, lease, ticked.record)
    return ticked


def _start_if_due(group: Group, record: GroupRecord | None) -> Report:
    kept = record or GroupRecord(group.name)
    waits = _waits(kept, group.clock.now())
    if waits is not None:
        return _quiet(report_on(group, kept, sentence=waits, outcome=Outcome.NONE))
    request = RotateRequest(scheduled=True)
    found = survey(group, request)
    plan = plan_for(group, request, found)
    if not plan.due:
        return _quiet(report_on(group, found.record, found.seen, sentence="", outcome=Outcome.NONE))
    if plan.in_the_way or plan.next is None:
        news = [b.name for b in plan.in_the_way if b.name not in EXPECTED]
        sentence = f"{describe(plan)}; blocked by {', '.join(news)}" if news else ""
        return _quiet(report_on(group, found.record, found.seen, sentence=sentence, outcome=Outcome.NONE))
    return _start(group, found, plan.next)


def _waits(record: GroupRecord, now: datetime) -> str | None:
    if record.paused is not None:
        return f"paused by {record.paused.by} since {record.paused.at:%Y-%m-%d %H:%M} UTC"
    setback = record.setback
    if setback is not None and now < setback.not_before:
        return f"tries again at {setback.not_before:%Y-%m-%d %H:%M} UTC, after {setback.count} setbacks"
    return None


def _start(group: Group, found: Survey, new: Generation) -> Report:
    lease = claim(group)
    try:
        ticked = _until_waiting(group, lease, tick_once(group, lease, begin(group, found, new)))
    finally:
        group.store.release(lease)
    return _quiet(report_on(group, ticked.record, ticked.seen))
