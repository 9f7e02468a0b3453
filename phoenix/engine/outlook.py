"""What comes next for one group at rest. Reads what a start needs to know whether it is due; none of its checks."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.outlook import DueFacts, Outlook, Timetable, outlook
from phoenix.engine.group import Group
from phoenix.engine.observe import Sight
from phoenix.engine.report import Report
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import NO_LIVE, survey_of
from phoenix.errors import PhoenixError


def with_outlook(group: Group, report: Report) -> Report:
    """The report with what comes next; as it is while a rotation is in flight, or where AWS was not asked."""
    if report.record.in_flight is not None or report.seen is None:
        return report
    return replace(report, outlook=outlook_of(group, report))


def outlook_of(group: Group, report: Report) -> Outlook:
    """What comes next. What cannot be read is told as not known: a status must not fail for it."""
    rules = group.rules
    try:
        records = group.store.load_many(tuple(rules.labels)) if rules.concern_starts else {}
        facts = _signs(group, report)
    except PhoenixError as error:
        records, facts = {}, DueFacts(None, unknown=error.message)
    timetable = Timetable(group.rotate_when, group.calendar, rules, records)
    return outlook(report.record, timetable, facts, report.at)


def _signs(group: Group, report: Report) -> DueFacts:
    assert report.seen is not None  # noqa: S101 - the caller has seen to it
    if group.images is None:
        return DueFacts(None, unknown="it has no policy, which would say when it is due")
    found = survey_of(group, RotateRequest(scheduled=True), Sight(report.record, report.seen))
    if found.live is NO_LIVE:
        return DueFacts(None, unknown="no slot is live, or both are")
    oldest = min((each.launched_at for each in found.instances), default=None)
    return DueFacts(found.reasons, found.image.id if found.image is not None else None, oldest)
