"""One Auto Scaling group as the two slots in it: whose each instance is, and which numbers each slot has. Pure.

Two generations live in the group, told apart by their template version. AWS has min, max, desired, template version and
suspended processes once. This module divides them between the slots, such that each has the numbers of its role in the
role table of a pair when, and only when, the group is as that role wants it. `in_place_calls` is the inverse.

The division needs to know what a rotation wants: in flight its record says so. At rest the tags do, and where a tag is
gone, the record of the rotation that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from phoenix.core import tags
from phoenix.core.choice import choose_surplus
from phoenix.core.converge import is_shrunk, old_part
from phoenix.core.generation import Generation
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Outcome, Slot, SlotState
from phoenix.core.ready import candidate_goal
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine

REBALANCE = "AZRebalance"
"""The process of Auto Scaling that launches and ends instances to even out zones, which a reserve makes uneven."""
_SUSPENDED = frozenset({Routine.SCHEDULES})


@dataclass(frozen=True, slots=True)
class Share:
    """What one slot has of the group's numbers."""

    min: int
    max: int
    desired: int
    version: str | None
    suspended: frozenset[Routine]


def evenly(count: int, version: str | None) -> Share:
    """Exactly that many: a slot whose size no autoscaler moves."""
    return Share(count, count, count, version, _SUSPENDED)


def tags_in(whole: Mapping[str, str], slot: Slot) -> dict[str, str]:
    """The slot's own tags, and those of both, under the keys that they have on a group of its own."""
    found = {key: whole[key] for key in tags.WRITTEN if key not in tags.OF_A_SLOT and key in whole}
    own = {key: whole[tags.in_one_group(key, slot)] for key in tags.OF_A_SLOT if tags.in_one_group(key, slot) in whole}
    if tags.CAPACITY in own:
        own[tags.CAPACITY] = own[tags.CAPACITY].removesuffix(f" {REBALANCE}")
    return found | own


def counted_in(state: SlotState) -> int:
    """How many of the slot's instances the group's DesiredCapacity counts."""
    return sum(i.counts for i in state.instances)


def reserve_in(state: SlotState) -> tuple[Instance, ...]:
    """The slot's instances that are out of service, or on their way there."""
    return tuple(i for i in state.instances if i.stands_by)


def room_of(rotation: Rotation) -> int:
    """How far the owner's autoscaler may go while a rotation lasts, the candidate not counted."""
    return max(rotation.capacity.max, rotation.need)


def split(whole: SlotState, rotation: Rotation | None) -> dict[Slot, SlotState]:
    """Both slots. `whole` is the group with all its instances and tags, as if it were one slot; `rotation` the one in
    flight, or the last one."""
    own_tags = {slot: tags_in(whole.tags, slot) for slot in Slot}
    if rotation is not None and rotation.in_flight:
        members = _members_in_flight(whole, rotation, own_tags)
        slots = {slot: _part(whole, slot, members[slot], own_tags[slot]) for slot in Slot}
        return _with_surplus(_with_shares(slots, _shares_in_flight(whole, rotation, slots)), whole, rotation)
    noted = _noted(own_tags, rotation)
    live = _live_slot(whole, own_tags, noted, rotation)
    members = _members_at_rest(whole, live, noted, is_lifted=_is_lifted(whole, own_tags[live.other]))
    slots = {slot: _part(whole, slot, members[slot], own_tags[slot]) for slot in Slot}
    return _with_shares(slots, _shares_at_rest(whole, slots[live], slots[live.other]))


def _part(whole: SlotState, slot: Slot, members: tuple[Instance, ...], own_tags: Mapping[str, str]) -> SlotState:
    return replace(whole, slot=slot, instances=members, tags=own_tags)


def _with_shares(slots: Mapping[Slot, SlotState], shares: Mapping[Slot, Share]) -> dict[Slot, SlotState]:
    return {
        slot: replace(
            state,
            min=shares[slot].min,
            max=shares[slot].max,
            desired=shares[slot].desired,
            template_version=shares[slot].version,
            suspended=shares[slot].suspended,
        )
        for slot, state in slots.items()
    }


# --- whose an instance is ---------------------------------------------------------------------------------------------


