"""What DynamoDB would charge for calls, by its own rules: a read unit is 4 KB read consistently, a write unit 1 KB.

A call's parameters and answer are all that is needed, since an item's size is that of its names and values, and the
index holds keys only. A refused write costs as much as one that succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 1024
NUMBER_BYTES: Final = 8
"""About; numbers take a byte for two digits."""


@dataclass(slots=True)
class Meter:
    """Units so far. `claims` counts leases taken or renewed: one for each tick."""

    read: float = 0.0
    written: float = 0.0
    claims: int = 0
    _due: dict[str, str | None] = field(default_factory=dict)

    def note(self, method: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """One call, or one page."""
        match method:
            case "get_item":
                self.read += max(ceil(size_of(answer.get("Item", {})) / READ_BYTES), 1)
            case "batch_get_item":
                items = [item for found in answer["Responses"].values() for item in found]
                self.read += sum(ceil(size_of(item) / READ_BYTES) for item in items)
            case "query":
                whole = 1.0 if asked.get("ConsistentRead") else 0.5
                self.read += whole * max(ceil(sum(map(size_of, answer["Items"])) / READ_BYTES), 1)
            case "put_item":
                self._note_put(asked["Item"])
            case _:  # about the table itself: free
                pass

    def _note_put(self, item: Mapping[str, Any]) -> None:
        self.written += max(ceil(size_of(item) / WRITE_BYTES), 1)
        if item["item"]["S"] != "lease":
            return
        self.claims += "owner" in item
        group, due = item["group"]["S"], item.get("due_at", {}).get("S")
        before, self._due[group] = self._due.get(group), due
        # Another key in the index is one entry out and one in.
        if before != due:
            self.written += (before is not None) + (due is not None)


def size_of(item: Mapping[str, Mapping[str, str]]) -> int:
    """Bytes of an item."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, str]) -> int:
    return sum(len(text.encode()) if kind == "S" else NUMBER_BYTES for kind, text in value.items())
