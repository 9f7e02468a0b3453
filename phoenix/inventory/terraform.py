"""The second half of a pair as Terraform. Pure.

Attributes are those of the AWS provider (https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs). Must
never leave out silently what it has no words for: it is named at the top of the file, and the script has the command.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from phoenix.fleets.pair_settings import SETTINGS
from phoenix.inventory.half_facts import Original, TargetGroup
from phoenix.inventory.hcl import Block, Expression
from phoenix.inventory.second_half import Command, left_behind, twin_of
from phoenix.inventory.terraform_scaling import alarm, policy

_VARIABLE: Final = re.compile(r"\$\{(TARGET_GROUP|SCALING_POLICY)_(\d+)(##\*:)?\}")
_IGNORED: Final = ("min_size", "max_size", "desired_capacity", "suspended_processes", "tag")
"""What a rotation changes on a half; infra/terraform/group says why for each."""
_GROUP: Final = {
    "health_check_type": "HealthCheckType",
    "health_check_grace_period": "HealthCheckGracePeriod",
    "default_cooldown": "DefaultCooldown",
    "default_instance_warmup": "DefaultInstanceWarmup",
    "capacity_rebalance": "CapacityRebalance",
    "max_instance_lifetime": "MaxInstanceLifetime",
    "placement_group": "PlacementGroup",
    "service_linked_role_arn": "ServiceLinkedRoleARN",
    "termination_policies": "TerminationPolicies",
    "protect_from_scale_in": "NewInstancesProtectedFromScaleIn",
    "desired_capacity_type": "DesiredCapacityType",
}
_WITHOUT_WORDS: Final = (
    "AvailabilityZoneImpairmentPolicy", "CapacityReservationSpecification", "Context", "DeletionProtection",
    "InstanceLifecyclePolicy",
)  # fmt: skip
_ATTRIBUTES: Final = {
    "deregistration_delay.timeout_seconds": "deregistration_delay",
    "slow_start.duration_seconds": "slow_start",
    "load_balancing.algorithm.type": "load_balancing_algorithm_type",
    "load_balancing.cross_zone.enabled": "load_balancing_cross_zone_enabled",
    "preserve_client_ip.enabled": "preserve_client_ip",
    "proxy_protocol_v2.enabled": "proxy_protocol_v2",
    "deregistration_delay.connection_termination.enabled": "connection_termination",
}
_USUAL: Final = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
    "waf.fail_open.enabled": "false",
}
"""Attributes for which a new target group has these values
(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html)."""


def configuration(original: Original, commands: Sequence[Command]) -> str:
    """The file for everything that the commands make new."""
    unsaid: list[str] = []
    counted: Counter[str] = Counter()
    blocks: list[Block] = []
    for command in commands:
        counted[command.operation] += 1
        blocks += _resource(original, command, counted[command.operation], unsaid)
    names = f"{_line(twin_of(original.name))}, the second half of a pair with {_line(original.name)}"
    lines = [
        f"# {names}: apply this instead of running the script.",
        "# Then let the forwards of the first half name two target groups, weights 100 and 0, and ignore in the first",
        "# half the attributes that are ignored here.",
        *_listed("Not written here; the script has the command:", unsaid),
        *_listed("Not carried over at all:", left_behind(original)),
    ]
    return "\n\n".join(["\n".join(lines), *("\n".join(block.lines()) for block in blocks)]) + "\n"


def _listed(head: str, told: Sequence[str]) -> list[str]:
    return [f"# {head}", *(f"# - {_line(each)}" for each in told)] if told else []


def _line(told: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "?", told)


def _resource(original: Original, command: Command, number: int, unsaid: list[str]) -> Iterator[Block]:
    given, name = _referring(command.parameters), f"green_{number}"
    match command.operation:
        case "create-target-group":
            yield _target_group(given, original.target_groups[number - 1], name, unsaid)
        case "create-auto-scaling-group":
            yield _group(given, original, unsaid)
        case "put-lifecycle-hook":
            yield _hook(given, name)
        case "put-scheduled-update-group-action":
            yield _schedule(given, name)
        case "put-scaling-policy":
            yield from policy(given, name, unsaid)
        case "put-metric-alarm":
            yield from alarm(given, name, unsaid)
        case "put-notification-configuration":
            yield _notification(given, name)
        case _:
            pass  # weights and marks of what exists; settings that are part of the group here


def _referring(value: Any) -> Any:
    """Variables of the script as references to the resources that stand for them."""
    if isinstance(value, Mapping):
        return {key: _referring(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_referring(each) for each in value]
    found = _VARIABLE.search(value) if isinstance(value, str) else None
    if found is None:
        return value
    kind = "aws_lb_target_group" if found[1] == "TARGET_GROUP" else "aws_autoscaling_policy"
    address = f"{kind}.green_{found[2]}"
    if found[0] == value:
        return Expression(f"{address}.arn")
    return Expression(f'"{value[: found.start()]}${{{address}.arn_suffix}}{value[found.end() :]}"')


def _target_group(given: Mapping[str, Any], old: TargetGroup, name: str, unsaid: list[str]) -> Block:
    attributes: dict[str, Any] = {
        "name": given["Name"],
        "port": given.get("Port"),
        "protocol": given.get("Protocol"),
        "protocol_version": given.get("ProtocolVersion"),
        "vpc_id": given.get("VpcId"),
        "target_type": given.get("TargetType"),
        "ip_address_type": given.get("IpAddressType"),
    }
    stickiness = {}
    for each in old.attributes:
        key, value = str(each["Key"]), str(each.get("Value", ""))
        if key in _ATTRIBUTES:
            attributes[_ATTRIBUTES[key]] = _typed(value)
        elif key.startswith("stickiness."):
            stickiness[key] = value
        elif value and value != _USUAL.get(key):
            unsaid.append(f"{key} = {value} of target group {given['Name']}")
    matcher = given.get("Matcher") or {}
    check = {
        "path": given.get("HealthCheckPath"),
        "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode"),
        "port": given.get("HealthCheckPort"),
        "protocol": given.get("HealthCheckProtocol"),
        "interval": given.get("HealthCheckIntervalSeconds"),
        "timeout": given.get("HealthCheckTimeoutSeconds"),
        "healthy_threshold": given.get("HealthyThresholdCount"),
        "unhealthy_threshold": given.get("UnhealthyThresholdCount"),
    }
    attributes["tags"] = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    blocks = [Block("health_check", attributes=check), *_stickiness(stickiness)]
    return Block("resource", ("aws_lb_target_group", name), attributes, blocks)


def _stickiness(found: Mapping[str, str]) -> Iterator[Block]:
    if found.get("stickiness.enabled") == "true":
        kind = found.get("stickiness.type")
        seconds = found.get(f"stickiness.{kind}.duration_seconds")
        cookie = found.get("stickiness.app_cookie.cookie_name")
        attributes = {"type": kind, "enabled": True, "cookie_duration": int(seconds) if seconds else None}
        yield Block("stickiness", attributes=attributes | {"cookie_name": cookie or None})


def _typed(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value


def _group(given: Mapping[str, Any], original: Original, unsaid: list[str]) -> Block:
    metrics = original.group.get("EnabledMetrics") or ()
    attributes: dict[str, Any] = {
        "name": given["AutoScalingGroupName"],
        "min_size": 0,
        "max_size": 0,
        "vpc_zone_identifier": str(given.get("VPCZoneIdentifier", "")).split(","),
        "target_group_arns": given.get("TargetGroupARNs"),
        **{word: given.get(member) for word, member in _GROUP.items()},
        "enabled_metrics": sorted(str(each["Metric"]) for each in metrics) or None,
        "suspended_processes": sorted({"ScheduledActions", *_suspended(original)}),
    }
    for member in _WITHOUT_WORDS:
        if given.get(member) not in (None, SETTINGS[member].default):
            unsaid.append(f"{member} of the Auto Scaling group")
    blocks = [*_launches(given, unsaid), *_nested(given), *(_tag(tag) for tag in given["Tags"])]
    version = "launch_template[0].version"
    if given.get("MixedInstancesPolicy"):
        version = "mixed_instances_policy[0].launch_template[0].launch_template_specification[0].version"
    ignored = Expression(f"[{', '.join((*_IGNORED, version))}]")
    blocks.append(Block("lifecycle", attributes={"ignore_changes": ignored}))
    return Block("resource", ("aws_autoscaling_group", "green"), attributes, blocks)


def _suspended(original: Original) -> Iterator[str]:
    return (str(each["ProcessName"]) for each in original.group.get("SuspendedProcesses", ()))


def _launches(given: Mapping[str, Any], unsaid: list[str]) -> Iterator[Block]:
    single = given.get("LaunchTemplate")
    if single:
        yield Block("launch_template", attributes={"id": single["LaunchTemplateId"], "version": single.get("Version")})
    mixed = given.get("MixedInstancesPolicy")
    if not mixed:
        return
    spread = mixed.get("InstancesDistribution") or {}
    words = {_snake(key): value for key, value in spread.items() if value not in (None, "")}
    use = mixed["LaunchTemplate"]["LaunchTemplateSpecification"]
    which = {"launch_template_id": use["LaunchTemplateId"], "version": use.get("Version")}
    inner = [Block("launch_template_specification", attributes=which)]
    for override in mixed["LaunchTemplate"].get("Overrides") or ():
        said = {_snake(key): override.get(key) for key in ("InstanceType", "WeightedCapacity")}
        inner.append(Block("override", attributes=said))
        unsaid += [f"{key} of an override" for key in override if key not in ("InstanceType", "WeightedCapacity")]
    blocks = [Block("instances_distribution", attributes=words), Block("launch_template", blocks=inner)]
    yield Block("mixed_instances_policy", blocks=blocks)


def _nested(given: Mapping[str, Any]) -> Iterator[Block]:
    names = {
        "AvailabilityZoneDistribution": "availability_zone_distribution",
        "InstanceMaintenancePolicy": "instance_maintenance_policy",
    }
    for member, name in names.items():
        if given.get(member) not in (None, SETTINGS[member].default):
            yield Block(name, attributes={_snake(key): value for key, value in given[member].items()})


def _snake(word: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def _tag(tag: Mapping[str, Any]) -> Block:
    said = {"key": tag["Key"], "value": tag.get("Value") or "", "propagate_at_launch": bool(tag["PropagateAtLaunch"])}
    return Block("tag", attributes=said)


_OF_THE_GROUP: Final = Expression("aws_autoscaling_group.green.name")


def _hook(given: Mapping[str, Any], name: str) -> Block:
    attributes = {
        "name": given["LifecycleHookName"],
        "autoscaling_group_name": _OF_THE_GROUP,
        "lifecycle_transition": given["LifecycleTransition"],
        "heartbeat_timeout": given.get("HeartbeatTimeout"),
        "default_result": given.get("DefaultResult"),
        "notification_target_arn": given.get("NotificationTargetARN"),
        "notification_metadata": given.get("NotificationMetadata"),
        "role_arn": given.get("RoleARN"),
    }
    return Block("resource", ("aws_autoscaling_lifecycle_hook", name), attributes)


def _schedule(given: Mapping[str, Any], name: str) -> Block:
    """-1 is the provider's word for a number that the action does not set."""
    attributes = {
        "scheduled_action_name": given["ScheduledActionName"],
        "autoscaling_group_name": _OF_THE_GROUP,
        "min_size": given.get("MinSize", -1),
        "max_size": given.get("MaxSize", -1),
        "desired_capacity": given.get("DesiredCapacity", -1),
        "recurrence": given.get("Recurrence"),
        "time_zone": given.get("TimeZone"),
        "start_time": _zulu(given.get("StartTime")),
        "end_time": _zulu(given.get("EndTime")),
    }
    return Block("resource", ("aws_autoscaling_schedule", name), attributes)


def _zulu(told: str | None) -> str | None:
    return None if told is None else told.partition("+")[0].partition(".")[0] + "Z"


def _notification(given: Mapping[str, Any], name: str) -> Block:
    attributes = {
        "group_names": [_OF_THE_GROUP],
        "topic_arn": given["TopicARN"],
        "notifications": given["NotificationTypes"],
    }
    return Block("resource", ("aws_autoscaling_notification", name), attributes)
