"""The ledger: what a rotation changes for as long as it lasts, written down before it is changed, with what was there.

Pure. Entries are only ever added until the rotation closes; its end is the only place that empties the ledger. It also
notices who else changes the same things: that is put back a few times, and then a person has to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from phoenix.core import tags
from phoenix.core.action import (
    Action,
    MakeTemplateVersion,
    RemoveTags,
    ReplaceInstance,
    SetCapacity,
    SetFailover,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.model import Observation, Route, Slot, SlotState
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import Entry, Temporary

SCHEDULES = "ScheduledActions"
RUNNING, SUSPENDED, NOTHING = "running", tags.SUSPENDED, "none"
MOST_MENDS = 2
"""How often what somebody else has changed is put back without asking: once may be chance, more is a disagreement."""
FORGOTTEN = timedelta(hours=12)
"""After so long in place, what was put back before counts no more: a nightly pipeline, or schedule, is no quarrel."""
STALE_READS = timedelta(seconds=30)
"""How old an answer of an eventually consistent API may be."""
_NOTES = (tags.GROUP, tags.STORE, tags.ROTATION, tags.GENERATION, *tags.TEMPORARY)

Place = tuple[Temporary, str]


def opened(rotation: Rotation, seen: Observation) -> Rotation:
    """The rotation with everything in its ledger that its next actions may change; nothing is added once it closes."""
    if rotation.clocks.closing_since is not None:
        return rotation
    known = {(entry.kind, entry.where) for entry in rotation.ledger}
    missing = {place: Entry(*place, had, seen.at) for place, had in _to_change(rotation, seen) if place not in known}
    return replace(rotation, ledger=(*rotation.ledger, *missing.values()))


def _to_change(rotation: Rotation, seen: Observation) -> Iterator[tuple[Place, str]]:
    """Places, and what is there. The live slot has the owner's numbers by the record: a leaked pin is none of them."""
    old, new = rotation.old.slot, rotation.new.slot
    yield (Temporary.CAPACITY, old), tags.write_capacity(rotation.capacity)
    yield (Temporary.CAPACITY, new), reading((Temporary.CAPACITY, new), rotation, seen)
    for slot in Slot:
        yield (Temporary.TAGS, slot), reading((Temporary.TAGS, slot), rotation, seen)
    # Whether scheduled actions run is the owner's word for whoever is live: it moves along with the role.
    goes_live, is_live = (old, new) if rotation.back is not None else (new, old)
    # One that is empty was live once: somebody has been back already, and whoever is live now has its schedules.
    moves = rotation.back is None or (rotation.succeeded_at is not None and seen.slots[new].max > 0)
    if moves:
        yield (Temporary.SCHEDULES, goes_live), reading((Temporary.SCHEDULES, is_live), rotation, seen)
    for slot, state in seen.slots.items():
        # A slot that is kept hot has it off by now; the owner's thresholds are in the tag.
        read = state.failover if rotation.terms.suspend_failover else ""
        if had := state.tags.get(tags.FAILOVER) or read:
            yield (Temporary.FAILOVER, slot), had
    for route in seen.routes:
        if route.sticky_seconds and rotation.terms.suspend_stickiness:
            yield (Temporary.STICKINESS, route.arn), str(route.sticky_seconds)
        if new not in route.weights:
            yield (Temporary.REFERENCE, route.arn), NOTHING


def reading(place: Place, rotation: Rotation, seen: Observation) -> str:
    """What is there now, in the ledger's words; `none` for a route that is gone."""
    kind, where = place
    match kind:
        case Temporary.CAPACITY:
            state = seen.slots[Slot(where)]
            return f"{state.min} {state.max}"
        case Temporary.SCHEDULES:
            return SUSPENDED if SCHEDULES in seen.slots[Slot(where)].suspended else RUNNING
        case Temporary.TAGS:
            return " ".join(key for key in _NOTES if key in seen.slots[Slot(where)].tags) or NOTHING
        case Temporary.FAILOVER:
            return SUSPENDED if tags.FAILOVER in seen.slots[Slot(where)].tags else RUNNING
        case Temporary.STICKINESS:
            route = _route(where, seen)
            return str(route.sticky_seconds) if route is not None else NOTHING
        case Temporary.REFERENCE:
            route = _route(where, seen)
            return NOTHING if route is None or rotation.new.slot not in route.weights else "named"
        case _:
            assert_never(kind)


def _route(arn: str, seen: Observation) -> Route | None:
    return next((route for route in seen.routes if route.arn == arn), None)


def is_pinned(state: SlotState) -> bool:
    """True for a slot whose numbers are a rotation's at this moment, by its tag.

    A generation that is kept hot carries the same tag; its scheduled actions are suspended, a live one's are not.
    """
    is_kept_hot = SCHEDULES in state.suspended and state.min == state.max == state.desired
    return tags.CAPACITY in state.tags and not is_kept_hot


