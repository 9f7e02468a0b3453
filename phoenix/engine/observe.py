"""Everything AWS says about a group at one instant, whole or not at all.

Reads only what is needed at that moment, side by side where one answer does not depend on another. Never catches an
error: half an observation would be acted upon.

The record says where to look. Where the groups say otherwise (the owner's IaC has replaced a target group), what the
record says is searched for afresh; a name or an ARN from the record is never believed against the groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace

from phoenix.core import tags
from phoenix.core.action import SetOptIns
from phoenix.core.failover import unread
from phoenix.core.model import Observation, Outcome, Route, Slot, SlotState, Verdict
from phoenix.core.opt_in import OptIns
from phoenix.core.ready import may_go_back
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import sides_of
from phoenix.engine.arriving import Arriving
from phoenix.engine.asking import Kept
from phoenix.engine.group import Group, Ports
from phoenix.ports import FleetView, Traffic

BOTH = frozenset(Slot)


@dataclass(frozen=True, slots=True)
class Sight:
    """An observation, and the record with the places where it was made (target groups, routes)."""

    record: GroupRecord
    seen: Observation


def observe(
    group: Group,
    record: GroupRecord,
    *,
    search: bool = False,
    health_of: frozenset[Slot] = BOTH,
    driving: bool = False,
) -> Sight:
    """Look at a group. `search` looks for routes afresh; otherwise the ones in the record are read.

    `driving`: the look is a driver's, who keeps in the record what its gates begin; else such gates are not asked.

    `health_of` names the slots whose target health matters; a slot left out has no ready instance to see. The time
    of the observation is when AWS was first asked: no answer in it is older.
    """
    with group.tracer.about(record.in_flight), group.tracer.span("observe", group=group.name):
        rotation = record.in_flight
        began = group.clock.now()
        if search or not record.target_groups or (group.terms.serving.weights and not record.routes):
            view = group.fleet.observe(record.rotation)
            traffic, record = _look_around(group, record, view, health_of)
        else:
            view, traffic, record = _look_again(group, record, health_of)
        view, traffic = _complete(group, record, view, traffic, health_of)
        seen = Observation(
            at=began,
            slots={slot: _with_health(state, traffic) for slot, state in view.slots.items()},
            routes=traffic.routes,
            failures=view.failures,
            prepared_version=view.prepared_version,
        )
        seen = _with_images_that_matter(group, record, seen)
        seen = replace(seen, opt_ins=_opt_ins(group, record, seen, search=search))
        if rotation is not None:
            arriving = Arriving(group, record, seen, driving=driving)
            verdicts = ask_gates(group, rotation, seen, driving=driving)
            seen = replace(seen, verdicts=(*verdicts, *arriving.verdicts()))
        return Sight(record, seen)


def _look_around(
    group: Group, record: GroupRecord, view: FleetView, health_of: frozenset[Slot]
) -> tuple[Traffic, GroupRecord]:
    target_groups = {slot: _places(group, record, state) for slot, state in view.slots.items()}
    routes = group.router.find(target_groups)
    traffic = group.router.observe(target_groups, (), health_of)
    found = replace(
        record, slots=dict(group.slots), target_groups=target_groups, routes={r.arn: r.name for r in routes}
    )
    return replace(traffic, routes=routes), found


def _places(group: Group, record: GroupRecord, state: SlotState) -> tuple[str, ...]:
    """The slot's target groups: the attached ones, and those that were detached while a route still names them.

    A detached one that is still routed has lost its instances, and that counts; one that is not routed any
    more has been replaced.
    """
    detached = [arn for arn in record.target_groups.get(state.slot, ()) if arn not in state.sources]
    return (*state.sources, *(arn for arn in detached if _is_routed(group, state.slot, arn)))


def _is_routed(group: Ports, slot: Slot, target_group: str) -> bool:
    return bool(group.router.find({slot: (target_group,), slot.other: ()}))


def _look_again(
    group: Group, record: GroupRecord, health_of: frozenset[Slot]
) -> tuple[FleetView, Traffic, GroupRecord]:
    if not (group.terms.serving.weights or group.terms.serving.health):
        return group.fleet.observe(record.rotation), Traffic(), record
    wanted = _worth_asking(record.in_flight, health_of)
    with ThreadPoolExecutor(max_workers=1) as aside:
        traffic = aside.submit(
            copy_context().run, group.router.observe, record.target_groups, tuple(record.routes), wanted
        )
        view = group.fleet.observe(record.rotation)
        found = traffic.result()
    if any(set(state.sources) != set(record.target_groups.get(slot, ())) for slot, state in view.slots.items()):
        return view, *_look_around(group, record, view, wanted)
    routes = _named(found.routes, record.routes)
    # Rules that were made anew have other ARNs; what was read is where to look from now on.
    return view, replace(found, routes=routes), replace(record, routes={route.arn: route.name for route in routes})


def _named(routes: Sequence[Route], names: Mapping[str, str]) -> tuple[Route, ...]:
    """With the names they were found under, and in that order: AWS tells a listener's port only to those who search."""
    places = {arn: place for place, arn in enumerate(names)}
    named = (replace(route, name=names.get(route.arn, route.name)) for route in routes)
    return tuple(sorted(named, key=lambda route: places.get(route.arn, len(places))))


