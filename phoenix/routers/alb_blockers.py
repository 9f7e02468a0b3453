"""What stands in the way of a start, in listeners, rules and target groups. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.core.action import SetWeights
from phoenix.core.blocker import Blocker
from phoenix.core.model import Route, Slot, SlotState
from phoenix.errors import NotFound
from phoenix.routers.forwarding import MOST_TARGET_GROUPS, Pair, Rule, is_at, rewritten
from phoenix.routers.listeners import Listeners

IAM_ACTIONS: Final = frozenset({"elasticloadbalancing:DescribeTargetGroupAttributes"})

_LONGEST_STICKINESS_S = 60
_MUST_AGREE: Final = ("Protocol", "ProtocolVersion", "Port", "VpcId")
_SHOULD_AGREE: Final = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about."""

    slots: Mapping[Slot, SlotState]
    live: Slot
    suspends_stickiness: bool


def find_blockers(aws: Aws, listeners: Listeners, start: Start) -> list[Blocker]:
    """Everything at once; without target groups there is nothing more to look at."""
    bare = [_without_target_group(slot) for slot in start.slots.values() if not slot.target_groups]
    if bare:
        return bare
    arns = {slot: state.target_groups for slot, state in start.slots.items()}
    try:
        described = listeners.read_target_groups(arn for each in arns.values() for arn in each)
    except NotFound as error:
        return [Blocker("unknown-target-group", "target groups", error.message)]
    rules = listeners.find(arn for each in arns.values() for arn in each)
    pair = Pair(arns, rules)
    return [
        *_in_target_groups(described, pair),
        *_in_rules(rules, pair, start),
        *_in_stickiness(aws, rules, pair, start),
    ]


def _without_target_group(slot: SlotState) -> Blocker:
    name = slot.auto_scaling_group
    return Blocker(
        "no-target-group",
        f"Auto Scaling group {name}",
        f"{name} registers its instances with no target group, so no traffic could be moved to it.",
        f"aws autoscaling attach-traffic-sources --auto-scaling-group-name {name} \\\n"
        "    --traffic-sources Identifier=<target group ARN>,Type=elbv2",
    )


# --- target groups ----------------------------------------------------------------------------------------------------


def _in_target_groups(described: Sequence[Mapping[str, Any]], pair: Pair) -> Iterator[Blocker]:
    by_slot: dict[Slot, list[Mapping[str, Any]]] = {slot: [] for slot in Slot}
    for group in described:
        by_slot[pair.slot_of[str(group["TargetGroupArn"])]].append(group)
        if group.get("Protocol") not in ("HTTP", "HTTPS"):
            yield Blocker(
                "not-an-application-load-balancer",
                f"target group {group['TargetGroupName']}",
                f"its protocol is {group.get('Protocol')}; weights are moved on Application Load Balancers only.",
            )
    if any(len(groups) != 1 for groups in by_slot.values()):
        return  # which ones belong together is known from the rules, if at all
    blue, green = by_slot[Slot.BLUE][0], by_slot[Slot.GREEN][0]
    where = f"target groups {blue['TargetGroupName']} and {green['TargetGroupName']}"
    for key in _MUST_AGREE:
        if blue.get(key) != green.get(key):
            yield Blocker(
                "target-groups-differ",
                where,
                f"{key} is {blue.get(key)} and {green.get(key)}: what answers in one slot would not in the other."
                " Neither can be changed; make a new target group for one of the slots.",
            )
    differing = [key for key in _SHOULD_AGREE if blue.get(key) != green.get(key)]
    if differing:
        yield Blocker("health-checks-differ", where, f"{', '.join(differing)} differ.", warning=True)


# --- rules ------------------------------------------------------------------------------------------------------------