def noted(seen: Observation) -> tuple[Entry, ...]:
    """What the tags of both slots say was there before."""
    states = seen.slots.items()
    failover = [(slot, state.tags[tags.FAILOVER]) for slot, state in states if tags.FAILOVER in state.tags]
    return (
        *(e for slot, state in states for e in tags.read_ledger(state.tags, slot, seen.routes, seen.at)),
        *(Entry(Temporary.FAILOVER, slot, had, seen.at) for slot, had in failover),
    )


def left_suspended(entries: tuple[Entry, ...], other: SlotState) -> bool:
    """True when the scheduled actions of a candidate that has become live are still to be resumed.

    That is done before the other slot is given the numbers of its last role; owners who had them suspended are noted.
    """
    return is_pinned(other) and not any(entry.kind is Temporary.SCHEDULES for entry in entries)


# --- taking back -----------------------------------------------------------------------------------------------------


def schedules_ran(rotation: Rotation) -> bool | None:
    """Whether scheduled actions ran on whoever was live; None where this rotation has nothing to do with them."""
    return next((entry.had == RUNNING for entry in rotation.ledger if entry.kind is Temporary.SCHEDULES), None)


def lost_stickiness(entries: tuple[Entry, ...], seen: Observation) -> Mapping[str, int]:
    """Seconds by route (ARN) that were sticky before and are not now."""
    had = {entry.where: int(entry.had) for entry in entries if entry.kind is Temporary.STICKINESS}
    return {r.arn: had[r.arn] for r in seen.routes if r.arn in had and r.sticky_seconds == 0}


def our_references(entries: tuple[Entry, ...], slot: Slot, seen: Observation) -> frozenset[str]:
    """Routes (ARNs) that name the slot now and did not before."""
    ours = {entry.where for entry in entries if entry.kind is Temporary.REFERENCE}
    return frozenset(r.arn for r in seen.routes if r.arn in ours and slot in r.weights)


def in_words(entry: Entry, rotation: Rotation, seen: Observation) -> str | None:
    """What is to be taken back, for a person; None where everything is as it was, or is a note of our own."""
    now = reading((entry.kind, entry.where), rotation, seen)
    if entry.kind is Temporary.TAGS or now == entry.had:
        return None
    if entry.kind in (Temporary.STICKINESS, Temporary.REFERENCE):
        route = _route(entry.where, seen)
        name = route.name if route is not None else entry.where
        if entry.kind is Temporary.STICKINESS:
            return f"{name}: stickiness is {now} s, it was {entry.had} s"
        return f"{name}: names {seen.slots[rotation.new.slot].auto_scaling_group}, it did not before"
    state = seen.slots[Slot(entry.where)]
    if entry.kind is Temporary.FAILOVER:
        return f"{state.auto_scaling_group}: DNS failover is off, it was {entry.had}" if now == SUSPENDED else None
    if entry.kind is Temporary.SCHEDULES:
        return f"{state.auto_scaling_group}: scheduled actions are {now}, they were {entry.had}"
    return f"{state.auto_scaling_group}: {_numbers(now)} are a rotation's, {_numbers(entry.had)} were there before"


# --- somebody else ---------------------------------------------------------------------------------------------------


