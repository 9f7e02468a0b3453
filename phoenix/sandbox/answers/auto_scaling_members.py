"""Auto Scaling: single instances, their hooks, and warm pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import (
    counted,
    decrement,
    group_named,
    invalid,
    member_of,
    refuse,
    refuse_if_moving,
    require,
    sizes,
)
from phoenix.sandbox.causes import REQUESTED, SHRINKING, USER_CHECK, stamp
from phoenix.sandbox.groups import Activity, Group, Member
from phoenix.sandbox.hooks import Wait
from phoenix.sandbox.launching import behaviour_of
from phoenix.sandbox.world import World

MOST_PROTECTED, MOST_TERMINATED = 50, 100
"""Of one call: the model of botocore."""


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
    """SetInstanceProtection: all of them or none."""
    group, ids = group_named(world, params["AutoScalingGroupName"]), params["InstanceIds"]
    if len(ids) > MOST_PROTECTED:
        # "If you exceed your maximum limit of instance IDs, which is 50 per Auto Scaling group, the call fails": the
        # model of botocore, which names this error. The words are the sandbox's.
        raise refuse("LimitExceeded", f"You can specify at most {MOST_PROTECTED} instances.")
    members = [member_of(group, instance_id) for instance_id in ids]
    for member in members:
        # In these words in public logs of runners that protect themselves too early.
        require(member, ("InService", "EnteringStandby", "Standby"))
    for member in members:
        member.protected = bool(params["ProtectedFromScaleIn"])
    return {}


def terminate(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """TerminateInstanceInAutoScalingGroup: one by its id alone, or up to a hundred of one group; all of them or none.

    A member in Standby is outside of the desired capacity: decrementing for it takes another one out of service.
    """
    found = _asked_for(world, params)
    group = found[0][0]
    for _, member in found:
        refuse_if_moving(member)
    old, decrements = group.desired, bool(params["ShouldDecrementDesiredCapacity"])
    if decrements:
        decrement(group, len(found))
    activities = []
    for number, (_, member) in enumerate(found):
        cause = REQUESTED.format(at=stamp(world.timeline.now), instance=member.instance_id)
        if decrements:
            cause += SHRINKING.format(old=old - number, new=old - number - 1)
        activity = world.scaling.retire(group, member, f"{cause}.")
        activities.append(activity.describe() | {"Progress": 0})
    world.scaling.reconcile_soon(group)
    return {"Activities": activities} if params.get("InstanceIds") else {"Activity": activities[0]}


def _asked_for(world: World, params: dict[str, Any]) -> list[tuple[Group, Member]]:
    """The model of botocore (1.44.5) says which parameters go together; the words of these refusals are the
    sandbox's."""
    ids = params.get("InstanceIds")
    if bool(ids) == bool(params.get("InstanceId")):
        raise invalid("You must specify either InstanceId or InstanceIds, and not both.")
    if not ids:
        return [_member(world, params["InstanceId"])]
    if not params.get("AutoScalingGroupName"):
        raise invalid("AutoScalingGroupName is required when InstanceIds is specified.")
    if len(ids) > MOST_TERMINATED:
        raise invalid(
            f"1 validation error detected: Value '[{', '.join(ids)}]' at 'instanceIds' failed to satisfy constraint:"
            f" Member must have length less than or equal to {MOST_TERMINATED}"
        )
    group = group_named(world, params["AutoScalingGroupName"])
    return [(group, member_of(group, each)) for each in ids]


def detach(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DetachInstances: they leave the group and run on."""
    group = group_named(world, params["AutoScalingGroupName"])
    members = [member_of(group, instance_id) for instance_id in params["InstanceIds"]]
    for member in members:
        require(member, ("InService", "Standby"))
    if params.get("ShouldDecrementDesiredCapacity"):
        decrement(group, len(members))
    for member in members:
        world.scaling.attachments.release(group, member)
        group.members.remove(member)
        world.ec2().tags[member.instance_id].pop("aws:autoscaling:groupName", None)
    world.scaling.reconcile_soon(group)
    return {"Activities": [_done(world, group, "Detaching EC2 instance", each).describe() for each in members]}


def attach(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """AttachInstances: the desired capacity grows with them."""
    group, ids = group_named(world, params["AutoScalingGroupName"]), params["InstanceIds"]
    if group.desired + len(ids) > group.settings["MaxSize"]:
        raise sizes(group, f"To attach {counted(ids)}")
    for instance_id in ids:
        instance = world.ec2().get_instance(instance_id)
        group.settings["DesiredCapacity"] += 1
        now = world.timeline.now
        member = Member(instance_id, instance.placement.zone or "", instance.instance_type, None, now, False)
        member.lifecycle, member.in_service_since = "InService", now
        group.members.append(member)
        if world.servers.get(instance_id) is None:
            world.servers.boot(instance, behaviour_of(world.ec2(), instance.image_id))
        world.scaling.attachments.enroll(group, member)
    return {}


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


def _member(world: World, instance_id: str) -> tuple[Group, Member]:
    found = world.scaling.group_of(instance_id)
    if found is None:
        raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
    return found


def _in_grace(world: World, group: Group, member: Member) -> bool:
    since = member.in_service_since
    return since is None or (world.timeline.now - since).total_seconds() < group.settings["HealthCheckGracePeriod"]


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
    "CompleteLifecycleAction": complete_action,
    "RecordLifecycleActionHeartbeat": record_heartbeat,
    "PutWarmPool": put_warm_pool,
    "DescribeWarmPool": describe_warm_pool,
    "DeleteWarmPool": delete_warm_pool,
}
