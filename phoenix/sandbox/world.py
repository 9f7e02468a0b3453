"""The sandbox's AWS behind the API: every part of it, wired together.

Time comes from outside: nothing happens here unless `catch_up` is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from moto.autoscaling.models import autoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends

from phoenix.sandbox import dns
from phoenix.sandbox.alarms import Alarms
from phoenix.sandbox.clock import SandboxClock
from phoenix.sandbox.commands import Commands
from phoenix.sandbox.containers import Cluster, Containers
from phoenix.sandbox.faults import Faults
from phoenix.sandbox.journal import Journal
from phoenix.sandbox.measurements import Measurements
from phoenix.sandbox.physics import INSTANT, Physics
from phoenix.sandbox.records import DnsRecords
from phoenix.sandbox.registry import Registry
from phoenix.sandbox.routes import Routes
from phoenix.sandbox.scaling import Scaling
from phoenix.sandbox.servers import Servers
from phoenix.sandbox.targets import TARGETS_A_BALANCER, TARGETS_A_GROUP, TARGETS_A_NETWORK_BALANCER, Targets
from phoenix.sandbox.terms import Sources
from phoenix.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from moto.autoscaling.models import AutoScalingBackend
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.ec2.models import EC2Backend
    from moto.ecs.models import EC2ContainerServiceBackend
    from moto.elb.models import ELBBackend
    from moto.elbv2.models import ELBv2Backend
    from moto.route53.models import Route53Backend
    from moto.servicediscovery.models import ServiceDiscoveryBackend
    from moto.vpclattice.models import VPCLatticeBackend

ACCOUNT = DEFAULT_ACCOUNT_ID
REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class TargetGroupTruth:
    """The real state behind one target group, whatever the API shows already."""

    lowest_share: float
    """Of the requests that meet any one rule naming it, in effect now: the smallest share among those rules."""
    highest_share: float
    healthy: int
    unhealthy: int
    initial: int
    draining: int
    asked_for: bool = False
    """Requests that ask for it reach it by a rule for such requests only; the shares do not count them."""


class World:
    """One pretend account in one Region."""

    def __init__(self, clock: SandboxClock, physics: Physics, random_seed: int) -> None:
        self.clock = clock
        self.dice = Random(random_seed)
        self.timeline = Timeline(clock.now())
        self.servers = Servers(self.timeline, physics, self.ec2, self.dice)
        self.routes = Routes(self.timeline, physics, self.elbv2)
        self.records = DnsRecords(self.timeline, physics, self.route53)
        self.records.elbv2, self.records.is_healthy = self.elbv2, partial(dns.is_healthy, self)
        self.records.on_change.append(self.routes.announce)
        self.routes.shares_of_clients = self.records.shares_of
        self.targets = Targets(self.timeline, physics, self.routes, self.servers)
        self.targets.elbv2 = self.elbv2
        self.targets.sources = Sources(self.elbv2, self.elb, self.lattice, self.ec2)
        self.journal = Journal()
        self.quotas = {TARGETS_A_BALANCER: 1000, TARGETS_A_GROUP: 1000, TARGETS_A_NETWORK_BALANCER: 3000}
        """Of this account, by code: "Quotas for your Application Load Balancers" and "… Network Load Balancers". Change
        them at will."""
        self.rules_a_balancer = 100
        """Quota "Rules per Application Load Balancer", default rules not counted."""
        self.groups_an_action = {"application": 5, "network": 5}
        """Target groups that an action of a kind of load balancer may name. Until November 2025 a network one's named
        one."""
        self.targets.quotas = self.quotas
        self.not_allowed: set[str] = set()
        """Actions that IAM's simulator refuses. Change them at will."""
        self.scaling = Scaling(self.timeline, physics, self.servers, self.targets)
        self.faults = Faults(self.dice)
        self.scaling.connect(self.ec2, self.faults)
        self.commands = Commands(self.timeline, physics)
        self.registry = Registry(self.timeline, physics, self.cloud_map)
        self.containers = Containers(self.timeline, physics, self.servers, self.scaling)
        self.alarms = Alarms(self.timeline, physics, self.routes, self.targets)
        self.alarms.servers, self.alarms.cloudwatch = self.servers, self.cloudwatch
        self.measurements = Measurements(self.timeline, self.routes, self.targets, self.servers)

    @staticmethod
    def ec2() -> EC2Backend:
        """moto's EC2."""
        return ec2_backends[ACCOUNT][REGION]

    @staticmethod
    def elbv2() -> ELBv2Backend:
        """moto's load balancers."""
        return elbv2_backends[ACCOUNT][REGION]

    @staticmethod
    def elb() -> ELBBackend:
        """moto's Classic Load Balancers."""
        return elb_backends[ACCOUNT][REGION]

    @staticmethod
    def lattice() -> VPCLatticeBackend:
        """moto's VPC Lattice. Loaded when it is needed first: few sandboxes do."""
        from moto.vpclattice.models import vpclattice_backends

        return vpclattice_backends[ACCOUNT][REGION]

    @staticmethod
    def route53() -> Route53Backend:
        """moto's Route 53, which has no Region. Loaded when it is needed first."""
        from moto.route53.models import route53_backends

        return route53_backends[ACCOUNT]["aws"]

    @staticmethod
    def ecs() -> EC2ContainerServiceBackend:
        """moto's ECS. Loaded when it is needed first."""
        from moto.ecs.models import ecs_backends

        return ecs_backends[ACCOUNT][REGION]

    @staticmethod
    def cloud_map() -> ServiceDiscoveryBackend:
        """moto's Cloud Map. Loaded when it is needed first."""
        from moto.servicediscovery.models import servicediscovery_backends

        return servicediscovery_backends[ACCOUNT][REGION]

    @staticmethod
    def cloudwatch() -> CloudWatchBackend:
        """moto's alarms."""
        return cloudwatch_backends[ACCOUNT][REGION]

    @staticmethod
    def autoscaling() -> AutoScalingBackend:
        """moto's Auto Scaling: it keeps policies, schedules and launch configurations, but no groups."""
        return autoscaling_backends[ACCOUNT][REGION]

    def join_cluster(self, group: str, cluster: str) -> Cluster:
        """The group's instances register with that ECS cluster, which is made if there is none."""
        self.catch_up()
        backend = self.ecs()
        if cluster not in backend.clusters:
            backend.create_cluster(cluster)
        return self.containers.join(group, cluster)

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self.timeline.advance(self.clock.now())

    def naive_now(self) -> datetime:
        """The time of the event that is happening, as moto wants it: UTC without saying so."""
        return self.timeline.now.astimezone(UTC).replace(tzinfo=None)

    @contextmanager
    def instantly(self) -> Iterator[None]:
        """Make everything take no time, to build fleets that count as old."""
        parts = (self.servers, self.routes, self.records, self.targets, self.scaling)
        usual = self.servers.physics
        for part in parts:
            part.physics = INSTANT
        try:
            yield
            self.catch_up()
        finally:
            for part in parts:
                part.physics = usual

    def truth_about(self, target_group: str) -> TargetGroupTruth:
        """Return the real state behind it now."""
        shares = [each[target_group] for each in self.routes.effective().values() if target_group in each]
        states = [target.state for target in self.targets.of(target_group)]
        return TargetGroupTruth(
            min(shares, default=0.0),
            max(shares, default=0.0),
            states.count("healthy"),
            states.count("unhealthy"),
            states.count("initial"),
            states.count("draining"),
            self.routes.is_asked_for(target_group),
        )
