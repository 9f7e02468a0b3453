"""A store of whose records many were read at once: for a look at all groups.

Must never be written through: what was read may be old by the time of a save.
"""

from __future__ import annotations

from collections.abc import Mapping

from phoenix.core.record import GroupRecord
from phoenix.ports import Store
from phoenix.stores.elsewhere import FinishedElsewhere


class PreloadedStore(FinishedElsewhere):
    """The real store; `records` are all that it has of the groups that were asked for."""

    def __init__(self, real: Store, names: frozenset[str], records: Mapping[str, GroupRecord]) -> None:
        super().__init__(real, {})
        self._names, self._records = names, records

    def load(self, group: str) -> GroupRecord | None:
        """Return the record that was read."""
        return self._records.get(group) if group in self._names else self._real.load(group)
