"""Plan a rotation: its steps, why, and everything in its way. Reads only; `plan` shows it, `rotate` starts from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, runtime_checkable

from phoenix.core.blocker import Blocker, passed
from phoenix.core.capacity import Extremes, extremes, share
from phoenix.core.difference import Difference
from phoenix.core.explain import ago
from phoenix.core.generation import UNKNOWN_IMAGE
from phoenix.core.image import Image
from phoenix.core.janitor import moved_weights
from phoenix.core.terms import Terms
from phoenix.engine.arriving import price_of_arrival
from phoenix.engine.bases import find_old_base
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.obstacles import checks_of, find_obstacles
from phoenix.engine.rehearse import Course, launch_estimate, rehearse
from phoenix.engine.report import Plan, PlannedStep
from phoenix.engine.request import RotateRequest
from phoenix.engine.survey import Survey, survey
from phoenix.errors import PermanentError


@runtime_checkable
class Priced(Protocol):
    """A gate whose checks cost money, or much of another service."""

    name: str

    def price(self, terms: Terms, need: int) -> str:
        """What the checks of one rotation of `need` instances cost at the most, in a few words."""


def make_plan(group: Group, request: RotateRequest) -> Plan:
    """Say what a rotation would do now. Writes nothing, neither to AWS nor to the store.

    Raises:
        ForeignStore: a rotation of this group is in flight in another store.
        Blocked: the image asked for does not exist, may not be launched, or is older than the live one.
    """
    found = survey(group, request)
    plan = plan_for(group, request, found, rehearsed=True)
    blockers = tuple(replace(b, warning=True) if b.of_rights else b for b in plan.blockers)
    if plan.next is None:
        return replace(plan, blockers=blockers)
    return replace(
        plan, blockers=blockers, differences=_differences(group, found), live_image=_live_image(group, found)
    )


def _differences(group: Ports, found: Survey) -> tuple[Difference, ...]:
    try:
        return tuple(group.fleet.differences(found.live.slot))
    except PermanentError:  # the blockers name the lost resource, or the missing right
        return ()


def _live_image(group: Ports, found: Survey) -> Image | None:
    """The live image with its tags; asked for where the policy's search does not list it."""
    listed = next((each.image for each in found.candidates if each.image.id == found.live.image), None)
    if listed is not None or group.images is None or found.live.image == UNKNOWN_IMAGE:
        return listed
    try:
        return group.images.named(found.live.image, found.seen.at).image
    except PermanentError:  # deregistered: nothing is known of it any more
        return None


def plan_for(group: Group, request: RotateRequest, found: Survey, *, rehearsed: bool = False) -> Plan:
    """The plan that follows from a survey; blockers are looked for only where a rotation is due.

    `rehearsed`: for a person who reads it. A start needs none, must not fail by one, and finds the same blockers.
    """
    terms, need = found.terms, found.live_state.desired
    due = bool(found.reasons)
    course = rehearse(group, found, found.next, request) if rehearsed and due and found.next is not None else None
    edges = extremes(need, terms.steps) if course is None else Extremes(course.worst, course.peak)
    starts, lasts = _times(found, course)
    hot_for = terms.hot_for if terms.serving.keeps_hot else timedelta(0)
    blockers = _found_in_the_way(group, request, found)
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
        calls=course.calls if course is not None else None if due else (),
        extra_instance_hours=round(_extra(course, edges.peak - need, lasts, hot_for).total_seconds() / 3600, 1),
        instance_type=found.instances[0].instance_type if found.instances else None,
        checks=passed(checks_of(group), blockers) if due else (),
        about=group.about,
        record=found.record,
        reserve=terms.serving.reserve,
        opt_ins=terms.opt_ins,
        before_leaving=terms.before_leaving,
        prices=_prices(group, found, need),
        discovery=terms.discovery,
    )


def _prices(group: Group, found: Survey, need: int) -> dict[str, str]:
    gates = {gate.name: gate.price(found.terms, need) for gate in group.gates if isinstance(gate, Priced)}
    return gates | dict(price_of_arrival(group, found.record, found.terms))


def _found_in_the_way(group: Group, request: RotateRequest, found: Survey) -> tuple[Blocker, ...]:
    if found.reasons:
        return tuple(find_obstacles(group, request, found, _estimated(found)[1]))
    return (*_moved(group, found), *find_old_base(group, found))


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


def _times(found: Survey, course: Course | None) -> tuple[tuple[timedelta, ...], timedelta]:
    """The earliest times when each step gets its traffic and the last bake ends: as rehearsed, or else estimated."""
    if course is not None and len(course.stages) == len(found.terms.steps):
        return tuple(stage.starts_after for stage in course.stages), course.ends_after
    return _estimated(found)


def _estimated(found: Survey) -> tuple[tuple[timedelta, ...], timedelta]:
    """Where nothing can be rehearsed: instances that a step launches have to become healthy first, and to stay so. A
    bake that waits for a person counts as none."""
    proved = launch_estimate(found.record) + found.terms.healthy_for
    ends, grown, starts = timedelta(0), 0, []
    for step in found.terms.steps:
        ends += proved if step.new_capacity > grown else timedelta(0)
        grown = max(grown, step.new_capacity)
        starts.append(ends)
        ends += step.bake or timedelta(0)
    return tuple(starts), ends


def _extra(course: Course | None, above: int, lasts: timedelta, hot_for: timedelta) -> timedelta:
    """How much longer instances run than those that are needed, all of them together, until nothing is kept hot."""
    if course is None:
        return above * (lasts + hot_for)
    return course.extra + course.left_over * hot_for


def _rows(group: Ports, terms: Terms, need: int, starts: Sequence[timedelta]) -> Iterator[PlannedStep]:
    old = need
    for number, (step, start) in enumerate(zip(terms.steps, starts, strict=True), start=1):
        gates = tuple(g.name for g in group.gates if number == 1 or not g.before_traffic_only)
        yield PlannedStep(number, share(need, step.new_capacity), old, step.new_weight, gates, step.bake, start)
        old = share(need, step.old_capacity)
