"""The gate that tests of everything else use: it says what it is told to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from phoenix.core.blocker import Blocker
from phoenix.core.model import Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation


@dataclass
class FakeGate:
    """Says what it is told to say."""

    checks: ClassVar[tuple[str, ...]] = ("gate-is-fit",)
    name: str = "fake"
    before_traffic_only: bool = False
    judges_alone: bool = False
    judgement: Judgement = Judgement.PASS
    reason: str = "all is well"
    blockers: list[Blocker] = field(default_factory=list)
    asked: int = 0

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self.asked += 1
        return Verdict(self.name, self.judgement, self.reason)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        return list(self.blockers)
