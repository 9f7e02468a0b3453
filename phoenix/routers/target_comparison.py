"""The target groups of the two slots, compared in everything that AWS shows of them. Pure.

What one of them refuses and the other lets pass is proved in the one slot and fails in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.aws.comparison import Difference, Member, Severity, differences
from phoenix.core.blocker import Blocker

CHECKS: Final = ("target-groups-differ", "health-checks-differ", "target-attributes-differ")

Described = Mapping[str, Any]


def _apart(why: str) -> Member:
    return Member(Severity.APART, why)


def _fixed(why: str) -> Member:
    return Member(Severity.BLOCKS, why)


def _checked(option: str, default: Any = None) -> Member:
    return Member(Severity.WARNS, "a health check decides which instances get traffic", option, default)


TARGET_GROUP: Final[Mapping[str, Member]] = {
    "TargetGroupArn": _apart("its identity"),
    "TargetGroupName": _apart("its identity"),
    "LoadBalancerArns": _apart("the checks of rules"),
    "Protocol": _fixed("what answers in one slot would not in the other"),
    "ProtocolVersion": _fixed("what answers in one slot would not in the other"),
    "Port": _fixed("what answers in one slot would not in the other"),
    "VpcId": _fixed("what answers in one slot would not in the other"),
    "TargetType": _fixed("what registers with one of them is refused by the other"),
    "IpAddressType": _fixed("what registers with one of them is refused by the other"),
    "TargetControlPort": _fixed("the agent that takes requests listens in one of them only"),
    "HealthCheckEnabled": _checked("--health-check-enabled", default=True),
    "HealthCheckProtocol": _checked("--health-check-protocol"),
    "HealthCheckPort": _checked("--health-check-port"),
    "HealthCheckPath": _checked("--health-check-path"),
    "HealthCheckIntervalSeconds": _checked("--health-check-interval-seconds"),
    "HealthCheckTimeoutSeconds": _checked("--health-check-timeout-seconds"),
    "HealthyThresholdCount": _checked("--healthy-threshold-count"),
    "UnhealthyThresholdCount": _checked("--unhealthy-threshold-count"),
    "Matcher": _checked("--matcher"),
}
"""Every member of AWS's TargetGroup, and what is decided about it; a test demands that none is missing."""

_SPREAD: Final = "requests are spread differently over the instances of a slot"
_ENOUGH: Final = "the two slots do not call the same number of instances enough"
_STICKY: Final = "clients stay on an instance in one of the slots only"
_WITHOUT_MENDING: Final = "load_balancing.cross_zone.enabled"
"""Has checks of its own, which mend it on both."""

ATTRIBUTES: Final[Mapping[str, Member]] = {
    _WITHOUT_MENDING: _apart("cross-zone-off, cross-zone-differs"),
    "preserve_client_ip.enabled": _apart("client-addresses-differ"),
    "proxy_protocol_v2.enabled": _apart("client-addresses-differ"),
    "deregistration_delay.connection_termination.enabled": Member(
        Severity.WARNS, "connections are closed at the end of a drain in one of the slots only", default="false"
    ),
    "target_health_state.unhealthy.connection_termination.enabled": Member(
        Severity.WARNS, "an instance that fails keeps its connections in one of the slots", default="true"
    ),
    "target_health_state.unhealthy.draining_interval_seconds": Member(
        Severity.WARNS, "an instance that fails keeps its connections longer in one of the slots", default="0"
    ),
    "deregistration_delay.timeout_seconds": Member(
        Severity.WARNS, "requests in flight are given less time in one of the slots", default="300"
    ),
    "slow_start.duration_seconds": Member(
        Severity.WARNS, "new instances get their full share sooner in one of the slots", default="0"
    ),
    "load_balancing.algorithm.type": Member(Severity.WARNS, _SPREAD, default="round_robin"),
    "load_balancing.algorithm.anomaly_mitigation": Member(Severity.WARNS, _SPREAD, default="off"),
    "stickiness.enabled": Member(Severity.WARNS, _STICKY, default="false"),
    "stickiness.type": Member(Severity.WARNS, _STICKY),
    "stickiness.lb_cookie.duration_seconds": Member(Severity.WARNS, _STICKY, default="86400"),
    "stickiness.app_cookie.cookie_name": Member(Severity.WARNS, _STICKY),
    "stickiness.app_cookie.duration_seconds": Member(Severity.WARNS, _STICKY, default="86400"),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Member(Severity.WARNS, _ENOUGH, default="1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Member(
        Severity.WARNS, _ENOUGH, default="off"
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Member(
        Severity.WARNS, _ENOUGH, default="1"
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Member(
        Severity.WARNS, _ENOUGH, default="off"
    ),
}
"""Attributes of target groups behind a load balancer with weights; one that is not listed is compared all the same."""


def judge_together(live: Described, other: Described) -> Iterator[Blocker]:
    """Compare their descriptions: a difference that cannot be changed is a blocker, the health check is a warning."""
    where = f"target groups {live['TargetGroupName']} and {other['TargetGroupName']}"
    soft: list[Difference] = []
    for found in differences(TARGET_GROUP, live, other):
        if found.member.severity is Severity.BLOCKS:
            yield _not_interchangeable(where, live, other, found)
        else:
            soft.append(found)
    if soft:
        options = " ".join(found.option for found in soft if found.option is not None)
        arn = other["TargetGroupArn"]
        remedy = f"aws elbv2 modify-target-group --target-group-arn {arn} \\\n    {options}" if options else None
        text = f"Differing: {'; '.join(found.text for found in soft)}."
        yield Blocker("health-checks-differ", where, text, remedy or _look(live, other), warning=True)


def _not_interchangeable(where: str, live: Described, other: Described, found: Difference) -> Blocker:
    version = f" --protocol-version {live['ProtocolVersion']}" if live.get("ProtocolVersion") else ""
    return Blocker(
        "target-groups-differ",
        where,
        f"{found.text}: {found.member.why}. It cannot be changed; make a new target group for the slot that is not"
        " live:",
        f"aws elbv2 create-target-group --name {other['TargetGroupName'][:30]}-2 --vpc-id {live.get('VpcId')} \\\n"
        f"    --protocol {live.get('Protocol')}{version} --port {live.get('Port')}",
    )


def _look(live: Described, other: Described) -> str:
    return f"aws elbv2 describe-target-groups --target-group-arns {live['TargetGroupArn']} {other['TargetGroupArn']}"


def judge_attributes(live: str, other: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Blocker]:
    """Their attributes; `live` and `other` are ARNs."""
    found = list(differences(ATTRIBUTES, mine, theirs))
    if not found:
        return
    wanted = [f"Key={each.key},Value={each.live}" for each in found if each.live is not None]
    remedy = (
        f"aws elbv2 modify-target-group-attributes --target-group-arn {other} \\\n    --attributes {' '.join(wanted)}"
    )
    yield Blocker(
        "target-attributes-differ",
        f"target groups {live.split('/')[1]} and {other.split('/')[1]}",
        f"{'; '.join(f'{each.text}: {each.member.why}' for each in found)}.",
        remedy if wanted else f"aws elbv2 describe-target-group-attributes --target-group-arn {other}",
        warning=True,
    )
