"""A drill as it is remembered: instances that were ended on purpose, and how long the group took to be whole again.

Pure: frozen values only. A drill is no rotation: nothing is replaced by another generation, and nothing is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from phoenix.core.explain import ago, counted
from phoenix.core.model import Slot
from phoenix.core.story import Ask
from phoenix.core.window import Calendar, Opening

MOST_KEPT = 20
"""Drills that a record keeps; twenty of three instances each take some 12 KB."""


class Ending(StrEnum):
    """How a drill ended: the group was whole again, it was not in time, or the measuring was stopped."""

    WHOLE = "whole"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DrillTerms:
    """What the policy allows: at most `most` instances, and never fewer healthy ones than `floor` per cent.

    `calendar` says when; `scheduled` ones start by themselves once in each opening.
    """

    most: int
    floor: int
    timeout: timedelta
    calendar: Calendar = Calendar()
    scheduled: bool = False

    def least_of(self, count: int) -> int:
        """The instances that have to stay healthy of that number, rounded up."""
        return -(-count * self.floor // 100)

    def due_opening(self, last: datetime | None, at: datetime) -> Opening | None:
        """The opening that is due for a scheduled drill; None where there is none, or it has had its drill."""
        if not self.scheduled or self.calendar.freeze_at(at) is not None:
            return None
        opening = self.calendar.opening_at(at)
        return None if opening is None or (last is not None and last >= opening.opens_at) else opening

    def next_start(self, last: datetime | None, at: datetime) -> datetime | None:
        """When a scheduled drill is due next, or is tried again after something was in its way; None for never."""
        if not self.scheduled:
            return None
        if self.due_opening(last, at) is not None:
            return at + AGAIN
        opening = self.calendar.opening_at(at)
        return self.calendar.next_opening(at if opening is None else opening.closes_at)


AGAIN = timedelta(minutes=5)
"""The wait before a scheduled drill that something was in the way of is tried again."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. `victims` are chosen once, before the first call: no other instance is ever ended for this drill.

    `goal` is how many instances were healthy at its start, `least` the floor. `ended_at` None: not all calls are known
    to have been made. The times after it are when it was first seen, at most `gap` late. `spared` were chosen, and left
    alone in the end. `ending` None: in flight.
    """

    id: str
    group: str
    slot: Slot
    ask: Ask
    seed: str
    victims: tuple[str, ...]
    goal: int
    least: int
    deadline: datetime
    zone: str | None = None
    hard: bool = False
    ended_at: datetime | None = None
    noticed_at: datetime | None = None
    replaced_at: datetime | None = None
    in_service_at: datetime | None = None
    healthy_at: datetime | None = None
    spared: tuple[str, ...] = ()
    looked_at: datetime | None = None
    gap: timedelta = timedelta(0)
    ending: Ending | None = None
    over_at: datetime | None = None
    why: str = ""

    @property
    def in_flight(self) -> bool:
        """True until it is known how it ended."""
        return self.ending is None

    @property
    def took(self) -> timedelta | None:
        """From the last call until the group was whole again; None unless it was."""
        if self.ending is not Ending.WHOLE or self.ended_at is None or self.healthy_at is None:
            return None
        return self.healthy_at - self.ended_at

    @property
    def milestones(self) -> tuple[tuple[str, datetime | None], ...]:
        """The time line, in order."""
        return (
            ("ended", self.ended_at),
            ("noticed", self.noticed_at),
            ("replaced", self.replaced_at),
            ("in service", self.in_service_at),
            ("healthy", self.healthy_at),
        )

    @property
    def sentence(self) -> str:
        """How it stands, in one sentence."""
        lost = f"{self.group} lost {len(self.victims)} of {counted(self.goal, 'healthy instance')}"
        if self.took is not None:
            return f"{lost} and was whole again after {ago(self.took)}"
        if self.ending is not None:
            return f"{lost if self.victims else f'{self.group} lost no instance'}: {self.why}"
        reached = [name for name, at in self.milestones if at is not None]
        return f"{lost}: {reached[-1]}" if reached else f"{self.id} is about to end {', '.join(self.victims)}"

    def look(self, at: datetime) -> Drill:
        """As it was looked at then."""
        gap = at - self.looked_at if self.looked_at is not None and self.ended_at is not None else timedelta(0)
        return replace(self, looked_at=at, gap=max(self.gap, gap))

    def spare(self, left: tuple[str, ...], why: str) -> Drill:
        """Without these among its victims: they are never ended by it."""
        kept = tuple(each for each in self.victims if each not in left)
        return replace(self, victims=kept, spared=(*self.spared, *left), why=why)

    def over(self, at: datetime, ending: Ending, why: str = "") -> Drill:
        """Ended."""
        return replace(self, ending=ending, over_at=at, why=why or self.why)


def with_drill(drills: tuple[Drill, ...], drill: Drill) -> tuple[Drill, ...]:
    """The drills with this one, in the place of the one with its id or as the last; of many, the newest."""
    if any(each.id == drill.id for each in drills):
        return tuple(drill if each.id == drill.id else each for each in drills)
    return (*drills, drill)[-MOST_KEPT:]
