"""What the gates that count instances share. The counting itself is the core's; AWS is asked nothing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from phoenix.aws.rights import Rights
from phoenix.core.blocker import Blocker
from phoenix.core.model import Observation, Slot, SlotState, Verdict
from phoenix.core.ready import capacity_verdict
from phoenix.core.rotation import Rotation


class CountingGate:
    """Enough ready instances, for long enough. Its numbers are terms of the rotation, so that they do not change while
    one is in flight."""

    name: ClassVar[str]
    before_traffic_only = False
    judges_alone = True
    IAM_ACTIONS: ClassVar[Rights] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ()

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the observation."""
        return capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """None: what it watches is looked at by fleet and router."""
        return []
