"""What was done to a group, by whom and why: one line each, from its rotations and its record. Pure.

Must never leave out an act of a person, nor the end of a rotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from phoenix.core.explain import ago
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Event

PHOENIX: Final = "phoenix"
_TURNS: Final = frozenset({"FAIL", "held", "replaced", "paused", "resumed", "promoted", "rollback", "repaired"})
"""The events that change a rotation's course; the names of persons' acts are among them, as earlier versions of phoenix
did not note who an event was by."""


@dataclass(frozen=True, slots=True)
class Act:
    """One line of a timeline. `by` is `phoenix` where no person asked; `rotation` None: the group was at rest."""

    at: datetime
    group: str
    name: str
    text: str
    by: str = PHOENIX
    reason: str | None = None
    rotation: str | None = None


def acts_of(rotation: Rotation, *, every: bool = False) -> Iterator[Act]:
    """The acts of one rotation, the first one first; `every` adds the steps between."""
    id_, group = rotation.id, rotation.group
    if rotation.origin.by:
        text = f"{rotation.old.number} -> {rotation.new.number}: {rotation.origin.trigger}"
        yield Act(rotation.started_at, group, "started", text, rotation.origin.by, None, id_)
    for event in rotation.events:
        is_told = event.name in ("start", "succeeded", "rolled back")
        if not is_told and (every or event.by or event.name in _TURNS):
            yield _act(event, group, id_)
    if rotation.known_end is not None:
        yield Act(rotation.known_end, group, str(rotation.outcome).replace("_", " "), _end(rotation), rotation=id_)


def acts_known(record: GroupRecord) -> list[Act]:
    """The acts that the record alone tells of: at rest, and in its last rotation; the newest last."""
    last = acts_of(record.rotation) if record.rotation is not None else ()
    return in_order([*acts_at_rest(record), *last])


def acts_at_rest(record: GroupRecord) -> Iterator[Act]:
    """The acts of persons on a group in which nothing was in flight."""
    return (_act(event, record.group, None) for event in record.acts)


def in_order(acts: Iterable[Act], since: datetime | None = None, until: datetime | None = None) -> list[Act]:
    """Those within this time, the newest last."""
    found = [act for act in acts if (since is None or act.at >= since) and (until is None or act.at <= until)]
    return sorted(found, key=lambda act: act.at)


def _act(event: Event, group: str, rotation: str | None) -> Act:
    return Act(event.at, group, event.name, event.text, event.by or PHOENIX, event.reason, rotation)


def _end(rotation: Rotation) -> str:
    took = ago((rotation.ended_at or rotation.started_at) - rotation.started_at)
    if rotation.outcome is Outcome.SUCCEEDED:
        return f"generation {rotation.new.number} is live after {took}"
    return f"users are on generation {rotation.old.number} again after {took}"
