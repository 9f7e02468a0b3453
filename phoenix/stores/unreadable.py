"""Records that cannot be read, among many: each is its own group's trouble.

Must never hide one from whoever asks for that group alone: only answers about many go through here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from phoenix.core.record import GroupRecord
from phoenix.errors import StoreError

log = logging.getLogger(__name__)


def readable(group: str, read: Callable[[], GroupRecord]) -> GroupRecord | None:
    """The record, or None for one that is damaged or that a newer phoenix wrote."""
    try:
        return read()
    except StoreError as error:
        log.error("store.record_left_out", extra={"group": group, "reason": error.message})
        return None
