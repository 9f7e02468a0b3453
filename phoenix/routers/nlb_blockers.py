"""Blockers of a start behind a Network Load Balancer, besides those of any kind. Reads only.

Must never take a limit of AWS for certain where a listener shows that it does not hold: weights are new there (November
2025), and the quota was 1 before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.tags import GENERATION
from phoenix.routers import weight_blockers
from phoenix.routers.action_blockers import balancer_of, command, name_of
from phoenix.routers.balancer_limits import NETWORK_TARGETS_A_BALANCER, NETWORK_TARGETS_A_ZONE, Limits
from phoenix.routers.forwarding import Pair, Rule
from phoenix.routers.listeners import Listeners
from phoenix.routers.network_zones import CROSS_ZONE, FOLLOWS, is_cross_zone
from phoenix.routers.target_blockers import AttributeCheck, Attributes, Behind, pairs_of
from phoenix.routers.weight_blockers import BalancerKind, Found, Start, with_weights

IAM_ACTIONS: Final = weight_blockers.IAM_ACTIONS | reads(
    "elasticloadbalancing:DescribeAccountLimits",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    roles=FORWARD,
)
_OF_ATTRIBUTES: Final = ("cross-zone-differs", "client-addresses-differ", "client-affinity", "connections-cut")
CHECKS: Final = (
    "not-a-network-load-balancer",
    "target-groups-per-action",
    *_OF_ATTRIBUTES,
    *weight_blockers.CHECKS,
)

_GROUPS_AN_ACTION: Final = "target-groups-per-action-on-network-load-balancer"
_ADDRESSES: Final = ("preserve_client_ip.enabled", "proxy_protocol_v2.enabled")
_TERMINATION: Final = "deregistration_delay.connection_termination.enabled"
_DELAY: Final = "deregistration_delay.timeout_seconds"


def find_blockers(aws: Aws, listeners: Listeners, start: Start) -> list[Blocker]:
    """Everything at once; without target groups there is nothing more to look at."""
    attributes = AttributeCheck(
        _OF_ATTRIBUTES,
        partial(_in_attributes, aws, start),
        "the load balancer's own name leaves out every zone without a healthy target, and a Route 53 record that"
        " evaluates target health sends all clients elsewhere",
    )
    limits = Limits(NETWORK_TARGETS_A_BALANCER, zone=NETWORK_TARGETS_A_ZONE, is_cross_zone=is_cross_zone)
    kind = BalancerKind(CHECKS, partial(_in_found, aws, start), attributes, limits)
    return weight_blockers.find_blockers(aws, listeners, start, kind)


def _in_found(aws: Aws, start: Start, found: Found) -> Iterator[Blocker]:
    for group in found.described:
        if group.get("Protocol") in ("HTTP", "HTTPS", "GENEVE"):
            yield Blocker(
                "not-a-network-load-balancer",
                f"target group {group['TargetGroupName']}",
                f"its protocol is {group['Protocol']}; `traffic: {{kind: nlb}}` moves weights on Network Load Balancers"
                " only. Behind an Application Load Balancer write `traffic: {kind: alb}`; what it is:",
                f"aws elbv2 describe-target-groups --target-group-arns {group['TargetGroupArn']}",
            )
    joined = [rule for rule in found.rules if found.pair.missing_in(rule) is not None]
    unproved = [rule for rule in joined if not _has_been_shared(found.rules, start)]
    if unproved:
        check = partial(_in_limits, aws, unproved, found.pair)
        yield from make_checks(aws, [Check("quotas of Network Load Balancers", ("target-groups-per-action",), check)])


def _has_been_shared(rules: Sequence[Rule], start: Start) -> bool:
    """True where AWS has taken two target groups in an action here before: a listener names them, or a generation of
    phoenix has been in the slot that has to join."""
    return any(len(rule.target_groups) > 1 for rule in rules) or GENERATION in start.slots[start.live.other].tags


def _in_limits(aws: Aws, rules: Sequence[Rule], pair: Pair) -> Iterator[Blocker]:
    limits = aws.pages("elbv2", "describe_account_limits", "Limits")
    most = next((int(item["Max"]) for item in limits if item.get("Name") == _GROUPS_AN_ACTION), None)
    for rule in rules:
        wanted = len(rule.target_groups) + 1
        if most is not None and wanted > most:
            missing = pair.missing_in(rule) or ""
            yield Blocker(
                "target-groups-per-action",
                rule.name,
                f"{rule.name} names {wanted - 1} target group{'s' if wanted > 2 else ''} and would have to name"
                f" {wanted}; AWS says that this account allows {most} in an action of a Network Load Balancer"
                f" ({_GROUPS_AN_ACTION}). Where AWS takes this all the same, the quota does not hold, and nothing is in"
                " the way any more:",
                command(rule, with_weights(rule, rule.target_groups | {missing: 0})),
            )


# --- attributes of target groups --------------------------------------------------------------------------------------


def _in_attributes(aws: Aws, start: Start, read: Attributes, behind: Behind) -> Iterator[Blocker]:
    yield from _in_zones(aws, read, behind)
    for live, mate in pairs_of(read, behind):
        yield from _in_addresses(live, mate, read)
    for arn, attributes in read.items():
        if attributes.get("stickiness.enabled") == "true":
            yield _affinity(arn, is_proved=_has_been_shared(behind.rules, start))
        if attributes.get(_TERMINATION) != "true":
            yield _cut(arn, attributes.get(_DELAY, "300"))


def _in_zones(aws: Aws, read: Attributes, behind: Behind) -> Iterator[Blocker]:
    """Zones are proved by what the live slot serves: that must not be another way of serving them."""
    for live, mate in pairs_of(read, behind):
        mine, other = (read[each].get(CROSS_ZONE, FOLLOWS) for each in (live, mate))
        if mine == other or _resolved(aws, mine, behind) == _resolved(aws, other, behind):
            continue
        yield Blocker(
            "cross-zone-differs",
            f"target groups {name_of(live)} and {name_of(mate)}",
            f"{CROSS_ZONE} is {mine} on {name_of(live)} and {other} on {name_of(mate)}: one of them serves each zone by"
            " itself and the other all zones together, so what the one proves does not hold for the other. Let both do"
            " as the live one does:",
            f"aws elbv2 modify-target-group-attributes --target-group-arn {mate} \\\n"
            f"    --attributes Key={CROSS_ZONE},Value={mine}",
        )


def _resolved(aws: Aws, value: str, behind: Behind) -> str:
    """`true` or `false`, where the target group leaves it to the load balancer as well."""
    if value != FOLLOWS or not behind.rules:
        return value
    return "true" if is_cross_zone(aws, balancer_of(behind.rules[0].arn)) else "false"


def _in_addresses(live: str, mate: str, read: Attributes) -> Iterator[Blocker]:
    apart = [key for key in _ADDRESSES if read[live].get(key) != read[mate].get(key)]
    if apart:
        told = "; ".join(f"{key}: {read[live].get(key)} and {read[mate].get(key)}" for key in apart)
        wanted = " ".join(f"Key={key},Value={read[live][key]}" for key in apart if key in read[live])
        yield Blocker(
            "client-addresses-differ",
            f"target groups {name_of(live)} and {name_of(mate)}",
            f"Differing: {told}. Instances see other client addresses in the one than in the other, or a header that"
            " they do not expect: security groups that let clients in, and the application itself, would answer in one"
            " slot only. Let the slot that is not live do as the live one does:",
            f"aws elbv2 modify-target-group-attributes --target-group-arn {mate} \\\n    --attributes {wanted}",
        )


def _affinity(arn: str, *, is_proved: bool) -> Blocker:
    refused = (
        "" if is_proved else " Whether AWS takes such a target group beside another one has not been shown here yet."
    )
    return Blocker(
        "client-affinity",
        f"target group {name_of(arn)}",
        "it keeps clients on a target by their source address (stickiness). That holds within the target group only:"
        " while both slots have weight, each new connection of a client may reach either generation."
        f"{refused} If clients do not need it:",
        f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
        "    --attributes Key=stickiness.enabled,Value=false",
        warning=is_proved,
    )


def _cut(arn: str, delay: str) -> Blocker:
    return Blocker(
        "connections-cut",
        f"target group {name_of(arn)}",
        f"connections that are still open {delay} s after an instance was deregistered are not closed by the load"
        " balancer: they end without a word when the instance is terminated, and clients wait for their own time-outs."
        " Let the load balancer close them at the end of a drain:",
        f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
        f"    --attributes Key={_TERMINATION},Value=true",
        warning=True,
    )
