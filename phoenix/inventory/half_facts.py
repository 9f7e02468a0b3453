"""Everything that hangs on one Auto Scaling group, for a second one like it. Reads only.

A copy by hand forgets hooks, scheduled actions, notifications and alarms: they are no part of the group's description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.session import Aws
from phoenix.fleets.group_satellites import hooks_of, policies_of, schedules_of
from phoenix.fleets.group_shapes import target_groups

IAM_ACTIONS: Final[Rights] = reads(
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:DescribeNotificationConfigurations",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScheduledActions",
    "cloudwatch:DescribeAlarms",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    roles=FORWARD,
)
_NETWORK: Final = "/net/"
_MOST_ALARMS_PER_CALL: Final = 100

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group, with its attributes as AWS lists them."""

    described: Described
    attributes: Sequence[Described]

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.described["TargetGroupArn"])


@dataclass(frozen=True, slots=True)
class Forward:
    """A listener's default action, or a rule, that forwards to one of the target groups."""

    arn: str
    is_rule: bool
    actions: Sequence[Described]


@dataclass(frozen=True, slots=True)
class Original:
    """One Auto Scaling group with everything beside it."""

    group: Described
    hooks: Sequence[Described] = ()
    actions: Sequence[Described] = ()
    policies: Sequence[Described] = ()
    alarms: Sequence[Described] = ()
    notifications: Sequence[Described] = ()
    target_groups: Sequence[TargetGroup] = ()
    forwards: Sequence[Forward] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.group["AutoScalingGroupName"])


def read_original(aws: Aws, group: Described) -> Original:
    """All of it, side by side where one does not need the other."""
    name = str(group["AutoScalingGroupName"])
    questions: list[Callable[[], Sequence[Described]]] = [
        partial(hooks_of, aws, name),
        partial(schedules_of, aws, name),
        partial(policies_of, aws, name),
        partial(_notifications, aws, name),
        partial(_target_groups, aws, target_groups(group)),
    ]
    hooks, actions, policies, notified, found = aws.side_by_side(questions)
    alarms = list(_alarms(aws, policies))
    described = [TargetGroup(each, _attributes(aws, str(each["TargetGroupArn"]))) for each in found]
    forwards = list(_forwards(aws, described))
    return Original(group, hooks, actions, policies, alarms, notified, described, forwards)


def _notifications(aws: Aws, name: str) -> list[Described]:
    items, method = "NotificationConfigurations", "describe_notification_configurations"
    return list(aws.pages("autoscaling", method, items, AutoScalingGroupNames=[name]))


def _alarms(aws: Aws, policies: Sequence[Described]) -> Iterator[Described]:
    """Alarms that a person made: AWS makes those of target tracking itself."""
    owners = [policy for policy in policies if policy.get("PolicyType") in (None, "SimpleScaling", "StepScaling")]
    names = sorted({str(alarm["AlarmName"]) for policy in owners for alarm in policy.get("Alarms") or ()})
    for start in range(0, len(names), _MOST_ALARMS_PER_CALL):
        batch = names[start : start + _MOST_ALARMS_PER_CALL]
        yield from aws.call("cloudwatch", "describe_alarms", AlarmNames=batch)["MetricAlarms"]


def _target_groups(aws: Aws, arns: Sequence[str]) -> list[Described]:
    if not arns:
        return []
    return list(aws.pages("elbv2", "describe_target_groups", "TargetGroups", TargetGroupArns=list(arns)))


def _attributes(aws: Aws, arn: str) -> list[Described]:
    return list(aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"])


def _forwards(aws: Aws, groups: Sequence[TargetGroup]) -> Iterator[Forward]:
    arns = {group.arn for group in groups}
    balancers = sorted({str(arn) for group in groups for arn in group.described.get("LoadBalancerArns", ())})
    is_network = all(group.described.get("Protocol") not in ("HTTP", "HTTPS") for group in groups)
    for balancer in balancers:
        for listener in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer):
            found = Forward(str(listener["ListenerArn"]), False, listener.get("DefaultActions", ()))
            if is_among(found, arns):
                yield found
            if is_network or _NETWORK in balancer:
                continue
            for rule in aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener["ListenerArn"]):
                found = Forward(str(rule["RuleArn"]), True, rule.get("Actions", ()))
                if not rule.get("IsDefault") and is_among(found, arns):
                    yield found


def is_among(forward: Forward, arns: set[str]) -> bool:
    """True if one of the target groups gets requests from there."""
    return any(arns & set(arns_of(action)) for action in forward.actions)


def arns_of(action: Described) -> list[str]:
    """The target groups that an action forwards to."""
    several = [str(each["TargetGroupArn"]) for each in (action.get("ForwardConfig") or {}).get("TargetGroups", ())]
    return several or ([str(action["TargetGroupArn"])] if action.get("TargetGroupArn") else [])
