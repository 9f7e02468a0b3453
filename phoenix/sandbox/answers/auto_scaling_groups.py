"""Auto Scaling: making, changing and deleting groups.

moto's own groups are not used at all: they have no time, no failure, and forget what an update does not mention.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.auto_scaling_sources import add_sources
from phoenix.sandbox.answers.common import group_named, invalid, refuse
from phoenix.sandbox.groups import Group, Tag
from phoenix.sandbox.launching import find_image, recipe_of
from phoenix.sandbox.world import ACCOUNT, REGION, World

SOURCES = ("LaunchTemplate", "MixedInstancesPolicy", "LaunchConfigurationName")
"""The sources of a launch: a group has exactly one of them."""
NOT_SETTINGS = frozenset(
    {"AutoScalingGroupName", "Tags", "InstanceId", "LifecycleHookSpecificationList", "TrafficSources"}
)
MOST_TAGS = 50
MOST_KEY_LETTERS = 128
MOST_VALUE_LETTERS = 256
TAG_LETTERS = re.compile(r"[\w .:/=+@-]*")
"""Letters, digits and spaces of any script, and `_ . : / = + - @`: "Tag your Amazon EC2 resources" in EC2's user guide.
botocore's pattern for Auto Scaling's tags allows more; that AWS refuses what the guide rules out is believed, and the
words for it are the sandbox's."""
PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
DISTRIBUTION = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
    "SpotInstancePools": 2,
}


