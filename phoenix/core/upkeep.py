"""The ledger after a decision: which changes are under way, which are in place, and which another writer has undone.

Pure. A change by another writer is put back a few times, and then a person has to look.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from phoenix.core import roles, tags
from phoenix.core.action import (
    Action,
    Announce,
    Drain,
    EndInstance,
    MakeTemplateVersion,
    Release,
    RemoveTags,
    ReplaceInstance,
    SetFailover,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    Undrain,
    WriteTags,
)
from phoenix.core.ledger import (
    NOTES,
    bounds,
    group_of,
    has_no_work,
    note_keys,
    numbers,
    route_of,
    running,
    runs_schedules,
    slot_of,
)
from phoenix.core.model import Observation, Slot, SlotState
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import (
    CapacityEntry,
    DrainEntry,
    Entry,
    FailoverEntry,
    Ledger,
    Look,
    OptInEntry,
    ReferenceEntry,
    SchedulesEntry,
    Sizing,
    StickinessEntry,
    TagsEntry,
    Upkeep,
    V,
)
from phoenix.core.terms import Capacity

UNPINNED = "unpinned"
"""Stands for the template version of a slot that launches from the newest or the default one."""
MOST_MENDS = 2
"""The number of times that another writer's change is put back without asking: more is a disagreement, not chance."""


@dataclass(frozen=True, slots=True)
class Check:
    """The rotation with its ledger after a decision's actions; a sentence for each change that they put back.

    `conflict` is why a person has to look: another writer changes again and again what phoenix keeps. The ledger counts
    anew then, and nothing is put back.
    """

    rotation: Rotation
    healed: tuple[str, ...] = ()
    conflict: str | None = None


