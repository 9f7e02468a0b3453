"""How each kind of traffic source checks and drains its targets: target groups, Classic Load Balancers, VPC Lattice.

Reads moto's settings; must never keep any, because their owner may change them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.elb.models import ELBBackend
    from moto.elbv2.models import ELBv2Backend
    from moto.vpclattice.models import VPCLatticeBackend

WEB = ("HTTP", "HTTPS")
NETWORK = ("TCP", "UDP", "TLS", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE")
"""Protocols of Network Load Balancers, and of Gateway Load Balancers."""
LATTICE = "arn:aws:vpc-lattice:"
LATTICE_DRAIN = 60.0
"""The default draining time is 1 minute: TargetSummary in botocore's model of VPC Lattice (1.44.5), where older pages
said five. It cannot be set."""
CLASSIC_CHECK = ("30", "2", "10")
"""Interval, UnhealthyThreshold, HealthyThreshold of a Classic Load Balancer that were not configured:
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-healthchecks.html"""


@dataclass(frozen=True, slots=True)
class Terms:
    """One traffic source's terms. Durations in seconds."""

    port: int
    interval: float
    healthy_after: int
    unhealthy_after: int
    drain: float
    one_suffices: bool = False
    """A new target needs one success only."""
    connects_only: bool = False
    """A check only connects: a server that accepts is healthy, whatever it answers."""
    slow_to_register: bool = False
    zones: frozenset[str] = frozenset()
    """Zones that a Classic Load Balancer has nodes in."""


class Sources:
    """Every traffic source that instances can register with."""

    def __init__(
        self,
        elbv2: Callable[[], ELBv2Backend],
        elb: Callable[[], ELBBackend],
        lattice: Callable[[], VPCLatticeBackend],
        ec2: Callable[[], EC2Backend],
    ) -> None:
        self._elbv2, self._elb, self._lattice, self._ec2 = elbv2, elb, lattice, ec2

    def of(self, source: str) -> Terms | None:
        """The terms of a target group's ARN, or of a Classic Load Balancer's name; None when there is no such thing."""
        if not source.startswith("arn:"):
            return self._of_classic(source)
        return self._of_lattice(source) if source.startswith(LATTICE) else self._of_target_group(source)

    def note(self, source: str, instance_id: str, *, registered: bool) -> None:
        """Let DescribeLoadBalancers of a Classic Load Balancer list the instance, or no longer."""
        balancer: Any = None if source.startswith("arn:") else self._elb().load_balancers.get(source)
        if balancer is not None:
            others = [each for each in balancer.instance_autoscaling_ids if each != instance_id]
            balancer.instance_autoscaling_ids = [*others, instance_id] if registered else others

    def _of_target_group(self, arn: str) -> Terms | None:
        group: Any = self._elbv2().target_groups.get(arn)
        if group is None:
            return None
        return Terms(
            int(group.port or 0),
            float(group.health_check_interval_seconds),
            int(group.healthy_threshold_count),
            int(group.unhealthy_threshold_count),
            float(group.attributes["deregistration_delay.timeout_seconds"]),
            one_suffices=group.protocol in WEB,
            connects_only=group.health_check_protocol not in WEB,
            slow_to_register=group.protocol in NETWORK,
        )

    def _of_classic(self, name: str) -> Terms | None:
        balancer: Any = self._elb().load_balancers.get(name)
        if balancer is None:
            return None
        check, first = balancer.health_check, balancer.listeners[0]
        target = check.target if check else f"TCP:{first.instance_port}"
        interval, unhealthy, healthy = (
            (check.interval, check.unhealthy_threshold, check.healthy_threshold) if check else CLASSIC_CHECK
        )
        draining = balancer.attributes["connection_draining"]
        drains = str(draining.get("enabled", draining.get("Enabled"))).lower() == "true"
        number = re.search(r":(\d+)", target)
        return Terms(
            int(number[1]) if number else int(first.instance_port),
            float(interval),
            int(healthy),
            int(unhealthy),
            float(draining.get("Timeout") or draining.get("timeout") or 300) if drains else 0.0,
            connects_only=not target.startswith("HTTP"),
            zones=frozenset(balancer.availability_zones or self._zones(balancer.subnets)),
        )

    def _zones(self, subnets: Iterable[str]) -> list[str]:
        return [self._ec2().get_subnet(each).availability_zone for each in subnets]

    def _of_lattice(self, arn: str) -> Terms | None:
        group = next((each for each in self._lattice().target_groups.values() if each.arn == arn), None)
        if group is None:
            return None
        check = group.config.get("healthCheck") or {}
        return Terms(
            int(check.get("port") or group.config.get("port") or 80),
            float(check.get("healthCheckIntervalSeconds") or 30),
            int(check.get("healthyThresholdCount") or 5),
            int(check.get("unhealthyThresholdCount") or 2),
            LATTICE_DRAIN,
        )
