"""`report`: one rotation as one HTML file, or its picture as an SVG.

Must never ask AWS: everything in it was recorded while the rotation went on.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phoenix.cli.help import command
from phoenix.cli.options import takes_group
from phoenix.cli.session import Session
from phoenix.errors import UsageError

if TYPE_CHECKING:
    from phoenix.core.rotation import Rotation
    from phoenix.views.documents import RotationReport

_MOST_LOOKED_THROUGH = 1000


@command(
    ("phoenix report web", "the last rotation as one HTML file"),
    ("phoenix report web --svg", "its picture alone, for a chat"),
)
@takes_group
@click.option("--rotation", "wanted", metavar="ID", help="Not the last one, but this one; phoenix history has the ids.")
@click.option("--svg", is_flag=True, help="The picture alone, for a chat.")
@click.option("--write", "file", metavar="FILE", help="Where to write it, instead of a file named as the rotation; - is"
              " standard output.")  # fmt: skip
@click.pass_obj
def report(session: Session, wanted: str | None, svg: bool, file: str | None) -> int:
    """Write a rotation's report: how it went over time, each decision, the calls to AWS, and the evidence of what went
    wrong. One file, that asks no other host for anything."""
    group = session.group()
    rotation = _find(group.store.history(group.name, 1 if wanted is None else _MOST_LOOKED_THROUGH), wanted, group.name)
    if session.options.json:
        from phoenix.views import json

        print(json.dump(_document(group.name, rotation)))
        return 0
    from phoenix.pages.report import report_page
    from phoenix.pages.timeline import is_drawable, timeline_alone

    if svg and not is_drawable(rotation):
        raise UsageError(f"{rotation.id} was recorded by a version of phoenix that took no samples: it has no picture")
    now = group.clock.now()
    page = timeline_alone(rotation, now) if svg else report_page(rotation, now)
    if file == "-":
        sys.stdout.write(page)
        return 0
    place = Path(file or f"{_safe(rotation.id)}.{'svg' if svg else 'html'}")
    _write(place, page)
    session.write(f"{place}: {rotation.id}, {len(page.encode()) // 1024 + 1} KB\n")
    return 0


def _find(rotations: Any, wanted: str | None, group: str) -> Rotation:
    found: Rotation | None = next((each for each in rotations if wanted in (None, each.id)), None)
    if found is not None:
        return found
    if wanted is None:
        raise UsageError(f"{group} has never been rotated by phoenix, so there is nothing to report")
    raise UsageError(f"{group} has no rotation {wanted!r}", hint=f"phoenix history --group {group} lists them")


def _document(group: str, rotation: Rotation) -> RotationReport:
    from phoenix.views import json_chronicle, json_past

    told = json_past.history(group, [rotation])["rotations"][0]
    return {**told, "group": group, "chronicle": json_chronicle.chronicle(rotation)}


def _safe(name: str) -> str:
    """The id of a rotation holds the name of its group, which need not be a name of a file."""
    return re.sub(r"[^\w.-]+", "-", name).lstrip(".-") or "rotation"


def _write(place: Path, page: str) -> None:
    """Write the whole file or none: a report that is cut off reads like one that says less."""
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise UsageError(
            f"{place} cannot be written: {error.strerror}", hint="name another place with --write"
        ) from None
