"""The situations: each a fleet, a policy, an image, something that drives it, and what has to be seen.

Virtual seconds throughout; the real ones are shorter by the clock's speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from phoenix.core.model import Outcome
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.sandbox.physics import Behaviour
from tests.e2e import broken
from tests.e2e.rig import Load, Rig, Tally, a_rig

Drive = Callable[[Rig], None]

NEWEST = "2026.11.18-e2e000"
QUIET_S = 20
CANARY_PERCENT = 10
HALF = 50
"""Of the traffic of a group in place: its new instances serve beside the old ones as soon as they are healthy."""
MARGIN = 1.2
"""By so much a share may exceed the step's: the target group of each request is drawn."""
BLUE_GREEN = {"kind": "blue_green", "bake": "60s"}
CANARY = {"kind": "canary", "steps": [{"weight": 10, "bake": "60s"}, {"weight": 50, "bake": "60s"}], "bake": "60s"}
ROLLING = {"kind": "rolling", "batch": "25%", "pause": "10s", "bake": "60s"}
EXPOSED = {"kind": "canary", "steps": [{"weight": CANARY_PERCENT, "bake": "5m"}], "bake": "60s"}


class Expected(StrEnum):
    """What has to be seen of the users' requests."""

    NONE_LOST = "none lost"
    SHARE = "at most its share"
    """The share of the traffic that the policy gives the new generation, while it has it."""
    LOST = "some lost"


class DriverFailed(Exception):
    """The driver did not end as the situation says: the figures would be about something else."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One row of the table."""

    name: str
    fleet: str
    strategy: Mapping[str, Any]
    drive: Drive
    image: Behaviour = Behaviour.HEALTHY
    expected: Expected = Expected.NONE_LOST
    share: int = CANARY_PERCENT
    """In per cent, where a share is expected."""
    follows: bool = True
    """False where the data plane ignores the weights: users never meet the new image."""

    @property
    def images(self) -> int:
        """How many images users have to meet: of two where the new one may serve, of one where it must not."""
        if not self.follows:
            return 1
        return 2 if self.image in (Behaviour.HEALTHY, Behaviour.ERRING) else 1

    def policy(self) -> dict[str, Any]:
        """The policy file."""
        pair = self.fleet == "web"
        fleets: dict[str, Any] = {
            "web": {"kind": "pair", "blue": "web-blue", "green": "web-green"},
            "api": {"kind": "in_place", "auto_scaling_group": "api", "hooks": "harmless"},
        }
        return {
            "version": 1,
            "group": self.fleet,
            "fleet": fleets[self.fleet],
            "traffic": {"kind": "alb", "propagation": "30s"} if pair else "attached",
            "image": {
                "kind": "search",
                "owners": ["self"],
                "name": f"{self.fleet}-*",
                "tags": {"service": self.fleet, "channel": "stable"},
            },
            "strategy": dict(self.strategy),
            "gates": [
                {"kind": "target_health", "healthy_for": "30s"},
                {"kind": "alarm", "alarms": [f"{self.fleet}-5xx"]},
            ],
            "timeouts": {"launch": "3m"},
            "retain": {"hot_for": "1h"},
        }

    def met(self, tally: Tally) -> bool:
        """Whether what was seen is what was expected."""
        match self.expected:
            case Expected.NONE_LOST:
                return tally.failed == 0 and len(tally.by_image) == self.images
            case Expected.LOST:
                return tally.failed > 0
            case Expected.SHARE:
                return 0 < tally.share_failed <= self.share / 100 * MARGIN

    def run(self, load: Load) -> Rig:
        """Run it to its end.

        Raises:
            DriverFailed: it ended in another way than it should.
        """
        with a_rig(self.fleet, self.policy(), load) as rig:
            rig.box.bake_image(
                f"{self.fleet}-{NEWEST}",
                behaviour=self.image,
                tags={"service": self.fleet, "channel": "stable"},
            )
            rig.rest(QUIET_S)
            self.drive(rig)
            rig.mark("afterwards")
            rig.rest(QUIET_S)
        return rig


def there_and_back(rig: Rig) -> None:
    """A rotation, and a rollback when it has succeeded."""
    _ends(rig, Outcome.SUCCEEDED)
    rig.mark("at rest")
    rig.rest(QUIET_S)
    report = rollback(rig.group(), RollbackRequest(reason="e2e"), rig.watch)
    if report.outcome is not Outcome.ROLLED_BACK:
        raise DriverFailed(f"the rollback: {report.sentence}")


def turned_back(rig: Rig) -> None:
    """A rotation that phoenix itself turns back."""
    _ends(rig, Outcome.ROLLED_BACK)


def unfollowed(rig: Rig) -> None:
    """A rotation whose weights HAProxy ignores: held with both numbers, and then taken back by a person."""
    rig.ignore_weights()
    report = rotate(rig.group(), RotateRequest(), rig.watch)
    if report.outcome is not Outcome.HELD or "0 % of" not in report.sentence:
        raise DriverFailed(f"the rotation: {report.sentence}")
    rig.mark("held")
    report = rollback(rig.group(), RollbackRequest(reason="e2e"), rig.watch)
    if report.outcome is not Outcome.ROLLED_BACK:
        raise DriverFailed(f"the rollback: {report.sentence}")


def _ends(rig: Rig, outcome: Outcome) -> None:
    report = rotate(rig.group(), RotateRequest(), rig.watch)
    if report.outcome is not outcome:
        raise DriverFailed(f"the rotation: {report.sentence}")


SITUATIONS = (
    Situation("pair, blue/green", "web", BLUE_GREEN, there_and_back),
    Situation("pair, canary", "web", CANARY, there_and_back),
    Situation("pair, rolling", "web", ROLLING, there_and_back),
    Situation("in place, Standby", "api", BLUE_GREEN, there_and_back),
    Situation("in place, canary", "api", CANARY, there_and_back),
    Situation("pair, bad image", "web", CANARY, turned_back, Behaviour.BAD),
    Situation("pair, slow boot", "web", CANARY, turned_back, Behaviour.SLOW_BOOT),
    Situation("pair, flapping", "web", CANARY, turned_back, Behaviour.FLAPPING),
    Situation("in place, bad image", "api", BLUE_GREEN, turned_back, Behaviour.BAD),
    Situation("in place, slow boot", "api", BLUE_GREEN, turned_back, Behaviour.SLOW_BOOT),
    Situation("in place, flapping", "api", BLUE_GREEN, turned_back, Behaviour.FLAPPING, Expected.SHARE, share=HALF),
    Situation("pair, 500 to users", "web", EXPOSED, turned_back, Behaviour.ERRING, Expected.SHARE),
    Situation("pair, weights ignored", "web", EXPOSED, unfollowed, follows=False),
    Situation("control: early shift", "web", BLUE_GREEN, broken.early_shift, expected=Expected.LOST),
    Situation("control: hard kill", "web", BLUE_GREEN, broken.hard_kill, expected=Expected.LOST),
    Situation("control: no drain", "api", BLUE_GREEN, broken.no_drain, expected=Expected.LOST),
    Situation("control: no propagation wait", "web", BLUE_GREEN, broken.no_propagation_wait, expected=Expected.LOST),
)
