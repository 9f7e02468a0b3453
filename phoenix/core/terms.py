"""What a policy wants, as far as the core has to know it. Pure: frozen values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from phoenix.core.model import OnFailure
from phoenix.core.opt_in import OptIn
from phoenix.core.serving import Serving
from phoenix.core.work import Station


@dataclass(frozen=True, slots=True)
class Capacity:
    """The owner's MinSize and MaxSize, in instances."""

    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Step:
    """One resting place of a rotation: capacities in per cent of the need, weight in per cent of the pair's
    traffic. `bake` None means: until a person promotes it."""

    new_capacity: int
    old_capacity: int
    new_weight: int
    bake: timedelta | None = timedelta(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a policy that the core needs; pinned in the rotation when it starts.

    `zones` is in how many zones each generation with traffic has to have a ready instance where every zone serves its
    own share (cross-zone load balancing is off); 0 otherwise, and then two do where the live one has them.
    `compares_arrival`: requests are counted by target group, and compared with the weights while a
    step bakes; `confirms_return`: on the way back as well, before the candidate is emptied.
    `hooks_harmless`: the owner's hooks need not run on the way into a reserve and back. `holds`: new instances are held
    until the gates before traffic have passed. `before_leaving`: the stations that an instance passes before it leaves.
    `routed_at` is where a router looks whose routes its target groups do not tell: `Z0123/www.example.com`.
    `discovery`: the registries by which clients find instances, which are stations as well.
    """

    steps: tuple[Step, ...]
    strategy: str = "blue_green"
    serving: Serving = Serving()
    min_healthy_percentage: int = 100
    max_unhealthy_percent: int = 0
    healthy_for: timedelta = timedelta(seconds=30)
    propagation: timedelta = timedelta(seconds=60)
    launch_timeout: timedelta = timedelta(minutes=15)
    drain_timeout: timedelta = timedelta(minutes=5)
    rotation_timeout: timedelta = timedelta(hours=2)
    hot_for: timedelta = timedelta(hours=1)
    on_failure: OnFailure = OnFailure.ROLLBACK
    capacity: Capacity | None = None
    suspend_stickiness: bool = False
    suspend_failover: bool = False
    zones: int = 0
    hooks_harmless: bool = False
    holds: bool = False
    opt_ins: tuple[OptIn, ...] = ()
    before_leaving: tuple[Station, ...] = ()
    routed_at: str = ""
    compares_arrival: bool = False
    confirms_return: bool = False
    discovery: tuple[Station, ...] = ()

    @property
    def stations(self) -> tuple[Station, ...]:
        """All stations on the way out, in order: clients no longer find an instance before its work leaves."""
        return (*self.discovery, *self.before_leaving)
