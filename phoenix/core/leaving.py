"""The one door through which instances leave: an action that takes some away passes once they are drained. Pure.

Must never delay traffic on its way back, nor anything that takes no instance away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from phoenix.core.action import Action, Drain, SetRole, Undrain
from phoenix.core.choice import choose_to_leave
from phoenix.core.explain import clock_time
from phoenix.core.ledger import has_no_work
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Observation, Role, Slot, SlotState
from phoenix.core.record import GroupRecord
from phoenix.core.roles import numbers
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import DrainEntry, Upkeep
from phoenix.core.work import Stage, Station, Work

NOT_ASKED: Final = Work(Stage.UNKNOWN, "is not known yet")
"""The answer of a station that was not asked about an instance."""
MOST_TOLD: Final = 2


@dataclass(frozen=True, slots=True)
class Exit:
    """The way out: its stations, and since when each instance is on it; one that is not yet has all its time."""

    stations: tuple[Station, ...]
    began: Mapping[str, datetime] = field(default_factory=dict)

    def station_of(self, instance: str, seen: Observation) -> int | None:
        """The station at which the instance is; None once it has passed all of them."""
        for number, station in enumerate(self.stations):
            is_late = station.goes_on and self._is_over(instance, number, seen.at)
            if not work_at(instance, number, seen).stage.has_none and not is_late:
                return number
        return None

    def is_overdue(self, instance: str, seen: Observation) -> bool:
        """True when the instance is still at a station, and its time there is over."""
        number = self.station_of(instance, seen)
        return number is not None and self._is_over(instance, number, seen.at)

    def ends_at(self, instance: str, number: int) -> datetime | None:
        """When its time at that station is over: what one station has left, the next one has."""
        began = self.began.get(instance)
        spent = sum((each.timeout for each in self.stations[: number + 1]), timedelta(0))
        return None if began is None else began + spent

    def _is_over(self, instance: str, number: int, at: datetime) -> bool:
        ends_at = self.ends_at(instance, number)
        return ends_at is not None and at >= ends_at


@dataclass(frozen=True, slots=True)
class Departure:
    """What may be done now. `waits`: something was held back. `overdue` says why a person has to look."""

    actions: tuple[Action, ...]
    leaving: frozenset[str] = frozenset()
    waits: bool = False
    overdue: str | None = None


def work_at(instance: str, number: int, seen: Observation) -> Work:
    """The answer of that station about the instance."""
    works = seen.works.get(instance, ())
    return works[number] if number < len(works) else NOT_ASKED


# --- who leaves -------------------------------------------------------------------------------------------------------


def taken_by(action: Action, seen: Observation, drained: Mapping[str, datetime]) -> tuple[str, ...]:
    """The instances that this action takes out of service, or ends; those that were drained for it first."""
    if not isinstance(action, SetRole):
        return ()
    state = seen.slots[action.slot]
    if action.role is Role.COLD:
        return tuple(i.id for i in state.instances if not i.leaving)
    counted = sum(i.counts for i in state.instances)
    if action.role is Role.RETAINED and seen.is_one_group:
        return (*choose_to_leave(state.instances, counted, drained), *_surplus(seen))
    then = numbers(action.role, action.count, action.owner)
    chosen = choose_to_leave(state.instances, max(counted - then.max, 0), drained)
    return (*chosen, *(i for i in _surplus(seen) if i not in chosen))


def _surplus(seen: Observation) -> tuple[str, ...]:
    """What goes with whichever size one group is given next."""
    return tuple(instance for state in seen.slots.values() for instance in state.surplus)


def let_leave(actions: tuple[Action, ...], seen: Observation, way: Exit) -> Departure:
    """The actions up to the first that would take instances which still have work; that is told them instead."""
    if not way.stations:
        return Departure(actions)
    passed: list[Action] = []
    leaving: list[str] = []
    for action in actions:
        taken = taken_by(action, seen, way.began)
        leaving.extend(taken)
        at_work = {i: n for i in taken if (n := way.station_of(i, seen)) is not None}
        if at_work and isinstance(action, SetRole):
            late = [i for i in at_work if way.is_overdue(i, seen)]
            drains = tuple(_drains(at_work, seen))
            overdue = _overdue(late, taken, seen, way) if late else None
            return Departure((*passed, *drains), frozenset(leaving), waits=True, overdue=overdue)
        is_part = isinstance(action, SetRole) and action.role is not Role.COLD
        passed.append(replace(action, leaving=taken) if is_part and taken and isinstance(action, SetRole) else action)
    return Departure(tuple(passed), frozenset(leaving))


def _drains(at_work: Mapping[str, int], seen: Observation) -> Iterator[Drain]:
    for number, slot in product(sorted(set(at_work.values())), seen.slots):
        there = {i.id for i in seen.slots[slot].instances}
        told = (i for i, at in at_work.items() if at == number and i in there)
        asked = tuple(i for i in told if work_at(i, number, seen).stage in (Stage.ACTIVE, Stage.PARTLY))
        if asked:
            yield Drain(slot, asked, number)


def _overdue(late: list[str], taken: tuple[str, ...], seen: Observation, way: Exit) -> str:
    number = way.station_of(late[0], seen) or 0
    station = way.stations[number]
    minutes = f"{station.timeout.total_seconds() / 60:g} minutes"
    return f"{progress(taken, seen, way)}: {station.name} had {minutes}, and on_timeout is hold: nothing is cut off"


# --- in a rotation ----------------------------------------------------------------------------------------------------


def exit_of(rotation: Rotation) -> Exit:
    """The way out of a rotation's instances."""
    began = {instance: entry.began for instance, entry in rotation.ledger.drains.items()}
    return Exit(rotation.terms.stations, began)


