"""Work that an orchestrator places on instances, and the stations that it passes before an instance leaves. Pure.

Must never know a kind of orchestrator: each tells a stage, and says in words how much work is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Stage(StrEnum):
    """How far an instance is at one station.

    `PARTLY` takes no new work, and some work there has to be asked again to leave. `ABSENT` is not known there:
    nothing can be on it. `UNKNOWN` means that there was no answer.
    """

    ACTIVE = "active"
    PARTLY = "partly"
    LEAVING = "leaving"
    DRAINED = "drained"
    ABSENT = "absent"
    UNKNOWN = "unknown"

    @property
    def has_none(self) -> bool:
        """True when nothing is left on the instance, and nothing new comes."""
        return self in (Stage.DRAINED, Stage.ABSENT)

    @property
    def takes_work(self) -> bool:
        """True when nothing has to be done so that the instance is used."""
        return self in (Stage.ACTIVE, Stage.ABSENT)


@dataclass(frozen=True, slots=True)
class Work:
    """One station's answer about one instance. `words` name the work left there: `has 4 tasks`. One that cannot
    `return` is used as it is, where it stays after all."""

    stage: Stage
    words: str = ""
    can_return: bool = True

    @property
    def is_usable(self) -> bool:
        """True when the instance takes work here, or nothing can be done so that it does."""
        return self.stage.takes_work or not self.can_return


@dataclass(frozen=True, slots=True)
class Station:
    """One entry of `before_leaving`. `name` is for people: `ecs shop`. Once the `timeout` is over, the instance leaves
    all the same where it `goes_on`; else the rotation is held."""

    kind: str
    name: str
    timeout: timedelta
    goes_on: bool = False
