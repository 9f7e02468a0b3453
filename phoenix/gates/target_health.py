"""Is the candidate healthy in its target groups, in numbers, in every zone, for long enough?

Must never count an instance that no load balancer lists, nor one of another template version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Observation, Slot, SlotState, Verdict
from phoenix.core.ready import capacity_verdict
from phoenix.core.record import Rotation
from phoenix.keys import Duration, Kind, Percent


class Settings(Kind):
    """The keys of `{kind: target_health}`; this gate is implied where there is a load balancer."""

    kind: Literal["target_health"] = "target_health"
    healthy_for: Duration = Field(
        default=timedelta(seconds=30), description="How long the instances must have been healthy without a break."
    )
    max_unhealthy_percent: Percent = Field(
        default=0, description="Share of the candidate, in per cent, that may be unhealthy for longer than a blip."
    )


class TargetHealthGate:
    """Enough healthy targets, for long enough; the counting is the core's."""

    settings = Settings
    name = "target_health"
    before_traffic_only = False
    IAM_ACTIONS: ClassVar[frozenset[str]] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Its numbers are terms of the rotation, so that they do not change while one is in flight."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the observation; asks AWS nothing."""
        return capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """None: what it watches is looked at by fleet and router."""
        return []
