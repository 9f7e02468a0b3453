"""Is the candidate healthy in its target groups, in numbers, in every zone, for long enough?

Must never count an instance that no load balancer lists, nor one of another template version.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from phoenix.aws.scope import Scope
from phoenix.gates.counting import CountingGate
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


class TargetHealthGate(CountingGate):
    """Enough healthy targets, for long enough; the counting is the core's."""

    settings = Settings
    name = "target_health"

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Nothing is kept: what it says is in the rotation's terms."""
