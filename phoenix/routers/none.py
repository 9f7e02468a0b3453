"""No load balancer: nothing to weigh, both generations work side by side.

Must never claim that an instance is healthy: in service is all that can be known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.action import SetFailover, SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import Route, Slot, SlotState
from phoenix.ports import Traffic
from phoenix.routers.weightless import WeightlessRouter


class NoRouter(WeightlessRouter):
    """Nothing to find, to read or to move."""

    HEALTH: ClassVar = False
    IAM_ACTIONS: ClassVar[Rights] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ("unwatched-target-group",)

    def __init__(self, scope: Scope) -> None:
        """Takes what every router takes, and needs none of it."""

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """No routes."""
        return ()

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """No routes, and no health."""
        return Traffic()

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        """Nothing to shift."""
        return ()

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        """DNS does not look at these."""
        return {}

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        """Nothing to set."""

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        """There is nothing to share out."""
        return False

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """Target groups that phoenix would not watch: the policy says that there is no load balancer."""
        return [
            Blocker(
                "unwatched-target-group",
                f"Auto Scaling group {state.auto_scaling_group}",
                f"{state.auto_scaling_group} registers with a target group, but the policy says `traffic: none`:"
                " its weights and its health would be ignored. Write `traffic: {kind: alb}` or `{kind: nlb}`, or, if"
                " it serves no traffic:",
                f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {state.auto_scaling_group} \\\n"
                f"    --traffic-sources {' '.join(f'Identifier={arn},Type=elbv2' for arn in state.target_groups)}",
            )
            for state in slots.values()
            if state.target_groups
        ]