def _in_rules(rules: Sequence[Rule], pair: Pair, start: Start) -> Iterator[Blocker]:
    if not rules:
        names = " nor ".join(arn.split("/")[1] for arn in pair.slot_of)
        yield Blocker(
            "not-routed",
            "load balancers",
            f"No listener and no rule forwards to {names}. Let one forward to {start.live}'s, at any weight.",
            "aws elbv2 modify-listener --listener-arn <listener> \\\n"
            f"    --default-actions Type=forward,TargetGroupArn={start.slots[start.live].target_groups[0]}",
        )
    routes = [rule.route(pair) for rule in rules]
    if len({route.percent(start.live) for route in routes}) > 1:
        shown = ", ".join(f"{route.name} {route.percent(start.live)} %" for route in routes)
        yield Blocker(
            "weights-differ",
            "load balancers",
            f"{start.live} has different shares: {shown}. They are moved together, so they have to agree first.",
            _mended(
                [rule for rule, route in zip(rules, routes, strict=True) if not _is_whole(route, start)], pair, start
            ),
        )
    elif not all(_is_whole(route, start) for route in routes if sum(route.weights.values())):
        mine, other = routes[0].percent(start.live), routes[0].percent(start.live.other)
        yield Blocker(
            "weight-on-both-slots",
            "load balancers",
            f"{start.live} has {mine} %, {start.live.other} {other} %; at rest one slot has all of it.",
            _mended(rules, pair, start),
        )
    for rule, route in zip(rules, routes, strict=True):
        yield from _in_rule(rule, route, pair)


def _is_whole(route: Route, start: Start) -> bool:
    return is_at(route, start.live, 100)


def _in_rule(rule: Rule, route: Route, pair: Pair) -> Iterator[Blocker]:
    if len(pair.named_in(rule)) == 1 and pair.missing_in(rule) is None:
        yield Blocker(
            "unpaired-target-group",
            rule.name,
            f"{rule.name} forwards to one slot only, and which target group of the other belongs beside it cannot be"
            " told. Name it there once, at weight 0.",
        )
    elif len(pair.named_in(rule)) == 1:
        yield from _in_half_a_rule(rule)
    if sum(route.weights.values()) == 0:
        yield Blocker(
            "no-traffic",
            rule.name,
            f"{rule.name} sends nothing to either slot: weights cannot be moved where there are none.",
        )


def _in_half_a_rule(rule: Rule) -> Iterator[Blocker]:
    if len(rule.target_groups) >= MOST_TARGET_GROUPS:
        yield Blocker(
            "too-many-target-groups",
            rule.name,
            f"{rule.name} names {len(rule.target_groups)} target groups already, as many as AWS allows;"
            " the other slot's has to be added.",
        )
    else:
        yield Blocker(
            "one-slot-only",
            rule.name,
            f"{rule.name} names one slot only; the other is added at weight 0, so that it is health-checked.",
            warning=True,
        )


def _mended(rules: Sequence[Rule], pair: Pair, start: Start) -> str:
    """The commands that give the live slot everything."""
    whole = SetWeights(start.live, 100)
    return "\n".join(_command(rule, rewritten(rule, pair, whole)) for rule in rules)


def _command(rule: Rule, actions: Sequence[Mapping[str, Any]]) -> str:
    written = json.dumps(actions, separators=(",", ":"))
    if rule.is_default:
        return f"aws elbv2 modify-listener --listener-arn {rule.listener} \\\n    --default-actions '{written}'"
    return f"aws elbv2 modify-rule --rule-arn {rule.arn} \\\n    --actions '{written}'"


# --- stickiness -------------------------------------------------------------------------------------------------------


def _in_stickiness(aws: Aws, rules: Sequence[Rule], pair: Pair, start: Start) -> Iterator[Blocker]:
    sticky = [rule for rule in rules if rule.sticky_seconds > _LONGEST_STICKINESS_S]
    if not start.suspends_stickiness:
        for rule in sticky:
            suspended = rewritten(rule, pair, SetWeights(start.live, 100, suspend_stickiness=True))
            yield Blocker(
                "group-stickiness",
                rule.name,
                f"{rule.name} keeps clients on their target group for {rule.sticky_seconds} s, whatever the weights"
                " say: a rollback would not reach them. Put `stickiness: suspend` under traffic in the policy, or:",
                _command(rule, suspended),
            )
    elif any(rule.sticky_seconds for rule in rules):
        yield from _in_target_stickiness(aws, pair)


def _in_target_stickiness(aws: Aws, pair: Pair) -> Iterator[Blocker]:
    """Group stickiness cannot be suspended where targets are sticky: AWS demands the one for the other."""
    for arn in pair.slot_of:
        answer = aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)
        attributes = {item["Key"]: item["Value"] for item in answer["Attributes"]}
        if attributes.get("stickiness.enabled") == "true":
            yield Blocker(
                "target-stickiness",
                f"target group {arn.split('/')[1]}",
                "its targets are sticky, and AWS then refuses to suspend the stickiness of the group.",
                f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n"
                "    --attributes Key=stickiness.enabled,Value=false",
            )
