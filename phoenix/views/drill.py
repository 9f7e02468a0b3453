"""The screens and documents of drills: what would be ended, the time line, and which groups need longest.

Must never show a group without a measured drill as a fast one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from phoenix.core.blocker import Blocker
from phoenix.core.drill import Drill, Ending
from phoenix.core.explain import ago, counted
from phoenix.engine.drill import DrillPlan
from phoenix.errors import PhoenixError
from phoenix.views import documents, text
from phoenix.views.json import drill as drill_document
from phoenix.views.json import failed_group

_WORDS = {Ending.WHOLE: "WHOLE AGAIN", Ending.FAILED: "FAILED", Ending.STOPPED: "STOPPED", None: "DRILLING"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A group among all: its newest drill that was measured, and how many there are. `slowest` None: none was."""

    group: str
    measured: int
    failed: int
    slowest: timedelta | None
    last: Drill | None


def standing_of(group: str, drills: Sequence[Drill]) -> Standing:
    """The group's place in the ranking: what counts is the slowest drill, for that is what an incident may cost."""
    took = [drill.took for drill in drills if drill.took is not None]
    failed = sum(drill.ending is Ending.FAILED for drill in drills)
    return Standing(group, len(took), failed, max(took, default=None), drills[-1] if drills else None)


def ranked(standings: Sequence[Standing]) -> list[Standing]:
    """Groups that were not whole in time first, then the slowest; those that were never drilled last."""

    def place(standing: Standing) -> tuple[bool, timedelta, bool, str]:
        last_failed = standing.last is not None and standing.last.ending is Ending.FAILED
        return not last_failed, -(standing.slowest or timedelta(0)), standing.last is None, standing.group

    return sorted(standings, key=place)


def plan(told: DrillPlan) -> str:
    """What would be ended, and everything in the way."""
    drill = told.drill
    blocks = [[text.header(told.group.name, told.group.about, told.at)]]
    if drill is not None:
        blocks += [text.headline("DRILL", _intent(told, drill)), text.facts(_about(told, drill))]
    blocks.append(_in_the_way(told.objections) if told.objections else ["Nothing is in the way."])
    return text.screen(*blocks)


def _intent(told: DrillPlan, drill: Drill) -> str:
    how = "ends the machines under it, like a crash" if drill.hard else "takes them out gently, with hooks and draining"
    name = told.sight.seen.slots[drill.slot].auto_scaling_group
    return f"{counted(len(drill.victims), 'instance')} of {drill.goal} healthy in {name}; {how}"


def _about(told: DrillPlan, drill: Drill) -> list[tuple[str, str]]:
    zones = {i.id: i.zone for i in told.sight.seen.slots[drill.slot].instances}
    options = [f"--seed {shlex.quote(drill.seed)}"]
    options += [f"--instances {len(drill.victims)}"] if len(drill.victims) != told.terms.most else []
    options += [f"--zone {shlex.quote(drill.zone)}"] if drill.zone else []
    again = " ".join([text.command("drill", drill.group), *options, *(["--hard"] if drill.hard else [])])
    return [
        *(("ends", f"{each} ({zones.get(each, 'zone not known')})") for each in drill.victims),
        ("floor", f"{told.terms.floor} %: at least {drill.least} stay healthy"),
        ("time-out", f"{ago(told.terms.timeout)} until it has failed"),
        ("seed", drill.seed),
        ("again", again),
    ]


def _in_the_way(objections: Sequence[Blocker]) -> list[str]:
    lines = ["In the way:"]
    for each in objections:
        lines += text.paragraph(f"{each.where}: {each.text}", first=f"  {each.name:<14}", rest=" " * 16)
        lines += [f"{'':16}{text.clean(line)}" for line in (each.remedy or "").splitlines()]
    return lines


def drill(told: Drill) -> str:
    """How one stands, with its time line."""
    blocks = [text.headline(_WORDS[told.ending], told.sentence), _time_line(told)]
    if told.gap:
        blocks.append(text.paragraph(f"Looked at every {ago(told.gap)} at the most: a time may be that much late."))
    return text.screen(*blocks)


def _time_line(told: Drill) -> list[str]:
    start = told.ended_at or told.ask.at
    rows = [
        (name, f"{text.clock(at)}{f'  +{ago(at - start)}' if at is not None and name != 'ended' else ''}")
        for name, at in told.milestones
    ]
    return text.facts([("instances", ", ".join(told.victims) or "none"), *rows, ("seed", told.seed)])


def table(drills: Sequence[Drill]) -> list[str]:
    """A line for each drill of a group, newest first."""
    heads = ["started (UTC)", "drill", "lost>", "ending", "whole after>", "by"]
    return text.table(heads, [_line(each) for each in drills])


def _line(told: Drill) -> list[str]:
    took = ago(told.took) if told.took is not None else "-"
    lost = f"{len(told.victims)}/{told.goal}"
    ending = str(told.ending) if told.ending is not None else "in flight"
    return [text.moment(told.ask.at), told.id, lost, ending, took, text.clip(told.ask.by, 16)]


def below(told: str, drills: Sequence[Drill], *, verbose: bool) -> str:
    """The screen of a group's history with its drills below; with `verbose` each with its time line."""
    if not drills:
        return told
    stories = [drill(each).rstrip("\n").splitlines() for each in drills] if verbose else ()
    return text.screen(told.rstrip("\n").splitlines(), table(drills), *stories)


def report(standings: Sequence[Standing], failures: Mapping[str, PhoenixError], at: datetime) -> str:
    """The ranking, the group that needs longest first."""
    heads = ["group", "longest>", "drills>", "failed>", "last", "ending"]
    unread = [line for name, error in failures.items() for line in text.trouble(name, error.message)]
    rows = [
        [
            text.clip(each.group, 28),
            ago(each.slowest) if each.slowest is not None else "-",
            str(each.measured),
            str(each.failed),
            f"{ago(at - each.last.ask.at)} ago" if each.last is not None else "never",
            str(each.last.ending or "in flight") if each.last is not None else "-",
        ]
        for each in ranked(standings)
    ]
    never = sum(each.last is None for each in standings)
    told = [f"{counted(never, 'group')} never drilled."] if never else []
    return text.screen(text.table(heads, rows) if rows else [], told, unread)


# --- documents -------------------------------------------------------------------------------------------------------


def plan_document(told: DrillPlan) -> documents.DrillPlan:
    """What would be ended, and everything in the way."""
    return {
        "group": told.group.name,
        "drill": drill_document(told.drill) if told.drill is not None else None,
        "blockers": [
            {"name": each.name, "where": each.where, "text": each.text, "remedy": each.remedy}
            for each in told.objections
        ],
    }


def report_document(
    standings: Sequence[Standing], failures: Mapping[str, PhoenixError]
) -> list[documents.DrillStanding | documents.Failure]:
    """The ranking; then an object for each group that could not be read."""
    told: list[documents.DrillStanding | documents.Failure] = [
        {
            "group": each.group,
            "longest_seconds": int(each.slowest.total_seconds()) if each.slowest is not None else None,
            "drills": each.measured,
            "failed": each.failed,
            "last": drill_document(each.last) if each.last is not None else None,
        }
        for each in ranked(standings)
    ]
    told.extend(failed_group(name, error) for name, error in failures.items())
    return told
