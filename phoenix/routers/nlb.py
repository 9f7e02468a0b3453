"""Weights between two target groups on every listener of a Network Load Balancer that names them.

They are weights of new connections: a connection that exists stays with its target group until it is closed
(docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html). Must never ask for rules, nor
write one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from phoenix.aws.late import late
from phoenix.aws.rights import FORWARD, IS_MANAGED, WRITERS, Right, Rights, arn, reads
from phoenix.aws.session import Aws
from phoenix.core.action import SetOptIns
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.core.opt_in import OptIns
from phoenix.core.record import GroupRecord
from phoenix.routers import listeners
from phoenix.routers.forwarding import Arns, Rule
from phoenix.routers.network_listeners import NETWORK, NetworkListeners
from phoenix.routers.uncounted import Uncounted
from phoenix.routers.weighted import WeightedRouter


def _rights() -> Rights:
    from phoenix.routers import failover, nlb_blockers

    on = (arn("elasticloadbalancing", "listener/net/*"),)
    shift = Right("elasticloadbalancing:ModifyListener", "ShiftTraffic", WRITERS, on, (IS_MANAGED,))
    zones = reads("elasticloadbalancing:DescribeLoadBalancerAttributes", roles=FORWARD)
    return frozenset({shift}) | zones | listeners.IAM_ACTIONS | failover.IAM_ACTIONS | nlb_blockers.IAM_ACTIONS


def _checks() -> tuple[str, ...]:
    from phoenix.routers import nlb_blockers

    return nlb_blockers.CHECKS


class NlbRouter(Uncounted, WeightedRouter):
    """Weighted forward actions of Network Load Balancers."""

    PROTOCOLS: ClassVar = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
    ROUTES: ClassVar = NETWORK
    uncounted: ClassVar = "a Network Load Balancer counts flows as a whole and by zone, and not by target group"
    """Only HealthyHostCount and UnHealthyHostCount have the dimension TargetGroup; NewFlowCount, ActiveFlowCount and
    ProcessedBytes do not:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html, and as
    others have found (the configuration of Netflix's atlas-cloudwatch for AWS/NetworkELB)."""
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = late(_checks)

    @staticmethod
    def moved_groups(aws: Aws, records: Iterable[GroupRecord]) -> frozenset[str]:
        """Groups at rest whose listeners do not send everything to the live slot."""
        from phoenix.routers import shares

        return shares.moved_groups(aws, records, shares.LISTENERS)

    def serves_by_zone(self, target_groups: Arns) -> bool:
        """True unless cross-zone load balancing is on for all of the target groups, be it on their load balancers.

        Off is the default of a Network Load Balancer (API_LoadBalancerAttribute).
        """
        from phoenix.routers.network_zones import is_any_zonal

        return is_any_zonal(self._aws, self._listeners, target_groups)

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""
        from phoenix.routers.nlb_blockers import find_blockers
        from phoenix.routers.weight_blockers import Start

        return find_blockers(self._aws, self._listeners, Start(slots, live, *self._suspends, ahead))

    def read_opt_ins(self, wanted: SetOptIns, target_groups: Arns, routes: Sequence[str]) -> OptIns:
        """None: a Network Load Balancer has no rules."""
        return OptIns()

    def set_opt_ins(self, action: SetOptIns, target_groups: Arns, routes: Sequence[str]) -> None:
        """Nothing to set: a policy that asks for it is refused."""

    @staticmethod
    def _open(aws: Aws) -> NetworkListeners:
        return NetworkListeners(aws)

    def _write(self, rule: Rule, actions: list[dict[str, Any]]) -> None:
        self._aws.call("elbv2", "modify_listener", ListenerArn=rule.listener, DefaultActions=actions)
