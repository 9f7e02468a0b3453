"""Auto Scaling: scaling policies, lifecycle hooks, scheduled actions, notifications and metrics.

moto forgets most of their members, and takes two of one name for one, even if their groups differ.
They are kept and shown; only a policy that is executed has an effect here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import group_named, invalid, page, refuse
from phoenix.sandbox.groups import Group
from phoenix.sandbox.hooks import ON_LAUNCH
from phoenix.sandbox.world import ACCOUNT, REGION, World

MOST_POLICIES = 50
MOST_HOOKS = 50
SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 30, 7200
MOST_SCHEDULES = 125
"""Of one group: "Amazon EC2 Auto Scaling quotas" in the user guide."""
NOTIFICATIONS = (
    "autoscaling:EC2_INSTANCE_LAUNCH",
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
    "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
    "autoscaling:TEST_NOTIFICATION",
)
GRANULARITY = "1Minute"
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTerminatingRetainedInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTerminatingRetainedCapacity",
    "GroupTotalCapacity",
)
TRANSITIONS = ("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING")


def put_policy(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutScalingPolicy: replaces the policy of that name as a whole."""
    group, name = group_named(world, params["AutoScalingGroupName"]), params["PolicyName"]
    if name not in group.policies and len(group.policies) >= MOST_POLICIES:
        raise refuse("LimitExceeded", f"You've reached the limit on the number of scaling policies: {MOST_POLICIES}.")
    kept = {key: value for key, value in params.items() if value is not None}
    known = group.policies.get(name, {}).get("PolicyARN")
    number = mock_random.uuid4()
    path = f"autoScalingGroupName/{group.name}:policyName/{name}"
    arn = known or f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{number}:{path}"
    group.policies[name] = {"PolicyType": "SimpleScaling", "Enabled": True} | kept | {"PolicyARN": arn}
    return {"PolicyARN": arn, "Alarms": _alarms(world, group, group.policies[name])}


