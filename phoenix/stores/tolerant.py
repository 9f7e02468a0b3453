"""A store that goes on in memory when the real one fails; for the way back only.

Must never hold the start or the progress of a rotation: memory ends with the program. The change to memory is logged
once, and from then on `location` is `none`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.errors import StateConflict, StoreError, TransientError
from phoenix.ports import Lease, Store
from phoenix.stores.memory import MemoryStore

T = TypeVar("T")

log = logging.getLogger(__name__)


class TolerantStore:
    """The real store until its first failure; then one in memory that begins with the last values read from the real
    one.

    `real` None: there is no real store, for the reason in `why`.
    """

    def __init__(self, real: Store | None, why: str = "") -> None:
        self._store: Store = real if real is not None else MemoryStore()
        self._memory = MemoryStore() if real is not None else None
        if real is None:
            log.warning("store.left_out", extra={"reason": why})

    @property
    def location(self) -> str:
        """The location of the store in use; asked for late, because some stores need a call for it."""
        return self._try(lambda store: store.location)

    def load(self, group: str) -> GroupRecord | None:
        """Return the group's record, as far as it can be read."""
        record = self._try(lambda store: store.load(group))
        if record is not None:
            self._remember(record)
        return record

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """Return the records of those groups that have one, as far as they can be read."""
        records = self._try(lambda store: store.load_many(groups))
        for record in records.values():
            self._remember(record)
        return records

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record to the store in use."""
        saved = self._try(lambda store: store.save(record))
        self._remember(saved)
        return saved

    def note(self, key: str) -> Note | None:
        """The note under the key, as far as it could be read."""
        note = self._try(lambda store: store.note(key))
        if note is not None:
            self._remember(note)
        return note

    def save_note(self, note: Note) -> Note:
        """Write the note where that is still possible."""
        saved = self._try(lambda store: store.save_note(note))
        self._remember(saved)
        return saved

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease; if the store fails, no other driver can take it either."""
        lease = self._try(lambda store: store.claim(group, owner, now, ttl, force=force))
        self._remember(lease)
        return lease

    def holds(self, lease: Lease) -> bool:
        """True until another driver is known to have taken the lease."""
        return self._try(lambda store: store.holds(lease))

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back."""
        self._try(lambda store: store.release(lease, due_at))

    def due(self, now: datetime) -> Sequence[str]:
        """Return the groups that are due; only our own after a failure."""
        return self._try(lambda store: store.due(now))

    def lease_of(self, group: str) -> Lease | None:
        """Return the group's lease."""
        return self._try(lambda store: store.lease_of(group))

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Return the group's rotations, newest first; only our own after a failure."""
        return self._try(lambda store: store.history(group, limit))

    def _remember(self, seen: GroupRecord | Note | Lease) -> None:
        if self._memory is not None:
            self._memory.begin_with(seen)

    def _try(self, ask: Callable[[Store], T]) -> T:
        try:
            return ask(self._store)
        except (StoreError, TransientError) as error:
            # A conflict is an answer. A throttled store gives none, and the way back does not wait for it.
            if self._memory is None or isinstance(error, StateConflict):
                raise
            log.warning("store.left_out", extra={"reason": error.message})
            self._store, self._memory = self._memory, None
            return ask(self._store)
