"""The questions that a policy asks of a gate's keys, whatever its kind.

Must never know one gate by name: each says for itself what it needs and what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from phoenix.core.serving import Serving
from phoenix.keys import Kind


@dataclass(frozen=True, slots=True)
class Need:
    """A need of a gate that the group lacks, as a sentence for the owner of the policy.

    `key` is the key of the gate where it is mended, empty for the gate as a whole; `instead` is what to write there.
    """

    reason: str
    key: str = ""
    instead: str | None = None


class GateKeys(Kind):
    """A gate's keys. Each kind narrows `kind` to one word, and answers what differs from the answers here."""

    is_single: ClassVar[bool] = False
    """True for a gate that says the same however often a policy lists it."""
    implied_with_health: ClassVar[bool | None] = None
    """Set for the gate that every group has, listed or not: True where a load balancer tells health, False where none
    does. None for all others."""

    def needs_traffic(self, serving: Serving) -> Need | None:
        """The gate's unmet need of the group's traffic; None: it can be asked."""
        return None

    @property
    def precedes_traffic(self) -> bool:
        """True for a gate that the candidate has to pass before it gets traffic."""
        return False

    @property
    def healthy_time(self) -> timedelta | None:
        """The time that the candidate has to stay ready; None where the gate demands nothing of the kind."""
        return None

    @property
    def tolerated_percent(self) -> int:
        """The share of the candidate that may be unhealthy, in per cent."""
        return 0
