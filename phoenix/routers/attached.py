"""Whatever a group registers its own instances with: no weights to move, but health to ask for.

An instance that leaves service leaves all of it, by Auto Scaling's doing. Must never call an instance healthy that one
of its load balancers does not: users come through each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Final

from phoenix.aws.late import late
from phoenix.aws.rights import Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import Route, Slot, SlotState, TargetState
from phoenix.errors import AccessDenied, NotFound
from phoenix.ports import Traffic
from phoenix.routers import listeners
from phoenix.routers.listeners import Health, Listeners, counted
from phoenix.routers.weightless import WeightlessRouter


def _rights() -> Rights:
    asks = ("elasticloadbalancing:DescribeInstanceHealth", "vpc-lattice:ListTargets")
    return listeners.READ_HEALTH | reads("elasticloadbalancing:DescribeTargetGroups", *asks)


_LATTICE: Final[Mapping[str, TargetState]] = {
    "HEALTHY": TargetState.HEALTHY,
    "INITIAL": TargetState.INITIAL,
    "UNHEALTHY": TargetState.UNHEALTHY,
    "DRAINING": TargetState.DRAINING,
    "UNUSED": TargetState.UNUSED,
    "UNAVAILABLE": TargetState.UNAVAILABLE,
}
"""TargetStatus of VPC Lattice, by its model."""
_REGISTERING: Final = ("ELB", "Instance registration is still in progress.")
"""What a Classic Load Balancer says of an instance that it has not checked yet, by its API reference."""


class AttachedRouter(WeightlessRouter):
    """Target groups of any load balancer (Application, Network, Gateway), Classic Load Balancers, and VPC Lattice."""

    HEALTH: ClassVar = True
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = ("nothing-attached",)

    def __init__(self, scope: Scope) -> None:
        self._aws = scope.aws
        self._listeners = Listeners(scope.aws)

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """No routes. Learns which paths are checked, for the words about health; without the right those lack it."""
        asked = {arn for arns in target_groups.values() for arn in arns if ":elasticloadbalancing:" in arn}
        with suppress(AccessDenied):
            self._listeners.existing(asked)
        return ()

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """One call for each thing attached, side by side; both slots are in all of them."""
        wanted = list(dict.fromkeys(name for slot in Slot if slot in want_health for name in target_groups[slot]))
        if not wanted:
            return Traffic()
        calls: list[Callable[[], Mapping[str, Health] | None]] = [self._question(name) for name in wanted]
        answers = [found for found in self._aws.side_by_side(calls) if found is not None]
        health = counted(answers)
        states = {instance: found.state for instance, found in health.items()}
        words = {instance: found.words for instance, found in health.items() if found.words}
        return Traffic(health=dict.fromkeys(want_health, states), words=dict.fromkeys(want_health, words))

    def _question(self, name: str) -> Callable[[], Mapping[str, Health] | None]:
        if not name.startswith("arn:"):
            return partial(self._read_classic, name)
        return partial(self._read_lattice if ":vpc-lattice:" in name else self._listeners.read_health, name)

    def _read_classic(self, name: str) -> Mapping[str, Health] | None:
        try:
            found = self._aws.call("elb", "describe_instance_health", LoadBalancerName=name)
        except NotFound:
            return None  # deleted: it serves no request any more
        return {str(item["InstanceId"]): _classic(item) for item in found["InstanceStates"]}

    def _read_lattice(self, arn: str) -> Mapping[str, Health] | None:
        try:
            found = list(self._aws.pages("vpc-lattice", "list_targets", "items", targetGroupIdentifier=arn))
        except NotFound:
            return None
        states = ((item, _LATTICE.get(str(item["status"]), TargetState.UNAVAILABLE)) for item in found)
        return {str(item["id"]): Health(state, _told(state, item.get("reasonCode"))) for item, state in states}

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """A group that is attached to nothing: nothing tells whether its instances serve."""
        state = slots[live]
        if state.sources:
            return []
        return [
            Blocker(
                "nothing-attached",
                f"Auto Scaling group {state.auto_scaling_group}",
                f"{state.auto_scaling_group} registers its instances with nothing, but the policy says `traffic:"
                " attached`: no instance would ever be called healthy. Write `traffic: none`, or attach it.",
            )
        ]


def _classic(item: Mapping[str, Any]) -> Health:
    if item["State"] == "InService":
        return Health(TargetState.HEALTHY)
    description = str(item.get("Description", ""))
    is_new = (item.get("ReasonCode"), description) == _REGISTERING
    return Health(TargetState.INITIAL if is_new else TargetState.UNHEALTHY, description)


def _told(state: TargetState, reason: str | None) -> str:
    return "" if state is TargetState.HEALTHY else reason or state.value
