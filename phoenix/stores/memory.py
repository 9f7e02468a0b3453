"""A store that lasts as long as the program: for a rollback that must not wait for its store, and for tests.

Must never hold the start of a rotation: a crash would leave no trace of it. Keeps the same promises as the other
stores.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core.model import Fence
from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.errors import StateConflict
from phoenix.ports import Lease
from phoenix.stores.lease import Claim, is_same, without_fence


class MemoryStore:
    """Records, leases and history in dictionaries. `location` is `none`: no other program can read it."""

    def __init__(self, location: str = "none") -> None:
        self.location = location
        self._guard = threading.Lock()
        self._records: dict[str, GroupRecord] = {}
        self._notes: dict[str, Note] = {}
        self._leases: dict[str, Lease] = {}
        self._epochs: dict[str, int] = {}
        self._fences: dict[str, tuple[Fence, ...]] = {}
        self._due: dict[str, datetime] = {}
        self._history: dict[str, dict[str, Rotation]] = {}

    def begin_with(self, known: GroupRecord | Note | Lease) -> None:
        """Take over a record, a note or a lease of another store, unchanged."""
        with self._guard:
            if isinstance(known, Lease):
                self._leases[known.group], self._epochs[known.group] = known, known.epoch
                self._due[known.group], self._fences[known.group] = known.until, known.fences
            elif isinstance(known, Note):
                self._notes[known.key] = known
            else:
                self._records[known.group] = known

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        return self._records.get(group)

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """The records of those groups that have one."""
        return {group: record for group in groups if (record := self.load(group)) is not None}

    def save(self, record: GroupRecord) -> GroupRecord:
        """Keep the record if its version is still the stored one."""
        with self._guard:
            kept = self._records.get(record.group)
            if (kept.version if kept else 0) != record.version:
                raise StateConflict(record.group, record.version)
            saved = replace(record, version=record.version + 1)
            self._records[record.group] = saved
            if saved.rotation is not None:
                self._history.setdefault(record.group, {})[saved.rotation.id] = saved.rotation
            return saved

    def note(self, key: str) -> Note | None:
        """The note under the key; None when there never was one."""
        return self._notes.get(key)

    def save_note(self, note: Note) -> Note:
        """Keep the note if its version is still the one kept here."""
        with self._guard:
            kept = self._notes.get(note.key)
            if (kept.version if kept else 0) != note.version:
                raise StateConflict(note.key, note.version)
            self._notes[note.key] = saved = replace(note, version=note.version + 1)
            return saved

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease or renew it, or raise LeaseHeld."""
        with self._guard:
            claim = Claim(group, owner, now, ttl, force)
            fences = self._fences.get(group, ())
            lease = claim.settle(self._leases.get(group), self._epochs.get(group, 0), fences)
            self._epochs[group], self._fences[group] = lease.epoch, lease.fences
            self._leases[group], self._due[group] = lease, lease.until
            return lease

    def holds(self, lease: Lease) -> bool:
        """True until another driver takes the lease."""
        return is_same(self._leases.get(lease.group), lease)

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back if it is still this one; else remove its fence."""
        with self._guard:
            if not self.holds(lease):
                self._fences[lease.group] = without_fence(self._fences.get(lease.group, ()), lease)
                return
            del self._leases[lease.group], self._due[lease.group]
            if due_at is not None:
                self._due[lease.group] = due_at

    def due(self, now: datetime) -> Sequence[str]:
        """Return the groups that are due, the longest due first."""
        with self._guard:
            come = [(at, group) for group, at in self._due.items() if at <= now]
        return [group for _, group in sorted(come)]

    def lease_of(self, group: str) -> Lease | None:
        """Return the group's lease, expired or not."""
        lease = self._leases.get(group)
        return None if lease is None else replace(lease, fences=self._fences.get(group, ()))

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Return the group's rotations, newest first."""
        filed = self._history.get(group, {}).values()
        return sorted(filed, key=lambda rotation: rotation.started_at, reverse=True)[:limit]
