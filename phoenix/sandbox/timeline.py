"""The events to come, by time: the sandbox's only notion of time.

Must never run an event by itself: events happen when a caller asks for a later time, in order, each at its own time. So
a clock that stands still gives the same world every time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

Event = Callable[[], None]


class Timeline:
    """A queue of events, and the time of the one that is happening."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._queue: list[tuple[datetime, int, Event]] = []
        self._numbers = count()

    def at(self, moment: datetime, event: Event) -> None:
        """Let it happen then; in the past means as soon as time moves. Events of one instant keep their order."""
        heapq.heappush(self._queue, (max(moment, self.now), next(self._numbers), event))

    def after(self, seconds: float, event: Event) -> None:
        """Let it happen that much later than now."""
        self.at(self.now + timedelta(seconds=seconds), event)

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by then. A time that is already past is ignored."""
        while self._queue and self._queue[0][0] <= until:
            moment, _, event = heapq.heappop(self._queue)
            self.now = max(self.now, moment)
            event()
        self.now = max(self.now, until)
