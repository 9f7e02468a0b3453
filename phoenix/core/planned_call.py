"""A call that changes AWS, as it would be made. Pure: a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

NEW_INSTANCE: Final = "i-new-"
"""The beginning of the placeholder for the id of an instance that is not launched yet."""
UNKNOWN_ID: Final = "XXXX"
"""Stands for the letters of a rotation's id that are drawn when it starts."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """AWS's service, operation and parameters, and when the call would be made at the earliest."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    at: datetime
