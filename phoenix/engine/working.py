"""Ask the stations of `before_leaving` about instances whose work matters now, and tell them what was decided.

Must never spoil a look: a station that does not answer keeps its instances where they are. Must never stand in the way
of traffic that goes back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from phoenix.aside import each
from phoenix.core.action import Announce, Drain, Undrain
from phoenix.core.announcing import questions
from phoenix.core.explain import ago
from phoenix.core.leaving import NOT_ASKED
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.work import Stage, Work
from phoenix.engine.group import Ports
from phoenix.engine.observe import Sight
from phoenix.errors import PhoenixError, TransientError
from phoenix.orchestrator import Leavers, Orchestrator

log = logging.getLogger(__name__)

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
BUDGET: Final = timedelta(seconds=10)
"""The time that all stations together have to answer. What was seen of AWS is acted upon for 30 s."""


def with_works(group: Ports, sight: Sight) -> Sight:
    """With what each station says about every instance that may leave soon, or is to be used again, and each registry
    about all of them."""
    record, asked = sight.record, questions(sight.record, sight.seen)
    rotation = record.rotation
    if rotation is None or not any(asked):
        return sight
    known = _adapters(group, rotation)
    ask = {number: known[number] for number, ids in enumerate(asked) if ids and number in known}
    answers = each(
        lambda number: _ask(ask[number], _leavers_of(record, asked[number])),
        ask,
        at_a_time=max(len(ask), 1),
        seconds=BUDGET.total_seconds(),
    )
    registries = len(rotation.terms.discovery)
    named = {instance for ids in asked for instance in ids}
    astray = {i for number, found in answers.items() if number < registries for i in found}
    instances = (*dict.fromkeys(i for ids in asked for i in ids), *sorted(astray - named))
    silent = {number: _silence(number in ask) for number in range(len(asked))}
    works = {
        instance: tuple(
            answers.get(number, dict.fromkeys(ids, silent[number])).get(instance, NOT_ASKED)
            for number, ids in enumerate(asked)
        )
        for instance in instances
    }
    return replace(sight, seen=replace(sight.seen, works=works))


def with_registries(group: Ports, sight: Sight) -> Sight:
    """The same at rest, where only `repair` asks the registries."""
    rotation = sight.record.rotation
    return sight if rotation is None or rotation.in_flight or not rotation.terms.discovery else with_works(group, sight)


def _silence(was_asked: bool) -> Work:
    return Work(Stage.UNKNOWN, f"is not known: no answer for {ago(BUDGET)}" if was_asked else "is not known: no policy")


def _adapters(group: Ports, rotation: Rotation) -> Mapping[int, Orchestrator]:
    """The rotation's stations by number. Found by name: at rest the policy may list others by now."""
    left, found = [*group.registries, *group.orchestrators], dict[int, Orchestrator]()
    for number, station in enumerate(rotation.terms.stations):
        made = next((each for each in left if each.name == station.name), None)
        if made is not None:
            left.remove(made)
            found[number] = made
    return found


def find_idle(group: Ports, record: GroupRecord, instances: Sequence[str]) -> Mapping[str, str]:
    """Those of the instances that a station gives no work, with its name. For a group at rest.

    Raises:
        PhoenixError: a station does not answer.
    """
    leavers, idle = _leavers_of(record, instances), dict[str, str]()
    for station in group.orchestrators if instances else ():
        found = station.observe(leavers)
        idle |= {i: station.name for i, work in found.items() if not work.is_usable and i not in idle}
    return {instance: idle[instance] for instance in instances if instance in idle}


def _leavers_of(record: GroupRecord, instances: Sequence[str], slot: Slot | None = None) -> Leavers:
    """For the rotation that the record knows, in flight or over; without any, no run of a station is found again."""
    rotation = record.rotation
    if rotation is None:
        return Leavers(tuple(instances), "", _LONG_AGO)
    numbers = {rotation.old.slot: rotation.old.number, rotation.new.slot: rotation.new.number}
    return Leavers(tuple(instances), rotation.id, rotation.started_at, numbers[slot] if slot is not None else 0)


def _ask(station: Orchestrator, leavers: Leavers) -> Mapping[str, Work]:
    try:
        found = station.observe(leavers)
    except PhoenixError as error:
        log.warning("station.unanswered", extra={"station": station.name, "reason": error.message})
        return dict.fromkeys(leavers.instances, Work(Stage.UNKNOWN, f"is not known: {error.message}"))
    return {**found, **{instance: found.get(instance, Work(Stage.ABSENT)) for instance in leavers.instances}}


def tell(group: Ports, record: GroupRecord, action: Drain | Undrain | Announce) -> None:
    """Carry out one action. Before traffic is back, an error is no reason to stop: the next look tries again.

    Raises:
        PhoenixError: a station refuses, or cannot be reached.
    """
    leavers, rotation = _leavers_of(record, action.instances, action.slot), record.rotation
    known = _adapters(group, rotation) if rotation is not None else {}
    if isinstance(action, Drain):
        if action.station not in known:
            raise TransientError("this driver does not know what instances pass before they leave: it has no policy")
        known[action.station].drain(leavers)
        return
    registries = len(rotation.terms.discovery) if rotation is not None else 0
    stations = [known[number] for number in sorted(known) if number < registries]
    for station in reversed(stations if isinstance(action, Announce) else tuple(group.orchestrators)):
        try:
            station.undrain(leavers)
        except PhoenixError as error:
            if rotation is None or not _comes_before_traffic(rotation):
                raise
            log.warning("station.not_told", extra={"station": station.name, "reason": error.message})


def _comes_before_traffic(rotation: Rotation) -> bool:
    return rotation.in_flight and rotation.back is not None and rotation.clocks.closing_since is None
