"""Advance groups in this program, several side by side: for cron, and for accounts with few groups.

Must never let one group's error reach another group: each advance keeps its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

log = logging.getLogger(__name__)

THREADS: Final = 8


class SideBySide:
    """Calls `advance(group, poll_seconds)` for each group, and returns when all have ended."""

    def __init__(self, advance: Callable[[str, float], object], threads: int = THREADS) -> None:
        self._advance = advance
        self._threads = threads

    def invoke(self, groups: Sequence[str], poll_seconds: float) -> None:
        """Advance each of these. An interruption lets those in progress end, and starts no more."""
        if len(groups) < 2 or self._threads < 2:
            for group in groups:
                self._one(group, poll_seconds)
            return
        pool = ThreadPoolExecutor(min(len(groups), self._threads), thread_name_prefix="advance")
        try:
            for ended in [pool.submit(self._one, group, poll_seconds) for group in groups]:
                ended.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, group: str, poll_seconds: float) -> None:
        try:
            self._advance(group, poll_seconds)
        except Exception:  # the others must go on, whatever the error
            log.exception("advance.failed", extra={"group": group})