def _members_in_flight(
    whole: SlotState, rotation: Rotation, own_tags: Mapping[Slot, Mapping[str, str]]
) -> dict[Slot, tuple[Instance, ...]]:
    old, new = rotation.old, rotation.new
    before = tags.noted_generation(own_tags[new.slot], new.slot)

    def slot_of(instance: Instance) -> Slot:
        if new.template_version is not None and new.has_launched(instance):
            return new.slot
        if old.template_version is not None and old.has_launched(instance):
            return old.slot
        # A reserve of the generation before last still has to make room in the new generation's slot.
        is_before_last = before is not None and before.number != new.number and before.has_launched(instance)
        is_left_over = instance.stands_by and rotation.exposed_at is None
        return new.slot if is_before_last or is_left_over else old.slot

    return _divided(whole, {i.id: slot_of(i) for i in whole.instances})


def _noted(own_tags: Mapping[Slot, Mapping[str, str]], ended: Rotation | None) -> dict[Slot, Generation]:
    """The generation of each slot. A tag that is gone was removed by another writer: then the record knows it."""
    recorded = {each.slot: each for each in (ended.old, ended.new)} if ended is not None else {}
    found = {slot: tags.noted_generation(own_tags[slot], slot) or recorded.get(slot) for slot in Slot}
    return {slot: each for slot, each in found.items() if each is not None}


def _members_at_rest(
    whole: SlotState, live: Slot, noted: Mapping[Slot, Generation], *, is_lifted: bool
) -> dict[Slot, tuple[Instance, ...]]:
    """What no note knows was launched by the owner: since the rotation, or before one whose record is not here.

    Once a rotation is over, all that is in service is live, whichever version the owner lets the group launch since.
    """
    unknown = live.other if is_lifted else live

    def slot_of(instance: Instance) -> Slot:
        if instance.counts and not is_lifted:
            return live
        known = (slot for slot in (live, live.other) if slot in noted and noted[slot].has_launched(instance))
        return next(known, unknown)

    return _divided(whole, {i.id: slot_of(i) for i in whole.instances})


def _divided(whole: SlotState, slots: Mapping[str, Slot]) -> dict[Slot, tuple[Instance, ...]]:
    return {slot: tuple(i for i in whole.instances if slots[i.id] is slot) for slot in Slot}


def _live_slot(
    whole: SlotState,
    own_tags: Mapping[Slot, Mapping[str, str]],
    noted: Mapping[Slot, Generation],
    ended: Rotation | None,
) -> Slot:
    """In the middle of a rotation the slot whose generation the group launches, else the one with more instances in
    service: at rest the owner may have set the group to any version. Where that tells nothing, the record does."""
    launched = {slot: note.is_set_in(whole) for slot, note in noted.items()}
    is_lifted = any(_is_lifted(whole, own_tags[slot]) for slot in Slot)
    serving = {slot: sum(i.counts and note.has_launched(i) for i in whole.instances) for slot, note in noted.items()}
    recorded = _left_live(ended)

    def claim(slot: Slot) -> tuple[int, int, int, int, int]:
        return (
            is_lifted and launched[slot],
            serving[slot],
            launched[slot],
            slot is recorded,
            noted[slot].number,
        )

    return max(noted, key=claim, default=Slot.BLUE)


def _left_live(ended: Rotation | None) -> Slot | None:
    """The slot that a rotation has left live."""
    if ended is None:
        return None
    return ended.new.slot if ended.outcome is Outcome.SUCCEEDED else ended.old.slot


# --- which numbers a slot has -----------------------------------------------------------------------------------------


def _shares_at_rest(whole: SlotState, live: SlotState, other: SlotState) -> dict[Slot, Share]:
    """The live slot has the group's numbers. The other one has its own instances: a reserve, or leftovers."""
    there = counted_in(other)
    own = Share(whole.min, whole.max, whole.desired - there, whole.template_version, whole.suspended)
    if tags.CAPACITY in other.tags and not _is_over(whole, other):
        # In the middle of a rotation whose record is not here: the one whose owner's numbers are noted is pinned.
        pinned = Share(min(whole.min, there), whole.max, there, whole.template_version, frozenset())
        return {live.slot: own, other.slot: pinned}
    kept = evenly(there + len(reserve_in(other)), whole.template_version)
    return {live.slot: own, other.slot: kept}


