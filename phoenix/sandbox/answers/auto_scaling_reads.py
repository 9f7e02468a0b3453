"""Auto Scaling: everything that only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from phoenix.sandbox.answers.common import group_named, invalid, page
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.world import World

MOST_GROUPS = 100
MOST_ACTIVITIES = 100


def describe_groups(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeAutoScalingGroups: unknown names are left out, not an error."""
    size = int(params.get("MaxRecords", 50))
    if size > MOST_GROUPS:
        raise invalid(f"1 validation error detected: Value '{size}' at 'maxRecords' must be less than or equal to 100")
    names = params.get("AutoScalingGroupNames") or sorted(world.scaling.groups)
    found = [world.scaling.groups[name] for name in names if name in world.scaling.groups]
    for each in params.get("Filters", []):
        found = [group for group in found if _matches(group, each["Name"], each.get("Values", []))]
    groups, token = page(found, params.get("NextToken"), size)
    with_instances = bool(params.get("IncludeInstances", True))
    return {"AutoScalingGroups": [group.describe(with_instances) for group in groups], "NextToken": token}


def describe_instances(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeAutoScalingInstances."""
    wanted = params.get("InstanceIds")
    found = [
        {**member.describe(), "AutoScalingGroupName": group.name, "HealthStatus": _loudly(member)}
        for group in world.scaling.groups.values()
        for member in group.members
        if not wanted or member.instance_id in wanted
    ]
    instances, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"AutoScalingInstances": instances, "NextToken": token}


def describe_activities(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeScalingActivities: newest first."""
    size = int(params.get("MaxRecords", MOST_ACTIVITIES))
    if size > MOST_ACTIVITIES:
        raise invalid(f"1 validation error detected: Value '{size}' at 'maxRecords' must be less than or equal to 100")
    groups = _groups_for_activities(world, params)
    numbered = [(each.start, index, each) for group in groups for index, each in enumerate(group.activities)]
    found = [each for _, _, each in sorted(numbered, key=lambda row: row[:2], reverse=True)]
    if params.get("ActivityIds"):
        found = [each for each in found if each.id in params["ActivityIds"]]
    for each in params.get("Filters", []):
        found = _filtered(found, each["Name"], each.get("Values", []))
    activities, token = page(found, params.get("NextToken"), size)
    return {"Activities": [each.describe() for each in activities], "NextToken": token}


def describe_tags(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeTags."""
    found = [tag for _, group in sorted(world.scaling.groups.items()) for tag in group.describe_tags()]
    fields = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
    for each in params.get("Filters", []):
        name, values = each["Name"], each.get("Values", [])
        if name == "propagate-at-launch":
            found = [tag for tag in found if str(tag["PropagateAtLaunch"]).lower() in values]
        else:
            found = [tag for tag in found if tag[fields[name]] in values]
    tags, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"Tags": tags, "NextToken": token}


def describe_refreshes(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeInstanceRefreshes."""
    found = group_named(world, params["AutoScalingGroupName"]).refreshes
    if params.get("InstanceRefreshIds"):
        found = [each for each in found if each["InstanceRefreshId"] in params["InstanceRefreshIds"]]
    return {"InstanceRefreshes": found}


def _loudly(member: Member) -> str:
    """This one answer spells health in capitals."""
    return "HEALTHY" if member.healthy else "UNHEALTHY"


def _matches(group: Group, name: str, values: Sequence[str]) -> bool:
    if name == "tag-key":
        return any(key in values for key in group.tags)
    if name == "tag-value":
        return any(tag.value in values for tag in group.tags.values())
    if name.startswith("tag:"):
        tag = group.tags.get(name.removeprefix("tag:"))
        return tag is not None and tag.value in values
    raise invalid(f"{name} is not a valid filter name.")


def _groups_for_activities(world: World, params: Mapping[str, Any]) -> list[Group]:
    name, deleted = params.get("AutoScalingGroupName"), bool(params.get("IncludeDeletedGroups"))
    if name is None:
        return [*world.scaling.groups.values(), *(world.scaling.gone.values() if deleted else ())]
    if deleted and name not in world.scaling.groups:
        return [world.scaling.gone[name]] if name in world.scaling.gone else []
    return [group_named(world, name)]


def _filtered(found: list[Activity], name: str, values: Sequence[str]) -> list[Activity]:
    if name == "Status":
        return [each for each in found if each.status in values]
    bound = datetime.fromisoformat(values[0])
    bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    if name == "StartTimeLowerBound":
        return [each for each in found if each.start >= bound]
    if name == "StartTimeUpperBound":
        return [each for each in found if each.start <= bound]
    raise invalid(f"{name} is not a valid filter name.")


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "DescribeAutoScalingGroups": describe_groups,
    "DescribeAutoScalingInstances": describe_instances,
    "DescribeScalingActivities": describe_activities,
    "DescribeTags": describe_tags,
    "DescribeInstanceRefreshes": describe_refreshes,
}
