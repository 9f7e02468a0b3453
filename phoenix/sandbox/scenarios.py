"""The ways in which a rehearsal can go.

A scenario only names the differences from a good day; physics does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from phoenix.sandbox.launching import LaunchFault
from phoenix.sandbox.physics import Behaviour


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day in the sandbox."""

    name: str
    description: str
    newest_image: Behaviour = Behaviour.HEALTHY
    launches_fail: LaunchFault | None = None
    """Why every launch of a new generation fails; the example groups are there all the same."""
    throttled: float = 0.0
    """The share of calls that AWS answers with a throttling error."""


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario("healthy", "a good day: the newest image works"),
            Scenario("bad-image", "the newest image boots, and answers every health check with 503", Behaviour.BAD),
            Scenario("slow-boot", "the newest image needs 20 minutes until it answers", Behaviour.SLOW_BOOT),
            Scenario(
                "no-capacity",
                "AWS has no capacity for the green slots and the plain groups; every launch there fails",
                launches_fail=LaunchFault.NO_CAPACITY,
            ),
            Scenario("flapping", "the newest image's health comes and goes", Behaviour.FLAPPING),
            Scenario("alarm", "the newest image looks healthy, and fails real requests: web-5xx", Behaviour.ERRING),
            Scenario("throttled", "AWS refuses one call in five: slow down", throttled=0.2),
        )
    }
)