def _is_over(whole: SlotState, left: SlotState) -> bool:
    """True once a rotation has ended, and has left a reserve."""
    return counted_in(left) == 0 and not _is_lifted(whole, left.tags)


def _is_lifted(whole: SlotState, left: Mapping[str, str]) -> bool:
    """True while MaxSize has room for two generations, which is from the candidate's launch until the very end. `left`
    are the tags of the slot whose owner's numbers are noted."""
    owner = tags.read_capacity(left)
    return owner is not None and whole.max > max(owner.max, whole.desired)


def _shares_in_flight(whole: SlotState, rotation: Rotation, slots: Mapping[Slot, SlotState]) -> dict[Slot, Share]:
    old, new = slots[rotation.old.slot], slots[rotation.new.slot]
    closing = rotation.clocks.closing_since is not None
    if rotation.back is not None:
        own = _closing_back(whole, rotation, new) if closing else _going_back(whole, rotation, old, new)
        return {old.slot: own, new.slot: _leaving(rotation, old, new)}
    if closing:
        there = counted_in(old)
        kept = len(reserve_in(old))
        left = Share(kept, kept + there, kept, rotation.old.template_version, _SUSPENDED)
        desired = min(whole.desired - there, wanted_at_the_end(whole, rotation))
        own = Share(whole.min, whole.max, desired, whole.template_version, whole.suspended)
        return {old.slot: left, new.slot: own}
    return {old.slot: _old_forward(whole, rotation, old), new.slot: _new_forward(whole, rotation, old, new)}


def _has_begun(rotation: Rotation) -> bool:
    """True once the group may have been told to launch the new generation: another version is another writer's then."""
    return rotation.new.template_version is not None and rotation.step > 0


def _wished_for(whole: SlotState, rotation: Rotation, old: SlotState) -> int:
    """How many more autoscaling wants than phoenix has asked for, by MinSize. What another writer has made of MinSize,
    or what was launched in the place of an instance that has ended, is no such wish."""
    stays = max(old_part(rotation), counted_in(old)) if is_shrunk(rotation) else old_part(rotation)
    return max(whole.desired - max(whole.min, stays + candidate_goal(rotation)), 0)


def _old_forward(whole: SlotState, rotation: Rotation, old: SlotState) -> Share:
    part, there = old_part(rotation), counted_in(old)
    version = rotation.old.template_version if _has_begun(rotation) else whole.template_version
    is_pinned = tags.CAPACITY in old.tags
    suspended = frozenset[Routine]() if is_pinned else whole.suspended
    least = min(whole.min, part)
    if is_shrunk(rotation):
        # It cannot grow any more, since the group launches the new generation: fewer than its part is no difference.
        return Share(least, max(part, there), there, version, suspended)
    room = room_of(rotation)
    wanted = min(rotation.need + _wished_for(whole, rotation, old), room) if _has_begun(rotation) else whole.desired
    return Share(least, min(whole.max, room), wanted, version, suspended)


def _new_forward(whole: SlotState, rotation: Rotation, old: SlotState, new: SlotState) -> Share:
    if not _has_begun(rotation):
        left = counted_in(new) + len(reserve_in(new))
        return Share(left, left, left, whole.template_version, whole.suspended)
    goal, room, part = candidate_goal(rotation), room_of(rotation), old_part(rotation)
    # Between them: some of the old generation have yet to leave, or could not be launched any more and need not leave.
    is_whole = counted_in(old) + len(reserve_in(old)) >= rotation.need
    held = (max(part, counted_in(old)) if is_whole else rotation.need) + goal
    own = goal if part + goal <= whole.min <= held else max(whole.min - part, 0)
    most = max(rotation.capacity.max, own)
    if whole.max < room + own:
        most = max(min(whole.max - own, most - 1), 0)
    desired = own
    if is_shrunk(rotation):
        # What autoscaling wants more than there is, both generations together: from now on the new one carries it. It
        # never wants more than the owner's maximum.
        wished = _wished_for(whole, rotation, old)
        there = min(whole.desired - counted_in(old), rotation.need)
        desired = min(rotation.need + wished, room) if wished else there
    return Share(own, most, desired, whole.template_version, whole.suspended)


