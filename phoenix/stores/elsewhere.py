"""A store for a group whose policy may have moved to other Auto Scaling groups: a finished record of the old ones
begins anew.

Must never apply a record's changes for the old Auto Scaling groups to the new ones.
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
    """The real store, for one group that lives in these `slots`; only reads of that group's record differ."""

    def __init__(self, real: Store, slots: Mapping[Slot, str]) -> None:
        self._real, self._slots = real, slots

    @property
    def location(self) -> str:
        """The location of the real store."""
        return self._real.location

    def load(self, group: str) -> GroupRecord | None:
        """Return the group's record; of one that is finished in other Auto Scaling groups, only the parts about the
        group as a whole."""
        record = self._real.load(group)
        return None if record is None else begun_anew(record, self._slots)

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """Return the records unchanged: they are also those of other groups."""
        return self._real.load_many(groups)

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record."""
        return self._real.save(record)

    def note(self, key: str) -> Note | None:
        """The note under the key."""
        return self._real.note(key)

    def save_note(self, note: Note) -> Note:
        """Write the note."""
        return self._real.save_note(note)

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease."""
        return self._real.claim(group, owner, now, ttl, force=force)

    def holds(self, lease: Lease) -> bool:
        """True until another driver takes the lease."""
        return self._real.holds(lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back."""
        self._real.release(lease, due_at)

    def due(self, now: datetime) -> Sequence[str]:
        """Return the groups that are due."""
        return self._real.due(now)

    def lease_of(self, group: str) -> Lease | None:
        """Return the group's lease."""
        return self._real.lease_of(group)

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Return the group's rotations, newest first."""
        return self._real.history(group, limit)
