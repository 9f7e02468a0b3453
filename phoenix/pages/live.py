"""The pages that `phoenix ui` serves: all groups, one group, its rotations, its images.

Must never offer anything but a command to type: these pages change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from phoenix import __version__
from phoenix.core.image import Candidate
from phoenix.core.layers import ImageSeen
from phoenix.core.provenance import answers
from phoenix.core.rotation import Rotation
from phoenix.pages.entry import Entry, following, row
from phoenix.pages.frame import fill
from phoenix.pages.group import sheet
from phoenix.pages.story import KINDS, story_of
from phoenix.views.text import command

__all__ = ["FEW_GROUPS", "Around", "Entry", "Rotation", "candidates", "group", "groups", "history", "image", "images"]

FEW_GROUPS: Final = 100
"""The history of as many groups is shown whole; of more, the last rotation of each."""
_MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a page: its address, the time, the board's serial, and why the board cannot be read."""

    path: str
    now: datetime
    serial: int
    trouble: str = ""


def groups(entries: Sequence[Entry], around: Around) -> str:
    """All groups, those that need a person first."""
    rows = sorted((row(entry, around.now) for entry in entries), key=lambda each: (each.rank, each.name))
    commands = [
        ("In a terminal", "phoenix status"),
        ("What is due", "phoenix plan"),
        ("Check the setup", "phoenix doctor"),
    ]
    counts = {
        "groups": len(rows),
        "need": sum(each.rank == 0 for each in rows),
        "flying": sum(entry.in_flight for entry in entries),
    }
    return _page("groups.html", around, "Groups", rows=rows, commands=commands, counts=counts)


def group(entry: Entry, rotations: Sequence[Rotation], around: Around) -> str:
    """One group: how it stands, what comes next, what to type, and its rotations."""
    report = entry.told(around.now)
    found = sheet(report)
    rotation = report.record.in_flight
    return _page(
        "group.html",
        around,
        entry.name,
        watched=entry.name,
        entry=entry,
        sheet=found,
        story=story_of(rotation, around.now) if rotation is not None else None,
        rotations=rotations[:20],
        kinds=KINDS,
        commands=found.commands,
    )


def history(rotations: Iterable[Rotation], around: Around, *, whole: bool) -> str:
    """The rotations of all groups, newest first."""
    newest = sorted(rotations, key=lambda each: (each.started_at, each.id), reverse=True)[:_MOST_LINES]
    commands = [("In a terminal", "phoenix history"), ("The last hour", "phoenix history --since 1h")]
    return _page("history.html", around, "History", rotations=newest, kinds=KINDS, commands=commands, whole=whole)


def rotation(told: Rotation, around: Around) -> str:
    """One rotation, as its report shows it."""
    title = f"{told.group} {told.old.number} → {told.new.number}"
    return _page("rotation.html", around, title, watched=told.group, story=story_of(told, around.now))


def images(entries: Sequence[Entry], around: Around) -> str:
    """Which image runs where, and which are quarantined."""
    rows = [(entry.name, entry.record.live) for entry in entries if entry.record is not None and entry.record.live]
    quarantined = [
        (entry.name, found) for entry in entries if entry.record is not None for found in entry.record.quarantine
    ]
    commands = [("The candidates of a group", "phoenix images --group GROUP")]
    return _page("images.html", around, "Images", rows=rows, quarantined=quarantined, commands=commands)


def candidates(entry: Entry, found: Sequence[Candidate], around: Around) -> str:
    """The images that a group could be rotated to, and the reason for and against each."""
    record = entry.record
    live = record.live.image if record is not None and record.live is not None else None
    quarantine = record.quarantine if record is not None else ()
    commands = [("In a terminal", command("images", entry.name)), ("What would happen", command("plan", entry.name))]
    if quarantine:
        commands.append(("End a quarantine", command(f"images release {quarantine[0].image}", entry.name)))
    return _page(
        "candidates.html",
        around,
        f"Images of {entry.name}",
        watched=entry.name,
        entry=entry,
        candidates=found,
        live=live,
        quarantined={each.image: each for each in quarantine},
        commands=commands,
    )


def image(entry: Entry, seen: ImageSeen, around: Around) -> str:
    """One image: its answers to the six questions, and the layers below it."""
    found = seen.candidate.image
    commands = [("In a terminal", command(f"images show {found.id}", entry.name))]
    title = found.name or found.id
    return _page(
        "image.html", around, title, watched=entry.name, entry=entry, seen=seen, answers=answers(found.tags),
        commands=commands,
    )  # fmt: skip


def problem(told: str, around: Around) -> str:
    """The page of an error."""
    commands = [("Check the setup", "phoenix doctor"), ("In a terminal", "phoenix status")]
    return _page("problem.html", around, "Not shown", told=told, commands=commands)


def _page(template: str, around: Around, title: str, *, watched: str = "", **values: Any) -> str:
    facts = {"around": around, "title": title, "watched": watched, "version": __version__}
    return fill(template, following=following, **facts, **values)
