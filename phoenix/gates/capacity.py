"""Has the candidate enough instances for long enough: healthy in its target groups, or in service if it has none?

The core counts; this module never asks AWS. Must never count an instance of another template version, nor one that no
load balancer lists; nor take InService for proof that users are served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Observation, Slot, SlotState, Verdict
from phoenix.core.ready import capacity_verdict
from phoenix.core.rotation import Rotation
from phoenix.core.serving import Serving
from phoenix.gates.keys import GateKeys, Need
from phoenix.keys import Duration, Percent


class CountingGate:
    """Enough ready instances, for long enough. Its numbers are terms of the rotation, so that they do not change while
    one is in flight."""

    name: ClassVar[str]
    before_traffic_only = False
    judges_alone = True
    begins_something = False
    IAM_ACTIONS: ClassVar[Rights] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ()

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the observation."""
        return capacity_verdict(rotation, seen, self.name)

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return none: fleet and router check the same resources."""
        return []


class TargetHealth(GateKeys):
    """The keys of `{kind: target_health}`; this gate is implied where there is a load balancer."""

    is_single = True
    implied_with_health = True
    kind: Literal["target_health"] = "target_health"
    healthy_for: Duration = Field(
        default=timedelta(seconds=30), description="How long the instances must have been healthy without a break."
    )
    max_unhealthy_percent: Percent = Field(
        default=0, description="Share of the candidate, in per cent, that may be unhealthy for longer than a blip."
    )

    def needs_traffic(self, serving: Serving) -> Need | None:
        """Health is the load balancer's word."""
        if serving.health:
            return None
        reason = "target_health needs a load balancer; without one, use in_service"
        return Need(reason, "kind", instead="in_service")

    @property
    def healthy_time(self) -> timedelta:
        """As written."""
        return self.healthy_for

    @property
    def tolerated_percent(self) -> int:
        """As written."""
        return self.max_unhealthy_percent


class TargetHealthGate(CountingGate):
    """Passes with enough healthy targets for long enough; the core counts."""

    settings = TargetHealth
    name = "target_health"

    def __init__(self, settings: TargetHealth, scope: Scope) -> None:
        """Nothing is kept: what it says is in the rotation's terms."""


class InService(GateKeys):
    """The keys of `{kind: in_service}`; this gate is implied where there is no load balancer."""

    is_single = True
    implied_with_health = False
    kind: Literal["in_service"] = "in_service"
    healthy_for: Duration = Field(
        default=timedelta(seconds=30), description="How long the instances must have been in service without a break."
    )

    @property
    def healthy_time(self) -> timedelta:
        """As written."""
        return self.healthy_for


class InServiceGate(CountingGate):
    """Passes with enough instances in service for long enough; the core counts."""

    settings = InService
    name = "in_service"

    def __init__(self, settings: InService, scope: Scope) -> None:
        """Nothing is kept: what it says is in the rotation's terms."""
