"""The calls that a look, or an action, makes to AWS: by name only, for the record of a rotation.

Must never keep parameters or answers, which may hold secrets. Knows no AWS: who makes a call notes it here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Final, NamedTuple

READS: Final = ("Describe", "Get", "List", "BatchGet", "Assume")
"""How the names of AWS's operations begin that change nothing."""


class Noted(NamedTuple):
    """One call with all its tries: `elbv2:ModifyListener`, and when it ended; `error` is AWS's code, or empty."""

    at: datetime
    name: str
    error: str = ""

    @property
    def is_read(self) -> bool:
        """True for a call that changes nothing."""
        return self.name.partition(":")[2].startswith(READS)


_CURRENT: ContextVar[tuple[list[Noted], Callable[[], datetime]] | None] = ContextVar("calls", default=None)


@contextmanager
def noted_calls(now: Callable[[], datetime]) -> Iterator[list[Noted]]:
    """Note the calls of the block, also those of threads that copy its context; calls of an inner block count for that
    one only."""
    calls: list[Noted] = []
    token = _CURRENT.set((calls, now))
    try:
        yield calls
    finally:
        _CURRENT.reset(token)


def note_call(name: str, error: str = "") -> None:
    """Note a call that has ended, if anybody wants to know."""
    current = _CURRENT.get()
    if current is not None:
        calls, now = current
        calls.append(Noted(now(), name, error))  # appending is atomic: threads share the list


def counted_reads(calls: Iterable[Noted]) -> Mapping[str, int]:
    """Return how many calls of each name have changed nothing."""
    return Counter(call.name for call in calls if call.is_read)