def _worth_asking(rotation: Rotation | None, health_of: frozenset[Slot]) -> frozenset[Slot]:
    """A candidate that has never had an instance in service has no healthy target; asking can wait until it has."""
    if rotation is None or rotation.back is not None or rotation.candidate.in_service_high > 0:
        return health_of
    return health_of - {rotation.new.slot}


def _complete(
    group: Group, record: GroupRecord, view: FleetView, traffic: Traffic, health_of: frozenset[Slot]
) -> tuple[FleetView, Traffic]:
    """Ask for what was left out as soon as there is something to ask about."""
    left_out = frozenset(
        slot
        for slot in health_of
        if slot not in traffic.health and any(i.in_service for i in view.slots[slot].instances)
    )
    if not left_out or not group.terms.serving.health:
        return view, traffic
    more = group.router.observe(record.target_groups, (), left_out)
    health, words = {**traffic.health, **more.health}, {**traffic.words, **more.words}
    return view, Traffic(traffic.routes, health, words)


def _with_images_that_matter(group: Group, record: GroupRecord, seen: Observation) -> Observation:
    """Forward of the candidate's instances; on the way back, and while it is retained, of the generation before."""
    rotation = record.rotation
    if rotation is None:
        return seen
    if rotation.in_flight:
        return (with_candidate_images if rotation.back is None else with_images)(group, rotation, seen)
    if record.retained is None or rotation.outcome is not Outcome.SUCCEEDED:
        return seen
    return with_images(group, replace(rotation, old=record.retained), seen)


def with_images(group: Group, rotation: Rotation, seen: Observation) -> Observation:
    """With the images of those in the old slot that its template version does not tell: one read, where there are any.

    Only of a slot that was let go, or whose images were noted: what a live one runs is its owner's, whatever it is.
    """
    old, state = rotation.old, seen.slots[rotation.old.slot]
    others = [i.id for i in state.instances if i.in_service and not old.has_launched(i)]
    if not others or old.template_version is None or (rotation.succeeded_at is None and not old.images):
        return seen
    return _with_images_of(group, seen, state, others)


def with_candidate_images(group: Group, rotation: Rotation, seen: Observation) -> Observation:
    """With the images of the candidate's instances in service: a version's number does not tell what an override, or an
    alias for an image, has launched. One call for two hundred instances, and only for those not asked about before."""
    state = seen.slots[rotation.new.slot]
    if rotation.new.template_version is None or rotation.clocks.closing_since is not None:
        return seen
    return _with_images_of(group, seen, state, [i.id for i in rotation.new.of(state) if i.in_service])


def _with_images_of(group: Ports, seen: Observation, state: SlotState, ids: Sequence[str]) -> Observation:
    images = group.fleet.images_of(ids) if ids else {}
    born = group.fleet.launched_at(list(images)) if images else {}
    known = tuple(replace(i, image=images.get(i.id), launched_at=born.get(i.id)) for i in state.instances)
    return replace(seen, slots={**seen.slots, state.slot: replace(state, instances=known)})


