"""Look at a group without touching anything: for `status`, and as the first half of everything that starts."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.adopt import UNKNOWN_IMAGE, adopt, live_slot
from phoenix.core.back import understood
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Group
from phoenix.engine.observe import Sight, observe
from phoenix.engine.report import Report
from phoenix.engine.reporting import report_on


def look(group: Group) -> Report:
    """How the group stands right now, gates included while a rotation is in flight. Writes nothing."""
    sight = sight_of(group, search=False)
    report = report_on(group, _with_fresh_verdicts(sight), sight.seen)
    return replace(report, lease=group.store.lease_of(group.name))


def sight_of(group: Group, *, search: bool = True) -> Sight:
    """The group's record and what is there; a group without a record is adopted from what can be seen."""
    kept = group.store.load(group.name)
    sight = observe(group, kept or GroupRecord(group.name), search=search)
    if kept is not None and (kept.live is not None or kept.in_flight is not None):
        return sight if kept.in_flight is not None else Sight(understood(sight.record, sight.seen), sight.seen)
    adopted = adopt(group.name, sight.seen)
    return Sight(_with_image(group, replace(adopted, version=kept.version if kept else 0), sight), sight.seen)


def _with_image(group: Group, record: GroupRecord, sight: Sight) -> GroupRecord:
    """Ask EC2 which image the live instances run, when no tag tells."""
    slot = live_slot(sight.seen)
    if slot is None or record.live is None or record.live.image != UNKNOWN_IMAGE:
        return record
    images = [i.image for i in group.fleet.live_instances(slot)]
    if not images:
        return record
    most_common = max(sorted(set(images)), key=images.count)
    return replace(record, live=replace(record.live, image=most_common))


def _with_fresh_verdicts(sight: Sight) -> GroupRecord:
    rotation = sight.record.in_flight
    if rotation is None or not sight.seen.verdicts:
        return sight.record
    return replace(sight.record, rotation=replace(rotation, verdicts=sight.seen.verdicts, looked_at=sight.seen.at))
