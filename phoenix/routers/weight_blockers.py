"""Blockers of a start in listeners and rules, of any kind of load balancer; the target groups are looked at beside
them. Reads only.

Must never leave out a rule because it looks like the others: all of them are shifted together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.session import Aws
from phoenix.core.action import SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import UNTIMED, Route, Slot, SlotState
from phoenix.core.tags import GENERATION
from phoenix.errors import NotFound
from phoenix.routers import action_blockers, balancer_limits, owner_marks, target_blockers
from phoenix.routers.action_blockers import command, find_in_actions, look_at
from phoenix.routers.balancer_limits import Limits, Peak, find_in_balancers
from phoenix.routers.forwarding import MOST_TARGET_GROUPS, Pair, Rule, is_at, rewritten
from phoenix.routers.listeners import Listeners
from phoenix.routers.owner_marks import find_unmarked
from phoenix.routers.target_blockers import (
    AttributeCheck,
    Behind,
    find_in_targets,
    judge_target_groups,
    targets_read_once,
)

IAM_ACTIONS: Final = (
    target_blockers.IAM_ACTIONS | action_blockers.IAM_ACTIONS | balancer_limits.IAM_ACTIONS | owner_marks.IAM_ACTIONS
)
CHECKS: Final = (
    "no-target-group",
    "unknown-target-group",
    "not-routed",
    "weights-elsewhere",
    "weights-differ",
    "weight-on-both-slots",
    "unpaired-target-group",
    "too-many-target-groups",
    "one-slot-only",
    "no-traffic",
    "group-stickiness",
    *action_blockers.CHECKS,
    *balancer_limits.CHECKS,
    *owner_marks.CHECKS,
    *target_blockers.CHECKS,
)

_LONGEST_STICKINESS_S = 60


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about."""

    slots: Mapping[Slot, SlotState]
    live: Slot
    suspends_stickiness: bool
    suspends_failover: bool = False
    ahead: Ahead = UNKNOWN_AHEAD


@dataclass(frozen=True, slots=True)
class Found:
    """The answers of AWS to the reads before a start."""

    rules: Sequence[Rule]
    pair: Pair
    described: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class BalancerKind:
    """The checks of a kind of load balancer by name, and those that it adds: `judge` looks at listeners and target
    groups, `attributes` at the attributes of these; `limits` are its quotas."""

    checks: tuple[str, ...]
    judge: Callable[[Found], Iterator[Blocker]]
    attributes: AttributeCheck
    limits: Limits


def find_blockers(aws: Aws, listeners: Listeners, start: Start, kind: BalancerKind) -> list[Blocker]:
    """Everything at once; without target groups there is nothing more to look at."""
    bare = [_without_target_group(slot, kind) for slot in start.slots.values() if not slot.target_groups]
    if bare:
        return bare
    arns = {slot: state.target_groups for slot, state in start.slots.items()}
    try:
        described = listeners.read_target_groups(arn for each in arns.values() for arn in each)
    except NotFound as error:
        return [_unknown(error, start, kind)]
    rules = listeners.find(arn for each in arns.values() for arn in each)
    pair = Pair(arns, rules)
    names = {slot: state.auto_scaling_group for slot, state in start.slots.items()}
    behind = Behind(rules, pair, start.suspends_stickiness, start.live, names, start.suspends_failover)
    targets = targets_read_once(aws)
    unmarked = partial(find_unmarked, aws, rules, pair, target_groups=start.suspends_failover)
    return [
        *kind.judge(Found(rules, pair, described)),
        *judge_target_groups(described, behind),
        *_in_rules(rules, pair, start),
        *_in_stickiness(rules, pair, start),
        *find_in_actions(rules, pair, described),
        *find_in_targets(aws, start.slots, behind, targets, kind.attributes),
        *make_checks(aws, [Check("tags of the load balancers", owner_marks.CHECKS, unmarked)]),
        *find_in_balancers(aws, rules, pair, Peak(start.slots, start.live, start.ahead, kind.limits), targets),
    ]


def _unknown(error: NotFound, start: Start, kind: BalancerKind) -> Blocker:
    names = " ".join(state.auto_scaling_group for state in start.slots.values())
    remedy = (
        f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {names} \\\n"
        "    --query 'AutoScalingGroups[].TrafficSources'"
    )
    return Blocker("unknown-target-group", "target groups", error.message, remedy, unchecked=kind.checks)


def _without_target_group(slot: SlotState, kind: BalancerKind) -> Blocker:
    name = slot.auto_scaling_group
    return Blocker(
        "no-target-group",
        f"Auto Scaling group {name}",
        f"{name} registers its instances with no target group, so no traffic could be moved to it.",
        f"aws autoscaling attach-traffic-sources --auto-scaling-group-name {name} \\\n"
        "    --traffic-sources Identifier=<target group ARN>,Type=elbv2",
        unchecked=kind.checks,
    )


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
    yield from _in_weights(rules, routes, pair, start)
    for rule, route in zip(rules, routes, strict=True):
        yield from _in_rule(rule, route, pair, start)


