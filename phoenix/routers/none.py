"""No load balancer: nothing to weigh, both generations work side by side.

Must never claim that an instance is healthy: in service is all that can be known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from phoenix.aws.groups import type_of
from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.explain import name_of
from phoenix.core.model import Slot, SlotState
from phoenix.ports import Traffic
from phoenix.routers.weightless import WeightlessRouter


class NoRouter(WeightlessRouter):
    """Nothing to find, to read or to move."""

    HEALTH: ClassVar = False
    IAM_ACTIONS: ClassVar[Rights] = frozenset()
    checks: ClassVar[tuple[str, ...]] = ("unwatched-target-group",)

    def __init__(self, scope: Scope) -> None:
        """Takes what every router takes, and needs none of it."""

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """No routes, and no health."""
        return Traffic()

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """Target groups that phoenix would not watch: the policy says that there is no load balancer."""
        groups = {state.auto_scaling_group: state.sources for state in slots.values() if state.sources}
        in_place = len({state.auto_scaling_group for state in slots.values()}) == 1
        kinds = "`traffic: attached`" if in_place else "`traffic: {kind: alb}` or `{kind: nlb}`"
        return [
            Blocker(
                "unwatched-target-group",
                f"Auto Scaling group {name}",
                f"{name} registers with {' and '.join(map(name_of, sources))}, but the policy says `traffic: none`: its"
                f" health would be ignored. Write {kinds}, or, if it serves no traffic:",
                f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {name} \\\n"
                f"    --traffic-sources {' '.join(f'Identifier={each},Type={type_of(each)}' for each in sources)}",
            )
            for name, sources in groups.items()
        ]
