"""Ask for what explains a failed rotation as long as it is there: the console of an instance, the alarms' measurements.

Must never hold up the way back or fail it: each answer is asked for once, and a refusal is told in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, runtime_checkable

from phoenix.core.chronicle import MOST_CONSOLE, MOST_POINTS, Console, Evidence, Series
from phoenix.core.milestones import newest
from phoenix.core.model import Cause, Judgement, Observation
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import sides_of
from phoenix.engine.group import Ports
from phoenix.errors import PhoenixError

T = TypeVar("T")

log = logging.getLogger(__name__)

BEFORE: Final = timedelta(minutes=30)
"""Measurements from before the new generation had traffic show the usual values."""
_MOST_SERIES: Final = 4


@runtime_checkable
class Measuring(Protocol):
    """A gate that judges by measurements, and can show them."""

    name: str

    def measure(self, since: datetime, until: datetime) -> Sequence[Series]:
        """The measurements of that time behind what speaks against the candidate now; a few reads."""


def ask_for_evidence(group: Ports, record: GroupRecord, seen: Observation) -> GroupRecord:
    """The record with the rest of its rotation's evidence. A person goes back from instances that look well, too: the
    console is then that of one of these."""
    rotation = record.rotation
    evidence = rotation.chronicle.evidence if rotation is not None else None
    if rotation is None or evidence is None:
        return record
    refused: list[str] = []
    found = replace(
        evidence,
        console=_console(group, _instance(rotation, evidence, seen), refused),
        series=_series(group, rotation, evidence, refused),
        asked_at=evidence.at,
        missing=tuple(refused),
    )
    return replace(record, rotation=replace(rotation, chronicle=replace(rotation.chronicle, evidence=found)))


def _instance(rotation: Rotation, evidence: Evidence, seen: Observation) -> str | None:
    """The first one that failed, else any of the new generation: the others run the same image."""
    if evidence.instances:
        return evidence.instances[0].id
    there = newest(rotation, sides_of(rotation, seen)) if rotation.cause is Cause.OPERATOR else ()
    return there[0].id if there else None


def _console(group: Ports, instance: str | None, refused: list[str]) -> Console | None:
    if instance is None:
        return None
    text = _answer(lambda: group.fleet.console_of(instance), f"the console of {instance}", refused)
    if text == "":
        refused.append(f"the console of {instance}: EC2 had none yet")
    return Console(instance, text[-MOST_CONSOLE:]) if text else None


def _series(group: Ports, rotation: Rotation, evidence: Evidence, refused: list[str]) -> tuple[Series, ...]:
    """Of the gates that have failed; a long time is shown by its end."""
    failed = {judged.gate for judged in evidence.verdicts if judged.judgement is Judgement.FAIL}
    since = max((rotation.exposed_at or rotation.started_at) - BEFORE, evidence.at - timedelta(minutes=MOST_POINTS))
    found: list[Series] = []
    for gate in group.gates:
        if gate.name in failed and isinstance(gate, Measuring):
            measured = _answer(_measure(gate, since, evidence.at), f"the measurements of {gate.name}", refused)
            found += measured or ()
    return tuple(replace(series, points=series.points[-MOST_POINTS:]) for series in found[:_MOST_SERIES])


def _measure(gate: Measuring, since: datetime, until: datetime) -> Callable[[], Sequence[Series]]:
    return lambda: gate.measure(since, until)


def _answer(ask: Callable[[], T], what: str, refused: list[str]) -> T | None:
    try:
        return ask()
    except PhoenixError as error:
        log.warning("evidence.not_had", extra={"what": what, "reason": error.message})
        refused.append(f"{what}: {error.message}")
        return None
