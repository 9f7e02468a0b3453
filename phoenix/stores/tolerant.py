"""A store that goes on in memory when the real one fails; for the way back only.

Must never be what a rotation starts or goes forward on: what is in memory is gone with the program. Says so once, in
the log, and from then on its `location` is `none`.
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
    """The real store until its first failure; then one in memory that begins with what was last seen of the real one.

    `real` None: there is none to begin with, for the reason in `why`.
    """

    def __init__(self, real: Store | None, why: str = "") -> None:
        self._store: Store = real if real is not None else MemoryStore()
        self._memory = MemoryStore() if real is not None else None
        if real is None:
            log.warning("store.left_out", extra={"reason": why})

    @property
    def location(self) -> str:
        """Where the store is that is used now; asked for late, since some have to ask in turn."""
        return self._try(lambda store: store.location)

    def load(self, group: str) -> GroupRecord | None:
        """The group's record, as far as it could be read."""
        record = self._try(lambda store: store.load(group))
        if record is not None:
            self._remember(record)
        return record

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """The records of those groups that have one, as far as they could be read."""
        records = self._try(lambda store: store.load_many(groups))
        for record in records.values():
            self._remember(record)
        return records

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record where that is still possible."""
        saved = self._try(lambda store: store.save(record))
        self._remember(saved)
        return saved

    def note(self, key: str) -> Note | None:
        """What is remembered under the key, as far as it could be read."""
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
        """Take the lease; where the store fails nobody else can have it either."""
        lease = self._try(lambda store: store.claim(group, owner, now, ttl, force=force))
        self._remember(lease)
        return lease

    def holds(self, lease: Lease) -> bool:
        """True while nobody has taken the lease since, as far as anybody can tell."""
        return self._try(lambda store: store.holds(lease))

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back."""
        self._try(lambda store: store.release(lease, due_at))

    def due(self, now: datetime) -> Sequence[str]:
        """Groups whose time has come; only our own after a failure."""
        return self._try(lambda store: store.due(now))

    def lease_of(self, group: str) -> Lease | None:
        """Who drives the group."""
        return self._try(lambda store: store.lease_of(group))

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first; only our own after a failure."""
        return self._try(lambda store: store.history(group, limit))

    def _remember(self, seen: GroupRecord | Note | Lease) -> None:
        if self._memory is not None:
            self._memory.begin_with(seen)

    def _try(self, ask: Callable[[Store], T]) -> T:
        try:
            return ask(self._store)
        except (StoreError, TransientError) as error:
            # A conflict is an answer. A store that AWS holds up is none: the way back does not wait for it.
            if self._memory is None or isinstance(error, StateConflict):
                raise
            log.warning("store.left_out", extra={"reason": error.message})
            self._store, self._memory = self._memory, None
            return ask(self._store)
