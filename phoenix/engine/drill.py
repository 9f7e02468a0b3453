"""`drill`: end instances on purpose, and measure how long the group takes to be whole again.

The order is that of every tick: the victims are saved before the first call, and each call is absolute, so that death
anywhere ends no instance that was not chosen before, and none in the place of one that is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from phoenix.core.blocker import Blocker
from phoenix.core.drill import Drill, DrillTerms, Ending, with_drill
from phoenix.core.drilling import Wanted, all_ended, intend, next_step, stopped
from phoenix.core.due import WATCHED
from phoenix.core.model import Observation, Slot
from phoenix.core.ownership import foreign_rotation
from phoenix.core.record import GroupRecord, HinderedDrill
from phoenix.core.story import Ask
from phoenix.engine.apply import apply
from phoenix.engine.drive import patiently
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import claim, give_back, renew
from phoenix.engine.look import refuse_outdated, sight_of
from phoenix.engine.news import hindering
from phoenix.engine.observe import Sight, observe
from phoenix.engine.outbox import put, save_telling, send
from phoenix.errors import Blocked, ForeignStore, Interrupted, LeaseLost, PermanentError, StateConflict
from phoenix.ports import Lease

log = logging.getLogger(__name__)

LINES: Final = "drill: {most: 1, floor: 75%}"
"""What a policy has to say before anything of its group is ended."""


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """`count` None: as many as the policy allows, or all of the `zone`. `seed` None: the time. `wait` False: one look
    only."""

    count: int | None = None
    zone: str | None = None
    seed: str | None = None
    hard: bool = False
    reason: str | None = None
    wait: bool = True


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """The drill that would start now, and everything in its way."""

    group: Group
    at: datetime
    terms: DrillTerms
    drill: Drill | None
    objections: tuple[Blocker, ...]
    sight: Sight


class NotDrilled(Blocked):
    """Something stands in the way of a drill. `plan` holds it all; nothing was changed."""

    def __init__(self, plan: DrillPlan) -> None:
        names = ", ".join(b.name for b in plan.objections)
        name = plan.group.name
        super().__init__(
            f"no drill of {name}: {names}; nothing was changed", hint=f"phoenix drill --group {name} --dry-run"
        )
        self.plan = plan


@dataclass(frozen=True, slots=True)
class Drilled:
    """One look at a drill."""

    record: GroupRecord
    drill: Drill
    seen: Observation


WatchDrill = Callable[[Drill], object]
"""Called after every look."""


def plan_drill(group: Group, request: DrillRequest) -> DrillPlan:
    """Choose the victims, and look for everything in the way. Reads only.

    Raises:
        Blocked: the policy allows no drills.
        ForeignStore: a rotation is in flight in another store.
    """
    terms = terms_of(group)
    sight, now = sight_of(group), group.clock.now()
    other = foreign_rotation(sight.seen, group.store.location)
    if other is not None:
        raise ForeignStore(group.name, other, group.store.location)
    wanted = Wanted(
        Ask(now, group.by, request.reason),
        request.seed or f"{now:%Y%m%dT%H%M%SZ}",
        request.count,
        request.zone,
        request.hard,
    )
    lease = group.store.lease_of(group.name)
    seen = replace(sight.seen, fences=lease.fences) if lease is not None else sight.seen
    intent = intend(sight.record, seen, terms, wanted, health=group.terms.serving.health)
    objections = [*intent.objections, *_of_the_calendar(group, terms, now)]
    if group.awaited:
        objections.append(Blocker("other-groups", group.name, f"The policy names {' and '.join(group.awaited)} now."))
    if intent.drill is not None:
        objections += _of_the_gates(group, seen, intent.drill.slot)
    return DrillPlan(group, now, terms, intent.drill, tuple(objections), sight)


def terms_of(group: Group) -> DrillTerms:
    """What the policy allows.

    Raises:
        Blocked: nothing; its owner has to write how much.
    """
    if group.drill is None:
        where = group.about.policy_file or f"the policy of {group.name}"
        raise Blocked(
            f"{where} has no drill section: without one no instance of {group.name} is ended on purpose",
            hint=f"write there: {LINES}",
        )
    return group.drill


def run_drill(
    group: Group, request: DrillRequest, watch: WatchDrill = lambda _: None, agreed_to: tuple[str, ...] = ()
) -> Drilled:
    """Start a drill, and follow it until the group is whole again. `agreed_to` are the only instances it may end.

    Raises:
        Blocked: something is in the way, or other instances would be ended by now; nothing was changed.
        Interrupted: a signal came; the next tick goes on measuring.
    """
    lease = claim(group)
    try:
        plan = plan_drill(group, request)
        chosen = plan.drill.victims if plan.drill is not None else ()
        if agreed_to and not plan.objections and chosen != agreed_to:
            raise Blocked(
                f"{group.name} has changed since: {', '.join(chosen)} would be ended now; nothing was changed"
            )
        record = begin(group, plan)
        if not request.wait:
            return drill_once(group, lease, record)
        return follow(group, lease, record, watch)
    finally:
        give_back(group, lease)


def begin(group: Group, plan: DrillPlan) -> GroupRecord:
    """Save the intent: which instances, before any is ended.

    Raises:
        NotDrilled: something is in the way.
    """
    if plan.objections or plan.drill is None:
        raise NotDrilled(plan)
    kept = group.store.load(group.name) or GroupRecord(group.name)
    record = plan.sight.record
    log.info("drill.began", extra={"group": group.name, "drill": plan.drill.id, "victims": list(plan.drill.victims)})
    return save_telling(group, kept, replace(record, drills=with_drill(record.drills, plan.drill), hindered=None))


def follow(group: Group, lease: Lease, record: GroupRecord, watch: WatchDrill) -> Drilled:
    """Look until it is over, a poll interval apart.

    Raises:
        Interrupted: a signal came.
        LeaseLost: another driver took the group over.
    """
    drill = record.drills[-1].id
    lease, looked = patiently(group, partial(_next_look, group, lease, drill))
    while True:
        watch(looked.drill)
        if not looked.drill.in_flight:
            return looked
        group.clock.sleep(group.poll_seconds)
        if group.clock.stopping:
            raise Interrupted(
                f"stopped; {looked.drill.id} is measured by the next tick: {looked.drill.sentence}",
                hint=f"phoenix abort --group {group.name}   ends the measuring",
            )
        lease, looked = patiently(group, partial(_next_look, group, lease, drill))


def _next_look(group: Group, lease: Lease, drill: str) -> tuple[Lease, Drilled]:
    renewed = renew(group, lease)
    record = group.store.load(group.name)
    known = next((each for each in record.drills if each.id == drill), None) if record is not None else None
    if record is None or known is None:
        raise LeaseLost(group.name, None)
    if not known.in_flight:  # a person, or a rotation, has ended it
        return renewed, Drilled(record, known, observe(group, record).seen)
    return renewed, drill_once(group, renewed, record)


def drill_once(group: Group, lease: Lease, record: GroupRecord) -> Drilled:
    """Look, save the milestones and the victims, then end these. The record has a drill in flight."""
    drill = record.drill_in_flight
    assert drill is not None  # noqa: S101 - the caller has seen to it
    sight = observe(group, record)
    refuse_outdated(group, record, sight.seen)
    against = tuple(_against(group, record, sight.seen, drill)) if drill.ended_at is None else ()
    step = next_step(drill, sight.seen, against, health=group.terms.serving.health)
    saved = _kept(group, record, sight.record, step.drill)
    done = step.drill
    if step.actions:
        try:
            saved = apply(group, lease, saved, step.actions, sight.seen.at)
            done = all_ended(step.drill, group.clock.now())
        except PermanentError as error:
            done = step.drill.over(group.clock.now(), Ending.FAILED, error.message)
        saved = _kept(group, saved, saved, done)
    return Drilled(send(group, saved), done, sight.seen)


def start_if_due(group: Group, lease: Lease) -> Drilled | None:
    """Start the drill that the policy's schedule is due for; None where none is, or something is in its way."""
    record = group.store.load(group.name)
    if group.drill is None or record is None or record.in_flight is not None:
        return None
    opening = group.drill.due_opening(last_start(record), group.clock.now())
    if opening is None:
        return None
    request = DrillRequest(seed=f"{opening.opens_at:%Y%m%dT%H%M%SZ}", reason="scheduled")
    plan = plan_drill(group, request)
    if plan.objections:
        _note_hindered(group, record, HinderedDrill(opening.opens_at, " ".join(each.text for each in plan.objections)))
        return None
    return drill_once(group, lease, begin(group, plan))


