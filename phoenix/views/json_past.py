"""The JSON documents of what has happened.

Must never leave out who and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phoenix.core.acts import Act, acts_of
from phoenix.core.drill import Drill
from phoenix.core.rotation import Rotation
from phoenix.errors import PhoenixError
from phoenix.views import documents
from phoenix.views.json import act, drill, failed_group, generation, rotation, time


def history(
    group: str, rotations: Sequence[Rotation], acts: Sequence[Act] = (), drills: Sequence[Drill] = ()
) -> documents.History:
    """Return the rotations, newest first, each with its events; `acts` at rest and `drills` have their own arrays."""
    return {
        "group": group,
        "rotations": [_told(rotation) for rotation in rotations],
        "acts": [act(a) for a in acts],
        "drills": [drill(each) for each in drills],
    }


def timeline(
    rotations: Sequence[Rotation], acts: Sequence[Act], failures: Mapping[str, PhoenixError]
) -> list[documents.TimelineRotation | documents.ActsAtRest | documents.Failure]:
    """The rotations of all groups, newest first; then an object for each group with acts of persons at rest, and for
    each that could not be read."""
    told: list[documents.TimelineRotation | documents.ActsAtRest | documents.Failure] = []
    for each in rotations:
        told.append({"group": each.group, **_told(each)})
    for name in dict.fromkeys(a.group for a in acts):
        told.append({"group": name, "acts": [act(a) for a in acts if a.group == name]})
    told.extend(failed_group(name, error) for name, error in failures.items())
    return told


def _told(told: Rotation) -> documents.HistoryRotation:
    back = told.back.ask if told.back is not None else None
    return {
        **rotation(told),
        "from": generation(told.old),
        "to": generation(told.new),
        "trigger": told.origin.trigger,
        "by": told.origin.by or None,
        "turned_back_by": None if back is None else {"by": back.by, "reason": back.reason, "at": time(back.at)},
        "duration_seconds": _seconds(told),
        "events": [
            {"at": time(e.at), "name": e.name, "text": e.text, "by": e.by or None, "reason": e.reason}
            for e in told.events
        ],
        "acts": [act(each) for each in acts_of(told)],
    }


def _seconds(told: Rotation) -> int | None:
    return (
        None if told.ended_at is None or not told.origin.by else int((told.ended_at - told.started_at).total_seconds())
    )
