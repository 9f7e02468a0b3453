"""The ledger: what a rotation changes for as long as it lasts, written down before it is changed, with what was there.

Pure. Entries are only ever added until the rotation closes; its end is the only place that empties the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from phoenix.core import tags
from phoenix.core.model import UNTIMED, Observation, Route, Slot, SlotState
from phoenix.core.roles import is_pinned
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.temporary import (
    CapacityEntry,
    DrainEntry,
    Entry,
    FailoverEntry,
    Ledger,
    OptInEntry,
    ReferenceEntry,
    SchedulesEntry,
    StickinessEntry,
    TagsEntry,
    Upkeep,
)
from phoenix.core.terms import Capacity
from phoenix.core.work import Stage

NOTES = (tags.GROUP, tags.STORE, tags.ROTATION, tags.GENERATION, *tags.TEMPORARY)
"""The tags that a rotation writes on a slot, and that are watched."""

# --- the values before a change ---------------------------------------------------------------------------------------


def open_entries(rotation: Rotation, seen: Observation) -> Rotation:
    """The rotation with everything in its ledger that its next actions may change; nothing is added once it closes."""
    if rotation.clocks.closing_since is not None:
        return rotation
    return replace(rotation, ledger=rotation.ledger.open(_to_change(rotation, seen)))


def _to_change(rotation: Rotation, seen: Observation) -> Iterator[Entry]:
    """Entries with the values before. The live slot has the owner's numbers by the record: a leaked pin is none."""
    old, new = rotation.old.slot, rotation.new.slot
    yield CapacityEntry(old, rotation.capacity, Upkeep(seen.at))
    yield CapacityEntry(new, bounds(seen.slots[new]), Upkeep(seen.at))
    for slot in Slot:
        yield TagsEntry(slot, note_keys(seen.slots[slot]), Upkeep(seen.at))
    # Whether scheduled actions run is the owner's word for the live slot: it moves along with the role.
    goes_live, is_live = (old, new) if rotation.back is not None else (new, old)
    # An empty slot was live once: another rollback came first, and the live slot has its schedules by now.
    if rotation.back is None or (rotation.succeeded_at is not None and seen.slots[new].max > 0):
        yield SchedulesEntry(goes_live, runs_schedules(seen.slots[is_live]), Upkeep(seen.at))
    yield from _to_change_on_routes(rotation, seen)


def _to_change_on_routes(rotation: Rotation, seen: Observation) -> Iterator[Entry]:
    if rotation.terms.opt_ins:
        yield OptInEntry(Upkeep(seen.at))
    for slot, state in seen.slots.items():
        # A slot that is kept hot has it off by now; the owner's thresholds are in the tag.
        read = state.failover if rotation.terms.suspend_failover else ""
        if had := state.tags.get(tags.FAILOVER) or read:
            yield FailoverEntry(slot, had, Upkeep(seen.at))
    for route in seen.routes:
        if route.sticky_seconds and rotation.terms.suspend_stickiness:
            yield StickinessEntry(route.arn, route.sticky_seconds, Upkeep(seen.at))
        if rotation.new.slot not in route.weights:
            yield ReferenceEntry(route.arn, Upkeep(seen.at))


# --- the values now ---------------------------------------------------------------------------------------------------


def runs_schedules(state: SlotState) -> bool:
    """True unless the slot's scheduled actions are suspended."""
    return Routine.SCHEDULES not in state.suspended


def read_notes(seen: Observation) -> Ledger:
    """The former values that the tags of both slots note."""
    states = seen.slots.items()
    return Ledger(
        (
            *(entry for slot, state in states for entry in tags.read_ledger(state.tags, slot, seen.routes, seen.at)),
            *(
                FailoverEntry(slot, state.tags[tags.FAILOVER], Upkeep(seen.at))
                for slot, state in states
                if tags.FAILOVER in state.tags
            ),
        )
    )


def is_left_suspended(noted: Ledger, other: SlotState) -> bool:
    """True when the scheduled actions of a candidate that has become live are still to be resumed.

    That is done before the other slot is given the numbers of its last role; owners who had them suspended are noted.
    """
    return is_pinned(other) and noted.schedules_ran is None


