"""The gate that tests of everything else use: it says what it is told to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from phoenix.core.blocker import Blocker
from phoenix.core.model import Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.gates.command_runs import Asked, Ended


@dataclass
class FakeGate:
    """Says what it is told to say."""

    checks: ClassVar[tuple[str, ...]] = ("gate-is-fit",)
    name: str = "fake"
    before_traffic_only: bool = False
    judges_alone: bool = False
    begins_something: bool = False
    judgement: Judgement = Judgement.PASS
    reason: str = "all is well"
    blockers: list[Blocker] = field(default_factory=list)
    asked: int = 0

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self.asked += 1
        return Verdict(self.name, self.judgement, self.reason)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        return list(self.blockers)


WELL = Ended(0, "all is well\n")


class FakeRuns:
    """Programs that end as they are told to, at once: with status 0 unless `ends` says otherwise; None goes on."""

    def __init__(self, ends: Ended | None = WELL) -> None:
        self.ends = ends
        self.begun: dict[str, Asked] = {}

    def begin(self, name: str, asked: Asked, at: datetime) -> None:
        self.begun.setdefault(name, asked)

    def ended(self, name: str) -> Ended | None:
        if name not in self.begun:
            raise FileNotFoundError(name)
        return self.ends