def watched(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Rotation:
    """The rotation with its ledger after these actions: what they change is under way, what they leave is in place.

    What was in place, and differs now, has been changed by somebody else. An answer may be half a minute old, so right
    after it was found in place nothing is concluded.
    """
    asked = dict(_places(rotation, seen, actions))
    entries = []
    for entry in rotation.ledger:
        place = (entry.kind, entry.where)
        now = _standing(place, rotation, seen)
        if place in asked:
            entries.append(_under_way(entry, asked[place], now, rotation, seen))
        elif now != entry.made:
            entries.append(replace(entry, made=now, asked="", since=seen.at))
        elif entry.mended and seen.at - entry.since > FORGOTTEN:
            entries.append(replace(entry, mended=0))
        else:
            entries.append(entry)
    return replace(rotation, ledger=tuple(entries))


def _under_way(entry: Entry, target: str, now: str, rotation: Rotation, seen: Observation) -> Entry:
    """The entry while it is being changed. Who is faster than every look never lets it be found in place: what was
    carried out, and is missing again when no answer can be that old any more, was changed by another as well."""
    again = bool(target) and target == entry.asked and rotation.back is None
    is_undone = again and now != target and seen.at - entry.since > STALE_READS
    mended = is_undone or _is_anothers(entry, now, rotation, seen)
    since = entry.since if again and not mended else seen.at
    return replace(entry, made="", asked="", since=since, mended=entry.mended + mended)


def carried_out(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Rotation:
    """The rotation after AWS has taken these actions, on the way forward: what they have set is to be found there."""
    if rotation.back is not None:
        return rotation
    asked = dict(_places(rotation, seen, actions))
    entries = (replace(entry, asked=asked.get((entry.kind, entry.where), entry.asked)) for entry in rotation.ledger)
    return replace(rotation, ledger=tuple(entries))


def healed(before: Rotation, after: Rotation, seen: Observation) -> Iterator[str]:
    """What is put back by the actions that `after` was made for, one sentence each."""
    for old, new in zip(before.ledger, after.ledger, strict=True):
        if new.mended > old.mended:
            yield f"{_differs(old, before, seen)}; put back"


def quarrel(before: Rotation, after: Rotation, seen: Observation) -> str | None:
    """Why a person has to look: somebody changes again and again what phoenix keeps; None while that is not so."""
    pairs = zip(before.ledger, after.ledger, strict=True)
    worst = next((old for old, new in pairs if new.mended > max(MOST_MENDS, old.mended)), None)
    if worst is None:
        return None
    state, at_least = _state(worst, before, seen), "" if worst.made else "at least "
    return (
        f"{_differs(worst, before, seen)}, and phoenix has put it back {at_least}{MOST_MENDS} times: somebody else "
        f"keeps changing it. CloudTrail knows who: aws cloudtrail lookup-events --lookup-attributes "
        f"AttributeKey=ResourceName,AttributeValue={state.auto_scaling_group}. When that has stopped: "
        f"phoenix resume --group {before.group}"
    )


def forgiven(rotation: Rotation) -> Rotation:
    """Counted anew: whoever resumes what is held has settled it with whoever it was."""
    return replace(rotation, ledger=tuple(replace(entry, made="", asked="", mended=0) for entry in rotation.ledger))


def _is_anothers(entry: Entry, now: str, rotation: Rotation, seen: Observation) -> bool:
    # The way back never waits for a person before the traffic is where it belongs.
    judged = rotation.back is None or rotation.clocks.closing_since is not None
    # A record of an earlier version has no template version among what was made of a slot.
    as_made = now.split()[:2] == entry.made.split() if entry.kind is Temporary.CAPACITY else False
    return judged and bool(entry.made) and now != entry.made and not as_made and seen.at - entry.since > STALE_READS


def _standing(place: Place, rotation: Rotation, seen: Observation) -> str:
    """What there is of all that phoenix sets there: for a slot also the template version that it launches.

    Desired is not among it: phoenix moves it through the two bounds, and whoever lowers it below has to lower these.
    """
    now = reading(place, rotation, seen)
    return f"{now} {seen.slots[Slot(place[1])].template_version}" if place[0] is Temporary.CAPACITY else now


def _places(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Iterator[tuple[Place, str]]:
    """What these actions change, and what is there afterwards; empty where that is not one of the numbers."""
    for action in actions:
        match action:
            case SetCapacity():
                version = action.template_version or seen.slots[action.slot].template_version
                yield (Temporary.CAPACITY, action.slot), f"{action.min} {action.max} {version}"
            case SetSchedules():
                yield (Temporary.SCHEDULES, action.slot), RUNNING if action.running else SUSPENDED
            case SetFailover():
                yield (Temporary.FAILOVER, action.slot), ""
            case WriteTags():
                yield from (((Temporary.TAGS, slot), "") for slot, keys in action.tags.items() if {*keys} & {*_NOTES})
            case RemoveTags():
                yield from (((Temporary.TAGS, slot), "") for slot, keys in action.keys.items() if {*keys} & {*_NOTES})
            case SetWeights():
                # Weights have a watch of their own; only a route that has stopped naming the slot is news here.
                yield from (
                    ((Temporary.REFERENCE, r.arn), "") for r in seen.routes if rotation.new.slot not in r.weights
                )
            case MakeTemplateVersion() | ReplaceInstance():
                pass  # neither is temporary
            case _:
                assert_never(action)


def _differs(entry: Entry, rotation: Rotation, seen: Observation) -> str:
    now, made = _standing((entry.kind, entry.where), rotation, seen), entry.made or entry.asked
    name = _state(entry, rotation, seen).auto_scaling_group
    match entry.kind:
        case Temporary.CAPACITY:
            return f"{name} {_bounds_or_version(now, made)}"
        case Temporary.SCHEDULES:
            return f"{name}: scheduled actions are {now}, not {made}"
        case Temporary.FAILOVER:
            return f"{name} has lost the tag {tags.FAILOVER}"
        case Temporary.TAGS:
            gone = [key for key in made.split() if key not in now.split()]
            return f"{name} has lost the tags {', '.join(gone)}" if gone else f"{name} has other tags"
        case _:
            return f"{entry.where.rpartition('/')[2]} does not name {name} any more"


def _state(entry: Entry, rotation: Rotation, seen: Observation) -> SlotState:
    on_slot = entry.where in tuple(Slot)
    return seen.slots[Slot(entry.where) if on_slot else rotation.new.slot]


def _bounds_or_version(now: str, made: str) -> str:
    """A record of an earlier version has no template version among what was made."""
    is_version = now.split()[:2] == made.split()[:2] and len(made.split()) > 2
    if is_version:
        return f"launches template version {now.split()[2]}, not {made.split()[2]}"
    return f"has {_numbers(now)}, not {_numbers(made)}"


def _numbers(capacity: str) -> str:
    least, most, *_ = capacity.split()
    return f"min {least} max {most}"
