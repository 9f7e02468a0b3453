"""Classic Load Balancers: which instances are in service, and why another is not.

Sentences: InstanceState in botocore's model. A draining instance is "InService" with the deregistration as description:
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-conn-drain.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import refuse
from phoenix.sandbox.targets import Target
from phoenix.sandbox.world import World

REGISTERING = ("OutOfService", "ELB", "Instance registration is still in progress.")
FAILED = (
    "OutOfService",
    "Instance",
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
)
GONE = ("OutOfService", "Instance", "Instance is not currently registered with the LoadBalancer.")
IN_SERVICE = ("InService", "N/A", "N/A")
DRAINING = ("InService", "N/A", "Instance deregistration currently in progress.")
ELSEWHERE = (
    "OutOfService",
    "ELB",
    "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
)
STATES = {
    "initial": REGISTERING,
    "healthy": IN_SERVICE,
    "unhealthy": FAILED,
    "draining": DRAINING,
    "unused": ELSEWHERE,
}


def describe_health(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeInstanceHealth: all that are registered, or the given ones, registered or not."""
    name = _balancer(world, params)
    asked = [each["InstanceId"] for each in params.get("Instances") or ()]
    for each in asked:
        if world.servers.get(each) is None:
            raise refuse("InvalidInstance", f"Could not find EC2 instance {each}.")
    found = {target.instance_id: target for target in world.targets.of(name)}
    return {"InstanceStates": [_state(each, found.get(each)) for each in asked or found]}


def register(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RegisterInstancesWithLoadBalancer."""
    name = _balancer(world, params)
    for each in params["Instances"]:
        world.targets.register(name, each["InstanceId"])
    return _registered(world, name)


def deregister(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeregisterInstancesFromLoadBalancer."""
    name = _balancer(world, params)
    for each in params["Instances"]:
        world.targets.deregister(name, each["InstanceId"])
    return _registered(world, name)


def _balancer(world: World, params: Mapping[str, Any]) -> str:
    name = str(params["LoadBalancerName"])
    if name not in world.elb().load_balancers:
        raise refuse("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")
    return name


def _registered(world: World, name: str) -> dict[str, Any]:
    return {"Instances": [{"InstanceId": each} for each in world.elb().load_balancers[name].instance_ids]}


def _state(instance_id: str, target: Target | None) -> dict[str, str]:
    state, reason, words = GONE if target is None else STATES[target.state]
    return {"InstanceId": instance_id, "State": state, "ReasonCode": reason, "Description": words}


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "DescribeInstanceHealth": describe_health,
    "RegisterInstancesWithLoadBalancer": register,
    "DeregisterInstancesFromLoadBalancer": deregister,
}
