"""The record of a group: its generations, the rotation in flight or the last one, its quarantine.

Pure: frozen values only; how they are written down is the stores' business. All times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from phoenix.core.drill import Drill
from phoenix.core.generation import Generation
from phoenix.core.model import Cause, Slot
from phoenix.core.notice import Notice
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event

MOST_ACTS = 50
"""Acts of persons at rest that a record keeps, the newest."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An image that was rolled back from."""

    image: str
    at: datetime
    cause: Cause
    rotation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Setback:
    """Failures of the environment in a row, and until when `tick` waits before it tries again."""

    count: int
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Standstill:
    """A rotation is due and something is in its way that does not go away by itself. `blockers` are names;
    `told_at` is when that last became news."""

    since: datetime
    blockers: tuple[str, ...]
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OldBase:
    """The image that was told of as standing on too old a base, with the base's name and when it was built."""

    image: str
    base: str
    built_at: datetime


@dataclass(frozen=True, slots=True)
class HinderedDrill:
    """The drill that the schedule was due for when its window opened, and what was in its way at the last look."""

    opened_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class NotedSnowflakes:
    """The instances that were last found to be tainted or to have drifted, and since when there is one."""

    since: datetime
    tainted: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """The store's knowledge of one group. `version` is the store's, 0 for a record that was never saved.

    `live` and `retained` are the generations at rest; during a rotation they are still those from before it.
    `hot_until` None with a retained generation means it is cold. `slots` are the Auto Scaling group names, `routes`
    the names by ARN last found to carry the pair: with both, a rollback needs no search and no policy. `outbox` is news
    that has not reached everybody yet. `noted_at` is when `live` was noted of a group that was never rotated. `acts`
    are what persons did while nothing was in flight, the newest last; a rotation's own are in its story.
    `snowflakes` None: every instance was as its generation when that was last looked at, or it never was. `drills`
    are the last few, the newest last; `hindered` is one that should have begun since, and did not.
    """

    group: str
    version: int = 0
    account: str | None = None
    region: str | None = None
    slots: Mapping[Slot, str] = field(default_factory=dict)
    target_groups: Mapping[Slot, tuple[str, ...]] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    live: Generation | None = None
    retained: Generation | None = None
    hot_until: datetime | None = None
    highest_number: int = 0
    known: tuple[Generation, ...] = ()
    rotation: Rotation | None = None
    quarantine: tuple[Quarantined, ...] = ()
    setback: Setback | None = None
    paused: Ask | None = None
    blocked: Standstill | None = None
    outbox: tuple[Notice, ...] = ()
    noted_at: datetime | None = None
    old_base: OldBase | None = None
    snowflakes: NotedSnowflakes | None = None
    acts: tuple[Event, ...] = ()
    drills: tuple[Drill, ...] = ()
    hindered: HinderedDrill | None = None

    def note(self, ask: Ask, name: str, text: str) -> GroupRecord:
        """With one more act of a person, in the story of the rotation in flight or, at rest, among the group's."""
        if self.in_flight is not None:
            return replace(self, rotation=self.in_flight.note(ask.at, name, f"{text}, {ask.text}", ask))
        event = Event(ask.at, name, text, ask.by, ask.reason)
        return replace(self, acts=(*self.acts, event)[-MOST_ACTS:])

    @property
    def in_flight(self) -> Rotation | None:
        """The rotation under way, if there is one."""
        return self.rotation if self.rotation is not None and self.rotation.in_flight else None

    @property
    def drill_in_flight(self) -> Drill | None:
        """The drill that is being measured, if there is one."""
        return self.drills[-1] if self.drills and self.drills[-1].in_flight else None
