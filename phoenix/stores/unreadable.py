"""Unreadable records among many: each one concerns its own group only.

Must never hide an unreadable record from a caller that asks for that group alone: only answers about many groups go
through here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from phoenix.core.record import GroupRecord
from phoenix.errors import StoreError

log = logging.getLogger(__name__)


def readable(group: str, read: Callable[[], GroupRecord]) -> GroupRecord | None:
    """Return the record; None if it is damaged or was written by a newer phoenix."""
    try:
        return read()
    except StoreError as error:
        log.error("store.record_left_out", extra={"group": group, "reason": error.message})
        return None
