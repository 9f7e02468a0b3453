"""The store that tests of everything else use: the one in memory, which also remembers what it was asked.

Passes the same contract as the real ones (tests/contract/test_store_contract.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.errors import StoreError
from phoenix.ports import Lease
from phoenix.stores import memory


class MemoryStore(memory.MemoryStore):
    """`saved` are all records in the order they were saved; `before_save` runs once, before the next
    save, to interfere; `broken` makes every call fail, as a store that cannot be reached does.
    """

    def __init__(self, location: str = "memory:test") -> None:
        super().__init__(location)
        self.saved: list[GroupRecord] = []
        self.before_save: Callable[[GroupRecord], None] | None = None
        self.broken = False

    def load(self, group: str) -> GroupRecord | None:
        self._refuse_when_broken()
        return super().load(group)

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        self._refuse_when_broken()
        return super().load_many(groups)

    def save(self, record: GroupRecord) -> GroupRecord:
        self._refuse_when_broken()
        interfere, self.before_save = self.before_save, None
        if interfere is not None:
            interfere(record)
        saved = super().save(record)
        self.saved.append(saved)
        return saved

    def note(self, key: str) -> Note | None:
        self._refuse_when_broken()
        return super().note(key)

    def save_note(self, note: Note) -> Note:
        self._refuse_when_broken()
        return super().save_note(note)

    def holds(self, lease: Lease) -> bool:
        self._refuse_when_broken()
        return super().holds(lease)

    def due(self, now: datetime) -> Sequence[str]:
        self._refuse_when_broken()
        return super().due(now)

    def _refuse_when_broken(self) -> None:
        if self.broken:
            raise StoreError(f"the store {self.location} cannot be reached")