def depart(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> tuple[Rotation, Departure]:
    """What of a decision's actions may be done, with those that stay made usable again; the rotation knows of each
    instance before it is told anything."""
    if not rotation.terms.stations:
        return rotation, Departure(actions)
    found = let_leave(actions, seen, exit_of(rotation))
    noted = rotation.ledger.open(_entries(found, seen, len(rotation.terms.discovery)))
    rotation = replace(rotation, ledger=noted)
    stays = tuple(_stays_after_all(rotation, seen, found.leaving))
    kept = tuple(_kept_of_the_new(rotation, seen, found.leaving))
    asked = {i for action in found.actions if isinstance(action, Drain) for i in action.instances}
    usable = {i for i in noted.drains if has_no_work(i, seen) is False and i not in {*asked, *stays, *kept}}
    rotation = replace(rotation, ledger=noted.without_drains(usable))
    told = ((rotation.old.slot, stays), (rotation.new.slot, kept))
    undrain = tuple(Undrain(slot, ids) for slot, ids in told if ids)
    return rotation, replace(found, actions=(*found.actions, *undrain))


def _entries(found: Departure, seen: Observation, registries: int) -> Iterator[DrainEntry]:
    """One for each instance that has been asked about: what takes no work by now was drained by another. Whether
    clients find it says nothing of that: it may have had no traffic."""
    if not found.waits:
        return
    for slot, state in seen.slots.items():
        for instance in (i.id for i in state.instances if i.id in found.leaving):
            if instance in seen.works:
                had = not any(_takes_none(work) for work in seen.works[instance][registries : registries + 1])
                yield DrainEntry(slot, instance, had, seen.at, Upkeep(seen.at))


def _takes_none(work: Work) -> bool:
    return work.stage not in (Stage.ACTIVE, Stage.UNKNOWN)


def _stays_after_all(rotation: Rotation, seen: Observation, leaving: frozenset[str]) -> Iterator[str]:
    """Instances of the old generation that take no work because of us, and serve, or are about to."""
    if rotation.clocks.closing_since is not None and rotation.back is None:
        return
    old, drains = seen.slots[rotation.old.slot], rotation.ledger.drains
    # After a success the ledger is empty, and what was found by its tags alone has none: then all of it is meant.
    knows_all = rotation.back is None or (rotation.succeeded_at is None and rotation.origin.policy != "")
    back = frozenset(i.id for i in coming_back(rotation, old))
    for instance in old.instances:
        is_ours = (instance.id in drains and drains[instance.id].had) or not knows_all
        serves = instance.counts or instance.id in back
        if is_ours and serves and instance.id not in leaving and _is_to_be_told(instance, rotation, seen):
            yield instance.id


def _kept_of_the_new(rotation: Rotation, seen: Observation, leaving: frozenset[str]) -> Iterator[str]:
    """Instances of the new generation that were more than was needed, and are needed now."""
    if rotation.back is not None:
        return
    drains = rotation.ledger.drains
    for instance in seen.slots[rotation.new.slot].instances:
        is_ours = instance.id in drains and drains[instance.id].had
        is_kept = instance.counts and instance.id not in leaving
        if is_ours and is_kept and _is_to_be_told(instance, rotation, seen):
            yield instance.id


def _is_to_be_told(instance: Instance, rotation: Rotation, seen: Observation) -> bool:
    """On the way back also while it is not known: the way back asks nothing before traffic has moved."""
    if not rotation.terms.before_leaving:
        return False
    works = seen.works.get(instance.id)
    if works is None:
        return rotation.back is not None
    return any(not each.is_usable for each in works[len(rotation.terms.discovery) :])


def coming_back(rotation: Rotation, old: SlotState) -> tuple[Instance, ...]:
    """Those of the reserve that the way back takes into service now."""
    if rotation.back is None:
        return ()
    missing = max(rotation.need - sum(i.counts for i in old.instances), 0)
    return tuple(i for i in old.instances if i.healthy and i.lifecycle is Lifecycle.RESERVE)[:missing]


# --- whom to ask ------------------------------------------------------------------------------------------------------


def to_ask(record: GroupRecord, seen: Observation) -> tuple[str, ...]:
    """The instances whose work matters now. None before traffic has moved back."""
    rotation = record.rotation
    if rotation is None or not rotation.terms.before_leaving:
        return ()
    slots, few = _slots_to_ask(record, rotation, seen), {*_surplus(seen)}
    few |= {*rotation.ledger.drains} if rotation.in_flight and rotation.back is None else set()
    return tuple(
        i.id
        for slot, state in seen.slots.items()
        for i in state.instances
        if not i.leaving and (slot in slots or i.id in few)
    )


def _slots_to_ask(record: GroupRecord, rotation: Rotation, seen: Observation) -> tuple[Slot, ...]:
    old, new, clocks = rotation.old.slot, rotation.new.slot, rotation.clocks
    if not rotation.in_flight:
        left = record.live.slot.other if record.live is not None else None
        is_hot = record.hot_until is not None and seen.at < record.hot_until
        return (left,) if left is not None and not is_hot else ()
    if rotation.back is not None:
        return (old, new) if clocks.shifted_at is not None else ()
    if rotation.step == 0:
        return (new,)
    shrinks = clocks.shifted_at is not None and clocks.baking_since is None
    return (old,) if shrinks or clocks.closing_since is not None or rotation.ledger.drains else ()


# --- in words ---------------------------------------------------------------------------------------------------------


def progress(taken: tuple[str, ...], seen: Observation, way: Exit) -> str:
    """`3 of 6 drained: i-0a has 4 tasks (ecs shop)`."""
    at_work = {i: n for i in taken if (n := way.station_of(i, seen)) is not None}
    told = []
    for instance, number in list(at_work.items())[:MOST_TOLD]:
        words = work_at(instance, number, seen).words
        told.append(f"{instance} {words or 'has work'} ({way.stations[number].name})")
    more = f" and {len(at_work) - MOST_TOLD} more" if len(at_work) > MOST_TOLD else ""
    return f"{len(taken) - len(at_work)} of {len(taken)} drained: {', '.join(told)}{more}"


def waiting_to_leave(rotation: Rotation, seen: Observation) -> str:
    """The same of the instances that the rotation is draining, and until when at most; empty when it drains none."""
    way, slots = exit_of(rotation), seen.slots
    there = {i.id for slot in slots.values() for i in slot.instances if not i.leaving}
    back = rotation.old.slot if rotation.back is not None else None
    drains = rotation.ledger.drains
    taken = tuple(i for i, entry in drains.items() if i in there and entry.slot is not back)
    if not taken or all(way.station_of(i, seen) is None for i in taken):
        return ""
    last = next(i for i in taken if way.station_of(i, seen) is not None)
    number = way.station_of(last, seen) or 0
    until = clock_time(way.ends_at(last, number) or seen.at)
    then = "it leaves all the same" if way.stations[number].goes_on else "it is held"
    return f"{progress(taken, seen, way)}, at most until {until}, then {then}"
