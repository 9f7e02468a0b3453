"""The account's record of calls, as CloudTrail keeps it: who has changed what, with which program, and when.

Must never tell of a call before CloudTrail would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

APPEARS_AFTER: Final = timedelta(minutes=15)
"""CloudTrail "typically delivers events within 15 minutes"; the sandbox takes all of them
(docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html)."""
_KEY = re.compile(r"Credential=([^/]+)/")
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that changed something, or tried to."""

    at: datetime
    service: str
    operation: str
    params: Mapping[str, Any]
    agent: str
    key: str
    error: str | None


@dataclass(slots=True)
class Journal:
    """The newest calls, in the order in which they came, and when the history was asked."""

    entries: list[Entry] = field(default_factory=list)
    lookups: list[datetime] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Keep one more."""
        self.entries.append(entry)
        del self.entries[:-_MOST]

    def told_at(self, now: datetime) -> list[Entry]:
        """What the history tells by now, the newest first."""
        return [entry for entry in reversed(self.entries) if entry.at + APPEARS_AFTER <= now]


def caller_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """The program and the access key of a request."""
    told = {name.lower(): str(value) for name, value in headers.items()}
    found = _KEY.search(told.get("authorization", ""))
    return told.get("user-agent", ""), found[1] if found else "unknown"
