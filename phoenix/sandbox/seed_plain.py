"""The example groups that are rotated in place: one Auto Scaling group each, attached to a load balancer of each kind.

As with the pairs, live instances are three days old and exactly one newer image fits each group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.scenarios import Scenario
from phoenix.sandbox.seeding import PORT, Builder, Plain, Size

DRAIN_S = 30


def api(builder: Builder, scenario: Scenario, desired: int) -> None:
    """A web tier that scales with its load, behind an Application Load Balancer; its owner's termination hook is never
    answered, and lets each instance go soon."""
    live = builder.images_of("api", scenario.newest_image)
    balancer = builder.load_balancer("api")
    group = builder.target_group("api")
    builder.listener(balancer, 80, {"Type": "forward", "TargetGroupArn": group})
    builder.plain(Plain("api", Size(2, 12, desired), target_groups=(group,)), live)
    builder.watch("api", balancer)
    builder.track_load("api")
    builder.autoscaling.put_lifecycle_hook(
        AutoScalingGroupName="api",
        LifecycleHookName="api-logs-shipped",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=30,
        DefaultResult="CONTINUE",
    )


def tcp(builder: Builder, scenario: Scenario, desired: int) -> None:
    """Connections through a Network Load Balancer."""
    live = builder.images_of("tcp", scenario.newest_image)
    made = builder.elbv2.create_load_balancer(Name="tcp", Type="network", Subnets=list(builder.network.subnets))
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    group = builder.target_group("tcp", Protocol="TCP", HealthCheckProtocol="HTTP")
    action = {"Type": "forward", "TargetGroupArn": group}
    builder.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=5432, DefaultActions=[action])
    builder.plain(Plain("tcp", Size(2, 8, desired), target_groups=(group,)), live)


def legacy(builder: Builder, scenario: Scenario, desired: int) -> None:
    """A group from long ago, behind a Classic Load Balancer."""
    live = builder.images_of("legacy", scenario.newest_image)
    elb: Any = builder.session.client("elb")
    elb.create_load_balancer(
        LoadBalancerName="legacy",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": PORT}],
        Subnets=list(builder.network.subnets),
        SecurityGroups=[builder.network.security_group],
    )
    elb.configure_health_check(
        LoadBalancerName="legacy",
        HealthCheck={
            "Target": f"HTTP:{PORT}/healthz",
            "Interval": 10,
            "Timeout": 5,
            "UnhealthyThreshold": 2,
            "HealthyThreshold": 3,
        },
    )
    elb.modify_load_balancer_attributes(
        LoadBalancerName="legacy",
        LoadBalancerAttributes={"ConnectionDraining": {"Enabled": True, "Timeout": DRAIN_S}},
    )
    builder.plain(Plain("legacy", Size(2, 8, desired), balancers=("legacy",)), live)


def batch(builder: Builder, scenario: Scenario, desired: int) -> None:
    """Workers without a load balancer."""
    live = builder.images_of("batch", scenario.newest_image)
    builder.plain(Plain("batch", Size(2, 8, desired)), live)


FLEETS: Mapping[str, Callable[[Builder, Scenario, int], None]] = {
    "api": api,
    "tcp": tcp,
    "legacy": legacy,
    "batch": batch,
}