def _note_hindered(group: Group, record: GroupRecord, hindered: HinderedDrill) -> None:
    """Remember the obstacle, and tell of it once in each opening."""
    log.warning("drill.hindered", extra={"group": group.name, "reason": hindered.reason})
    if hindered == record.hindered:
        return
    changed = replace(record, hindered=hindered)
    if record.hindered is None or record.hindered.opened_at != hindered.opened_at:
        changed = put(group, changed, hindering(group.name, hindered, group.about, group.clock.now()))
    try:
        send(group, group.store.save(changed))
    except StateConflict as conflict:  # the next look finds the same in the way
        log.info("drill.hindered_not_noted", extra={"group": group.name, "reason": conflict.message})


def next_start(group: Group, record: GroupRecord | None) -> datetime | None:
    """When the schedule of the policy has something to do again; None for never."""
    return group.drill.next_start(last_start(record), group.clock.now()) if group.drill is not None else None


def last_start(record: GroupRecord | None) -> datetime | None:
    """When the last drill was started, by whomever."""
    return record.drills[-1].ask.at if record is not None and record.drills else None


def looks_again_at(drilled: Drilled) -> datetime:
    """When cron has to look again."""
    return drilled.seen.at + (WATCHED if drilled.drill.in_flight else timedelta(0))


