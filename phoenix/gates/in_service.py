"""Is the candidate in service, in numbers, for long enough? All that can be asked without a load balancer.

Must never take InService for proof that anybody is served.
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
from phoenix.keys import Duration, Kind


class Settings(Kind):
    """The keys of `{kind: in_service}`; this gate is implied where there is no load balancer."""

    kind: Literal["in_service"] = "in_service"
    healthy_for: Duration = Field(
        default=timedelta(seconds=30), description="How long the instances must have been in service without a break."
    )


class InServiceGate:
    """Enough instances in service, for long enough; the counting is the core's."""

    settings = Settings
    name = "in_service"
    before_traffic_only = False
    IAM_ACTIONS: ClassVar[frozenset[str]] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Its numbers are terms of the rotation, so that they do not change while one is in flight."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the observation; asks AWS nothing."""
        return capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """None: what it watches is looked at by the fleet."""
        return []
