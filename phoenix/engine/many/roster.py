"""All groups at once, for `status`: what each does, and what comes next. Reads only.

Must never make a call for a single group at rest of which its record tells enough: the calls for all of them together
do not grow with it. Must never take what was not asked for good: without target health, none is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from phoenix.core.explain import ago
from phoenix.core.many.triage import NOTE_HOLDS
from phoenix.core.outlook import DueFacts, Outlook, Timetable, outlook
from phoenix.core.ownership import is_outdated, made_anew
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Group
from phoenix.engine.look import look
from phoenix.engine.observe import observe
from phoenix.engine.outlook import with_outlook
from phoenix.engine.report import Report, report_on


@dataclass(frozen=True, slots=True)
class Together:
    """What was read of all groups together. `images` are the ids of the images that their sources choose now, by group;
    a group whose source cannot be asked together is not in it. `tainted` names Auto Scaling groups, None: not asked,
    or refused."""

    records: Mapping[str, GroupRecord] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    tainted: frozenset[str] | None = None


def look_at(group: Group, read: Together) -> Report:
    """Report on a group, with what comes next: from afar where that is enough, else by a look at it alone."""
    kept = read.records.get(group.name)
    report = _from_afar(group, kept) if kept is not None and _is_told_by_record(kept, group.clock.now()) else None
    if report is None:
        return with_outlook(group, look(group, closely=False))
    ahead = _outlook(group, read, report)
    return with_outlook(group, report) if ahead is None else replace(report, outlook=ahead)


def _is_told_by_record(kept: GroupRecord, now: datetime) -> bool:
    """True at rest, with nothing hot whose health would matter, and a live generation that is known well enough."""
    if kept.in_flight is not None or kept.live is None or kept.hot_until is not None or not kept.slots:
        return False
    return kept.rotation is not None or (kept.noted_at is not None and now - kept.noted_at <= NOTE_HOLDS)


def _from_afar(group: Group, kept: GroupRecord) -> Report | None:
    """Without target health; None where the record is not about what is there."""
    sight = observe(group, kept, health_of=frozenset())
    seen = replace(sight.seen, asks_health=False)
    if is_outdated(sight.record, seen, group.store.location) or made_anew(sight.record, seen):
        return None
    return report_on(group, sight.record, seen)


def _outlook(group: Group, read: Together, report: Report) -> Outlook | None:
    """What comes next, by what was read of all groups; None where that does not tell."""
    when, live = group.rotate_when, report.record.live
    image = read.images.get(group.name)
    names = frozenset(group.slots.values())
    is_told = image is not None or not when.new_image
    if live is None or not is_told or when.drift or when.template or (when.tainted and read.tainted is None):
        return None
    reasons = []
    if when.new_image and image is not None and image not in {live.image, *live.images}:
        reasons.append("new image")
    limit = when.max_instance_lifetime
    if limit is not None and live.since is None:
        return None
    if limit is not None and live.since is not None and report.at - live.since > limit:
        reasons.append(f"oldest instance {ago(report.at - live.since)}, limit {ago(limit)}")
    if when.tainted and read.tainted is not None and names & read.tainted:
        reasons.append("an instance is tainted")
    times = Timetable(when, group.calendar, group.rules, read.records)
    return outlook(report.record, times, DueFacts(tuple(reasons), image or live.image, live.since), report.at)
