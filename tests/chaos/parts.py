"""What the model is made of: machines, groups, rules, images, and how it may be at the start. Values; nothing moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phoenix.core.action import RemoveTags, WriteTags
from phoenix.core.model import Slot
from tests.builders import NOON

SCHEDULES = "ScheduledActions"


@dataclass(slots=True, eq=False)
class Machine:
    """One instance. `answers_at` None: it never will; `killed_at`, `leaving_since`: it no longer does. It takes no new
    work since `drained_since`, and some again from `used_from` on."""

    id: str
    zone: str
    version: str
    born_at: datetime
    answers_at: datetime | None
    killed_at: datetime | None = None
    leaving_since: datetime | None = None
    drained_since: datetime | None = None
    used_from: datetime | None = None

    def is_used(self, now: datetime) -> bool:
        """True while it is given work, or clients find it."""
        return self.drained_since is None and (self.used_from is None or self.used_from <= now)

    def answers(self, now: datetime) -> bool:
        """True when a request that reaches it is served."""
        up = self.answers_at is not None and self.answers_at <= now
        return up and self.killed_at is None and self.leaving_since is None


@dataclass(slots=True)
class Place:
    """One Auto Scaling group."""

    slot: Slot
    min: int = 0
    max: int = 0
    desired: int = 0
    version: str = "1"
    machines: list[Machine] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)

    def staying(self) -> list[Machine]:
        """Those that are not on their way out."""
        return [m for m in self.machines if m.leaving_since is None]


@dataclass(slots=True)
class Rule:
    """A route: raw weights of the pair, of a third target group, and what they were until the data plane follows."""

    arn: str
    weights: dict[Slot, int]
    third: int = 0
    sticky: int = 0
    before: dict[Slot, int] = field(default_factory=dict)
    since: datetime = NOON


@dataclass(frozen=True, slots=True)
class Image:
    """How the servers of a template version behave: seconds until in service, more until healthy, or never."""

    boot: float = 20
    warm: float = 10
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    """What is there at the start: blue live with `size`; green empty, or still hot with the generation before that."""

    size: int = 4
    balanced: bool = True
    retained: bool = False
    sticky: int = 0
    unnamed: bool = False
    """The second rule has never heard of green."""
    quiet: bool = False
    unknown: bool = False
    """Clients do not find a machine by itself: it has to be announced."""
    """The owner has suspended the scheduled actions of the live slot."""


def share_of(weights: dict[Slot, int]) -> dict[Slot, float]:
    total = sum(weights.values())
    return {slot: weight / total for slot, weight in weights.items()} if total else {}


def rules_at(opening: Opening) -> list[Rule]:
    """The second rule sends as much to a third target group as to the pair."""
    live = {Slot.BLUE: 100, Slot.GREEN: 0}
    return [
        Rule("arn:rule/:443", dict(live), sticky=opening.sticky),
        Rule("arn:rule/api", {Slot.BLUE: 100} if opening.unnamed else dict(live), third=100),
    ]


def change_tags(places: Mapping[Slot, Place], action: WriteTags | RemoveTags) -> None:
    """As Auto Scaling does."""
    if isinstance(action, WriteTags):
        for slot, tags in action.tags.items():
            places[slot].tags.update(tags)
        return
    for slot, keys in action.keys.items():
        places[slot].tags = {key: value for key, value in places[slot].tags.items() if key not in keys}
