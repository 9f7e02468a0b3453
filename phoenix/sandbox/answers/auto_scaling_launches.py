"""Auto Scaling: LaunchInstances, which launches within the call and says at once what came of it.

Shapes: the model of botocore (1.44.5). Behaviour:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-instances-synchronously.html and
https://docs.aws.amazon.com/autoscaling/ec2/userguide/launching-instances-synchronous-provisioning.html, which have no
sentence for a refusal: those are the sandbox's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from phoenix.sandbox.answers.common import group_named, invalid, refuse
from phoenix.sandbox.causes import LAUNCHED, stamp
from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.launching import LaunchFailed, LaunchFault, Place, recipe_of
from phoenix.sandbox.placing import places_of
from phoenix.sandbox.world import World

MOST = 100
REMEMBERED = timedelta(hours=8)
"""How long a client token gets the same answer again."""
RETRIES = "retry-with-group-configuration"
CODES: Mapping[LaunchFault | None, str] = {
    LaunchFault.NO_CAPACITY: "InsufficientInstanceCapacity",
    LaunchFault.QUOTA: "VcpuLimitExceeded",
    LaunchFault.NO_ADDRESSES: "InsufficientFreeAddressesInSubnet",
    LaunchFault.KMS: "Client.InternalError",
    LaunchFault.BAD_IMAGE: "InvalidAMIID.NotFound",
    LaunchFault.PERMISSION: "UnauthorizedOperation",
    LaunchFault.UNSUPPORTED_TYPE: "Unsupported",
}
"""EC2's codes for what goes wrong."""


def launch_instances(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """LaunchInstances: some may be launched and others not. The desired capacity grows with those that are, and with
    the others if they are to be tried again."""
    group, token = group_named(world, params["AutoScalingGroupName"]), params["ClientToken"]
    known = group.launched_by_token.get(token)
    if known is not None and world.timeline.now - known[0] < REMEMBERED:
        if known[1] != params:
            raise refuse("IdempotentParameterMismatch", "The client token was used with other parameters before.")
        return known[2]
    count = int(params["RequestedCapacity"])
    places = _places(world, group, params)
    _check(group, count)
    launched, failed = _launch(world, group, count, places)
    group.settings["DesiredCapacity"] += count if failed and params.get("RetryStrategy") == RETRIES else len(launched)
    world.scaling.reconcile_soon(group)
    answer = {
        "AutoScalingGroupName": group.name,
        "ClientToken": token,
        "Instances": _grouped(world, launched),
        "Errors": [_error(world, group, places[0], failed)] if failed else [],
    }
    group.launched_by_token[token] = (world.timeline.now, params, answer)
    return answer


def _places(world: World, group: Group, params: Mapping[str, Any]) -> list[Place]:
    """Where to launch: "Each LaunchInstances API call can only target one Availability Zone"."""
    places = places_of(world.ec2(), group)
    zones, subnets, ids = (params.get(key) or [] for key in ("AvailabilityZones", "SubnetIds", "AvailabilityZoneIds"))
    if zones and ids:
        raise invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds.")
    chosen = [
        each
        for each in places
        if (not zones or each.zone in zones)
        and (not subnets or each.subnet in subnets)
        and (not ids or _zone_id(world, each) in ids)
    ]
    if not chosen:
        raise invalid(f"The zone or subnet is not one of AutoScalingGroup {group.name}.")
    if len({each.zone for each in chosen}) > 1:
        raise invalid("For a group with several Availability Zones one of them, or a subnet, must be specified.")
    return chosen


def _check(group: Group, count: int) -> None:
    if group.settings.get("LaunchConfigurationName"):
        raise invalid("LaunchInstances needs a launch template.")
    if group.warm_pool is not None:
        raise refuse("UnsupportedOperation", "LaunchInstances is not supported for groups with a warm pool.")
    mixed = (group.settings.get("MixedInstancesPolicy") or {}).get("InstancesDistribution", {})
    on_demand = mixed.get("OnDemandPercentageAboveBaseCapacity", 100)
    if mixed and (0 < on_demand < 100 or (not on_demand and mixed.get("OnDemandBaseCapacity"))):
        raise invalid("LaunchInstances does not support policies of On-Demand and Spot Instances both.")
    if count > MOST:
        raise invalid(f"LaunchInstances launches at most {MOST} instances.")
    if group.desired + count > group.settings["MaxSize"]:
        raise invalid(
            f"AutoScalingGroup {group.name} has max-size={group.settings['MaxSize']} and desired-size={group.desired}."
        )


def _launch(
    world: World, group: Group, count: int, places: Sequence[Place]
) -> tuple[list[Member], LaunchFailed | None]:
    launched: list[Member] = []
    for number in range(count):
        old = group.desired + number
        try:
            cause = LAUNCHED.format(at=stamp(world.timeline.now), old=old, new=old + 1)
            launched.append(world.scaling.launches.launch(group, cause, places))
        except LaunchFailed as failure:
            return launched, failure
    return launched, None


def _grouped(world: World, members: Sequence[Member]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str | None, str], list[str]] = {}
    for member in members:
        found.setdefault((member.zone, member.subnet, member.instance_type), []).append(member.instance_id)
    return [
        _where(world, Place(zone, subnet), kind) | {"InstanceIds": ids} for (zone, subnet, kind), ids in found.items()
    ]


def _error(world: World, group: Group, place: Place, failure: LaunchFailed) -> dict[str, Any]:
    kind = recipe_of(world.ec2(), group.settings).instance_type
    code = CODES.get(failure.fault, "InternalError")
    return _where(world, place, kind) | {"ErrorCode": code, "ErrorMessage": str(failure)}


def _where(world: World, place: Place, kind: str) -> dict[str, Any]:
    shape = {"InstanceType": kind, "MarketType": "OnDemand", "AvailabilityZone": place.zone}
    shape["AvailabilityZoneId"] = _zone_id(world, place)
    return shape | ({"SubnetId": place.subnet} if place.subnet else {})


def _zone_id(world: World, place: Place) -> str:
    return next((z.zone_id for z in world.ec2().describe_availability_zones() if z.name == place.zone), "")


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {"LaunchInstances": launch_instances}
