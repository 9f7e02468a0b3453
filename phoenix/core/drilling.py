"""Decide for a drill: its victims, the blockers, the instances still to be ended, and the milestones reached.

Pure. Must never choose twice: a victim that is gone is not replaced by another one, whatever has happened meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from phoenix.core.action import EndInstance
from phoenix.core.adopt import live_slot
from phoenix.core.blocker import Blocker
from phoenix.core.drill import Drill, DrillTerms, Ending, with_drill
from phoenix.core.explain import ago, counted
from phoenix.core.fence import unrefused
from phoenix.core.janitor import leftovers
from phoenix.core.model import Instance, Observation, SlotState
from phoenix.core.readiness import NEEDED_TO_GROW, rollback_readiness
from phoenix.core.record import GroupRecord
from phoenix.core.routine import Routine
from phoenix.core.sides import ready_instances
from phoenix.core.story import Ask

NEEDED_AFTER_A_CRASH: Final = (Routine.CHECKS, Routine.REPLACEMENTS, Routine.TERMINATIONS)
"""Without one of them Auto Scaling never replaces a machine that has ended under it."""
ENDS_WITHIN: Final = timedelta(minutes=2)
"""An intent older than this is not acted upon any more: its alarms and its people may have gone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `count` None: as many as the policy allows, or all of the zone."""

    ask: Ask
    seed: str
    count: int | None = None
    zone: str | None = None
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """The drill that would start now, None where there is nothing to choose from, and everything in its way."""

    drill: Drill | None
    objections: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The drill to save, and the instances to end then."""

    drill: Drill
    actions: tuple[EndInstance, ...] = ()


def intend(record: GroupRecord, seen: Observation, terms: DrillTerms, wanted: Wanted, *, health: bool) -> Intent:
    """Choose the victims, and find the blockers. `health`: load balancers say what is healthy."""
    slot = live_slot(seen)
    if slot is None or (record.live is not None and record.live.slot is not slot):
        text = "The slot that is known as live is not the only one that serves."
        unknown = Blocker("no-live-slot", record.group, text, f"phoenix status --group {record.group}")
        return Intent(None, (*_of_the_record(record, seen), unknown))
    state = seen.slots[slot]
    ready = ready_instances(state, None, health)
    chosen = _chosen(ready, terms, wanted)
    drill = Drill(
        id=f"{record.group}-drill-{wanted.ask.at:%Y%m%dT%H%M%SZ}",
        group=record.group,
        slot=slot,
        ask=wanted.ask,
        seed=wanted.seed,
        victims=tuple(instance.id for instance in chosen),
        goal=len(ready),
        least=terms.least_of(state.desired),
        deadline=wanted.ask.at + terms.timeout,
        zone=wanted.zone,
        hard=wanted.hard,
    )
    objections = (
        *_of_the_record(record, seen),
        *_of_the_group(state, ready, hard=drill.hard),
        *_of_the_choice(drill, terms),
    )
    return Intent(drill, objections)


def _chosen(ready: Sequence[Instance], terms: DrillTerms, wanted: Wanted) -> tuple[Instance, ...]:
    """In an order that the seed alone decides. One that is protected from scale-in was meant to be left alone."""
    choice = [i for i in ready if not i.protected and wanted.zone in (None, i.zone)]
    in_order = sorted(choice, key=lambda i: sha256(f"{wanted.seed}:{i.id}".encode()).hexdigest())
    count = len(choice) if wanted.zone is not None else terms.most
    return tuple(in_order[: wanted.count if wanted.count is not None else count])


def _of_the_record(record: GroupRecord, seen: Observation) -> Iterator[Blocker]:
    group = record.group
    if record.in_flight is not None:
        text = f"{record.in_flight.id} is in flight: {record.in_flight.waiting_for or 'starting'}."
        yield Blocker("in-flight", group, text, f"phoenix status --group {group}")
    if record.drill_in_flight is not None:
        text = f"{record.drill_in_flight.id} is in flight: {record.drill_in_flight.sentence}."
        yield Blocker("drill", group, text, f"phoenix abort --group {group}")
    left = leftovers(record, seen) if record.in_flight is None else ()
    if left:
        text = f"Left by a lost rotation: {'; '.join(each.text for each in left)}."
        yield Blocker("leftovers", group, text, f"phoenix repair --group {group}")
    if record.paused is not None:
        yield Blocker("paused", group, f"Paused {record.paused.text}.", f"phoenix resume --group {group}")
    if record.retained is not None and record.hot_until is not None:
        ready = rollback_readiness(record, seen)
        if not ready.at_once:
            text = f"A rollback could not move traffic at once: {ready.why}."
            yield Blocker("reserve", group, text, f"phoenix status --group {group}")
    late = unrefused(seen)
    if late is not None:
        yield Blocker("former-driver", group, f"A last request of {late.owner} may still arrive.")


