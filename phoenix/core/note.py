"""Notes that belong to no one group: whether the breaker is open, which group's turn was the last.

Pure. Must never be read as a group's record, nor a record as a note: they live under different keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from phoenix.core.notice import Notice


@dataclass(frozen=True, slots=True)
class Note:
    """One thing remembered under a key. `version` is the store's, 0 for a note that was never saved.

    `at` None: there is nothing to remember now. `outbox` is news of it that has not reached everybody yet.
    """

    key: str
    version: int = 0
    at: datetime | None = None
    by: str = ""
    text: str = ""
    outbox: tuple[Notice, ...] = ()
