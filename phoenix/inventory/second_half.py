"""The second half of a pair: what has to be made beside an Auto Scaling group so that the two can trade places. Pure.

Must never leave out a setting silently: what cannot be carried over is listed. Values that only AWS can give, such as
the ARN of a new target group, are variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from phoenix.aws.groups import is_marked
from phoenix.aws.templates import template_of
from phoenix.core.tags import MANAGED
from phoenix.fleets.group_shapes import OUR_PREFIX
from phoenix.fleets.pair_scaling import PUT_ALARM
from phoenix.inventory.half_facts import Described, Forward, Original, arns_of

GROUP_MEMBERS: Final = (
    "AvailabilityZoneDistribution", "AvailabilityZoneImpairmentPolicy", "CapacityRebalance",
    "CapacityReservationSpecification", "Context", "DefaultCooldown", "DefaultInstanceWarmup", "DeletionProtection",
    "DesiredCapacityType", "HealthCheckGracePeriod", "HealthCheckType", "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy", "LaunchTemplate", "MaxInstanceLifetime", "MixedInstancesPolicy",
    "NewInstancesProtectedFromScaleIn", "PlacementGroup", "ServiceLinkedRoleARN", "TerminationPolicies",
    "VPCZoneIdentifier",
)  # fmt: skip
"""Members of DescribeAutoScalingGroups that CreateAutoScalingGroup takes as they are described."""
_TARGET_GROUP_MEMBERS: Final = (
    "HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "IpAddressType", "Matcher", "Port", "Protocol",
    "ProtocolVersion", "TargetType", "UnhealthyThresholdCount", "VpcId",
)  # fmt: skip
_WRITTEN_BY_AWS: Final = frozenset(("Alarms", "AutoScalingGroupName", "PolicyARN"))
_ACTION_WITHOUT: Final = frozenset(("AutoScalingGroupName", "ScheduledActionARN", "Time"))
_SUFFIX: Final = "-green"
_MOST_LETTERS: Final = 32
"""Of a target group's name (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One call. `sets` is the variable that gets the part of the answer which `query` names, as the AWS CLI spells
    it."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    sets: str | None = None
    query: str | None = None


def twin_of(name: str) -> str:
    """The name of the second Auto Scaling group."""
    return f"{name}{_SUFFIX}"


def variable(number: int) -> str:
    """The variable that holds the ARN of the new target group of this number."""
    return f"TARGET_GROUP_{number}"


def commands(original: Original, at: datetime) -> list[Command]:
    """Every call, in the order in which it works: target groups, weights, the group at 0, then what hangs on it."""
    carried = _Carried(original)
    return [
        *_target_groups(original),
        *(_weights(forward, carried) for forward in original.forwards),
        *_marks(original),
        _group(original, carried),
        # Before its scheduled actions: an empty half must not be grown by them.
        Command("autoscaling", "suspend-processes", {**_named(original), "ScalingProcesses": _suspended(original)}),
        *_metrics(original),
        *_hooks(original, carried),
        *_schedules(original, at),
        *_policies(original, carried),
        *_notifications(original),
    ]


def left_behind(original: Original) -> list[str]:
    """What no command carries over, in sentences."""
    name = original.name
    told = [
        f"Whatever names {name} elsewhere: dashboards, alarms of your own, EventBridge rules, IAM policies.",
        "Forecasts of predictive scaling, which begin anew, and the history of alarms.",
    ]
    tags = sorted(str(tag["Key"]) for tag in original.group.get("Tags", ()) if str(tag["Key"]).startswith("aws:"))
    if tags:
        told.append(f"Tags that only AWS may write: {', '.join(tags)}.")
    if original.target_groups:
        told.append("Alarms on the old target group, and registrations that a person made in it.")
    use = template_of(original.group)
    if use is not None and not use.version.isdigit():
        told.append(f"Both groups follow {use.version} of the template; a rotation pins each to a number.")
    return told


class _Carried:
    """Settings with the second half's name and target groups in the place of the first's."""

    def __init__(self, original: Original) -> None:
        self._names = {original.name: twin_of(original.name)}
        self._parts = {
            group.arn.rsplit(":", 1)[-1]: f"${{{variable(number)}##*:}}"
            for number, group in enumerate(original.target_groups, start=1)
        }
        self.arns = {
            group.arn: f"${{{variable(number)}}}" for number, group in enumerate(original.target_groups, start=1)
        }

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        if not isinstance(value, str):
            return value
        found = self._names.get(value) or self.arns.get(value) or value
        for old, new in self._parts.items():
            found = found.replace(old, new)
        return found


