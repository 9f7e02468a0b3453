"""Auto Scaling: single instances, warm pools and refreshes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import group_named, invalid, refuse
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.hooks import Wait
from phoenix.sandbox.launching import behaviour_of
from phoenix.sandbox.scaling import USER_CHECK, stamp
from phoenix.sandbox.world import World

ENDED = frozenset({"Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"})


def set_health(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SetInstanceHealth: an unhealthy instance is terminated and replaced, unless it is still within its grace."""
    group, member = _member(world, params["InstanceId"])
    if params["HealthStatus"] not in ("Healthy", "Unhealthy"):
        raise invalid("Valid instance health states are: [Healthy, Unhealthy].")
    if params["HealthStatus"] == "Healthy":
        member.healthy = True
    elif not (_in_grace(world, group, member) and params.get("ShouldRespectGracePeriod", True)):
        world.scaling.condemn(group, member, USER_CHECK)
    return {}


def protect(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """SetInstanceProtection."""
    group = group_named(world, params["AutoScalingGroupName"])
    for instance_id in params["InstanceIds"]:
        _of(group, instance_id).protected = bool(params["ProtectedFromScaleIn"])
    return {}


def terminate(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """TerminateInstanceInAutoScalingGroup."""
    group, member = _member(world, params["InstanceId"])
    old = group.desired
    text = f"At {stamp(world.timeline.now)} instance {member.instance_id} was taken out of service in response to a"
    text += " user request"
    if params.get("ShouldDecrementDesiredCapacity"):
        _decrement(group, 1)
        text += f", shrinking the capacity from {old} to {old - 1}"
    activity = world.scaling.retire(group, member, text + ".")
    world.scaling.reconcile_soon(group)
    return {"Activity": activity.describe()}


def detach(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DetachInstances: they leave the group and run on."""
    group = group_named(world, params["AutoScalingGroupName"])
    members = [_of(group, instance_id) for instance_id in params["InstanceIds"]]
    if params.get("ShouldDecrementDesiredCapacity"):
        _decrement(group, len(members))
    for member in members:
        world.scaling.release(group, member)
        group.members.remove(member)
        world.ec2().tags[member.instance_id].pop("aws:autoscaling:groupName", None)
    world.scaling.reconcile_soon(group)
    return {"Activities": [_done(world, group, "Detaching EC2 instance", each).describe() for each in members]}


def attach(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """AttachInstances: the desired capacity grows with them."""
    group = group_named(world, params["AutoScalingGroupName"])
    for instance_id in params["InstanceIds"]:
        instance = world.ec2().get_instance(instance_id)
        if group.desired >= group.settings["MaxSize"]:
            raise invalid(f"AutoScalingGroup {group.name} has max-size={group.settings['MaxSize']}.")
        group.settings["DesiredCapacity"] += 1
        now = world.timeline.now
        member = Member(instance_id, instance.placement.zone or "", instance.instance_type, None, now, False)
        member.lifecycle, member.in_service_since = "InService", now
        group.members.append(member)
        if world.servers.get(instance_id) is None:
            world.servers.boot(instance, behaviour_of(world.ec2(), instance.image_id))
        world.scaling.enroll(group, member)
    return {}


def enter_standby(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """EnterStandby: they count no more, and get no traffic."""
    group = group_named(world, params["AutoScalingGroupName"])
    members = [_of(group, instance_id) for instance_id in params.get("InstanceIds", [])]
    if params["ShouldDecrementDesiredCapacity"]:
        _decrement(group, len(members))
    for member in members:
        world.scaling.release(group, member)
        member.lifecycle = "Standby"
    world.scaling.reconcile_soon(group)
    return {"Activities": [_done(world, group, "Moving EC2 instance to Standby", each).describe() for each in members]}


def exit_standby(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ExitStandby: they count again."""
    group = group_named(world, params["AutoScalingGroupName"])
    members = [_of(group, instance_id) for instance_id in params.get("InstanceIds", [])]
    for member in members:
        member.lifecycle, member.in_service_since = "InService", world.timeline.now
        group.settings["DesiredCapacity"] += 1
        world.scaling.enroll(group, member)
    what = "Moving EC2 instance out of Standby"
    return {"Activities": [_done(world, group, what, each).describe() for each in members]}


def complete_action(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CompleteLifecycleAction: by token, or by instance."""
    if params["LifecycleActionResult"] not in ("CONTINUE", "ABANDON"):
        raise invalid("Lifecycle action result must be either ABANDON or CONTINUE.")
    wait = _wait(world, params)
    world.scaling.hooks.answer(wait, params["LifecycleActionResult"])
    return {}


def record_heartbeat(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RecordLifecycleActionHeartbeat."""
    world.scaling.hooks.beat(_wait(world, params))
    return {}


def _wait(world: World, params: dict[str, Any]) -> Wait:
    group_named(world, params["AutoScalingGroupName"])
    instance, token = params.get("InstanceId"), params.get("LifecycleActionToken")
    wait = world.scaling.hooks.find(params["LifecycleHookName"], instance_id=instance, token=token)
    if wait is None:
        # Seen with a token in spacelift-io/terraform-aws-spacelift-workerpool-on-ec2#197.
        which = f"token {token}" if token else f"instance ID {instance}"
        raise invalid(f"No active Lifecycle Action found with {which}")
    return wait


def put_warm_pool(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutWarmPool: kept and shown, never filled."""
    group = group_named(world, params["AutoScalingGroupName"])
    group.warm_pool = {"MinSize": 0, "PoolState": "Stopped"} | {
        key: value for key, value in params.items() if key != "AutoScalingGroupName"
    }
    return {}


def describe_warm_pool(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeWarmPool."""
    group = group_named(world, params["AutoScalingGroupName"])
    shape: dict[str, Any] = {"Instances": []}
    if group.warm_pool is not None:
        shape["WarmPoolConfiguration"] = group.warm_pool
    return shape


def delete_warm_pool(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteWarmPool."""
    group_named(world, params["AutoScalingGroupName"]).warm_pool = None
    return {}


def start_refresh(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """StartInstanceRefresh: recorded as in progress; it replaces nothing."""
    group = group_named(world, params["AutoScalingGroupName"])
    if any(each["Status"] not in ENDED for each in group.refreshes):
        raise refuse("InstanceRefreshInProgress", "An instance refresh is already in progress.")
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "InProgress",
        "StartTime": world.timeline.now,
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.active()),
    }
    group.refreshes.insert(0, refresh)
    return {"InstanceRefreshId": refresh["InstanceRefreshId"]}


def cancel_refresh(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CancelInstanceRefresh."""
    group = group_named(world, params["AutoScalingGroupName"])
    for refresh in group.refreshes:
        if refresh["Status"] not in ENDED:
            refresh |= {"Status": "Cancelled", "EndTime": world.timeline.now}
            return {"InstanceRefreshId": refresh["InstanceRefreshId"]}
    raise refuse("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found.")


def _member(world: World, instance_id: str) -> tuple[Group, Member]:
    found = world.scaling.group_of(instance_id)
    if found is None:
        raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
    return found


def _of(group: Group, instance_id: str) -> Member:
    member = group.member(instance_id)
    if member is None:
        raise invalid(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
    return member


def _in_grace(world: World, group: Group, member: Member) -> bool:
    since = member.in_service_since
    return since is None or (world.timeline.now - since).total_seconds() < group.settings["HealthCheckGracePeriod"]


def _decrement(group: Group, count: int) -> None:
    wanted = group.desired - count
    if wanted < group.settings["MinSize"]:
        raise invalid(
            f"Currently, desiredSize equals minSize ({group.settings['MinSize']}). Terminating instance without"
            " replacement will violate group's min size constraint."
        )
    group.settings["DesiredCapacity"] = wanted


def _done(world: World, group: Group, what: str, member: Member) -> Activity:
    now = world.timeline.now
    cause = f"At {stamp(now)} instance {member.instance_id} was moved in response to a user request."
    description = f"{what}: {member.instance_id}"
    activity = Activity(str(mock_random.uuid4()), group.name, group.arn, description, cause, now, "{}")
    activity.finish("Successful", now)
    group.activities.append(activity)
    return activity


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "SetInstanceHealth": set_health,
    "SetInstanceProtection": protect,
    "TerminateInstanceInAutoScalingGroup": terminate,
    "DetachInstances": detach,
    "AttachInstances": attach,
    "EnterStandby": enter_standby,
    "ExitStandby": exit_standby,
    "CompleteLifecycleAction": complete_action,
    "RecordLifecycleActionHeartbeat": record_heartbeat,
    "PutWarmPool": put_warm_pool,
    "DescribeWarmPool": describe_warm_pool,
    "DeleteWarmPool": delete_warm_pool,
    "StartInstanceRefresh": start_refresh,
    "CancelInstanceRefresh": cancel_refresh,
}
