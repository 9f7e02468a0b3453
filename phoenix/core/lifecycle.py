"""The states of an instance in phoenix's words. Pure. A fleet translates AWS's words, which only people see."""

from __future__ import annotations

from enum import StrEnum


class Lifecycle(StrEnum):
    """The stages of an instance between its launch and its end.

    `HELD` runs, and a hook keeps it from being registered. `DRAINING` is on its way into the reserve, and cannot come
    back before it is there. `KEPT` leaves, and stays until a person ends it.
    """

    PENDING = "pending"
    HELD = "held"
    IN_SERVICE = "in_service"
    DRAINING = "draining"
    RESERVE = "reserve"
    LEAVING = "leaving"
    KEPT = "kept"
    UNKNOWN = "unknown"
