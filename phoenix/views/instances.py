"""The instances of both slots, by what they say: each with its zone, its age, its version, and AWS's words for it.

Must never call an instance healthy that no health source lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.model import Instance, Role
from phoenix.core.ready import shortcoming
from phoenix.core.sides import is_ready
from phoenix.engine.report import Report
from phoenix.views import text
from phoenix.views.situation import SlotRow, rows, tells_health

_MOST: Final = 4
"""Instances of one kind that are named unless all are asked for."""
_INDENT: Final = " " * 7


@dataclass(frozen=True, slots=True)
class Told:
    """One instance, and why it is not ready; `reason` empty for one that is."""

    instance: Instance
    ready: bool
    reason: str


def told_of(report: Report, row: SlotRow) -> list[Told]:
    """Return the instances in the slot of a row, those that are not ready first, by zone and id; empty if there was no
    observation."""
    seen = report.seen
    state = seen.slots.get(row.generation.slot) if seen is not None else None
    if seen is None or state is None:
        return []
    has_health = tells_health(seen)
    found = [Told(i, is_ready(i, has_health), _reason(i, has_health)) for i in state.instances]
    return sorted(found, key=lambda told: (told.ready, told.instance.zone, told.instance.id))


def _reason(instance: Instance, has_health: bool) -> str:
    if is_ready(instance, has_health):
        return ""
    condemned = ", Unhealthy" if not instance.healthy and not instance.in_service else ""
    return shortcoming(instance) + condemned


def table(report: Report, *, verbose: bool = False, driving: bool = False) -> list[str]:
    """Return the instances under their generation and their reason. Without `verbose` only those of a generation in
    flight and those that are not ready, and some of each kind; while `driving` only those that are waited for."""
    lines: list[str] = []
    for row in rows(report.record, report.seen):
        told = told_of(report, row)
        is_whole = verbose or (_is_in_flight(report, row) and not driving)
        shown = told if is_whole else [each for each in told if not each.ready]
        for reason in dict.fromkeys(each.reason for each in shown):
            same = [each for each in shown if each.reason == reason]
            lines += _of_one_kind(report, row, same, len(same) if verbose else _MOST)
        lines += _flapping(report, row)
    return lines


def _is_in_flight(report: Report, row: SlotRow) -> bool:
    rotation = report.record.in_flight
    return rotation is not None and row.role is Role.CANDIDATE and rotation.back is None


def _of_one_kind(report: Report, row: SlotRow, same: Sequence[Told], most: int) -> list[str]:
    heading = f"{len(same)}x {same[0].reason or _well(report)}"
    lines = text.paragraph(heading, first=f"  {row.generation.number:>3}  ", rest=_INDENT)
    cells = [_cells(each.instance, report.at) for each in same[:most]]
    lines += [f"{_INDENT}{line.removeprefix('  ')}" for line in text.table([""] * len(cells[0]), cells)[1:]]
    left = len(same) - most
    return lines + ([f"{_INDENT}and {counted(left, 'instance')} more (status -v)"] if left > 0 else [])


def _well(report: Report) -> str:
    return "healthy" if report.seen is not None and tells_health(report.seen) else "in service"


def _cells(instance: Instance, at: datetime) -> list[str]:
    return [
        instance.id,
        instance.zone,
        age(instance, at),
        f"v{instance.template_version}" if instance.template_version else "-",
        instance.lifecycle_words,
        str(instance.target) if instance.target is not None else "-",
    ]


def age(instance: Instance, at: datetime) -> str:
    """Return the time since the launch; `-` where EC2 was not asked."""
    return "-" if instance.launched_at is None else ago(at - instance.launched_at)


def _flapping(report: Report, row: SlotRow) -> list[str]:
    """Return how often a generation has been ready and was so no more, which its last word alone does not show."""
    rotation = report.record.in_flight
    if rotation is None or not _is_in_flight(report, row) or not rotation.growth.times_ready:
        return []
    growth = rotation.growth
    longest = f", longest {ago(growth.longest_ready)}" if growth.longest_ready is not None else ""
    return [f"{_INDENT}was {_well(report)} {counted(growth.times_ready, 'time')}{longest}"]