def _going_back(whole: SlotState, rotation: Rotation, old: SlotState, new: SlotState) -> Share:
    beside, room = counted_in(new), room_of(rotation)
    there = whole.desired - beside if rotation.old.is_set_in(whole) else counted_in(old)
    # What still drains comes back as soon as AWS lets it.
    there += sum(i.lifecycle is Lifecycle.DRAINING for i in reserve_in(old))
    most = room if whole.max >= room + beside else whole.max
    return Share(min(whole.min, rotation.need), most, there, whole.template_version, frozenset())


def _closing_back(whole: SlotState, rotation: Rotation, new: SlotState) -> Share:
    beside, room = counted_in(new), room_of(rotation)
    if not beside:
        return Share(whole.min, whole.max, whole.desired, whole.template_version, whole.suspended)
    most = room if whole.max >= room else whole.max
    # DesiredCapacity may be full of the other generation: then MinSize asks for the rest of this one.
    is_whole = whole.desired - beside >= rotation.need
    least = min(whole.min if is_whole else max(whole.min - beside, 0), rotation.need)
    return Share(least, most, whole.desired - beside, whole.template_version, whole.suspended)


def wanted_at_the_end(whole: SlotState, rotation: Rotation) -> int:
    """How many are to stay when a rotation closes. While MinSize still holds the need, or MaxSize still has room for
    two generations, autoscaling's wish is part of it; once that is over, DesiredCapacity is the owner's."""
    is_lifted = whole.max > max(rotation.capacity.max, whole.desired)
    return rotation.need if whole.min >= rotation.need or is_lifted else whole.desired


def _with_surplus(slots: dict[Slot, SlotState], whole: SlotState, rotation: Rotation) -> dict[Slot, SlotState]:
    """Where an instance has ended beside another generation, the group has launched one of the generation that it
    launches now: more than was asked for."""
    launching = slots[rotation.old.slot if rotation.back is not None else rotation.new.slot]
    count = surplus_in(whole, launching, slots[launching.slot.other], rotation)
    surplus = choose_surplus(launching.instances, count, rotation.ledger.drains) if count else ()
    serving = {i.id for i in launching.instances if i.in_service}
    found = tuple(instance for instance in surplus if instance in serving)
    return {**slots, launching.slot: replace(launching, surplus=found)} if found else slots


def surplus_in(whole: SlotState, own: SlotState, other: SlotState, rotation: Rotation) -> int:
    """How many more than needed the group has in `own`, whose generation it launches, beside the `other` one.

    Beside an old generation that has given way, what MinSize has asked for is compared, as more than that is
    autoscaling's wish; and at the end, once the other one is gone. DesiredCapacity counts what AWS could not launch,
    too, in whose place none that is there may go.
    """
    if rotation.clocks.closing_since is not None:
        needed = wanted_at_the_end(whole, rotation)
        asked = 0 if counted_in(other) else whole.desired
    elif rotation.back is not None or not is_shrunk(rotation):
        return 0
    else:
        needed = candidate_goal(rotation)
        asked = min(whole.min, whole.desired) - counted_in(other)
    return max(min(asked, counted_in(own)) - needed, 0)


def _leaving(rotation: Rotation, old: SlotState, new: SlotState) -> Share:
    """Gone are the new generation, and what of the old one's reserve did not come back, as it was dead or too many. One
    that protects itself stays for as long, as in a pair, whose slot has DesiredCapacity 0 then."""
    there = (
        sum(i.counts and not i.protected for i in new.instances)
        + len(reserve_in(new))
        + len(left_behind(rotation, old))
    )
    return evenly(there, rotation.new.template_version)


def left_behind(rotation: Rotation, old: SlotState) -> tuple[Instance, ...]:
    """The reserve of a generation that is back: it has no use any more. Before anything was shifted there was none:
    what a person has moved there meanwhile is the person's."""
    is_back = rotation.back is not None and rotation.clocks.closing_since is not None
    return reserve_in(old) if is_back and rotation.exposed_at is not None else ()