def _in_weights(rules: Sequence[Rule], routes: Sequence[Route], pair: Pair, start: Start) -> Iterator[Blocker]:
    weighted = [(rule, route) for rule, route in zip(rules, routes, strict=True) if sum(route.weights.values())]
    astray = [rule for rule, route in weighted if not is_at(route, start.live, 100)]
    if not astray:
        return
    mended = _mended(astray, pair, start)
    shares = {route.percent(start.live) for _, route in weighted}
    if shares == {0}:
        yield Blocker(
            "weights-elsewhere",
            "load balancers",
            f"{start.live} is live, says the record, but {start.live.other} has all of the traffic: another writer has"
            f" moved it. `phoenix rollback` makes {start.live.other} the live one for phoenix too. Only if the traffic"
            f" does belong to {start.live}:",
            mended,
        )
    elif len(shares) > 1:
        shown = ", ".join(f"{route.name} {route.percent(start.live)} %" for _, route in weighted)
        yield Blocker(
            "weights-differ",
            "load balancers",
            f"{start.live} has different shares: {shown}. They are moved together, so they have to agree first.",
            mended,
        )
    else:
        mine, other = weighted[0][1].percent(start.live), weighted[0][1].percent(start.live.other)
        yield Blocker(
            "weight-on-both-slots",
            "load balancers",
            f"{start.live} has {mine} %, {start.live.other} {other} %; at rest one slot has all of it.",
            mended,
        )


def _in_rule(rule: Rule, route: Route, pair: Pair, start: Start) -> Iterator[Blocker]:
    if len(pair.named_in(rule)) == 1 and pair.missing_in(rule) is None:
        yield Blocker(
            "unpaired-target-group",
            rule.name,
            f"{rule.name} forwards to one slot only, and which target group of the other belongs beside it cannot be"
            " told. Name it there once, at weight 0:",
            command(rule, with_weights(rule, rule.target_groups | {"<target group ARN>": 0})),
        )
    elif len(pair.named_in(rule)) == 1:
        yield from _in_half_a_rule(rule, start)
    if sum(route.weights.values()) == 0:
        mine = pair.named_in(rule).get(start.live)
        yield Blocker(
            "no-traffic",
            rule.name,
            f"{rule.name} sends nothing to either slot: weights cannot be moved where there are none.",
            command(rule, with_weights(rule, rule.target_groups | {mine or "<target group ARN>": 1})),
        )


def _in_half_a_rule(rule: Rule, start: Start) -> Iterator[Blocker]:
    look = look_at(rule)
    if len(rule.target_groups) >= MOST_TARGET_GROUPS:
        yield Blocker(
            "too-many-target-groups",
            rule.name,
            f"{rule.name} names {len(rule.target_groups)} target groups already, as many as AWS allows;"
            " the other slot's has to be added. Take one out:",
            look,
        )
    elif GENERATION not in start.slots[start.live.other].tags:
        # A slot that phoenix has emptied leaves the rules, and joins them again before it grows.
        yield Blocker(
            "one-slot-only",
            rule.name,
            f"{rule.name} names one slot only; the other is added at weight 0, so that it is health-checked.",
            look,
            warning=True,
        )


def with_weights(rule: Rule, weights: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """The rule's actions with these weights, and everything else as it is."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [
        {"Type": "forward", "ForwardConfig": dict(each.get("ForwardConfig", {})) | {"TargetGroups": groups}}
        if each["Type"] == "forward"
        else each
        for each in rule.actions
    ]


def _mended(rules: Sequence[Rule], pair: Pair, start: Start) -> str:
    """The commands that give the live slot everything."""
    whole = SetWeights(start.live, 100)
    return "\n".join(command(rule, rewritten(rule, pair, whole)) for rule in rules)


# --- stickiness -------------------------------------------------------------------------------------------------------


def _in_stickiness(rules: Sequence[Rule], pair: Pair, start: Start) -> Iterator[Blocker]:
    if start.suspends_stickiness:
        return
    for rule in rules:
        if rule.sticky_seconds <= _LONGEST_STICKINESS_S:
            continue
        suspended = rewritten(rule, pair, SetWeights(start.live, 100, suspend_stickiness=True))
        yield Blocker(
            "group-stickiness",
            rule.name,
            f"{rule.name} keeps clients on their target group {_how_long(rule)}, whatever the weights"
            " say: a rollback would not reach them. Put `stickiness: suspend` under traffic in the policy, or:",
            command(rule, suspended),
        )


def _how_long(rule: Rule) -> str:
    return "without an end" if rule.sticky_seconds == UNTIMED else f"for {rule.sticky_seconds} s"
