"""The requests that a fake load balancer counts: a hundred a minute, by the weights that its data plane follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from phoenix.core.model import Slot


class FakeArrival:
    """A part of a fake router. `arriving` is each slot's share; `unread` is raised instead of an answer."""

    uncounted: ClassVar[str] = ""

    def __init__(self) -> None:
        self.requests = 6000.0
        self.arriving: dict[Slot, float] = {Slot.BLUE: 1.0, Slot.GREEN: 0.0}
        self.unread: Exception | None = None
        self.counted: list[tuple[datetime, datetime]] = []

    def count_requests(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[Slot, Mapping[datetime, float]]:
        self.counted.append((since, until))
        if self.unread is not None:
            raise self.unread
        minutes = [since + timedelta(minutes=number) for number in range(int((until - since) / timedelta(minutes=1)))]
        return {
            slot: {minute: round(self.requests * share) for minute in minutes if round(self.requests * share)}
            for slot, share in self.arriving.items()
        }

    def price_of_looks(self, target_groups: Mapping[Slot, Sequence[str]], looks: int) -> str:
        return f"{looks} looks"
