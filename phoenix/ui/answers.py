"""Answers of AWS that a page needs beyond the board's looks, kept for a while and shared by all viewers.

Must never ask twice for an answer that is kept, a refusal included, nor let one slow answer hold up the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from phoenix.errors import PhoenixError

T = TypeVar("T")
MOST: Final = 200
"""Answers that are kept; the oldest go first."""


class Answers:
    """Thread-safe: the second viewer waits for the answer to the first. `elapsed` tells seconds, `kept_for` how old an
    answer may be."""

    def __init__(self, elapsed: Callable[[], float], kept_for: float) -> None:
        self._elapsed, self._kept_for = elapsed, kept_for
        self._lock = threading.Lock()
        self._asking: dict[Hashable, threading.Lock] = {}
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def of(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer that is kept under the key, else a new one.

        Raises:
            PhoenixError: AWS refused; it is kept as an answer is.
        """
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            kept = self._known.get(key)
            if kept is None or self._elapsed() - kept[0] >= self._kept_for:
                kept = self._keep(key, self._asked(ask))
        if isinstance(kept[1], PhoenixError):
            raise kept[1].with_traceback(None)  # else each viewer's would be added to it
        found: T = kept[1]
        return found

    def _keep(self, key: Hashable, answer: object) -> tuple[float, Any]:
        kept = (self._elapsed(), answer)
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = kept
            while len(self._known) > MOST:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._asking.pop(oldest, None)
        return kept

    @staticmethod
    def _asked(ask: Callable[[], T]) -> T | PhoenixError:
        try:
            return ask()
        except PhoenixError as error:
            return error
