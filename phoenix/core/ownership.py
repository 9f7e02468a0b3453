"""Whose rotation is this? What the groups' tags say against what a store's record says. Pure.

Two stores for one group would each think they own it: a laptop's and a server's, say. The tags are on the groups
themselves, so they are right about who was there last.
"""

from __future__ import annotations

from phoenix.core import tags
from phoenix.core.adopt import live_slot
from phoenix.core.ledger import is_pinned
from phoenix.core.model import Observation
from phoenix.core.record import GroupRecord


def foreign_store(seen: Observation, location: str) -> str | None:
    """The other store that the tags name; None where they name ours, or none at all."""
    named = {state.tags.get(tags.STORE) for state in seen.slots.values()} - {None, location}
    return min((name for name in named if name), default=None)


def was_replaced(seen: Observation, location: str) -> bool:
    """True when the store that the tags name stood where ours stands now: it was deleted, and ours made afresh.

    Only where somebody has asked for a repair: two machines of one name, each with its own disk, look the same.
    """
    other, place = foreign_store(seen, location), location.partition("@")[2]
    return other is not None and place != "" and other.partition("@")[2] == place


def foreign_rotation(seen: Observation, location: str) -> str | None:
    """The store in which a rotation of this group is in flight, if that is not ours."""
    live = live_slot(seen)
    pinned = any(is_pinned(state) and (live is None or state.desired > 0) for state in seen.slots.values())
    return foreign_store(seen, location) if pinned else None


def is_outdated(record: GroupRecord, seen: Observation, location: str) -> bool:
    """True when the tags tell of a later rotation, by another store, than the last one this record knows.

    A rotation that has just been recorded has not written its tags yet.
    """
    rotation = record.rotation
    if rotation is None or rotation.step == 0 or foreign_store(seen, location) is None:
        return False
    notes = [tags.read_rotation(state.tags) for state in seen.slots.values()]
    return any(note is not None and note.id != rotation.id and note.new >= rotation.new.number for note in notes)
