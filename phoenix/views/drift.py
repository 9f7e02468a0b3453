"""The drift screen: converged or diverged, what, since when, and where to read who did it.

Must never say converged of what was not compared, nor print a value that may be secret: user data is a digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from phoenix.core.drift import Difference
from phoenix.core.explain import ago, counted
from phoenix.core.snowflake import Snowflake, is_repeated
from phoenix.engine.drift import DriftReport
from phoenix.errors import PhoenixError
from phoenix.views import documents, json, text

_MOST_COMMANDS: Final = 3
_BY_ITSELF: Final = frozenset({"age"})


def render(report: DriftReport, *, verbose: bool = False) -> str:
    """Return one group on one screen: what has diverged; `verbose` lists the other instances too."""
    shown = report.drift.instances if verbose else report.drift.snowflakes
    return text.screen(
        [text.header(report.group, report.about, report.at)],
        _headline(report),
        _group(report),
        _instances(report, shown),
        _unknown(report),
        _what_to_type(report),
    )


def render_all(reports: Sequence[DriftReport], failures: Mapping[str, PhoenixError]) -> str:
    """Return all groups, a line each, the diverged ones first; groups that could not be looked at are named below."""
    if not reports and not failures:
        return "No groups: the policy directory is empty.\nphoenix policy schema prints what a policy may hold.\n"
    ordered = sorted(reports, key=lambda each: (not each.drift.diverged, -len(each.drift.snowflakes), each.group))
    rows = [_line(each) for each in ordered]
    diverged = [each for each in ordered if each.drift.diverged]
    failed = [line for name, error in failures.items() for line in text.trouble(name, error.message)]
    told = f"{counted(len(diverged), 'group')} of {len(reports)} diverged." if diverged else "Every group is converged."
    more = text.commands([("To see what", text.command("drift", diverged[0].group), "")]) if diverged else []
    table = text.table(["group", "drift", "instances>", "what"], rows) if rows else []
    return text.screen([told] if reports else [], table, failed, more)


def document(report: DriftReport) -> documents.Drift:
    """Return the JSON document of a group."""
    drift = report.drift
    return {
        "group": report.group,
        "at": json.time(report.at),
        "outcome": _word(report),
        "deep": report.deep,
        "counts": {
            "instances": len(drift.instances),
            "diverged": len(drift.snowflakes),
            "tainted": sum(each.taint is not None for each in drift.instances),
        },
        "instances": [_instance(report, each) for each in drift.instances],
        "differences": [_difference(each) for each in drift.group],
        "left_at": json.time(report.left_at),
        "lookups": _lookups(report),
    }


def _word(report: DriftReport) -> str:
    return "diverged" if report.drift.diverged else "converged"


def _headline(report: DriftReport) -> list[str]:
    drift, flying = report.drift, report.record.in_flight
    total = counted(len(drift.instances), "instance")
    left = f"The group is compared again when {flying.id} has ended." if flying is not None else _as_left(report)
    if not drift.snowflakes:
        same = "what their generation is" if len(drift.instances) != 1 else "what its generation is"
        head = f"{total}, all of them {same}." if drift.instances else "No instance runs."
    else:
        head = f"{len(drift.snowflakes)} of {total}."
    return text.headline(_word(report).upper(), head, left)


def _as_left(report: DriftReport) -> str:
    when = f" at {text.moment(report.left_at)} UTC" if report.left_at is not None else ""
    if report.drift.group:
        return f"The group is not as it was left{when}:"
    return f"The group is as its last rotation left it{when}." if when else "phoenix has not rotated this group yet."


def _group(report: DriftReport) -> list[str]:
    return [line for each in report.drift.group for line in _told(each, "  ")]


def _instances(report: DriftReport, shown: Sequence[Snowflake]) -> list[str]:
    if not shown:
        return []
    cells = [
        [
            each.found.id,
            each.found.zone,
            str(each.generation.number) if each.generation is not None else "-",
            each.found.version or "-",
            ago(report.at - each.found.launched_at),
            each.lifecycle,
            "tainted" if each.taint is not None else "diverged" if each.differences else "",
        ]
        for each in shown
    ]
    head, *lines = text.table(["instance", "zone", "gen>", "version>", "age>", "state", ""], cells)
    told = [head]
    for line, each in zip(lines, shown, strict=True):
        told.append(line)
        if each.taint is not None:
            told += text.paragraph(f"tainted: {each.taint.text}", first="      ", rest="        ")
        told += [row for difference in each.differences for row in _told(difference, "      ")]
    return told


def _told(each: Difference, indent: str) -> list[str]:
    since = f", since {text.moment(each.since)} UTC" if each.since is not None else ""
    return text.paragraph(f"{each.text}{since}", first=indent, rest=f"{indent}  ")


def _unknown(report: DriftReport) -> list[str]:
    told = []
    blind = [each.found.id for each in report.drift.instances if not each.known]
    if blind:
        told.append(f"Only image and age were compared of {', '.join(blind)}: the template version is gone.")
    if not report.deep and report.drift.instances:
        told.append("User data and protection from termination were not compared; --deep does.")
    if report.rotates and report.drift.snowflakes and is_repeated(report.record, report.at):
        told.append("The last rotation was for drift, less than a day ago: drift alone makes none due yet. If it comes"
                    " back with each boot, let drift.ignore of the policy name it.")  # fmt: skip
    return [line for each in told for line in text.paragraph(each)]


def _what_to_type(report: DriftReport) -> list[str]:
    if not report.drift.diverged:
        return []
    lookups = _lookups(report)
    lines = ["Who changed it is told by:", *(f"  {text.clean(each)}" for each in lookups)] if lookups else []
    if report.drift.snowflakes and report.record.in_flight is None:
        fresh = ("To replace all instances", text.command("rotate --force", report.group), "")
        lines += [*([""] if lines else []), *text.commands([fresh])]
    return lines


def _lookups(report: DriftReport) -> list[str]:
    """Return the commands that ask who it was, a few: each is about one resource."""
    drift = report.drift
    groups = [each.found.lookups[1:] for each in drift.instances if drift.group]
    changed = [
        each.found.lookups[:1] for each in drift.snowflakes if any(d.what not in _BY_ITSELF for d in each.differences)
    ]
    return list(dict.fromkeys(command for found in (*groups, *changed) for command in found))[:_MOST_COMMANDS]


def _line(report: DriftReport) -> list[str]:
    drift = report.drift
    kinds = [d.what for d in drift.group] + [d.what for each in drift.snowflakes for d in each.differences]
    kinds += ["tainted" for each in drift.snowflakes if each.taint is not None]
    count = f"{len(drift.snowflakes)}/{len(drift.instances)}"
    return [text.clip(report.group, 28), _word(report), count, text.clip(", ".join(dict.fromkeys(kinds)), 30)]


def _instance(report: DriftReport, each: Snowflake) -> documents.DriftInstance:
    found, taint = each.found, each.taint
    return {
        "id": found.id,
        "outcome": "diverged" if each.is_one else "converged",
        "zone": found.zone,
        "slot": str(each.slot),
        "state": each.lifecycle,
        "generation": each.generation.number if each.generation is not None else None,
        "launch_template_version": found.version,
        "image": found.image,
        "type": found.type,
        "launched_at": json.time(found.launched_at),
        "age_seconds": int((report.at - found.launched_at).total_seconds()),
        "compared": each.known,
        "tainted": None if taint is None else {"why": taint.why, "by": taint.by, "at": json.time(taint.at)},
        "differences": [_difference(difference) for difference in each.differences],
    }


def _difference(each: Difference) -> documents.DriftDifference:
    return {"what": each.what, "is": each.is_now, "should_be": each.should_be, "since": json.time(each.since)}