def stop_measuring(group: Desk, reason: str | None) -> Drill | None:
    """End the drill in flight; None where there is none. Instances that are gone are replaced by their group."""
    record = group.store.load(group.name)
    if record is None or record.drill_in_flight is None:
        return None
    why = f"stopped {Ask(group.clock.now(), group.by, reason).text}"
    saved = save_telling(group, record, stopped(record, group.clock.now(), why))
    return send(group, saved).drills[-1]


def _kept(group: Desk, before: GroupRecord, record: GroupRecord, drill: Drill) -> GroupRecord:
    after = replace(record, drills=with_drill(record.drills, drill))
    return save_telling(group, before, after) if after != before else before


def _against(group: Group, record: GroupRecord, seen: Observation, drill: Drill) -> Iterator[str]:
    """What has come in the way between the intent and the first call."""
    if record.paused is not None:
        yield f"paused {record.paused.text}"
    yield from (blocker.text for blocker in _of_the_gates(group, seen, drill.slot))


def _of_the_gates(group: Group, seen: Observation, live: Slot) -> list[Blocker]:
    """An alarm that rings, a path that does not answer: what would stop a rotation stops a drill."""
    found = (blocker for gate in group.gates for blocker in gate.find_blockers(seen.slots, live))
    return [blocker for blocker in found if not blocker.warning]


def _of_the_calendar(group: Group, terms: DrillTerms, at: datetime) -> Iterator[Blocker]:
    where = group.about.policy_file or group.name
    freeze = terms.calendar.freeze_at(at)
    if freeze is not None:
        text = f"Frozen from {freeze.first} to {freeze.last}, both included: {freeze.reason}."
        yield Blocker("freeze", freeze.file or where, text)
    if terms.calendar.windows and terms.calendar.opening_at(at) is None:
        opens = terms.calendar.next_opening(at)
        told = f"Opens {opens:%a %Y-%m-%d %H:%M} UTC." if opens is not None else "No opening is in sight."
        yield Blocker("window", where, f"Closed. {told}")