def describe_policies(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribePolicies, with the alarms that set them off."""
    name, names, types = params.get("AutoScalingGroupName"), params.get("PolicyNames"), params.get("PolicyTypes")
    groups = [group_named(world, name)] if name else [each for _, each in sorted(world.scaling.groups.items())]
    found = [
        policy | {"Alarms": _alarms(world, group, policy)}
        for group in groups
        for _, policy in sorted(group.policies.items())
        if (not names or policy["PolicyName"] in names or policy["PolicyARN"] in names)
        and (not types or policy["PolicyType"] in types)
    ]
    policies, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"ScalingPolicies": policies, "NextToken": token}


def delete_policy(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeletePolicy."""
    group, policy = _policy(world, params)
    del group.policies[policy["PolicyName"]]
    return {}


def execute_policy(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ExecutePolicy: simple policies only, kept within the group's bounds."""
    group, policy = _policy(world, params)
    old, step = group.desired, int(policy.get("ScalingAdjustment") or 0)
    absolute = {"ExactCapacity": step, "PercentChangeInCapacity": old + round(old * step / 100)}
    wanted = absolute.get(policy.get("AdjustmentType", ""), old + step)
    group.settings["DesiredCapacity"] = max(group.settings["MinSize"], min(group.settings["MaxSize"], wanted))
    why = f"a user request executed policy {policy['PolicyName']} changing the desired capacity"
    world.scaling.note_cause(group, f"{why} from {old} to {group.desired}.")
    world.scaling.reconcile_soon(group)
    return {}


def put_hook(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutLifecycleHook: members that are not given stay."""
    group, name = group_named(world, params["AutoScalingGroupName"]), params["LifecycleHookName"]
    known = group.hooks.get(name)
    if known is None and params.get("LifecycleTransition") not in TRANSITIONS:
        raise invalid("Lifecycle transition is required and must be one of the valid ones when a hook is created.")
    if known is None and len(group.hooks) >= MOST_HOOKS:
        raise refuse("LimitExceeded", f"You've reached the limit on the number of lifecycle hooks: {MOST_HOOKS}.")
    kept = {key: value for key, value in params.items() if value is not None}
    hook: dict[str, Any] = {"HeartbeatTimeout": 3600, "DefaultResult": "ABANDON"} | (known or {}) | kept
    _check_hook(hook)
    group.hooks[name] = hook | {"GlobalTimeout": min(172800, 100 * int(hook["HeartbeatTimeout"]))}
    return {}


def _check_hook(hook: Mapping[str, Any]) -> None:
    """The ranges are in botocore's model; the words are the sandbox's."""
    if not SHORTEST_HEARTBEAT_S <= int(hook["HeartbeatTimeout"]) <= LONGEST_HEARTBEAT_S:
        raise invalid(f"Heartbeat timeout must be between {SHORTEST_HEARTBEAT_S} and {LONGEST_HEARTBEAT_S} seconds.")
    if hook["DefaultResult"] not in ("CONTINUE", "ABANDON"):
        raise invalid("Default result must be either ABANDON or CONTINUE.")


def describe_hooks(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLifecycleHooks."""
    group, names = group_named(world, params["AutoScalingGroupName"]), params.get("LifecycleHookNames")
    return {"LifecycleHooks": [hook for name, hook in sorted(group.hooks.items()) if not names or name in names]}


def delete_hook(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteLifecycleHook: outstanding actions are completed first, "ABANDON for launching instances, CONTINUE for
    terminating instances"."""
    group, name = group_named(world, params["AutoScalingGroupName"]), params["LifecycleHookName"]
    if name not in group.hooks:
        raise invalid(f"No Lifecycle Hook found with name {name}")
    for member in list(group.members):
        for wait in world.scaling.hooks.of(member.instance_id):
            if wait.hook.name == name:
                result = "ABANDON" if wait.hook.lifecycle_transition == ON_LAUNCH else "CONTINUE"
                world.scaling.hooks.answer(wait, result)
    del group.hooks[name]
    return {}


def put_schedule(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutScheduledUpdateGroupAction: replaces the action of that name as a whole; nothing ever fires here."""
    group, name = group_named(world, params["AutoScalingGroupName"]), params["ScheduledActionName"]
    if not any(params.get(key) is not None for key in ("MinSize", "MaxSize", "DesiredCapacity")):
        raise invalid("At least one of MinSize, MaxSize or DesiredCapacity must be specified.")
    if not (params.get("Recurrence") or params.get("StartTime") or params.get("Time")):
        raise invalid("Either Recurrence or StartTime must be specified.")
    if name not in group.schedules and len(group.schedules) >= MOST_SCHEDULES:
        raise refuse("LimitExceeded", f"You've reached the limit on the number of schedules: {MOST_SCHEDULES}.")
    number, path = mock_random.uuid4(), f"autoScalingGroupName/{group.name}:scheduledActionName/{name}"
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scheduledUpdateGroupAction:{number}:{path}"
    group.schedules[name] = {k: v for k, v in params.items() if v is not None} | {"ScheduledActionARN": arn}
    return {}


def describe_schedules(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeScheduledActions."""
    name, names = params.get("AutoScalingGroupName"), params.get("ScheduledActionNames")
    groups = [group_named(world, name)] if name else [each for _, each in sorted(world.scaling.groups.items())]
    found = [
        action
        for group in groups
        for called, action in sorted(group.schedules.items())
        if not names or called in names or action["ScheduledActionARN"] in names
    ]
    actions, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"ScheduledUpdateGroupActions": actions, "NextToken": token}


def delete_schedule(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteScheduledAction."""
    group, name = group_named(world, params["AutoScalingGroupName"]), params["ScheduledActionName"]
    if group.schedules.pop(name, None) is None:
        raise invalid(f"Scheduled action name not found - Scheduled action '{name}' not found")
    return {}


def put_notifications(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """PutNotificationConfiguration: replaces the topic's types."""
    group, topic = group_named(world, params["AutoScalingGroupName"]), params["TopicARN"]
    strange = [kind for kind in params["NotificationTypes"] if kind not in NOTIFICATIONS]
    if strange:
        raise invalid(f'"{strange[0]}" is not a valid Notification Type.')
    kept = {entry for entry in group.notifications if entry[0] != topic}
    group.notifications = kept | {(topic, kind) for kind in params["NotificationTypes"]}
    return {}


def describe_notifications(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeNotificationConfigurations: unknown names are left out, not an error."""
    names = params.get("AutoScalingGroupNames") or sorted(world.scaling.groups)
    found = [
        {"AutoScalingGroupName": name, "TopicARN": topic, "NotificationType": kind}
        for name in names
        if name in world.scaling.groups
        for topic, kind in sorted(world.scaling.groups[name].notifications)
    ]
    shown, token = page(found, params.get("NextToken"), int(params.get("MaxRecords", 50)))
    return {"NotificationConfigurations": shown, "NextToken": token}


def delete_notifications(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteNotificationConfiguration."""
    group = group_named(world, params["AutoScalingGroupName"])
    group.notifications = {entry for entry in group.notifications if entry[0] != params["TopicARN"]}
    return {}


def enable_metrics(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """EnableMetricsCollection; all of them when none is named."""
    group = group_named(world, params["AutoScalingGroupName"])
    if params["Granularity"] != GRANULARITY:
        raise invalid(f"Invalid granularity. Valid values: [{GRANULARITY}]")
    wanted = set(_metrics(params)) | {each["Metric"] for each in group.settings["EnabledMetrics"]}
    group.settings["EnabledMetrics"] = [{"Metric": each, "Granularity": GRANULARITY} for each in sorted(wanted)]
    return {}


def disable_metrics(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DisableMetricsCollection; all of them when none is named."""
    group, unwanted = group_named(world, params["AutoScalingGroupName"]), _metrics(params)
    enabled = group.settings["EnabledMetrics"]
    group.settings["EnabledMetrics"] = [each for each in enabled if each["Metric"] not in unwanted]
    return {}


def _metrics(params: Mapping[str, Any]) -> list[str]:
    named = list(params.get("Metrics") or METRICS)
    strange = [each for each in named if each not in METRICS]
    if strange:
        raise invalid(f"Invalid metric. Valid values: [{', '.join(METRICS)}]")
    return named


def _alarms(world: World, group: Group, policy: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the alarms of a policy: AWS makes those of target tracking; others have the policy for an action."""
    name = policy["PolicyName"]
    if policy["PolicyType"] == "TargetTrackingScaling":
        made = [f"TargetTracking-{group.name}-Alarm{kind}-{name}" for kind in ("High", "Low")]
        return [{"AlarmName": each, "AlarmARN": _arn(each)} for each in made]
    alarms = world.cloudwatch().alarms.values()
    hanging = sorted(each.name for each in alarms if policy["PolicyARN"] in (each.alarm_actions or ()))
    return [{"AlarmName": each, "AlarmARN": _arn(each)} for each in hanging]


def _arn(alarm: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"


def _policy(world: World, params: Mapping[str, Any]) -> tuple[Group, dict[str, Any]]:
    """By name within its group, or by ARN alone."""
    wanted, group_name = params["PolicyName"], params.get("AutoScalingGroupName")
    groups = [group_named(world, group_name)] if group_name else list(world.scaling.groups.values())
    for group in groups:
        for policy in group.policies.values():
            if policy["PolicyARN"] == wanted or (group_name and policy["PolicyName"] == wanted):
                return group, policy
    raise invalid(f"ScalingPolicy name not found - ScalingPolicy '{wanted}' not found")


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "PutScalingPolicy": put_policy,
    "DescribePolicies": describe_policies,
    "DeletePolicy": delete_policy,
    "ExecutePolicy": execute_policy,
    "PutLifecycleHook": put_hook,
    "DescribeLifecycleHooks": describe_hooks,
    "DeleteLifecycleHook": delete_hook,
    "PutScheduledUpdateGroupAction": put_schedule,
    "DescribeScheduledActions": describe_schedules,
    "DeleteScheduledAction": delete_schedule,
    "PutNotificationConfiguration": put_notifications,
    "DescribeNotificationConfigurations": describe_notifications,
    "DeleteNotificationConfiguration": delete_notifications,
    "EnableMetricsCollection": enable_metrics,
    "DisableMetricsCollection": disable_metrics,
}
