"""Which instances clients are to find in the registries of `discovery`, and what has to wait for that. Pure.

An instance is announced once its step gives it traffic, and withdrawn before it leaves; that last goes through the door
of `leaving`, where a registry is a station. Must never let the last announced instance go, nor keep traffic from its
way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from phoenix.core.action import Action, Announce, Drain, SetRole
from phoenix.core.explain import clock_time
from phoenix.core.leaving import coming_back, exit_of, taken_by, to_ask, work_at
from phoenix.core.model import Observation, Slot
from phoenix.core.ready import has_settled, may_go_back
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Sides, sides_of
from phoenix.core.work import Stage

MOST_TOLD: Final = 2
_ANNOUNCED_BY_NOW: Final = (Stage.ACTIVE, Stage.PARTLY)


@dataclass(frozen=True, slots=True)
class Announcing:
    """The actions that may be done now, and what the registries are told after them. `overdue` says why a person has to
    look: something was held back for too long."""

    passed: tuple[Action, ...]
    told: tuple[Action, ...] = ()
    overdue: str | None = None


def announce(rotation: Rotation, seen: Observation, wanted: tuple[Action, ...]) -> Announcing:
    """What of a decision's actions may be done: nothing that takes instances from the generation that gives way, as
    long as clients do not find all of the one that takes over."""
    if not rotation.terms.discovery:
        return Announcing(wanted)
    sides, began = sides_of(rotation, seen), exit_of(rotation).began
    taken = {instance for action in wanted for instance in taken_by(action, seen, began)}
    meant = {slot: tuple(i for i in ids if i not in taken) for slot, ids in _meant(rotation, sides, seen).items()}
    lacks = _lacks(rotation, sides, seen, meant)
    is_late = bool(lacks) and _is_late(rotation, seen)
    goes_on = all(station.goes_on for station in rotation.terms.discovery)
    passed = wanted if not lacks or (is_late and goes_on) else _up_to_the_loss(rotation, sides, seen, wanted)
    overdue = _overdue(rotation, lacks) if is_late and not goes_on and passed != wanted else None
    told = (*_announcements(rotation, seen, meant), *(() if lacks else _of_no_traffic(rotation, sides, seen)))
    return Announcing(passed, (*told, *_of_the_gone(rotation, seen)), overdue)


# --- who is to be found -----------------------------------------------------------------------------------------------


def _meant(rotation: Rotation, sides: Sides, seen: Observation) -> Mapping[Slot, tuple[str, ...]]:
    """The instances that are to be found now, of the generation that takes over first."""
    old, new = rotation.old.slot, rotation.new.slot
    of_old, of_new = (tuple(i.id for i in side.ready) for side in (sides.old, sides.new))
    if rotation.back is not None:
        goes = rotation.clocks.shifted_at is not None or may_go_back(rotation, sides, seen.at)
        reserve = tuple(i.id for i in coming_back(rotation, sides.old.state))
        return {old: (*(of_old if goes else ()), *reserve)}
    is_proved = rotation.clocks.closing_since is not None or (
        rotation.clocks.proved_at is not None and rotation.current.new_weight > 0
    )
    found = {new: of_new} if is_proved else {}
    return found if _has_given_way(rotation, sides) else {**found, old: of_old}


def _has_given_way(rotation: Rotation, sides: Sides) -> bool:
    """True once no weight is left on the old generation. Without weights it serves as long as it is there."""
    is_shifted = rotation.clocks.shifted_at is not None or rotation.clocks.closing_since is not None
    return rotation.terms.serving.weights and is_shifted and rotation.current.new_weight == 100 and sides.new.has(100)


def _lacks(
    rotation: Rotation, sides: Sides, seen: Observation, meant: Mapping[Slot, tuple[str, ...]]
) -> tuple[str, ...]:
    """Why clients would miss the generation that takes over, in words; empty when they find all of it."""
    winner, _ = sides.end(back=rotation.back is not None)
    slot = winner.generation.slot
    lacks = tuple(words for instance in meant.get(slot, ()) if (words := lacking(instance, rotation, seen)))
    if lacks or rotation.need == 0 or any(not lacking(i.id, rotation, seen) for i in winner.own):
        return lacks
    return (f"no instance of generation {winner.generation.number} is announced",)


def lacking(instance: str, rotation: Rotation, seen: Observation) -> str:
    """Why clients do not find an instance in every registry: `i-0a is not registered (cloud_map web)`; empty: they do,
    or it is not phoenix's business."""
    for number, station in enumerate(rotation.terms.discovery):
        work = work_at(instance, number, seen)
        if not work.stage.takes_work:
            return f"{instance} {work.words or 'is not announced'} ({station.name})"
    return ""


# --- what waits for it ------------------------------------------------------------------------------------------------


def _up_to_the_loss(
    rotation: Rotation, sides: Sides, seen: Observation, wanted: tuple[Action, ...]
) -> tuple[Action, ...]:
    """The actions before the first that takes instances from the generation that gives way."""
    loser, began = sides.end(back=rotation.back is not None)[1].generation.slot, exit_of(rotation).began
    for number, action in enumerate(wanted):
        if isinstance(action, SetRole) and action.slot is loser and taken_by(action, seen, began):
            return wanted[:number] if rotation.step > 0 else wanted
    return wanted


