"""A store that lasts as long as the program: for a rollback that must not wait for its store, and for tests.

Must never be what a rotation starts on: after a crash nobody would know of it. Keeps the same promises as the others.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core.record import GroupRecord, Rotation
from phoenix.errors import StateConflict
from phoenix.ports import Lease
from phoenix.stores.lease import Claim, is_same


class MemoryStore:
    """Records, leases and history in dictionaries. `location` is `none`: nobody else can find what is in here."""

    def __init__(self, location: str = "none") -> None:
        self.location = location
        self._guard = threading.Lock()
        self._records: dict[str, GroupRecord] = {}
        self._leases: dict[str, Lease] = {}
        self._epochs: dict[str, int] = {}
        self._history: dict[str, dict[str, Rotation]] = {}

    def begin_with(self, known: GroupRecord | Lease) -> None:
        """Take over what another store knew, as it was there."""
        with self._guard:
            if isinstance(known, Lease):
                self._leases[known.group], self._epochs[known.group] = known, known.epoch
            else:
                self._records[known.group] = known

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        return self._records.get(group)

    def save(self, record: GroupRecord) -> GroupRecord:
        """Keep the record if its version is still the one kept here."""
        with self._guard:
            kept = self._records.get(record.group)
            if (kept.version if kept else 0) != record.version:
                raise StateConflict(record.group, record.version)
            saved = replace(record, version=record.version + 1)
            self._records[record.group] = saved
            if saved.rotation is not None:
                self._history.setdefault(record.group, {})[saved.rotation.id] = saved.rotation
            return saved

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease, renew it, or say who has it."""
        with self._guard:
            claim = Claim(group, owner, now, ttl, force)
            lease = claim.settle(self._leases.get(group), self._epochs.get(group, 0))
            self._epochs[group] = lease.epoch
            self._leases[group] = lease
            return lease

    def holds(self, lease: Lease) -> bool:
        """True while nobody has taken the lease since."""
        return is_same(self._leases.get(lease.group), lease)

    def release(self, lease: Lease) -> None:
        """Give the lease back if it is still this one."""
        with self._guard:
            if self.holds(lease):
                del self._leases[lease.group]

    def lease_of(self, group: str) -> Lease | None:
        """Who drives the group, whether or not that lease has expired."""
        return self._leases.get(group)

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first."""
        filed = self._history.get(group, {}).values()
        return sorted(filed, key=lambda rotation: rotation.started_at, reverse=True)[:limit]
