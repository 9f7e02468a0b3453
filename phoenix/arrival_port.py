"""What a router answers about requests that have arrived: a part of `phoenix.ports.Router`, under the same contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol

from phoenix.core.arriving import Counts
from phoenix.core.model import Slot


class ArrivalPort(Protocol):
    """Requests by target group, as the data plane has counted them."""

    uncounted: ClassVar[str]
    """Why no requests are counted by target group; empty where they are."""

    def count_requests(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[Slot, Counts]:
        """The requests of each slot by minute, from `since` until before `until`; whole minutes. One call.

        Raises:
            AccessDenied: the right is missing.
            Unreachable: there is no answer now.
        """
        ...

    def price_of_looks(self, target_groups: Mapping[Slot, Sequence[str]], looks: int) -> str:
        """What that number of counts costs at the most, in a few words; empty where it costs nothing."""
        ...