def _is_late(rotation: Rotation, seen: Observation) -> bool:
    since = rotation.clocks.closing_since or rotation.clocks.shifted_at
    return since is not None and seen.at >= since + _patience(rotation)


def _patience(rotation: Rotation) -> timedelta:
    return max(station.timeout for station in rotation.terms.discovery)


def _overdue(rotation: Rotation, lacks: tuple[str, ...]) -> str:
    minutes = f"{_patience(rotation).total_seconds() / 60:g} minutes"
    return f"not announced for {minutes}: {_some(lacks)}; on_timeout is hold: what clients find does not leave"


# --- what the registries are told -------------------------------------------------------------------------------------


def _announcements(rotation: Rotation, seen: Observation, meant: Mapping[Slot, tuple[str, ...]]) -> Iterator[Announce]:
    """On the way back also those that were not asked about: it asks nothing before traffic has moved."""
    is_blind = rotation.back is not None and rotation.clocks.shifted_at is None
    for slot, ids in meant.items():
        told = tuple(i for i in ids if is_blind or is_to_be_told(i, rotation, seen))
        if told:
            yield Announce(slot, told)


def is_to_be_told(instance: str, rotation: Rotation, seen: Observation) -> bool:
    """True when a registry has answered that clients do not find it, or will not soon."""
    stages = {work_at(instance, number, seen).stage for number in range(len(rotation.terms.discovery))}
    return bool(stages & {Stage.DRAINED, Stage.LEAVING})


def _of_no_traffic(rotation: Rotation, sides: Sides, seen: Observation) -> Iterator[Drain]:
    """Withdraw a generation that stays, and has no weight any more."""
    if not rotation.terms.serving.weights or not has_settled(rotation, seen.at):
        return
    if rotation.back is None and not _has_given_way(rotation, sides):
        return
    loser = sides.end(back=rotation.back is not None)[1].state
    yield from withdraw(loser.slot, [i.id for i in loser.instances if not i.leaving], rotation, seen)


def _of_the_gone(rotation: Rotation, seen: Observation) -> Iterator[Drain]:
    """Withdraw instances that end, have ended, or were taken out of service by another writer."""
    # On the way back those of the reserve come into service.
    for slot, ids in gone(seen, stands_by_too=rotation.back is None):
        yield from withdraw(slot, ids, rotation, seen)


def gone(seen: Observation, *, stands_by_too: bool) -> Iterator[tuple[Slot, list[str]]]:
    """Instances that serve no more, by slot; one that ends stays announced as long as clients find no other."""
    there = {i.id: i for state in seen.slots.values() for i in state.instances}
    is_served = any(
        each in there and there[each].in_service and works[0].stage is Stage.ACTIVE
        for each, works in seen.works.items()
        if works
    )
    for slot, state in seen.slots.items():
        leaves = [i.id for i in state.instances if is_served and (i.leaving or (stands_by_too and i.stands_by))]
        if leaves:
            yield slot, leaves
    astray = [each for each in seen.works if each not in there]
    if astray:
        yield next(iter(seen.slots)), astray


def withdraw(slot: Slot, ids: list[str], rotation: Rotation, seen: Observation) -> Iterator[Drain]:
    """One action for each registry in which any of them is announced."""
    for number in range(len(rotation.terms.discovery)):
        told = tuple(i for i in ids if work_at(i, number, seen).stage in _ANNOUNCED_BY_NOW)
        if told:
            yield Drain(slot, told, number)


# --- whom to ask ------------------------------------------------------------------------------------------------------


def questions(record: GroupRecord, seen: Observation) -> tuple[tuple[str, ...], ...]:
    """For each station the instances about which it is asked now. Registries are asked about all, and about none before
    traffic has moved back."""
    rotation = record.rotation
    if rotation is None or not rotation.terms.stations:
        return ()
    is_silent = rotation.in_flight and rotation.back is not None and rotation.clocks.shifted_at is None
    everyone = () if is_silent else tuple(i.id for state in seen.slots.values() for i in state.instances)
    leavers = to_ask(record, seen)
    return (everyone,) * len(rotation.terms.discovery) + (leavers,) * len(rotation.terms.before_leaving)


# --- in words ---------------------------------------------------------------------------------------------------------


def _some(lacks: tuple[str, ...]) -> str:
    more = f" and {len(lacks) - MOST_TOLD} more" if len(lacks) > MOST_TOLD else ""
    return f"{', '.join(lacks[:MOST_TOLD])}{more}"


def waiting_to_be_found(rotation: Rotation, seen: Observation) -> str:
    """`0 of 4 announced: i-0a is not registered (cloud_map web), …`; empty when clients find all that they should."""
    if not rotation.terms.discovery:
        return ""
    sides = sides_of(rotation, seen)
    winner, _ = sides.end(back=rotation.back is not None)
    meant = _meant(rotation, sides, seen).get(winner.generation.slot, ())
    lacks = tuple(words for instance in meant if (words := lacking(instance, rotation, seen)))
    if not lacks or not seen.works:
        return ""
    until = (rotation.clocks.closing_since or rotation.clocks.shifted_at or seen.at) + _patience(rotation)
    return f"{len(meant) - len(lacks)} of {len(meant)} announced: {_some(lacks)}, at most until {clock_time(until)}"
