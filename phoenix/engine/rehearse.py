"""Rehearse a rotation on a copy of its group: the same looks, decisions and adapters, in no time. Nothing is written.

An undisturbed day: launches succeed, gates that ask a service pass, and a bake that waits for a person is promoted at
once. Must never keep a start from being made: what cannot be rehearsed is planned by estimates.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.decide import decide
from phoenix.core.generation import Generation
from phoenix.core.milestones import with_first_healthy
from phoenix.core.model import Observation, Outcome
from phoenix.core.planned_call import UNKNOWN_ID, PlannedCall
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, sides_of
from phoenix.core.story import Ask
from phoenix.core.upkeep import record_taken
from phoenix.engine.apply import carry_out
from phoenix.engine.asking import Asking
from phoenix.engine.group import Group, Rehearsal
from phoenix.engine.observe import observe, with_failover
from phoenix.engine.request import RotateRequest
from phoenix.engine.start import new_record
from phoenix.engine.survey import Survey
from phoenix.errors import PhoenixError

log = logging.getLogger(__name__)

LAUNCH_ESTIMATE: Final = timedelta(minutes=2)
"""From a launch to a healthy target where no earlier rotation has shown how long it takes."""
_MOST_LOOKS: Final = 1000
_MOMENT: Final = timedelta(seconds=1)
"""The time that AWS is given to show what it was told."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The world when a step had been proved: instances of each generation, how long after the start, which calls."""

    number: int
    new: int
    old: int
    starts_after: timedelta


@dataclass(frozen=True, slots=True)
class Course:
    """A rehearsed rotation. `worst` are the fewest instances that served, `peak` the most that ran; `extra` is how much
    longer instances ran than those that are needed, all of them together, up to the end."""

    calls: tuple[PlannedCall, ...]
    stages: tuple[Stage, ...]
    worst: int
    peak: int
    extra: timedelta
    left_over: int
    ends_after: timedelta


@dataclass(slots=True)
class _Notes:
    """What was seen on the way."""

    began: datetime
    at: datetime
    worst: int
    peak: int = 0
    running: int = 0
    extra: timedelta = timedelta(0)
    stages: dict[int, Stage] = field(default_factory=dict)

    def take(self, rotation: Rotation, seen: Observation) -> None:
        """Note one look; what ran at the look before has run until now."""
        self.extra += (self.running - rotation.need) * (seen.at - self.at) if self.running else timedelta(0)
        self.at = seen.at
        sides = sides_of(rotation, seen)
        self.running = sum(not i.leaving for state in seen.slots.values() for i in state.instances)
        self.worst = min(self.worst, _serving(sides.old) + _serving(sides.new))
        self.peak = max(self.peak, self.running)
        if rotation.clocks.proved_at is not None and rotation.step not in self.stages:
            old = sum(i.counts for i in sides.old.state.instances)
            self.stages[rotation.step] = Stage(rotation.step, sides.new.ready_count, old, seen.at - self.began)


def _serving(side: Side) -> int:
    return side.ready_count if not side.shares or side.is_exposed else 0


def launch_estimate(record: GroupRecord) -> timedelta:
    """How long an instance takes to be healthy: as long as those of the last rotation."""
    last = record.rotation
    return last.candidate.grew_in if last is not None and last.candidate.grew_in is not None else LAUNCH_ESTIMATE


def rehearse(group: Group, found: Survey, new: Generation, request: RotateRequest) -> Course | None:
    """The rotation to `new` as it would go; None where it cannot be told."""
    if group.open_rehearsal is None:
        return None
    try:
        copy = group.open_rehearsal(found.seen.at, launch_estimate(found.record))
        on_copy = replace(
            group,
            fleet=copy.fleet,
            router=copy.router,
            clock=copy.clock,
            tracer=copy.tracer,
            gates=tuple(gate for gate in group.gates if gate.judges_alone),
            asking=Asking(),
            registries=(),
            orchestrators=(),  # a plan must not move the work of instances
        )
        return _run(on_copy, copy, _begin(on_copy, found, new, request))
    except PhoenixError as error:
        log.info("plan.not_rehearsed", extra={"group": group.name, "reason": error.message})
        return None


def _begin(group: Group, found: Survey, new: Generation, request: RotateRequest) -> GroupRecord:
    record = new_record(group, found, new, request)
    rotation = record.rotation
    assert rotation is not None  # noqa: S101 - it was made this moment
    terms = replace(rotation.terms, before_leaving=(), discovery=())
    return replace(record, rotation=replace(rotation, id=f"{group.name}-{new.number}-{UNKNOWN_ID}", terms=terms))


def _run(group: Group, copy: Rehearsal, record: GroupRecord) -> Course | None:
    began, need = copy.clock.now(), record.rotation.need if record.rotation is not None else 0
    notes = _Notes(began, began, worst=need)
    for _ in range(_MOST_LOOKS):
        sight = with_failover(group, observe(group, record))
        decision = decide(sight.record, sight.seen)
        record = with_first_healthy(decision.record, sight.seen)
        rotation = record.rotation
        if rotation is None or rotation.held is not None or rotation.back is not None:
            return None
        notes.take(rotation, sight.seen)
        if not rotation.in_flight:
            return _course(rotation, notes, copy.calls)
        for action in decision.actions:
            record = carry_out(group, record, action)
        record = _promoted(replace(record, rotation=record_taken(rotation, sight.seen, decision.actions)))
        if not _pass_time(copy, decision.look_again_at, acted=bool(decision.actions)):
            return None
    return None


def _course(rotation: Rotation, notes: _Notes, calls: Sequence[PlannedCall]) -> Course | None:
    if rotation.outcome is not Outcome.SUCCEEDED:
        return None
    return Course(
        calls=tuple(calls),
        stages=tuple(notes.stages[number] for number in sorted(notes.stages)),
        worst=notes.worst,
        peak=notes.peak,
        extra=notes.extra,
        left_over=notes.running - rotation.need,
        ends_after=notes.at - notes.began,
    )


def _promoted(record: GroupRecord) -> GroupRecord:
    rotation = record.rotation
    if rotation is None or rotation.clocks.baking_since is None or rotation.current.bake is not None:
        return record
    if rotation.clocks.promoted is not None:
        return record
    ask = Ask(rotation.clocks.baking_since, "rehearsal")
    return replace(record, rotation=rotation.promote(ask, to_end=False))


def _pass_time(copy: Rehearsal, due: datetime | None, *, acted: bool) -> bool:
    """Let time pass until there is something to see; False where nothing would ever happen."""
    now = copy.clock.now()
    if due is not None and due <= now:
        return True
    moments = [at for at in (due, copy.next_event(), now + _MOMENT if acted else None) if at is not None]
    if moments:
        copy.clock.sleep((min(moments) - now).total_seconds())
    return bool(moments)
