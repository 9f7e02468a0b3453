"""A role of one of the two slots in an Auto Scaling group, as what the group is told for it. Pure.

The inverse of `in_place_slots`: once AWS has done all of this, the slot shows the numbers of the role. Each
look finds the missing calls anew, so a call that was made is not made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from phoenix.core.action import SetRole
from phoenix.core.choice import choose_surplus, choose_to_leave
from phoenix.core.converge import is_shrunk, old_part
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Role, SlotState
from phoenix.core.ready import candidate_goal
from phoenix.core.rotation import Rotation
from phoenix.fleets.in_place_slots import counted_in, left_behind, reserve_in, room_of, wanted_at_the_end

HOOK = "phoenix-hold"
"""The lifecycle hook that holds new instances before traffic, for as long as a rotation lasts."""


LIFTED_BY = 1
"""How far MaxSize is above what both generations need while they share the group: so it is told apart from a group at
rest whose owner has MaxSize at the need."""


@dataclass(frozen=True, slots=True)
class Update:
    """Other sizes, and another version for launches from now on; a field that is None stays as it is."""

    min: int | None = None
    max: int | None = None
    version: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Enter:
    """Out of service, into the reserve (EnterStandby); DesiredCapacity follows."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """Out of the reserve, back into service (ExitStandby); DesiredCapacity follows."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """Terminated, for good. `counted` ones were in service: DesiredCapacity follows. A reserve is outside of it."""

    ids: tuple[str, ...]
    counted: bool


Call = Update | Enter | Exit | End


class NotYet(Exception):
    """The role needs something that AWS is still busy with; the next look tries again."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The group, the slot that changes its role, the other one, and the rotation that wants it; None at rest."""

    whole: SlotState
    own: SlotState
    other: SlotState
    rotation: Rotation | None


def calls_for(action: SetRole, scene: Scene) -> list[Call]:
    """The missing calls, in order; the first ones may be all that can be made before AWS has caught up.

    Raises:
        NotYet: nothing can be done now, since instances that have to end or to come back are still draining.
    """
    scene = _as_seen(scene, action.serving)
    match action.role:
        case Role.CANDIDATE:
            return _launch(action, scene)
        case Role.PINNED if scene.rotation is None or scene.rotation.back is not None:
            # The first tick of a rollback looks at the group as at rest, and pins what it goes back to.
            return _bring_back(action, scene)
        case Role.PINNED if action.owner is not None:
            return _pin(action, scene)
        case Role.PINNED | Role.RETAINED:
            return _take_out(0 if action.role is Role.RETAINED else action.count, action, scene)
        case Role.LIVE:
            return _let_live(action, scene)
        case Role.COLD:
            return _end(scene)


def _as_seen(scene: Scene, serving: frozenset[str] | None) -> Scene:
    """With those that are in service and did not serve at the look as not well: a load balancer knows, the group does
    not."""
    if serving is None:
        return scene

    def told(state: SlotState) -> SlotState:
        known = (replace(i, healthy=i.healthy and i.id in serving) if i.in_service else i for i in state.instances)
        return replace(state, instances=tuple(known))

    return replace(scene, own=told(scene.own), other=told(scene.other))


def _pin(action: SetRole, scene: Scene) -> list[Call]:
    """The live generation, before anything is launched beside it, and while it is whole."""
    owner, rotation = action.owner, scene.rotation
    beside = candidate_goal(rotation) if rotation is not None and _has_launched(rotation, scene) else 0
    room = max(owner.max if owner is not None else action.count, action.count) + beside
    # Auto Scaling itself would choose what a MaxSize below DesiredCapacity ends: the old generation first.
    most = max(room, scene.whole.desired) + (LIFTED_BY if beside else 0)
    return [_update(scene, action, action.count + beside, most)]


def _launch(action: SetRole, scene: Scene) -> list[Call]:
    """The new generation, beside as much of the old one as is to stay in service. A MinSize above DesiredCapacity is
    what makes AWS launch."""
    rotation = scene.rotation
    if rotation is None:
        return []
    whole, gives_way = scene.whole, is_shrunk(rotation)
    # Less than is there would make what AWS has launched beyond it autoscaling's wish, until the old ones have left.
    stays = max(old_part(rotation), counted_in(scene.other)) if gives_way else old_part(rotation)
    # What MinSize had asked for beyond that goes with it, or it would be taken for autoscaling's wish.
    beyond = max(min(whole.min, whole.desired) - stays - action.count, 0) if gives_way else 0
    over = _surplus(action, scene, scene.own, min(beyond, max(counted_in(scene.own) - action.count, 0)))
    least = stays + action.count + beyond - len(over)
    # Auto Scaling itself would choose what a MaxSize below DesiredCapacity ends: the old generation first.
    update = _update(scene, action, least, max(room_of(rotation) + action.count, whole.desired) + LIFTED_BY)
    return [update, End(over, counted=True)] if over else [update]


def _has_launched(rotation: Rotation, scene: Scene) -> bool:
    """True once the group launches the new generation."""
    return rotation.new.template_version is not None and rotation.new.is_set_in(scene.whole)


