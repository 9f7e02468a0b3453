"""A store whose records of other Auto Scaling groups begin anew, once they are finished there.

A policy may name other groups than it did. What its record says of the old ones must never be done to the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from phoenix.core.model import Slot
from phoenix.core.note import Note
from phoenix.core.ownership import begun_anew
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.ports import Lease, Store


class FinishedElsewhere:
    """The real store of one group that lives in these `slots`; only what is read of that group's record differs."""

    def __init__(self, real: Store, slots: Mapping[Slot, str]) -> None:
        self._real, self._slots = real, slots

    @property
    def location(self) -> str:
        """Where the real store is."""
        return self._real.location

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; of one that is finished with other groups only what is about the group as a whole."""
        record = self._real.load(group)
        return None if record is None else begun_anew(record, self._slots)

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """The records as they are: they are of other groups, too."""
        return self._real.load_many(groups)

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record."""
        return self._real.save(record)

    def note(self, key: str) -> Note | None:
        """What is remembered under the key."""
        return self._real.note(key)

    def save_note(self, note: Note) -> Note:
        """Write the note."""
        return self._real.save_note(note)

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease."""
        return self._real.claim(group, owner, now, ttl, force=force)

    def holds(self, lease: Lease) -> bool:
        """True while nobody has taken the lease since."""
        return self._real.holds(lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back."""
        self._real.release(lease, due_at)

    def due(self, now: datetime) -> Sequence[str]:
        """Groups whose time has come."""
        return self._real.due(now)

    def lease_of(self, group: str) -> Lease | None:
        """Who drives the group."""
        return self._real.lease_of(group)

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first."""
        return self._real.history(group, limit)
