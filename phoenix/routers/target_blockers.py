"""What stands in the way of a start in the target groups themselves: what they are, who is in them, how they behave.

Reads only. Must never count a target that is on its way out for a stranger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.model import Slot, SlotState
from phoenix.routers.action_blockers import find_in_stickiness
from phoenix.routers.forwarding import Pair, Rule

IAM_ACTIONS: Final = reads("elasticloadbalancing:DescribeTargetGroupAttributes", roles=FORWARD) | reads(
    "elasticloadbalancing:DescribeTargetHealth"
)
CHECKS: Final = (
    "not-an-application-load-balancer",
    "target-groups-differ",
    "health-checks-differ",
    "zonal-shift",
    "foreign-targets",
    "cross-zone-off",
    "target-stickiness",
)

_MUST_AGREE: Final = ("Protocol", "ProtocolVersion", "Port", "VpcId")
_SHOULD_AGREE: Final = {
    "HealthCheckProtocol": "--health-check-protocol",
    "HealthCheckPort": "--health-check-port",
    "HealthCheckPath": "--health-check-path",
    "HealthCheckIntervalSeconds": "--health-check-interval-seconds",
    "HealthyThresholdCount": "--healthy-threshold-count",
    "UnhealthyThresholdCount": "--unhealthy-threshold-count",
}
_SHIFTED: Final = frozenset({"zonal_shift_active", "zonal_shift_delegated_to_dns"})
_LEAVING: Final = frozenset({"draining", "unhealthy.draining"})
_MOST_SHOWN = 3


def judge_target_groups(by_slot: Mapping[Slot, Sequence[Mapping[str, Any]]], live: Slot) -> Iterator[Blocker]:
    """What their descriptions say. Nothing is compared where it cannot be told which ones belong together."""
    for group in (group for groups in by_slot.values() for group in groups):
        if group.get("Protocol") not in ("HTTP", "HTTPS"):
            yield Blocker(
                "not-an-application-load-balancer",
                f"target group {group['TargetGroupName']}",
                f"its protocol is {group.get('Protocol')}; weights are moved on Application Load Balancers only.",
                f"aws elbv2 describe-target-groups --target-group-arns {group['TargetGroupArn']}",
            )
    if all(len(groups) == 1 for groups in by_slot.values()):
        yield from _together(by_slot[live][0], by_slot[live.other][0])


def _together(live: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Blocker]:
    where = f"target groups {live['TargetGroupName']} and {other['TargetGroupName']}"
    for key in _MUST_AGREE:
        if live.get(key) != other.get(key):
            yield Blocker(
                "target-groups-differ",
                where,
                f"{key} is {live.get(key)} and {other.get(key)}: what answers in one slot would not in the other."
                " Neither can be changed; make a new target group for the slot that is not live:",
                f"aws elbv2 create-target-group --name {other['TargetGroupName']}-2 --vpc-id {live.get('VpcId')} \\\n"
                f"    --protocol {live.get('Protocol')} --port {live.get('Port')}",
            )
    differing = [key for key in _SHOULD_AGREE if live.get(key) != other.get(key)]
    if differing:
        wanted = " ".join(f"{_SHOULD_AGREE[key]} {live.get(key)}" for key in differing)
        remedy = f"aws elbv2 modify-target-group --target-group-arn {other['TargetGroupArn']} \\\n    {wanted}"
        yield Blocker("health-checks-differ", where, f"{', '.join(differing)} differ.", remedy, warning=True)


@dataclass(frozen=True, slots=True)
class Behind:
    """What the target groups are behind: the rules that name them, or will."""

    rules: Sequence[Rule]
    pair: Pair
    suspends_stickiness: bool


def find_in_targets(aws: Aws, slots: Mapping[Slot, SlotState], behind: Behind) -> list[Blocker]:
    """What has to be asked of each target group: its targets and its attributes, all of them side by side."""
    checks = [
        check
        for state in slots.values()
        for arn in state.target_groups
        for check in (
            Check(f"targets of {_name(arn)}", ("zonal-shift", "foreign-targets"), partial(_in_health, aws, state, arn)),
            Check(
                f"attributes of {_name(arn)}",
                ("cross-zone-off", "target-stickiness"),
                partial(_in_attributes, aws, arn, behind),
            ),
        )
    ]
    return make_checks(aws, checks)


def _in_health(aws: Aws, slot: SlotState, arn: str) -> Iterator[Blocker]:
    """AWS answers with all targets at once; it has no pages for them."""
    targets = aws.call("elbv2", "describe_target_health", TargetGroupArn=arn)["TargetHealthDescriptions"]
    where = f"target group {_name(arn)}"
    shifted = [item for item in targets if item.get("AdministrativeOverride", {}).get("State") in _SHIFTED]
    if shifted:
        said = str(shifted[0]["AdministrativeOverride"].get("Description") or "a zonal shift is active").rstrip(".")
        yield Blocker(
            "zonal-shift",
            where,
            f"{counted(len(shifted), 'target')} of {_name(arn)} {'gets' if len(shifted) == 1 else 'get'} no traffic,"
            f" healthy or not: {said}. A generation cannot be proved in a zone that nobody is sent to. When the zone is"
            " well again:",
            "aws arc-zonal-shift list-zonal-shifts --status ACTIVE\n"
            "aws arc-zonal-shift cancel-zonal-shift --zonal-shift-id <id>",
        )
    ours = {instance.id for instance in slot.instances}
    strangers = sorted(
        {str(item["Target"]["Id"]) for item in targets if item["TargetHealth"]["State"] not in _LEAVING} - ours
    )
    if strangers:
        listed = " ".join(f"Id={target}" for target in strangers)
        yield Blocker(
            "foreign-targets",
            where,
            f"{counted(len(strangers), 'target')} ({_shown(strangers)}) {'is' if len(strangers) == 1 else 'are'} not"
            f" of {slot.auto_scaling_group}: traffic moves to and from them with the slot, whatever they run.",
            f"aws elbv2 deregister-targets --target-group-arn {arn} \\\n    --targets {listed}",
            warning=True,
        )


def attributes_of(aws: Aws, arn: str) -> dict[str, str]:
    """The target group's attributes by AWS's keys."""
    answer = aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)
    return {item["Key"]: item["Value"] for item in answer["Attributes"]}


def is_cross_zone_off(attributes: Mapping[str, str]) -> bool:
    """True when the target group overrides its load balancer, which for an Application one always is cross-zone."""
    return attributes.get("load_balancing.cross_zone.enabled") == "false"


def _in_attributes(aws: Aws, arn: str, behind: Behind) -> Iterator[Blocker]:
    attributes = attributes_of(aws, arn)
    if is_cross_zone_off(attributes):
        yield Blocker(
            "cross-zone-off",
            f"target group {_name(arn)}",
            "cross-zone load balancing is off: each zone serves its own share of the traffic, so a generation"
            " gets none before it has a healthy target in every zone.",
            f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
            "    --attributes Key=load_balancing.cross_zone.enabled,Value=use_load_balancer_configuration",
            warning=True,
        )
    if attributes.get("stickiness.enabled") == "true":
        suspends = behind.suspends_stickiness
        yield from find_in_stickiness(arn, behind.rules, behind.pair, suspends_stickiness=suspends)


def _name(arn: str) -> str:
    """`arn:…:targetgroup/web-blue/73e2d6bc24d8a067`: web-blue."""
    return arn.split("/")[1]


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_SHOWN]) + (", …" if len(ids) > _MOST_SHOWN else "")
