"""Look at a group without touching anything: for `status`, and as the first half of everything that starts."""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.adopt import adopt, live_slot
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.model import Observation, TargetState
from phoenix.core.ownership import foreign_rotation, foreign_store, is_outdated, made_anew
from phoenix.core.readiness import RollbackReady, with_blockers
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.observe import Sight, observe, with_ages
from phoenix.engine.report import Report, report_on
from phoenix.errors import ForeignStore


def look(group: Group, *, closely: bool = True) -> Report:
    """Report on the group as it is right now, with its gates while a rotation is in flight. Writes nothing.

    `closely`: AWS is also asked, a few reads more, how old each instance is, and whether it would launch what a
    rollback has to launch first.
    """
    sight = sight_of(group, search=False)
    if closely and _has_sick_targets(sight.seen):
        # A search learns the path of their checks; without it "503 on :8080" lacks the path.
        group.router.find(sight.record.target_groups)
        sight = sight_of(group, search=False)
    seen = with_ages(group, sight.seen) if closely else sight.seen
    report = report_on(group, _with_fresh_verdicts(sight), seen)
    ready = _asked_about(group, report.rollback_ready) if closely else report.rollback_ready
    return replace(report, lease=group.store.lease_of(group.name), rollback_ready=ready)


def _has_sick_targets(seen: Observation) -> bool:
    return any(i.target is TargetState.UNHEALTHY for state in seen.slots.values() for i in state.instances)


def sight_of(group: Group, *, search: bool = True) -> Sight:
    """The group's record and what is there; a group without a record is adopted from what can be seen."""
    kept = group.store.load(group.name)
    sight = observe(group, kept or GroupRecord(group.name), search=search)
    # Without a rotation there is only what was noted of others' doing; they may have done more since.
    known = kept is not None and kept.rotation is not None
    if known and not is_outdated(sight.record, sight.seen, group.store.location):
        return _with_live_as_it_runs(group, sight)
    known_as = kept.live.number if kept is not None and kept.live is not None else None
    number = known_as or (kept.highest_number if kept is not None else 0) + 1
    adopted = adopt(group.name, sight.seen, group.terms, number=number)
    if kept is not None:
        # Said before anybody could tell who is live, a pause for example; it holds all the same.
        adopted = replace(
            adopted,
            version=kept.version,
            paused=kept.paused,
            quarantine=kept.quarantine,
            blocked=kept.blocked,
            old_base=kept.old_base,
            drills=kept.drills,
            hindered=kept.hindered,
            outbox=kept.outbox,
            setback=kept.setback,
            acts=kept.acts,
            snowflakes=kept.snowflakes,
            highest_number=max(kept.highest_number, adopted.highest_number),
        )
    return Sight(_with_image(group, adopted, sight), sight.seen)


def refuse_outdated(group: Desk, record: GroupRecord, seen: Observation) -> None:
    """Another store has rotated this group since: what this record would do now is wrong.

    Raises:
        ForeignStore: the tags tell of a later rotation than this record knows.
    """
    if is_outdated(record, seen, group.store.location):
        other = foreign_store(seen, group.store.location)
        raise ForeignStore(group.name, other or "unknown", group.store.location)


def current_record(group: Group) -> GroupRecord:
    """The store's record. Where another store has rotated the group since, its rotation in flight is over: then, as
    where there is no record, what the tags tell. Writes nothing.

    Raises:
        ForeignStore: by those tags, a rotation is in flight in another store.
    """
    kept = group.store.load(group.name)
    if kept is not None and kept.in_flight is not None:
        # As if it were over: its gates may have nothing to measure any more, and their answer is not wanted.
        seen = observe(group, replace(kept, rotation=None), health_of=frozenset()).seen
        if not is_outdated(kept, seen, group.store.location):
            return kept
    sight = sight_of(group)
    other = foreign_rotation(sight.seen, group.store.location)
    if other is not None:
        raise ForeignStore(group.name, other, group.store.location)
    return sight.record


def _with_live_as_it_runs(group: Group, sight: Sight) -> Sight:
    """A live Auto Scaling group that was made anew at rest, and runs another image, is a generation of its own."""
    record, live = sight.record, sight.record.live
    if record.in_flight is not None or live is None or live.slot not in made_anew(record, sight.seen):
        return sight
    state = sight.seen.slots[live.slot]
    if live_slot(sight.seen) is not live.slot or all(live.has_launched(i) for i in state.instances):
        return sight
    number = max(record.highest_number, live.number) + 1
    anew = Generation(number, live.slot, UNKNOWN_IMAGE, template_version=state.template_version)
    found = _with_image(group, replace(record, live=anew, highest_number=number), sight)
    is_same = found.live is None or found.live.image in (live.image, UNKNOWN_IMAGE)
    return sight if is_same else Sight(found, sight.seen)


def _with_image(group: Ports, record: GroupRecord, sight: Sight) -> GroupRecord:
    """Ask EC2 which image the live instances run, when no tag tells."""
    slot = live_slot(sight.seen)
    if slot is None or record.live is None or record.live.image != UNKNOWN_IMAGE:
        return record
    images = [i.image for i in group.fleet.live_instances(slot)]
    if not images:
        return record
    most_common = max(sorted(set(images)), key=images.count)
    return replace(record, live=replace(record.live, image=most_common))


def _asked_about(group: Ports, found: RollbackReady) -> RollbackReady:
    """Ask AWS whether it would launch the missing instances; if the shift comes first, ask nothing."""
    revival = found.revival
    if revival is None or not found.ready:
        return found
    return with_blockers(found, group.fleet.find_revival_blockers(revival.generation, revival.missing))


def _with_fresh_verdicts(sight: Sight) -> GroupRecord:
    rotation = sight.record.in_flight
    if rotation is None or not sight.seen.verdicts:
        return sight.record
    return replace(sight.record, rotation=replace(rotation, verdicts=sight.seen.verdicts, looked_at=sight.seen.at))