def _named(original: Original) -> dict[str, Any]:
    return {"AutoScalingGroupName": twin_of(original.name)}


def _target_groups(original: Original) -> Iterator[Command]:
    for number, group in enumerate(original.target_groups, start=1):
        kept = {key: group.described[key] for key in _TARGET_GROUP_MEMBERS if not _is_absent(group.described.get(key))}
        called = f"{str(group.described['TargetGroupName'])[: _MOST_LETTERS - len(_SUFFIX)]}{_SUFFIX}"
        given = {"Name": called, **kept, "Tags": [{"Key": MANAGED, "Value": "true"}]}
        query = "TargetGroups[0].TargetGroupArn"
        yield Command("elbv2", "create-target-group", given, variable(number), query)
        attributes = [dict(each) for each in group.attributes if each.get("Value") not in (None, "")]
        arn = f"${{{variable(number)}}}"
        yield Command("elbv2", "modify-target-group-attributes", {"TargetGroupArn": arn, "Attributes": attributes})


def _weights(forward: Forward, carried: _Carried) -> Command:
    """The same actions, with the new target group beside the old one, at weight 0."""
    actions = [_weighted(action, carried) for action in forward.actions]
    if forward.is_rule:
        return Command("elbv2", "modify-rule", {"RuleArn": forward.arn, "Actions": actions})
    return Command("elbv2", "modify-listener", {"ListenerArn": forward.arn, "DefaultActions": actions})


def _weighted(action: Described, carried: _Carried) -> dict[str, Any]:
    if not set(arns_of(action)) & set(carried.arns):
        return dict(action)
    config = dict(action.get("ForwardConfig") or {})
    shares = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    many = len(shares) > 1
    old = [dict(each) | {"Weight": int(each.get("Weight", 1)) if many else 100} for each in shares]
    new = [
        {"TargetGroupArn": carried.arns[str(each["TargetGroupArn"])], "Weight": 0}
        for each in shares
        if each["TargetGroupArn"] in carried.arns
    ]
    kept = {key: value for key, value in action.items() if key not in ("TargetGroupArn", "ForwardConfig")}
    return kept | {"ForwardConfig": config | {"TargetGroups": [*old, *new]}}


