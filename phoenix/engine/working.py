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
from phoenix.core.action import Drain, Undrain
from phoenix.core.explain import ago
from phoenix.core.leaving import to_ask
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
    """With what each station says about every instance that may leave soon, or is to be used again."""
    instances = to_ask(sight.record, sight.seen)
    return with_works_of(group, sight, instances) if instances else sight


def with_works_of(group: Ports, sight: Sight, instances: Sequence[str]) -> Sight:
    """The same for these instances."""
    rotation = sight.record.rotation
    if rotation is None:
        return sight
    leavers = Leavers(tuple(instances), rotation.id, rotation.started_at)
    stations = rotation.terms.before_leaving
    ask = dict(enumerate(group.orchestrators))
    answers = each(
        lambda number: _ask(ask[number], leavers), ask, at_a_time=max(len(ask), 1), seconds=BUDGET.total_seconds()
    )
    silent = Work(Stage.UNKNOWN, f"is not known: no answer for {ago(BUDGET)}" if ask else "is not known: no policy")
    unknown = dict.fromkeys(leavers.instances, silent)
    found = [answers.get(number, unknown) for number in range(len(stations))]
    works = {instance: tuple(answer[instance] for answer in found) for instance in leavers.instances}
    return replace(sight, seen=replace(sight.seen, works=works))


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


def _leavers_of(record: GroupRecord, instances: Sequence[str]) -> Leavers:
    """For the rotation that the record knows, in flight or over; without any, no run of a station is found again."""
    rotation = record.rotation
    if rotation is None:
        return Leavers(tuple(instances), "", _LONG_AGO)
    return Leavers(tuple(instances), rotation.id, rotation.started_at)


def _ask(station: Orchestrator, leavers: Leavers) -> Mapping[str, Work]:
    try:
        found = station.observe(leavers)
    except PhoenixError as error:
        log.warning("station.unanswered", extra={"station": station.name, "reason": error.message})
        return dict.fromkeys(leavers.instances, Work(Stage.UNKNOWN, f"is not known: {error.message}"))
    return {instance: found.get(instance, Work(Stage.ABSENT)) for instance in leavers.instances}


def tell(group: Ports, record: GroupRecord, action: Drain | Undrain) -> None:
    """Carry out one action. Before traffic is back, an error is no reason to stop: the next look tries again.

    Raises:
        PhoenixError: a station refuses, or cannot be reached.
    """
    leavers = _leavers_of(record, action.instances)
    if isinstance(action, Drain):
        stations = tuple(group.orchestrators)
        if action.station >= len(stations):
            raise TransientError("this driver does not know what instances pass before they leave: it has no policy")
        stations[action.station].drain(leavers)
        return
    for station in reversed(tuple(group.orchestrators)):
        try:
            station.undrain(leavers)
        except PhoenixError as error:
            if record.rotation is None or not _comes_before_traffic(record.rotation):
                raise
            log.warning("station.not_told", extra={"station": station.name, "reason": error.message})


def _comes_before_traffic(rotation: Rotation) -> bool:
    return rotation.in_flight and rotation.back is not None and rotation.clocks.closing_since is None
