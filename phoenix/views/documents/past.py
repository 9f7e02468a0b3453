"""The documents about what has happened, and about images.

Must never leave out who and why.
"""

from __future__ import annotations

from typing import TypedDict

from phoenix.views.documents.plans import Generation
from phoenix.views.documents.reports import Act, Drill, Quarantined, Request, RotationInShort, Time


class Event(TypedDict):
    """One line of a rotation's story."""

    at: Time | None
    name: str
    text: str
    by: str | None
    reason: str | None


class PastRotation(RotationInShort):
    """One rotation of the history, with its story."""

    to: Generation
    trigger: str
    by: str | None
    turned_back_by: Request | None
    duration_seconds: int | None
    events: list[Event]
    acts: list[Act]


From = TypedDict("From", {"from": Generation})  # a key that Python's syntax for classes cannot spell


class HistoryRotation(PastRotation, From):
    """One rotation of a group's history."""


class TimelineRotation(HistoryRotation):
    """One rotation among those of all groups."""

    group: str


class History(TypedDict):
    """A group's rotations, newest first."""

    group: str
    rotations: list[HistoryRotation]
    acts: list[Act]
    drills: list[Drill]


class ActsAtRest(TypedDict):
    """The acts of persons on one group at rest, among the rotations of all groups."""

    group: str
    acts: list[Act]


class DrillBlocker(TypedDict):
    """Something in the way of a drill, and what mends it."""

    name: str
    where: str
    text: str
    remedy: str | None


class DrillPlan(TypedDict):
    """The drill that would start, and everything in its way."""

    group: str
    drill: Drill | None
    blockers: list[DrillBlocker]


class DrillStanding(TypedDict):
    """How long a group needed at the most; null where no drill of it was measured."""

    group: str
    longest_seconds: int | None
    drills: int
    failed: int
    last: Drill | None


class BaseRow(TypedDict):
    """The lowest layer as the image's own tags tell it."""

    image: str | None
    name: str | None
    built_at: Time | None
    age_seconds: int


class Origin(TypedDict):
    """The answers of an image's tags, the unanswered questions, and its base."""

    answers: dict[str, dict[str, str | None]]
    unanswered: list[str]
    base: BaseRow | None


class Candidate(Origin):
    """An image, and the reason against it; null for the chosen one."""

    image: str
    name: str | None
    created_at: Time | None
    chosen: bool
    live: bool
    rejected: str | None
    quarantined: bool


class Images(TypedDict):
    """The candidates in order of preference, and the quarantine."""

    group: str
    candidates: list[Candidate]
    quarantine: list[Quarantined]
