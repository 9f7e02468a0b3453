"""By which slot DNS may judge the load balancer: by one at a time, the one that has all the traffic. Pure.

A target group that rules name counts for the health of the whole load balancer, at weight 0 too: a candidate that still
boots would send everybody elsewhere (Route 53, evaluate target health). So DNS failover is off on the other slot, from
before a rule names it until none does. Must never overwrite the owner's thresholds before they are in a tag: with that
alone they can be put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from phoenix.core import tags
from phoenix.core.action import Action, RemoveTags, SetFailover, SetWeights, WriteTags
from phoenix.core.model import Observation, Route, Slot, SlotState
from phoenix.core.rotation import Rotation

OFF = "off/off"
UNKNOWN = "unknown"
"""The note for target groups that phoenix may not read: it changes nothing there then."""


def thresholds(rotation: Rotation, slot: Slot) -> str | None:
    """The owner's thresholds, if any of them has to be switched off; None if none has."""
    had = rotation.ledger.failover.get(slot, UNKNOWN)
    return None if had == UNKNOWN or set(had.split()) == {OFF} else had


def note(found: Sequence[str]) -> str:
    """The tag's value for a slot's target groups: one word for all where they agree, else a word for each, in order.

    `unknown` where that is too long for a tag: nothing is changed that could not be put back.
    """
    words = found[0] if len(set(found)) == 1 else " ".join(found)
    return words if 0 < len(words) <= tags.MOST_LETTERS else UNKNOWN


def unread(rotation: Rotation, seen: Observation) -> tuple[Slot, ...]:
    """Slots whose thresholds have to be read before anything is changed there."""
    if not rotation.terms.suspend_failover or not seen.routes or rotation.clocks.closing_since is not None:
        return ()
    known = rotation.ledger.failover
    return tuple(slot for slot in Slot if slot not in known and tags.FAILOVER not in seen.slots[slot].tags)


def notes(rotation: Rotation) -> Mapping[Slot, str]:
    """The slots on which DNS failover is off on the way forward, and what the owner had there.

    The new one until it has all the traffic, the old one from right before the shift that takes away its last.
    """
    quiet = {rotation.new.slot: rotation.weight < 100, rotation.old.slot: rotation.intended_weight == 100}
    had = {slot: thresholds(rotation, slot) for slot, off in quiet.items() if off}
    return {slot: value for slot, value in had.items() if value is not None}


def suspend(rotation: Rotation, slot: Slot) -> Iterator[Action]:
    """Switch it off on the way forward, where it is to be; the tag is written with the others."""
    if slot in notes(rotation):
        yield SetFailover(slot, OFF)


def note_and_suspend(rotation: Rotation, state: SlotState) -> Iterator[Action]:
    """The same where no other tags are written."""
    had = thresholds(rotation, state.slot)
    if had is not None:
        if tags.FAILOVER not in state.tags:
            yield WriteTags({state.slot: {tags.FAILOVER: had}})
        yield SetFailover(state.slot, OFF)


def restore(state: SlotState) -> Iterator[Action]:
    """Give the owner's thresholds back, by the tag alone; the tag goes last."""
    if tags.FAILOVER in state.tags:
        yield SetFailover(state.slot, state.tags[tags.FAILOVER])
        yield RemoveTags({state.slot: (tags.FAILOVER,)})


def hand_over(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Once the weights are where they belong: the slot that has all of the traffic is the one that DNS judges by."""
    if rotation.back is None:
        if rotation.weight == 100:
            yield from restore(seen.slots[rotation.new.slot])
        return
    old, new = seen.slots[rotation.old.slot], seen.slots[rotation.new.slot]
    if not seen.routes or any(route.percent(new.slot) != 0 for route in seen.routes):
        return
    if tags.FAILOVER not in new.tags and not is_empty(new):
        yield from note_and_suspend(rotation, new)
    yield from restore(old)


# --- a slot that goes cold -------------------------------------------------------------------------------------------


def leave(state: SlotState, other: SlotState, routes: Sequence[Route]) -> Iterator[Action]:
    """Take an empty slot out of the rules, then give it its thresholds back.

    It stays where it could not be named again without asking: where several target groups belong together, or where
    group stickiness hangs on there being two. There DNS failover stays off.
    """
    named = [route for route in routes if state.slot in route.weights]
    if not named:
        yield from restore(state)
        return
    going = frozenset(route.arn for route in named if may_leave(route, state, other))
    if going:
        yield SetWeights(state.slot, 0, unrefer=going)


def may_leave(route: Route, state: SlotState, other: SlotState) -> bool:
    """True when the route can do without naming the slot, and phoenix can name it again before it is needed."""
    alone = not route.stays and len(state.target_groups) <= 1 and len(other.target_groups) <= 1
    return alone and not route.sticky_seconds and route.percent(other.slot) == 100


def is_empty(state: SlotState) -> bool:
    """True when nothing is in there, nor on its way out."""
    return state.max == 0 and not any(i.leaving or i.counts for i in state.instances)
