"""All groups as columns: state, due, image, age, owner, next; the ones that need a person first.

Must never show a number that was not observed: without target health, instances in service are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from phoenix.core.explain import ago
from phoenix.core.model import Outcome, Role
from phoenix.core.outlook import Turn
from phoenix.core.progress import bake_ends_at
from phoenix.core.rotation import Rotation
from phoenix.engine.report import Report
from phoenix.views import resting, text
from phoenix.views.situation import SlotRow, is_moved, is_unclear, row_of

_WIDE: Final = 110
_LEAST: Final = 8
_MARK: Final = " *"
"""Behind a group with snowflakes; what they are is told below the table."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_KEEPS_END: Final = "image"
"""The end of an image's name tells two of one series apart, so a long one loses its beginning."""


def table(reports: Sequence[Report], columns: int = text.WIDTH) -> list[str]:
    """A line a group, as wide as the screen at most. Wide screens also show what serves, its weight, and the way
    back."""
    is_wide = columns >= _WIDE
    heads = ["group", "state", "due", "image", "age>", "owner", "next"]
    heads[3:3] = ["serving>", "weight>", "rollback"] if is_wide else []
    rows = [_line(report, is_wide=is_wide) for report in in_order(reports)]
    return text.table(heads, _fitted(heads, rows, columns))


def _fitted(heads: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> list[list[str]]:
    """The rows with the longest of their words clipped until a line fits on the screen."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    may_shrink = [place for place, head in enumerate(heads) if head in ("group", "image", "owner", "next")]
    while 2 + sum(widths) + 2 * (len(widths) - 1) >= columns:
        widest = max(may_shrink, key=lambda place: widths[place])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return [[_clipped(cell, width, head) for cell, width, head in zip(row, widths, heads, strict=True)] for row in rows]


def _clipped(cell: str, width: int, head: str) -> str:
    is_cut_in_front = head == _KEEPS_END and len(cell) > width
    return f"..{cell[2 - width :]}" if is_cut_in_front else text.clip(cell, width)


def in_order(reports: Sequence[Report]) -> list[Report]:
    """Those that need a person first, then those with snowflakes, then those that phoenix works on, then those that are
    due, then the rest. Of snowflakes, tainted ones come before drifted ones, and the oldest first."""
    return sorted(reports, key=lambda report: (_urgency(report), _snowflakes(report), report.group))


def _snowflakes(report: Report) -> tuple[bool, datetime]:
    noted = report.record.snowflakes
    return not (noted and noted.tainted), noted.since if noted else _NEVER


def _urgency(report: Report) -> int:
    rotation, ahead = report.record.in_flight, report.outlook
    if is_moved(report.record, report.seen) or report.outcome is Outcome.HELD:
        return 0
    if is_unclear(report.record, report.seen) or (ahead is not None and ahead.turn is Turn.PERSON):
        return 1
    if report.record.snowflakes is not None:
        return 2
    if rotation is not None:
        return 3 if rotation.back is not None or rotation.paused is not None else 4
    return 5 if ahead is not None and ahead.due else 6


def _line(report: Report, *, is_wide: bool) -> list[str]:
    live = row_of(report.record, report.seen, Role.LIVE)
    shown = row_of(report.record, report.seen, Role.CANDIDATE) or live
    since = live.generation.since if live is not None else None
    cells = [
        text.clean(report.group) + ("" if report.record.snowflakes is None else _MARK),
        _state(report),
        _due(report),
        _image(shown),
        "-" if since is None else ago(report.at - since),
        text.clean(report.about.owner or "-"),
        _next(report),
    ]
    if is_wide:
        cells[3:3] = [_serving(live), _weight(shown), _way_back(report)]
    return cells


def _state(report: Report) -> str:
    rotation = report.record.in_flight
    if is_moved(report.record, report.seen):
        return "moved"
    word = resting.state_word(report).lower()
    where = f" {rotation.step}/{len(rotation.terms.steps)}" if rotation is not None and rotation.back is None else ""
    return f"{word}{where}"


def _due(report: Report) -> str:
    ahead = report.outlook
    if ahead is None:
        return "-"
    return "?" if ahead.due is None else "yes" if ahead.due else "no"


def _image(row: SlotRow | None) -> str:
    return "-" if row is None else text.clean(row.generation.image_name or row.generation.image)


def _next(report: Report) -> str:
    rotation = report.record.in_flight
    if rotation is not None:
        return _next_in_flight(rotation)
    return report.outlook.short if report.outlook is not None else "-"


def _next_in_flight(rotation: Rotation) -> str:
    if rotation.held is not None:
        return "resume or rollback"
    if rotation.back is not None:
        return f"back on {rotation.old.number}"
    if rotation.paused is not None:
        return "resume"
    ends = bake_ends_at(rotation)
    if rotation.clocks.baking_since is None:
        return str(rotation.phase).replace("_", " ")
    if ends is None:
        return "promote"
    then = "end" if rotation.is_last_step else f"{rotation.terms.steps[rotation.step].new_weight} %"
    return f"{then} at {text.clock(ends)[:5]}"


def _serving(row: SlotRow | None) -> str:
    if row is None or row.in_service is None:
        return "-"
    return f"{row.in_service if row.healthy is None else row.healthy}/{row.desired}"


def _weight(row: SlotRow | None) -> str:
    return "-" if row is None or row.weight is None else f"{row.weight} %"


def _way_back(report: Report) -> str:
    found = report.rollback_ready
    if not found.ready:
        return "no"
    return "ready" if found.at_once else "grows" if found.revival else "waits"