def _of_the_group(state: SlotState, ready: Sequence[Instance], *, hard: bool) -> Iterator[Blocker]:
    name = state.auto_scaling_group
    well = {instance.id for instance in ready}
    sick = [i.id for i in state.instances if i.id not in well and not i.stands_by]
    if sick or len(ready) < state.desired:
        told = f"; not so: {', '.join(sick[:3])}{' ...' if len(sick) > 3 else ''}" if sick else ""
        yield Blocker("unhealthy", name, f"{len(ready)} of {state.desired} are healthy{told}.")
    for routine in (*NEEDED_TO_GROW, *(NEEDED_AFTER_A_CRASH if hard else ())):
        if routine in state.suspended:
            yield Blocker("suspended", name, f"{routine.capitalize()} are suspended: nothing would replace the lost.")


def _of_the_choice(drill: Drill, terms: DrillTerms) -> Iterator[Blocker]:
    count, where = len(drill.victims), f" in {drill.zone}" if drill.zone else ""
    if not count:
        yield Blocker("nothing-to-end", drill.group, f"No healthy, unprotected instance{where} can be ended.")
    if count > terms.most:
        text = f"{counted(count, 'instance')}{where} would be ended, and the policy allows {terms.most}."
        yield Blocker("most", "drill.most", text)
    left = drill.goal - count
    if left < drill.least:
        text = f"{left} healthy would be left, and the floor of {terms.floor} % is {drill.least}."
        yield Blocker("floor", "drill.floor", text)


def next_step(drill: Drill, seen: Observation, objections: Sequence[str], *, health: bool) -> Step:
    """The instances still to be ended, or the milestones reached. `objections` matter until everything is ended."""
    state, looked = seen.slots[drill.slot], drill.look(seen.at)
    if drill.ended_at is None:
        shielded = tuple(i.id for i in state.instances if i.id in drill.victims and _is_shielded(i))
        looked = looked.spare(shielded, "protected or in Standby by now") if shielded else looked
        left = tuple(i.id for i in state.instances if i.id in looked.victims and not i.leaving)
        why = _why_spare(looked, state, seen, objections, health=health) if left else None
        if left and why is None:
            return Step(looked, tuple(EndInstance(drill.slot, each, hard=drill.hard) for each in left))
        if why is not None:
            looked = looked.spare(left, why)
        if not looked.victims:
            return Step(looked.over(seen.at, Ending.STOPPED))
        looked = replace(looked, ended_at=seen.at)
    return Step(_measured(looked, state, seen.at, health=health))


def _is_shielded(instance: Instance) -> bool:
    """True for one that a person, or its own work, has taken out of harm's way since it was chosen."""
    return not instance.leaving and (instance.protected or instance.stands_by)


def all_ended(drill: Drill, at: datetime) -> Drill:
    """All calls were made by then."""
    return replace(drill, ended_at=at)


def stopped(record: GroupRecord, at: datetime, why: str) -> GroupRecord:
    """Without a drill in flight. What was chosen and not ended yet stays."""
    drill = record.drill_in_flight
    if drill is None:
        return record
    return replace(record, drills=with_drill(record.drills, drill.over(at, Ending.STOPPED, why)))


def _why_spare(
    drill: Drill, state: SlotState, seen: Observation, objections: Sequence[str], *, health: bool
) -> str | None:
    """Why nothing more may be ended, where a driver died, or has waited, between its intent and its calls."""
    stay = sum(i.id not in drill.victims for i in ready_instances(state, None, health))
    if seen.at - drill.ask.at > ENDS_WITHIN:
        return f"not begun within {ago(ENDS_WITHIN)}"
    if stay < drill.least:
        return f"{stay} healthy would be left, and the floor is {drill.least}"
    return "; ".join(objections) or None


def _measured(drill: Drill, state: SlotState, at: datetime, *, health: bool) -> Drill:
    """What can be seen by now. Everything counts without the victims: AWS may list a dead one for minutes."""
    goal = max(min(drill.goal, state.desired), 1)
    others = [i for i in state.instances if i.id not in drill.victims]
    is_noticed = not any(i.in_service for i in state.instances if i.id in drill.victims)
    well = sum(i.id not in drill.victims for i in ready_instances(state, None, health))
    counts = {
        "noticed_at": is_noticed,
        "replaced_at": is_noticed and sum(i.counts for i in others) >= goal,
        "in_service_at": is_noticed and sum(i.in_service for i in others) >= goal,
        "healthy_at": is_noticed and well >= goal,
    }
    first = {name: at for name, reached in counts.items() if reached and getattr(drill, name) is None}
    drill = replace(drill, **first)  # type: ignore[arg-type]
    if drill.healthy_at is not None:
        return drill.over(at, Ending.WHOLE)
    if at >= drill.deadline:
        within = ago(drill.deadline - drill.ask.at)
        return drill.over(at, Ending.FAILED, f"not whole within {within}: {well} of {goal} healthy")
    return drill
