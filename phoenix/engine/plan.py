"""Plan a rotation: its steps, why, and everything in its way. Reads only; `plan` shows it, `rotate` starts from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

from phoenix.core.blocker import Blocker, passed
from phoenix.core.capacity import extremes, share
from phoenix.core.explain import ago
from phoenix.core.janitor import moved_weights
from phoenix.core.model import Terms
from phoenix.core.routine import Routine
from phoenix.engine.bases import find_old_base
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.obstacles import checks_of, find_obstacles
from phoenix.engine.report import Plan, PlannedStep
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import Survey, survey

LAUNCH_ESTIMATE = timedelta(minutes=2)
"""From a launch to a healthy target where no earlier rotation has shown how long it takes."""
MOVED_AT_ONCE: Final = 20
ENDED_AT_ONCE: Final = 100
"""Instances of one group that a single call takes out of service, and ends."""


def make_plan(group: Group, request: RotateRequest) -> Plan:
    """Say what a rotation would do now. Writes nothing, neither to AWS nor to the store.

    Raises:
        ForeignStore: a rotation of this group is in flight in another store.
        Blocked: the image asked for does not exist, may not be launched, or is older than the live one.
    """
    plan = plan_for(group, request, survey(group, request))
    return replace(plan, blockers=tuple(replace(b, warning=True) if b.of_rights else b for b in plan.blockers))


def plan_for(group: Group, request: RotateRequest, found: Survey) -> Plan:
    """The plan that follows from a survey; blockers are looked for only where a rotation is due."""
    terms, need = found.terms, found.live_state.desired
    edges = extremes(need, terms.steps)
    starts, lasts = _times(found)
    hot_for = terms.hot_for if terms.serving.keeps_hot else timedelta(0)
    due = bool(found.reasons)
    blockers = tuple(
        find_obstacles(group, request, found, lasts) if due else (*_moved(group, found), *find_old_base(group, found))
    )
    return Plan(
        group=group.name,
        at=found.seen.at,
        reasons=found.reasons,
        live=found.live,
        next=found.next if due else None,
        candidates=found.candidates,
        steps=terms.steps,
        rows=tuple(_rows(group, terms, need, starts)),
        blockers=blockers,
        needed=need,
        worst_case=edges.worst,
        peak=edges.peak,
        ends_after=None if any(step.bake is None for step in terms.steps) else lasts,
        hot_for=hot_for,
        writes=_count_writes(found) if due else 0,
        extra_instance_hours=round((edges.peak - need) * (lasts + hot_for).total_seconds() / 3600, 1),
        instance_type=found.instances[0].instance_type if found.instances else None,
        checks=passed(checks_of(group), blockers) if due else (),
        about=group.about,
        record=found.record,
        reserve=terms.serving.reserve,
        before_leaving=terms.before_leaving,
    )


def _moved(group: Desk, found: Survey) -> Iterator[Blocker]:
    """Weights that another writer has moved at rest are in no rotation's way, and are told of all the same."""
    moved = moved_weights(found.record, found.seen)
    if moved is not None:
        remedy = f"phoenix repair --group {group.name}"
        yield Blocker("weights-moved", group.name, f"{moved.text}.", remedy, warning=True)


def describe(plan: Plan) -> str:
    """The plan in one sentence."""
    if plan.due:
        return f"due: {'; '.join(plan.reasons)}"
    rotation = plan.record.rotation if plan.record else None
    since = f", live for {ago(plan.at - rotation.known_end)}" if rotation and rotation.known_end else ""
    return f"Nothing to do: {plan.group} is on generation {plan.live.number} ({plan.live.image}{since})."


def _times(found: Survey) -> tuple[tuple[timedelta, ...], timedelta]:
    """The earliest times when each step gets its traffic and the last bake ends: instances that a step launches have to
    become healthy first, and to stay so. A bake that waits for a person counts as none."""
    last = found.record.rotation
    launch = last.candidate.grew_in if last is not None and last.candidate.grew_in is not None else LAUNCH_ESTIMATE
    proved = launch + found.terms.healthy_for
    ends, grown, starts = timedelta(0), 0, []
    for step in found.terms.steps:
        ends += proved if step.new_capacity > grown else timedelta(0)
        grown = max(grown, step.new_capacity)
        starts.append(ends)
        ends += step.bake or timedelta(0)
    return tuple(starts), ends


def _rows(group: Ports, terms: Terms, need: int, starts: Sequence[timedelta]) -> Iterator[PlannedStep]:
    old = need
    for number, (step, start) in enumerate(zip(terms.steps, starts, strict=True), start=1):
        gates = tuple(g.name for g in group.gates if number == 1 or not g.before_traffic_only)
        yield PlannedStep(number, share(need, step.new_capacity), old, step.new_weight, gates, step.bake, start)
        old = share(need, step.old_capacity)


def _count_writes(found: Survey) -> int:
    """The mutating calls of an undisturbed rotation: template, tags, pin, candidate and its schedules, every shift on
    every route, every growth and shrink, and the clean-up."""
    steps = found.terms.steps
    other = found.seen.slots[found.live.slot.other]
    if found.terms.serving.reserve:
        return _count_in_one_group(found)
    prepare = 4 + (Routine.SCHEDULES not in other.suspended) + (other.desired > 0)
    shifts = len({step.new_weight for step in steps if step.new_weight}) * len(found.seen.routes)
    grows = sum(a.new_capacity < b.new_capacity for a, b in pairwise(steps))
    shrinks = sum(a.old_capacity > b.old_capacity for a, b in pairwise(steps)) + (steps[0].old_capacity < 100)
    clean_up = 4
    # Off on the new slot and on the old one, back on the new one; the tags of the old one, and of the new one.
    failover = 5 if found.terms.suspend_failover and found.seen.routes else 0
    return prepare + shifts + grows + shrinks + clean_up + failover


def _count_in_one_group(found: Survey) -> int:
    """The same where both generations are in one group: every growth, every batch that leaves service, a call for each
    instance that was held, and the end of the reserve that stands in the way."""
    terms, live, other = found.terms, found.live_state, found.seen.slots[found.live.slot.other]
    need = live.desired
    # Template version, tags, processes suspended and resumed, and the owner's numbers in the end.
    writes = 5 + (live.min != need) + -(-other.desired // ENDED_AT_ONCE)
    new, old = 0, need
    for step in terms.steps:
        grown, left = max(new, share(need, step.new_capacity)), min(old, share(need, step.old_capacity))
        writes += (grown > new) * (2 if terms.holds else 1)
        writes += 1 + -(-(old - left) // MOVED_AT_ONCE) if left < old else 0
        new, old = grown, left
    return writes + (new + 1 if terms.holds else 0)