def with_ages(group: Ports, seen: Observation) -> Observation:
    """With the launch time of every instance; one read for two hundred of those that are not known yet."""
    unknown = [i.id for state in seen.slots.values() for i in state.instances if i.launched_at is None]
    born = group.fleet.launched_at(unknown) if unknown else {}
    slots = {
        slot: replace(
            state,
            instances=tuple(replace(i, launched_at=i.launched_at or born.get(i.id)) for i in state.instances),
        )
        for slot, state in seen.slots.items()
    }
    return replace(seen, slots=slots)


def _opt_ins(group: Group, record: GroupRecord, seen: Observation, *, search: bool) -> OptIns | None:
    """The rules of our own, where there may be some: a read for each listener. Not before any was to be made."""
    rotation = record.in_flight
    is_forward = rotation is not None and rotation.back is None and rotation.clocks.closing_since is None
    if not seen.routes or (is_forward and rotation is not None and rotation.exposed_at is None):
        return None
    noted = any(tags.notes_opt_ins(state.tags) for state in seen.slots.values())
    known = rotation is not None and (rotation.ledger.has_opt_ins or bool(rotation.terms.opt_ins))
    if not (noted or known or (search and group.terms.opt_ins)):
        return None
    wanted = rotation.terms.opt_ins if rotation is not None and is_forward else ()
    slot = rotation.new.slot if rotation is not None else Slot.BLUE
    asked = SetOptIns(slot, wanted, rotation.id if rotation is not None else "")
    return group.router.read_opt_ins(asked, record.target_groups, tuple(record.routes))


def _with_health(state: SlotState, traffic: Traffic) -> SlotState:
    health, words = traffic.health.get(state.slot, {}), traffic.words.get(state.slot, {})
    instances = (replace(i, target=health.get(i.id), target_words=words.get(i.id, "")) for i in state.instances)
    return replace(state, instances=tuple(instances))


def with_failover(group: Ports, sight: Sight) -> Sight:
    """With the thresholds of DNS failover, once a rotation, and never before the first write of a rollback."""
    rotation, seen = sight.record.in_flight, sight.seen
    wanted = unread(rotation, seen) if rotation is not None else ()
    if rotation is None or not wanted:
        return sight
    is_shifted = all(route.percent(rotation.new.slot) == 0 for route in seen.routes)
    if rotation.back is not None and rotation.clocks.shifted_at is None and not is_shifted:
        # Before the shift only what has to be named again: nothing else is changed there yet.
        is_named = all(rotation.old.slot in route.weights for route in seen.routes)
        goes = is_named or may_go_back(rotation, sides_of(rotation, seen), seen.at)
        wanted = () if goes else tuple({rotation.old.slot} & {*wanted})
    if not wanted:
        return sight
    found = group.router.read_failover({slot: sight.record.target_groups[slot] for slot in wanted})
    slots = {slot: replace(state, failover=found.get(slot, "")) for slot, state in seen.slots.items()}
    return replace(sight, seen=replace(seen, slots=slots))


def with_origin(group: Ports, sight: Sight) -> Sight:
    """With what launches the generation that is live again, once it has the traffic: its version may be deleted by now.

    Hot instances need no version, so the shift has not asked. The end of the way back makes one again; where nothing
    can, everything stays as it is.
    """
    rotation = sight.record.in_flight
    if (
        rotation is None
        or rotation.back is None
        or rotation.clocks.closing_since is None
        or rotation.old.template is None
    ):
        return sight
    if not rotation.old.is_launched_by(sight.seen.slots[rotation.old.slot]):
        return sight
    again = group.fleet.identify(rotation.old)
    if again.template_version is not None or group.fleet.find_losses(again):
        return sight
    unlaunched = replace(rotation, old=replace(rotation.old, template_version=None))
    return replace(sight, record=replace(sight.record, rotation=unlaunched))


def ask_gates(group: Group, rotation: Rotation, seen: Observation, *, driving: bool = False) -> tuple[Verdict, ...]:
    """The gates' verdicts on the candidate. Before it has traffic the first doubt is enough."""
    if rotation.back is not None or rotation.step == 0 or rotation.clocks.closing_since is not None:
        return ()
    is_before = rotation.weight == 0 or rotation.is_holding
    gates = tuple(gate for gate in group.gates if is_before or not gate.before_traffic_only)
    asked = gates if driving else tuple(Kept(gate) if gate.begins_something else gate for gate in gates)
    return group.asking.ask(asked, rotation, seen, group.clock)