def lost_stickiness(ledger: Ledger, seen: Observation) -> Mapping[str, int]:
    """Seconds by route (ARN) that were sticky before and are not now."""
    had = ledger.stickiness
    return {r.arn: had[r.arn] for r in seen.routes if r.arn in had and r.sticky_seconds == 0}


def our_references(ledger: Ledger, slot: Slot, seen: Observation) -> frozenset[str]:
    """Routes (ARNs) that name the slot now and did not before."""
    return frozenset(r.arn for r in seen.routes if r.arn in ledger.references and slot in r.weights)


def bounds(state: SlotState) -> Capacity:
    return Capacity(state.min, state.max)


def note_keys(state: SlotState) -> tuple[str, ...]:
    return tuple(key for key in NOTES if key in state.tags)


def route_of(arn: str, seen: Observation) -> Route | None:
    return next((route for route in seen.routes if route.arn == arn), None)


def has_no_work(instance: str, seen: Observation) -> bool | None:
    """True when an instance takes no new work; None while there is no answer."""
    works = seen.works.get(instance)
    if not works or works[0].stage is Stage.UNKNOWN:
        return None
    return works[0].stage is not Stage.ACTIVE


# --- in words ---------------------------------------------------------------------------------------------------------


def describe(entry: Entry, rotation: Rotation, seen: Observation) -> str | None:
    """Say what phoenix has to take back; None where everything is as it was, or is a note of our own."""
    name = group_of(entry, rotation, seen)
    match entry:
        case CapacityEntry(slot, had):
            now = bounds(seen.slots[slot])
            told = f"{name}: {numbers(now)} are a rotation's, {numbers(had)} were there before"
            return told if now != had else None
        case SchedulesEntry(slot, ran):
            runs = runs_schedules(seen.slots[slot])
            told = f"{name}: scheduled actions are {running(runs)}, they were {running(ran)}"
            return told if runs is not ran else None
        case TagsEntry():
            return None
        case FailoverEntry(slot, thresholds):
            told = f"{name}: DNS failover is off, it was {thresholds}"
            return told if tags.FAILOVER in seen.slots[slot].tags else None
        case StickinessEntry(arn, seconds):
            return _describe_stickiness(arn, seconds, route_of(arn, seen))
        case ReferenceEntry(arn):
            route = route_of(arn, seen)
            is_ours = route is not None and rotation.new.slot in route.weights
            return f"{route.name}: names {name}, it did not before" if route is not None and is_ours else None
        case OptInEntry():
            return describe_opt_ins(seen)
        case DrainEntry(_, instance, had):
            return f"{name}: {instance} takes no work, it did before" if had and has_no_work(instance, seen) else None
        case _:
            assert_never(entry)


def _describe_stickiness(arn: str, had: int, route: Route | None) -> str | None:
    if route is None:
        return f"{arn}: the route is gone, its stickiness was {lasting(had)}"
    told = f"{route.name}: stickiness is {lasting(route.sticky_seconds)}, it was {lasting(had)}"
    return told if route.sticky_seconds != had else None


def describe_opt_ins(seen: Observation) -> str | None:
    """Say which rules of our own there are; None where there are none."""
    rules = seen.opt_ins.rules if seen.opt_ins is not None else ()
    return f"rules of phoenix's own: {'; '.join(rule.name for rule in rules)}" if rules else None


def group_of(entry: Entry, rotation: Rotation, seen: Observation) -> str:
    """The Auto Scaling group that it is about."""
    return seen.slots[slot_of(entry, rotation)].auto_scaling_group


def slot_of(entry: Entry, rotation: Rotation) -> Slot:
    """The slot that it is about: for a route the one that it is to name."""
    return rotation.new.slot if isinstance(entry, StickinessEntry | ReferenceEntry | OptInEntry) else entry.slot


def running(runs: bool) -> str:
    return "running" if runs else "suspended"


def numbers(capacity: Capacity) -> str:
    return f"min {capacity.min} max {capacity.max}"


def lasting(sticky_seconds: int) -> str:
    """The duration of a stickiness in words."""
    return "on, without an end" if sticky_seconds == UNTIMED else f"{sticky_seconds} s"
