"""Blockers of a start behind an Application Load Balancer, besides those of any kind. Reads only.

Must never leave out a rule because it looks like the others: all of them are shifted together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.routers import weight_blockers
from phoenix.routers.action_blockers import find_in_stickiness, name_of
from phoenix.routers.balancer_limits import GROUPS_A_BALANCER, TARGETS_A_BALANCER, Limits
from phoenix.routers.listeners import Listeners
from phoenix.routers.target_blockers import AttributeCheck, Attributes, Behind, is_cross_zone_off
from phoenix.routers.weight_blockers import BalancerKind, Found, Start

IAM_ACTIONS: Final = weight_blockers.IAM_ACTIONS
_OF_ATTRIBUTES: Final = ("cross-zone-off", "target-stickiness")
CHECKS: Final = ("not-an-application-load-balancer", *_OF_ATTRIBUTES, "load-balancer-full", *weight_blockers.CHECKS)


def find_blockers(aws: Aws, listeners: Listeners, start: Start) -> list[Blocker]:
    """Everything at once; without target groups there is nothing more to look at."""
    attributes = AttributeCheck(
        _OF_ATTRIBUTES, _in_attributes, "a Route 53 record that evaluates target health sends all clients elsewhere"
    )
    limits = Limits(TARGETS_A_BALANCER, GROUPS_A_BALANCER)
    return weight_blockers.find_blockers(
        aws, listeners, start, BalancerKind(CHECKS, _of_another_kind, attributes, limits)
    )


def _of_another_kind(found: Found) -> Iterator[Blocker]:
    for group in found.described:
        if group.get("Protocol") not in ("HTTP", "HTTPS"):
            yield Blocker(
                "not-an-application-load-balancer",
                f"target group {group['TargetGroupName']}",
                f"its protocol is {group.get('Protocol')}; `traffic: {{kind: alb}}` moves weights on Application Load"
                " Balancers only. Behind a Network Load Balancer write `traffic: {kind: nlb}`; what it is:",
                f"aws elbv2 describe-target-groups --target-group-arns {group['TargetGroupArn']}",
            )


def _in_attributes(read: Attributes, behind: Behind) -> Iterator[Blocker]:
    for arn, attributes in read.items():
        if is_cross_zone_off(attributes):
            yield _cross_zone_off(arn)
        if attributes.get("stickiness.enabled") == "true":
            suspends = behind.suspends_stickiness
            yield from find_in_stickiness(arn, behind.rules, behind.pair, suspends_stickiness=suspends)


def _cross_zone_off(arn: str) -> Blocker:
    return Blocker(
        "cross-zone-off",
        f"target group {name_of(arn)}",
        "cross-zone load balancing is off: each zone serves its own share of the traffic, so a generation"
        " gets none before it has a healthy target in every zone.",
        f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
        "    --attributes Key=load_balancing.cross_zone.enabled,Value=use_load_balancer_configuration",
        warning=True,
    )