def create(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateAutoScalingGroup."""
    name = params["AutoScalingGroupName"]
    if name in world.scaling.groups:
        raise refuse("AlreadyExists", f"AutoScalingGroup by this name already exists - A group named {name} exists.")
    if sum(bool(params.get(source)) for source in SOURCES) != 1:
        raise invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or"
            " MixedInstancesPolicy parameter."
        )
    settings: dict[str, Any] = {
        "DefaultCooldown": 300,
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
        "ServiceLinkedRoleARN": ROLE,
        "CapacityRebalance": False,
        "EnabledMetrics": [],
    }
    settings |= _source(world, params, {})
    settings |= {key: value for key, value in params.items() if key not in NOT_SETTINGS and key not in SOURCES}
    settings["TargetGroupARNs"] = list(settings["TargetGroupARNs"])
    settings |= _zones(world, params)
    _check_bounds(settings["MinSize"], settings["MaxSize"])
    settings.setdefault("DesiredCapacity", settings["MinSize"])
    _check_desired(settings)
    number = mock_random.uuid4()
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:{number}:autoScalingGroupName/{name}"
    group = Group(name, arn, world.timeline.now, settings)
    _write_tags(group, params.get("Tags", []))
    add_sources(world, group, params.get("TrafficSources", []))
    world.scaling.groups[name] = group
    _explain(world, group, 0)
    world.scaling.reconcile_soon(group)
    return {}


def update(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """UpdateAutoScalingGroup: members that are not given stay; the desired capacity is pushed into the new bounds."""
    group = group_named(world, params["AutoScalingGroupName"])
    if world.faults.version_guard is not None:
        world.faults.version_guard.check(group.arn, params)
    old = group.desired
    settings = dict(group.settings)
    if any(source in params for source in SOURCES):
        source = _source(world, params, settings)
        for key in SOURCES:
            settings.pop(key, None)
        settings |= source
    settings |= {key: value for key, value in params.items() if key not in NOT_SETTINGS and key not in SOURCES}
    if "VPCZoneIdentifier" in params or "AvailabilityZones" in params:
        settings |= _zones(world, params)
    _check_bounds(settings["MinSize"], settings["MaxSize"])
    if "DesiredCapacity" in params:
        _check_desired(settings)
    else:
        settings["DesiredCapacity"] = max(settings["MinSize"], min(settings["MaxSize"], old))
    group.settings = settings
    if group.desired != old:
        _explain(world, group, old)
    world.scaling.reconcile_soon(group)
    return {}


def set_desired(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SetDesiredCapacity."""
    group = group_named(world, params["AutoScalingGroupName"])
    wanted, old = int(params["DesiredCapacity"]), group.desired
    least, most = group.settings["MinSize"], group.settings["MaxSize"]
    if wanted > most:
        raise invalid(f"New SetDesiredCapacity value {wanted} is above max value {most} for the AutoScalingGroup.")
    if wanted < least:
        raise invalid(f"New SetDesiredCapacity value {wanted} is below min value {least} for the AutoScalingGroup.")
    group.settings["DesiredCapacity"] = wanted
    if wanted != old:
        why = "a user request explicitly set group desired capacity changing the desired capacity"
        world.scaling.note_cause(group, f"{why} from {old} to {wanted}.")
    world.scaling.reconcile_soon(group)
    return {}


def delete(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteAutoScalingGroup; with ForceDelete the instances end at once, without draining."""
    group = group_named(world, params["AutoScalingGroupName"])
    if group.members and not params.get("ForceDelete"):
        raise refuse(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still"
            " in the group.",
        )
    for member in group.members:
        world.scaling.hooks.forget(member.instance_id)
        world.scaling.attachments.release(group, member)
        world.servers.end(member.instance_id)
    world.scaling.gone[group.name] = world.scaling.groups.pop(group.name)
    return {}


def suspend(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SuspendProcesses; all of them when none is named."""
    group = group_named(world, params["AutoScalingGroupName"])
    group.suspended |= set(params.get("ScalingProcesses") or PROCESSES)
    return {}


def resume(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ResumeProcesses; all of them when none is named."""
    group = group_named(world, params["AutoScalingGroupName"])
    group.suspended -= set(params.get("ScalingProcesses") or PROCESSES)
    world.scaling.resumed(group)
    return {}


def tag(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateOrUpdateTags. Of more than 25 in one call AWS takes none; that is left out here, so that fixtures of users
    which seed many tags at once go on working. phoenix itself never sends more (`fleets.pair`)."""
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for each in params["Tags"]:
        by_group.setdefault(group_named(world, each.get("ResourceId", "")).name, []).append(each)
    for name, tags in by_group.items():
        _write_tags(group_named(world, name), tags)
    return {}


def _write_tags(group: Group, tags: Sequence[Mapping[str, Any]]) -> None:
    """All of them or none: 50 a group ("Amazon EC2 Auto Scaling quotas"), 256 letters a value."""
    for each in tags:
        if len(each["Key"]) > MOST_KEY_LETTERS or len(each.get("Value", "")) > MOST_VALUE_LETTERS:
            raise invalid(
                f"1 validation error detected: Value '{each.get('Value', '')}' at 'tags' failed to satisfy constraint:"
                f" Member must have length less than or equal to {MOST_VALUE_LETTERS}"
            )
        if not TAG_LETTERS.fullmatch(each["Key"]) or not TAG_LETTERS.fullmatch(each.get("Value", "")):
            raise invalid(f"The tag {each['Key']} has characters that tags do not take: {each.get('Value', '')!r}")
    ours = {key for key in group.tags.keys() | {each["Key"] for each in tags} if not key.startswith("aws:")}
    if len(ours) > MOST_TAGS:
        raise refuse("LimitExceeded", f"The maximum number of tags on a resource is {MOST_TAGS}.")
    for each in tags:
        group.tags[each["Key"]] = Tag(each.get("Value", ""), bool(each.get("PropagateAtLaunch", False)))


def untag(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteTags; a value that is given must match."""
    for each in params["Tags"]:
        tags = group_named(world, each.get("ResourceId", "")).tags
        known = tags.get(each["Key"])
        if known is not None and each.get("Value") in (None, "", known.value):
            del tags[each["Key"]]
    return {}


def _source(world: World, params: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source of launches, checked as AWS checks it, with the template named both by id and by name."""
    name = next(source for source in SOURCES if params.get(source))
    value = params[name]
    if name == "LaunchTemplate":
        value = _named_in_full(world, value)
    elif name == "MixedInstancesPolicy":
        value = _mixed(world, value, before.get(name, {}))
    elif value not in world.autoscaling().launch_configurations:
        raise invalid(f"Launch configuration name not found - Launch configuration {value} not found")
    _check_launchable(world, {name: value})
    return {name: value}


def _mixed(world: World, policy: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    template = {**before.get("LaunchTemplate", {}), **policy.get("LaunchTemplate", {})}
    template["LaunchTemplateSpecification"] = _named_in_full(world, template.get("LaunchTemplateSpecification", {}))
    template.setdefault("Overrides", [])
    distribution = DISTRIBUTION | before.get("InstancesDistribution", {}) | policy.get("InstancesDistribution", {})
    return {"LaunchTemplate": template, "InstancesDistribution": distribution}


def _named_in_full(world: World, spec: Mapping[str, Any]) -> dict[str, Any]:
    if bool(spec.get("LaunchTemplateId")) == bool(spec.get("LaunchTemplateName")):
        raise invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    ec2 = world.ec2()
    try:
        if spec.get("LaunchTemplateId"):
            template = ec2.get_launch_template(spec["LaunchTemplateId"])
        else:
            template = ec2.get_launch_template_by_name(spec["LaunchTemplateName"])
    except ServiceException as error:
        raise invalid(f"You must use a valid fully-formed launch template. {error.message}") from error
    return {**spec, "LaunchTemplateId": template.id, "LaunchTemplateName": template.name}


def _check_launchable(world: World, settings: Mapping[str, Any]) -> None:
    try:
        recipe = recipe_of(world.ec2(), settings)
    except ServiceException as error:
        raise invalid(f"You must use a valid fully-formed launch template. {error.message}") from error
    if recipe.version is not None:
        world.faults.replicas.check(recipe.version, world.timeline.now)
    if find_image(world.ec2(), recipe.image) is None:
        raise invalid(
            f"You must use a valid fully-formed launch template. The image id '[{recipe.image}]' does not exist"
        )


def _zones(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    subnets = params.get("VPCZoneIdentifier")
    if not subnets:
        zones = list(params.get("AvailabilityZones", []))
        if not zones:
            raise invalid("At least one Availability Zone or VPC Subnet is required.")
        return {"AvailabilityZones": zones}
    names = [name.strip() for name in subnets.split(",")]
    found = [world.ec2().get_subnet(name).availability_zone for name in names]
    return {"VPCZoneIdentifier": ",".join(names), "AvailabilityZones": sorted(set(found))}


def _check_bounds(least: int, most: int) -> None:
    if least > most:
        raise invalid(f"Max bound, {most}, must be greater than or equal to min bound, {least}")


def _check_desired(settings: Mapping[str, Any]) -> None:
    least, most, wanted = settings["MinSize"], settings["MaxSize"], settings["DesiredCapacity"]
    if not least <= wanted <= most:
        raise invalid(f"Desired capacity:{wanted} must be between the specified min size:{least} and max size:{most}")


def _explain(world: World, group: Group, old: int) -> None:
    bounds = f"min: {group.settings['MinSize']}, max: {group.settings['MaxSize']}, desired: {group.desired}"
    why = f"a user request update of AutoScalingGroup constraints to {bounds} changing the desired capacity from"
    world.scaling.note_cause(group, f"{why} {old} to {group.desired}.")


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "CreateAutoScalingGroup": create,
    "UpdateAutoScalingGroup": update,
    "SetDesiredCapacity": set_desired,
    "DeleteAutoScalingGroup": delete,
    "SuspendProcesses": suspend,
    "ResumeProcesses": resume,
    "CreateOrUpdateTags": tag,
    "DeleteTags": untag,
}