def check_ledger(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Check:
    """The ledger asked once a decision: what its actions mean for everything that is kept in place."""
    watched = watch(rotation, seen, actions)
    pairs = [(old, new) for old, new in zip(rotation.ledger, watched.ledger, strict=True) if _mends(new) > _mends(old)]
    worst = next((old for old, new in pairs if _mends(new) > MOST_MENDS), None)
    if worst is not None:
        return Check(replace(rotation, ledger=rotation.ledger.forget()), (), _describe_conflict(worst, rotation, seen))
    return Check(watched, tuple(f"{_describe_change(old, rotation, seen)}; put back" for old, _ in pairs))


def _mends(entry: Entry) -> int:
    return entry.upkeep.mended


# --- entry by entry ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Asked:
    """The places that actions change, and the values that they set; a place alone where its value is never compared."""

    capacity: dict[Slot, Sizing] = field(default_factory=dict)
    schedules: dict[Slot, bool] = field(default_factory=dict)
    tags: set[Slot] = field(default_factory=set)
    failover: set[Slot] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    opt_ins: bool | None = None
    drained: dict[str, bool] = field(default_factory=dict)


def _asked_by(actions: tuple[Action, ...], rotation: Rotation, seen: Observation) -> _Asked:
    asked = _Asked()
    for action in actions:
        match action:
            case SetRole():
                then = roles.numbers(action.role, action.count, action.owner)
                version = action.version or seen.slots[action.slot].template_version or UNPINNED
                asked.capacity[action.slot] = Sizing(Capacity(then.min, then.max), version)
            case SetSchedules():
                asked.schedules[action.slot] = action.running
            case SetFailover():
                asked.failover.add(action.slot)
            case WriteTags() | RemoveTags():
                asked.tags |= _noted_by(action)
            case SetWeights():
                # Weights have a watch of their own; only a route that has stopped naming the slot is news here.
                asked.references |= {r.arn for r in seen.routes if rotation.new.slot not in r.weights}
            case SetOptIns():
                asked.opt_ins = bool(action.opt_ins)
            case Drain() | Undrain():
                asked.drained |= _drained_by(action)
            case MakeTemplateVersion() | ReplaceInstance() | EndInstance() | Release() | Announce():
                pass  # neither is temporary
            case _:
                assert_never(action)
    return asked


def _noted_by(action: WriteTags | RemoveTags) -> set[Slot]:
    """The slots of which it changes a tag that is watched."""
    changed = action.tags if isinstance(action, WriteTags) else action.keys
    return {slot for slot, keys in changed.items() if {*keys} & {*NOTES}}


def watch(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Rotation:
    """The rotation with its ledger after these actions: what they change is under way, what they leave is in place."""
    asked, forward = _asked_by(actions, rotation, seen), rotation.back is None
    closing = rotation.clocks.closing_since is not None
    # One group is divided anew once the rotation closes: other numbers are no other writer's doing then.
    judged = (forward and not closing) if rotation.terms.serving.reserve else (forward or closing)
    look = Look(seen.at, forward, judged)
    entries = (_follow(entry, rotation.new.slot, seen, asked, look) for entry in rotation.ledger)
    return replace(rotation, ledger=Ledger(entries))


def _follow(entry: Entry, candidate: Slot, seen: Observation, asked: _Asked, look: Look) -> Entry:
    match entry:
        case CapacityEntry(slot, _, kept):
            now, target = _sizing(seen.slots[slot]), asked.capacity.get(slot)
            if target is not None and kept.made == Sizing(now.capacity, None):
                kept = replace(kept, made=now)  # a record of an earlier version
            return replace(entry, upkeep=_kept(kept, now, look, target is not None, target))
        case SchedulesEntry(slot, _, kept):
            runs, to_run = runs_schedules(seen.slots[slot]), asked.schedules.get(slot)
            return replace(entry, upkeep=_kept(kept, runs, look, to_run is not None, to_run))
        case TagsEntry(slot, _, kept):
            return replace(entry, upkeep=_kept(kept, note_keys(seen.slots[slot]), look, slot in asked.tags))
        case FailoverEntry(slot, _, kept):
            is_off = tags.FAILOVER in seen.slots[slot].tags
            return replace(entry, upkeep=_kept(kept, is_off, look, slot in asked.failover))
        case StickinessEntry(arn, _, kept):
            route = route_of(arn, seen)
            return replace(entry, upkeep=kept.find(None if route is None else route.sticky_seconds, look.at))
        case ReferenceEntry(arn, kept):
            named = _names(arn, candidate, seen)
            return replace(entry, upkeep=_kept(kept, named, look, arn in asked.references))
        case OptInEntry():
            return _follow_opt_ins(entry, seen, asked.opt_ins, look)
        case DrainEntry():
            return _follow_drain(entry, seen, asked.drained.get(entry.instance), look)
        case _:
            assert_never(entry)


def _follow_opt_ins(entry: OptInEntry, seen: Observation, asked: bool | None, look: Look) -> OptInEntry:
    """Unchanged where they were not looked for."""
    if seen.opt_ins is None and asked is None:
        return entry
    are_there = seen.opt_ins is not None and bool(seen.opt_ins.rules) and seen.opt_ins.are_in_place
    return replace(entry, upkeep=_kept(entry.upkeep, are_there, look, asked is not None, asked))


def _follow_drain(entry: DrainEntry, seen: Observation, to_drain: bool | None, look: Look) -> DrainEntry:
    """Unchanged where no station was asked."""
    is_empty = has_no_work(entry.instance, seen)
    if is_empty is None:
        return entry
    return replace(entry, upkeep=_kept(entry.upkeep, is_empty, look, to_drain is not None, to_drain or None))


def _kept(upkeep: Upkeep[V], now: V, look: Look, is_asked: bool, target: V | None = None) -> Upkeep[V]:
    return upkeep.change(now, target, look) if is_asked else upkeep.find(now, look.at)


def _sizing(state: SlotState) -> Sizing:
    return Sizing(bounds(state), state.template_version or UNPINNED)


def _names(arn: str, slot: Slot, seen: Observation) -> bool:
    """True when the route is there and names the slot."""
    route = route_of(arn, seen)
    return route is not None and slot in route.weights


def record_taken(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Rotation:
    """The rotation after AWS has taken these actions, on the way forward: what they have set is to be found there."""
    if rotation.back is not None:
        return rotation
    asked = _asked_by(actions, rotation, seen)
    return replace(rotation, ledger=Ledger(_take(entry, asked) for entry in rotation.ledger))


def _take(entry: Entry, asked: _Asked) -> Entry:
    match entry:
        case CapacityEntry(slot, _, kept) if slot in asked.capacity:
            return replace(entry, upkeep=kept.take(asked.capacity[slot]))
        case SchedulesEntry(slot, _, kept) if slot in asked.schedules:
            return replace(entry, upkeep=kept.take(asked.schedules[slot]))
        case OptInEntry(kept) if asked.opt_ins is not None:
            return replace(entry, upkeep=kept.take(asked.opt_ins))
        case DrainEntry(_, instance, _, _, kept) if instance in asked.drained:
            return replace(entry, upkeep=kept.take(asked.drained[instance]))
        case _:
            return entry


def _drained_by(action: Drain | Undrain) -> dict[str, bool]:
    """True for instances that take no new work from now on; the first station sees to that."""
    is_drained = isinstance(action, Drain)
    return dict.fromkeys(() if isinstance(action, Drain) and action.station else action.instances, is_drained)


# --- in words ---------------------------------------------------------------------------------------------------------


def _describe_conflict(entry: Entry, rotation: Rotation, seen: Observation) -> str:
    at_least = "" if entry.upkeep.made is not None else "at least "
    told = (
        f"{_describe_change(entry, rotation, seen)}, and phoenix has put it back {at_least}{MOST_MENDS} times: another "
        "writer keeps changing it.",
        seen.slots[slot_of(entry, rotation)].writer_words,
        f"When that has stopped: phoenix resume --group {rotation.group}",
    )
    return " ".join(filter(None, told))


def _describe_change(entry: Entry, rotation: Rotation, seen: Observation) -> str:
    """Another writer's change: the value now, and the one that phoenix keeps."""
    name = group_of(entry, rotation, seen)
    match entry:
        case CapacityEntry(slot, _, kept):
            return f"{name} {_describe_sizing(_sizing(seen.slots[slot]), kept.made or kept.asked)}"
        case SchedulesEntry(slot, _, kept):
            runs = runs_schedules(seen.slots[slot])
            return f"{name}: scheduled actions are {running(runs)}, not {running(not runs)}"
        case TagsEntry(slot, _, kept):
            gone = [key for key in kept.made or () if key not in note_keys(seen.slots[slot])]
            return f"{name} has lost the tags {', '.join(gone)}" if gone else f"{name} has other tags"
        case FailoverEntry():
            return f"{name} has lost the tag {tags.FAILOVER}"
        case OptInEntry():
            missing = seen.opt_ins.missing if seen.opt_ins is not None else ()
            return f"rules of phoenix's own are gone, or have moved: {', '.join(missing) or name}"
        case StickinessEntry(arn) | ReferenceEntry(arn):
            return f"{arn.rpartition('/')[2]} does not name {name} any more"
        case DrainEntry(_, instance):
            return f"{instance} of {name} takes work again"
        case _:
            assert_never(entry)


def _describe_sizing(now: Sizing, kept: Sizing | None) -> str:
    """A record of an earlier version has no template version among what was made."""
    if kept is None:
        return f"has {numbers(now.capacity)}"
    if now.capacity == kept.capacity and kept.version is not None:
        launched = "no pinned template version" if now.version == UNPINNED else f"template version {now.version}"
        return f"launches {launched}, not {kept.version}"
    return f"has {numbers(now.capacity)}, not {numbers(kept.capacity)}"
