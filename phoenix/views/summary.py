"""The end of a command in a few lines: the state now, and what to type next.

Must never say more than the report knows: a rollback on its way is not yet done.
"""

from __future__ import annotations

from collections.abc import Sequence

from phoenix.core.model import Outcome
from phoenix.core.rotation import Rotation
from phoenix.engine.report import Report
from phoenix.views import status, steps, text


def rotated(report: Report) -> str:
    """Return the end of `rotate` or `retry`: the sentence alone if there was nothing to do, else the status screen."""
    if report.outcome is Outcome.NONE or report.record.rotation is None:
        return said(report)
    return status.render(report)


def rolled_back(report: Report) -> str:
    """Return the end of `rollback` or `abort`."""
    rotation = report.record.rotation
    if report.outcome is Outcome.NONE or rotation is None:
        return said(report)
    if rotation.in_flight or report.outcome is not Outcome.ROLLED_BACK:
        return status.render(report)
    return text.screen(
        [text.header(report.group, report.about, report.at)],
        text.headline("ROLLED BACK", *_way_back(rotation), report.sentence),
        text.facts(_afterwards(report, rotation)),
    )


def said(report: Report) -> str:
    """Return the one sentence of a command that has no more to say."""
    return "\n".join(text.paragraph(report.sentence)) + "\n"


def repairs(group: str, found: Sequence[str]) -> str:
    """Return the changes that `repair` would undo, a line each."""
    if not found:
        return f"Nothing to repair: {text.clean(group)} has nothing temporary left on it.\n"
    lines = [line for each in found for line in text.paragraph(each, first="  ", rest="    ")]
    return "\n".join([f"Left behind on {text.clean(group)}:", *lines]) + "\n"


def _way_back(rotation: Rotation) -> list[str]:
    """Return how soon users were back, which counts most, and how soon all was undone; then whose rotation it was."""
    times = steps.way_back(rotation)
    by = f", by {rotation.back.ask.by}" if rotation.back is not None else ""
    way = f"{rotation.new.number} -> {rotation.old.number}"
    return [f"{way}: {times}" if times else way, f"rotation {rotation.id}{by}"]


def _afterwards(report: Report, rotation: Rotation) -> list[tuple[str, str]]:
    told = []
    is_quarantined = any(entry.image == rotation.new.image for entry in report.record.quarantine)
    if is_quarantined:
        told.append(("quarantined", f"{rotation.new.image}: not used for {report.group} until a newer image"))
    told.append(("evidence", f"{text.command('history', report.group)} -v"))
    again = f"{text.command('retry', report.group)}  (asks, releases quarantine)"
    told.append(("try it again", again if is_quarantined else text.command("rotate", report.group)))
    return told