def _marks(original: Original) -> Iterator[Command]:
    """The owner's mark on all that a rotation changes; the new things are made with it."""
    mark = {"Key": MANAGED, "Value": "true"}
    arns = [*(group.arn for group in original.target_groups), *(each.arn for each in original.forwards)]
    if arns:
        yield Command("elbv2", "add-tags", {"ResourceArns": arns, "Tags": [mark]})
    use = template_of(original.group)
    if use is not None:
        yield Command("ec2", "create-tags", {"Resources": [use.id], "Tags": [mark]})
    if not is_marked(original.group):
        of = {"ResourceId": original.name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
        yield Command("autoscaling", "create-or-update-tags", {"Tags": [{**of, **mark}]})


def _group(original: Original, carried: _Carried) -> Command:
    group = original.group
    kept = {key: group[key] for key in GROUP_MEMBERS if not _is_absent(group.get(key))}
    if not kept.get("MaxInstanceLifetime"):
        kept.pop("MaxInstanceLifetime", None)  # 0 is how AWS shows that there is none, and is refused
    if "LaunchTemplate" in kept:
        kept["LaunchTemplate"] = _by_id(kept["LaunchTemplate"])
    if "MixedInstancesPolicy" in kept:
        launches = dict(kept["MixedInstancesPolicy"]["LaunchTemplate"])
        launches["LaunchTemplateSpecification"] = _by_id(launches["LaunchTemplateSpecification"])
        kept["MixedInstancesPolicy"] = dict(kept["MixedInstancesPolicy"]) | {"LaunchTemplate": launches}
    if carried.arns:
        kept["TargetGroupARNs"] = list(carried.arns.values())
    empty = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    return Command(
        "autoscaling", "create-auto-scaling-group", {**_named(original), **empty, **kept, "Tags": _tags(group)}
    )


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def _by_id(specification: Described) -> dict[str, Any]:
    """AWS describes a template by id and name, and refuses to be told both."""
    return {key: value for key, value in specification.items() if key != "LaunchTemplateName"}


def _tags(group: Described) -> list[dict[str, Any]]:
    """PropagateAtLaunch as it is; neither the tags of AWS nor those of a rotation."""
    own = [tag for tag in group.get("Tags", ()) if not str(tag["Key"]).startswith(("aws:", OUR_PREFIX))]
    kept = [{key: tag.get(key) for key in ("Key", "Value", "PropagateAtLaunch")} for tag in own]
    return [*kept, {"Key": MANAGED, "Value": "true", "PropagateAtLaunch": False}]


def _suspended(original: Original) -> list[str]:
    found = {str(each["ProcessName"]) for each in original.group.get("SuspendedProcesses", ())}
    return sorted({"ScheduledActions", *found})


def _metrics(original: Original) -> Iterator[Command]:
    enabled = original.group.get("EnabledMetrics") or ()
    by_grain: dict[str, list[str]] = {}
    for each in enabled:
        by_grain.setdefault(str(each.get("Granularity", "1Minute")), []).append(str(each["Metric"]))
    for grain, metrics in sorted(by_grain.items()):
        given = {**_named(original), "Granularity": grain, "Metrics": sorted(metrics)}
        yield Command("autoscaling", "enable-metrics-collection", given)


def _hooks(original: Original, carried: _Carried) -> Iterator[Command]:
    for hook in original.hooks:
        kept = {key: value for key, value in hook.items() if key != "GlobalTimeout" and value not in (None, "")}
        yield Command("autoscaling", "put-lifecycle-hook", carried(kept))


def _schedules(original: Original, at: datetime) -> Iterator[Command]:
    for action in original.actions:
        kept = {key: value for key, value in action.items() if key not in _ACTION_WITHOUT and value is not None}
        if kept.get("Recurrence"):
            kept.pop("StartTime", None)  # AWS moves it on to the next firing
        times = {key: kept[key] for key in ("StartTime", "EndTime") if key in kept}
        if any(each < at for each in times.values()):
            continue
        kept |= {key: value.astimezone(UTC).isoformat() for key, value in times.items()}
        yield Command("autoscaling", "put-scheduled-update-group-action", {**_named(original), **kept})


def _policies(original: Original, carried: _Carried) -> Iterator[Command]:
    """Policies, each with the alarms of a person that set it off."""
    alarms = {str(alarm["AlarmName"]): alarm for alarm in original.alarms}
    for number, policy in enumerate(original.policies, start=1):
        kept = {
            key: value for key, value in policy.items() if key not in _WRITTEN_BY_AWS and value not in (None, "", [])
        }
        mine = [alarms[name] for each in policy.get("Alarms") or () if (name := str(each["AlarmName"])) in alarms]
        sets = f"SCALING_POLICY_{number}" if mine else None
        given = {**_named(original), **carried(kept)}
        yield Command("autoscaling", "put-scaling-policy", given, sets, "PolicyARN" if sets else None)
        for alarm in mine:
            yield Command("cloudwatch", "put-metric-alarm", _alarm(alarm, policy, f"${{{sets}}}", carried))


def _alarm(alarm: Described, policy: Described, arn: str, carried: _Carried) -> dict[str, Any]:
    """TreatMissingData, DatapointsToAlarm and metric maths included."""
    kept = {key: alarm[key] for key in PUT_ALARM if alarm.get(key) not in (None, [], "")}
    made: dict[str, Any] = carried(kept)
    made["AlarmName"] = f"{alarm['AlarmName']}{_SUFFIX}"
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        if key in made:
            made[key] = [arn if each == policy["PolicyARN"] else each for each in made[key]]
    return made


def _notifications(original: Original) -> Iterator[Command]:
    topics: dict[str, list[str]] = {}
    for each in original.notifications:
        topics.setdefault(str(each["TopicARN"]), []).append(str(each["NotificationType"]))
    for topic, kinds in sorted(topics.items()):
        given = {**_named(original), "TopicARN": topic, "NotificationTypes": sorted(kinds)}
        yield Command("autoscaling", "put-notification-configuration", given)
