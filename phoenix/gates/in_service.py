"""Is the candidate in service, in numbers, for long enough? All that can be asked without a load balancer.

Must never take InService for proof that anybody is served.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from phoenix.aws.scope import Scope
from phoenix.gates.counting import CountingGate
from phoenix.keys import Duration, Kind


class Settings(Kind):
    """The keys of `{kind: in_service}`; this gate is implied where there is no load balancer."""

    kind: Literal["in_service"] = "in_service"
    healthy_for: Duration = Field(
        default=timedelta(seconds=30), description="How long the instances must have been in service without a break."
    )


class InServiceGate(CountingGate):
    """Enough instances in service, for long enough; the counting is the core's."""

    settings = Settings
    name = "in_service"

    def __init__(self, settings: Settings, scope: Scope) -> None:
        """Nothing is kept: what it says is in the rotation's terms."""
