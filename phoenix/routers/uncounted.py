"""The part of routers whose requests are not counted by target group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from phoenix.core.model import Slot


class Uncounted:
    """Nothing is counted, and nothing asked: the router's `uncounted` says why."""

    def count_requests(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[Slot, Mapping[datetime, float]]:
        """No counts."""
        return {}

    def price_of_looks(self, target_groups: Mapping[Slot, Sequence[str]], looks: int) -> str:
        """Nothing is asked."""
        return ""
