"""Auto Scaling: a group's traffic sources, by the calls for each kind and by those for all kinds.

All of them register instances; a target group of VPC Lattice only if it exists there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.elb.models import elb_backends

from phoenix.sandbox.answers.common import group_named, invalid, page, refuse
from phoenix.sandbox.groups import Group
from phoenix.sandbox.world import ACCOUNT, REGION, World

MOST_TARGET_GROUPS = 50
"""Of one group: "Amazon EC2 Auto Scaling quotas" in the user guide."""
KINDS = ("elb", "elbv2", "vpc-lattice")


def attach_target_groups(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """AttachLoadBalancerTargetGroups."""
    group = group_named(world, params["AutoScalingGroupName"])
    wanted = [arn for arn in params["TargetGroupARNs"] if arn not in group.target_groups]
    _check(world, group, dict.fromkeys(params["TargetGroupARNs"], "elbv2"))
    group.settings["TargetGroupARNs"] = [*group.settings["TargetGroupARNs"], *wanted]
    _enroll(world, group)
    return {}


def detach_target_groups(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DetachLoadBalancerTargetGroups: not "for target groups that were attached by using AttachTrafficSources"."""
    group = group_named(world, params["AutoScalingGroupName"])
    if not set(params["TargetGroupARNs"]) <= set(group.settings["TargetGroupARNs"]):
        raise invalid("Trying to remove Target Groups that are not part of the group")
    _leave(world, group, params["TargetGroupARNs"])
    return {}


def describe_target_groups(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLoadBalancerTargetGroups: InService once one target has been healthy."""
    group = group_named(world, params["AutoScalingGroupName"])
    arns = group.settings["TargetGroupARNs"]
    return {
        "LoadBalancerTargetGroups": [
            {"LoadBalancerTargetGroupARN": arn, "State": _state(group, arn, "elbv2")} for arn in arns
        ]
    }


def attach_classic(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """AttachLoadBalancers."""
    group, names = group_named(world, params["AutoScalingGroupName"]), params["LoadBalancerNames"]
    _check(world, group, dict.fromkeys(names, "elb"))
    known = group.traffic_sources
    group.settings["LoadBalancerNames"] = [
        *group.settings["LoadBalancerNames"],
        *(name for name in names if name not in known),
    ]
    _enroll(world, group)
    return {}


def detach_classic(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DetachLoadBalancers."""
    group, names = group_named(world, params["AutoScalingGroupName"]), params["LoadBalancerNames"]
    if not set(names) <= set(group.settings["LoadBalancerNames"]):
        raise invalid("Trying to remove Load Balancers that are not part of the group")
    _leave(world, group, names)
    return {}


def describe_classic(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLoadBalancers: Classic ones only."""
    group = group_named(world, params["AutoScalingGroupName"])
    names = group.settings["LoadBalancerNames"]
    return {"LoadBalancers": [{"LoadBalancerName": name, "State": _state(group, name, "elb")} for name in names]}


def attach_sources(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """AttachTrafficSources: additive."""
    group = group_named(world, params["AutoScalingGroupName"])
    if any(each["Status"] in ("Pending", "InProgress") for each in group.refreshes):
        raise refuse("InstanceRefreshInProgress", "An instance refresh is in progress.")
    add_sources(world, group, params["TrafficSources"])
    return {}


def detach_sources(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DetachTrafficSources: also sources that an older call has attached."""
    group = group_named(world, params["AutoScalingGroupName"])
    named = [each["Identifier"] for each in params["TrafficSources"]]
    if not set(named) <= set(group.traffic_sources):
        raise invalid("Trying to remove Traffic Sources that are not part of the group")
    _leave(world, group, named)
    return {}


def describe_sources(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeTrafficSources, of one type or of all."""
    group, wanted = group_named(world, params["AutoScalingGroupName"]), params.get("TrafficSourceType")
    found = [
        {"Identifier": name, "TrafficSource": name, "Type": kind, "State": _state(group, name, kind)}
        for name, kind in group.traffic_sources.items()
        if wanted in (None, kind)
    ]
    sources, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"TrafficSources": sources, "NextToken": token}


def add_sources(world: World, group: Group, sources: Sequence[Mapping[str, Any]]) -> None:
    """Attach them to the group, and register its instances."""
    named = {each["Identifier"]: each.get("Type") or _kind(each["Identifier"]) for each in sources}
    _check(world, group, named)
    known = group.traffic_sources
    group.sources |= {name: kind for name, kind in named.items() if name not in known}
    _enroll(world, group)


def _kind(identifier: str) -> str:
    if not identifier.startswith("arn:"):
        return "elb"
    return "vpc-lattice" if identifier.split(":")[2] == "vpc-lattice" else "elbv2"


def _check(world: World, group: Group, wanted: Mapping[str, str]) -> None:
    classic = elb_backends[ACCOUNT][REGION].load_balancers
    for name, kind in wanted.items():
        if kind not in KINDS:
            raise invalid(f"Traffic source type {kind} is not valid. Valid values: [{', '.join(KINDS)}]")
        if kind == "elbv2" and name not in world.elbv2().target_groups:
            raise invalid(f"Target group '{name}' not found")
        if kind == "elb" and name not in classic:
            raise invalid("Provided Load Balancers may not be valid. Please ensure they exist and try again.")
    arns = {name for name, kind in wanted.items() if kind == "elbv2"}
    if len(arns | set(group.target_groups)) > MOST_TARGET_GROUPS:
        raise refuse("LimitExceeded", f"You may attach at most {MOST_TARGET_GROUPS} target groups to a group.")


def _enroll(world: World, group: Group) -> None:
    for member in group.members:
        if member.lifecycle == "InService":
            world.scaling.attachments.enroll(group, member)


def _leave(world: World, group: Group, names: Sequence[str]) -> None:
    """Deregister the instances, which run on."""
    for name in names:
        for member in group.members:
            world.targets.deregister(name, member.instance_id)
        group.sources.pop(name, None)
    for key in ("TargetGroupARNs", "LoadBalancerNames"):
        group.settings[key] = [each for each in group.settings[key] if each not in names]


def _state(group: Group, name: str, kind: str) -> str:
    return "InService" if kind == "vpc-lattice" or name in group.proven_attachments else "Added"


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "AttachLoadBalancerTargetGroups": attach_target_groups,
    "DetachLoadBalancerTargetGroups": detach_target_groups,
    "DescribeLoadBalancerTargetGroups": describe_target_groups,
    "AttachLoadBalancers": attach_classic,
    "DetachLoadBalancers": detach_classic,
    "DescribeLoadBalancers": describe_classic,
    "AttachTrafficSources": attach_sources,
    "DetachTrafficSources": detach_sources,
    "DescribeTrafficSources": describe_sources,
}