def _take_out(stay: int, action: SetRole, scene: Scene) -> list[Call]:
    """All but `stay` leave service: those that were drained for it, where any had to be. MinSize is lowered right
    before: AWS refuses what would go below it."""
    excess = counted_in(scene.own) - stay
    if excess <= 0:
        return []
    own = {i.id for i in scene.own.instances}
    chosen = tuple(i for i in action.leaving if i in own) or choose_to_leave(scene.own.instances, excess)
    if not chosen:
        raise NotYet(f"{excess} instances of {scene.own.auto_scaling_group} are not in service, or protect themselves")
    left = scene.whole.desired - len(chosen)
    asked = left if scene.rotation is None else stay + candidate_goal(scene.rotation)
    # Where one has ended beside the new generation, that has one more than it was asked for: no more leave than can.
    more = min(left - asked, counted_in(scene.other) - (asked - stay)) if len(chosen) == excess else 0
    over = _surplus(action, scene, scene.other, max(more, 0))
    least = left - len(over)
    lowered = [Update(min=least)] if scene.whole.min > least else []
    return [*lowered, Enter(chosen), *([End(over, counted=True)] if over else [])]


def _bring_back(action: SetRole, scene: Scene) -> list[Call]:
    """The old generation, to the need: first its version and room; then the reserve comes back; then the rest is
    launched."""
    whole, own = scene.whole, scene.own
    beside, there = counted_in(scene.other), counted_in(own)
    # Before anything was shifted there was no reserve: what a person has moved there is the person's.
    ours = reserve_in(own) if scene.rotation is None or scene.rotation.exposed_at is not None else ()
    draining = [i for i in ours if i.lifecycle is Lifecycle.DRAINING]
    ready = [i.id for i in ours if i.healthy and i.lifecycle is Lifecycle.RESERVE]
    missing = max(action.count - there, 0)
    back = tuple(ready[:missing])
    room = max(action.owner.max if action.owner else action.count, action.count) + beside
    room += LIFTED_BY if beside else 0
    calls: list[Call] = []
    # A MinSize above DesiredCapacity would launch what the reserve is there for.
    first = _update(scene, action, min(whole.min, whole.desired), max(room, whole.max))
    if first != Update():
        calls.append(first)
    if back:
        calls.append(Exit(back))
    promised = len(draining[: max(missing - len(back), 0)])
    least = beside + action.count - promised
    if whole.min < least:
        calls.append(Update(min=least))
    return calls


def _let_live(action: SetRole, scene: Scene) -> list[Call]:
    """At rest: the owner's numbers, with room for all that runs there."""
    owner = action.owner
    if owner is None:
        return []
    surplus, desired = _let_surplus_go(action, scene), min(scene.whole.desired, _wanted(scene))
    last = _update(scene, action, owner.min, max(owner.max, desired))
    if surplus:
        # What the surplus went by has changed both.
        last = replace(last, min=owner.min, max=max(owner.max, desired))
    return [*surplus, last]


def _wanted(scene: Scene) -> int:
    rotation, whole = scene.rotation, scene.whole
    if rotation is None or not rotation.in_flight or counted_in(scene.other):
        return whole.desired
    return wanted_at_the_end(whole, rotation)


def _let_surplus_go(action: SetRole, scene: Scene) -> list[Call]:
    """Instances beyond the need: where one ended by itself beside another generation, the group has launched one of
    the generation that it launches now. Launches that have not begun are left out; of the rest the sick ones go first.
    """
    whole, wanted = scene.whole, _wanted(scene)
    if whole.desired <= wanted:
        return []
    there = max(counted_in(scene.own), wanted)
    calls: list[Call] = [Update(min=wanted, max=min(there, whole.desired))]
    leaving = _surplus(action, scene, scene.own, there - wanted)
    return [*calls, End(leaving, counted=True)] if leaving else calls


def _surplus(action: SetRole, scene: Scene, state: SlotState, count: int) -> tuple[str, ...]:
    """That many of the slot's instances, none that serves and was not drained for it where work has to leave first."""
    if scene.rotation is None or not scene.rotation.terms.stations:
        return choose_surplus(state.instances, count)
    free = [i for i in state.instances if not i.in_service or i.id in action.leaving]
    return choose_surplus(free, count)


def _end(scene: Scene) -> list[Call]:
    """All of the slot's instances end. Those in service take their part of DesiredCapacity with them. One that protects
    itself from scale-in is passed over, as a scale-in would: TerminateInstanceInAutoScalingGroup does not heed that."""
    rotation = scene.rotation
    counted = tuple(i.id for i in scene.own.instances if i.counts and not i.protected)
    if rotation is None and counted_in(scene.other) < max(scene.whole.min, 1):
        # At rest the tags say whose each is. Where they are lost, what serves must not be taken for what goes cold.
        counted = ()
    kept = (*reserve_in(scene.own), *(left_behind(rotation, scene.other) if rotation is not None else ()))
    standing = tuple(i.id for i in kept if i.lifecycle is Lifecycle.RESERVE)
    calls: list[Call] = []
    if counted:
        least = scene.whole.desired - len(counted)
        if scene.whole.min > least:
            calls.append(Update(min=least))
        calls.append(End(counted, counted=True))
    if standing:
        calls.append(End(standing, counted=False))
    if not calls and kept:
        raise NotYet(f"{len(kept)} instances of {scene.own.auto_scaling_group} are still draining on their way out")
    return calls


def _update(scene: Scene, action: SetRole, least: int, most: int) -> Update:
    """Only what differs."""
    whole = scene.whole
    is_set = action.version is None or (
        whole.template_version == action.version and action.template in (None, whole.template)
    )
    return Update(
        min=least if whole.min != least else None,
        max=most if whole.max != most else None,
        version=None if is_set else action.version,
        template=None if is_set else action.template,
    )


def in_batches(ids: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """The ids in as few calls as AWS allows."""
    return [tuple(ids[start : start + most]) for start in range(0, len(ids), most)]
