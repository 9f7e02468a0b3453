"""The action lists of listeners and rules: which share each slot has, and the list with another share. Pure.

Must never drop what else is in a list. ModifyRule and ModifyListener replace all of it, without asking for a version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd
from typing import Any, Final

from phoenix.core.action import SetWeights
from phoenix.core.model import UNTIMED, Route, Slot

MOST_WEIGHT: Final = 999
MOST_TARGET_GROUPS: Final = 5

Actions = Sequence[Mapping[str, Any]]
Arns = Mapping[Slot, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as AWS describes it, default ones included, and how people call it. A listener that has no rules is its
    own default rule, by its own ARN. `priority` None: the default rule, which comes last. `transforms` rewrite a
    request before a target gets it."""

    arn: str
    name: str
    is_default: bool
    actions: Actions
    conditions: Actions = ()
    priority: int | None = None
    transforms: Actions = ()

    @property
    def listener(self) -> str:
        """ARN of the listener, which is what a default rule's actions belong to."""
        return listener_of(self.arn)

    @property
    def target_groups(self) -> dict[str, int]:
        """Weights by target group ARN, all of them; empty when it does not forward."""
        forward = next((action for action in self.actions if action["Type"] == "forward"), None)
        return {} if forward is None else _weights(forward)

    @property
    def sticky_seconds(self) -> int:
        """The time that the load balancer keeps a client on one target group; 0 when it does not.

        A Network Load Balancer has no duration: `DurationSeconds` is a key of Application Load Balancers only
        (API_TargetGroupStickinessConfig).
        """
        for action in self.actions:
            config = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
            if action["Type"] == "forward" and config.get("Enabled"):
                return int(config.get("DurationSeconds") or UNTIMED)
        return 0

    def route(self, pair: Pair) -> Route:
        """The rule as the model knows it."""
        weights: dict[Slot, int] = {}
        for arn, weight in self.target_groups.items():
            if arn in pair.slot_of:
                weights[pair.slot_of[arn]] = weights.get(pair.slot_of[arn], 0) + weight
        return Route(self.arn, self.name, weights, self.sticky_seconds)


def listener_of(rule: str) -> str:
    """ARN of the rule's listener: `…:listener-rule/app/web/50dc/f2f7/9683` has it inside; a listener is its own."""
    if ":listener/" in rule:
        return rule
    return rule.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]


class Pair:
    """The slot of each target group, and its counterpart in the other slot."""

    def __init__(self, target_groups: Arns, rules: Sequence[Rule] = ()) -> None:
        self.slot_of = {arn: slot for slot, arns in target_groups.items() for arn in arns}
        self._mates = self._find_mates(target_groups, rules)

    def named_in(self, rule: Rule) -> dict[Slot, str]:
        """The target group of each slot that the rule forwards to."""
        return {self.slot_of[arn]: arn for arn in rule.target_groups if arn in self.slot_of}

    def missing_in(self, rule: Rule) -> str | None:
        """The target group that has to be added before traffic can be split; None when there is none, or no saying."""
        named = self.named_in(rule)
        return self._mates.get(next(iter(named.values()))) if len(named) == 1 else None

    def mate_of(self, target_group: str) -> str | None:
        """Its counterpart in the other slot; None when there is no saying."""
        return self._mates.get(target_group)

    def routed_by(self, rules: Sequence[Rule]) -> frozenset[str]:
        """The target groups that one of the rules forwards to, or will once it names both slots."""
        named = {arn for rule in rules for arn in self.named_in(rule).values()}
        return frozenset(named | {mate for arn in named if (mate := self.mate_of(arn)) is not None})

    def _find_mates(self, target_groups: Arns, rules: Sequence[Rule]) -> dict[str, str]:
        pairs = [tuple(named.values()) for named in map(self.named_in, rules) if len(named) == len(Slot)]
        mates = {one: other for pair in pairs for one, other in (pair, pair[::-1])}
        left = [[arn for arn in target_groups.get(slot, ()) if arn not in mates] for slot in Slot]
        if all(len(arns) == 1 for arns in left):
            mates |= {left[0][0]: left[1][0], left[1][0]: left[0][0]}
        return mates


def is_at(route: Route, slot: Slot, percent: int) -> bool:
    """True when the slot has that share here. None and all are meant exactly: 1 in 999 is not none."""
    total, weight = sum(route.weights.values()), route.weights.get(slot, 0)
    if total == 0:
        return False
    if percent in (0, 100):
        return weight * 100 == percent * total
    return route.percent(slot) == percent


def rewritten(rule: Rule, pair: Pair, action: SetWeights) -> list[dict[str, Any]]:
    """The rule's whole action list with the slot's share changed, and nothing else; the same list if it fits."""
    weights = rule.target_groups
    named = pair.named_in(rule)
    missing = pair.missing_in(rule)
    # What takes the slot out of some rules must not bring it back into those that it has left already.
    if missing is not None and not action.unrefer:
        weights[missing] = 0
        named[pair.slot_of[missing]] = missing
    if not is_at(rule.route(pair), action.slot, action.percent):
        weights |= _shares(weights, named, action)
    if rule.arn in action.unrefer:
        weights = {arn: weight for arn, weight in weights.items() if pair.slot_of.get(arn) is not action.slot or weight}
    return [_rewritten_action(each, weights, rule, action) for each in rule.actions]


def differs(rule: Rule, actions: Sequence[Mapping[str, Any]]) -> bool:
    """True when writing these actions would change what the rule does."""
    changed = Rule(rule.arn, rule.name, rule.is_default, actions)
    return (changed.target_groups, changed.sticky_seconds) != (rule.target_groups, rule.sticky_seconds)


def split(total: int, percent: int, others: Sequence[int]) -> tuple[int, int, list[int]]:
    """Divide the pair's weight: the slot's part, the rest, and the weights of all others so that they keep their share.

    Per cent of a small weight are fractions, so all weights grow together as far as 999, and are rounded only then.
    """
    if not any(others):
        return percent, 100 - percent, list(others)
    for divisor in (1, reduce(gcd, others, total) or 1):
        scaled = _scaled(total // divisor, percent, [other // divisor for other in others])
        if max(scaled) <= MOST_WEIGHT:
            return scaled[0], scaled[1], scaled[2:]
    scale = Fraction(MOST_WEIGHT, max(total, *others))
    slot = Fraction(total * percent, 100)
    rounded = [_at_least_one(part * scale) for part in (slot, total - slot, *map(Fraction, others))]
    return rounded[0], rounded[1], rounded[2:]


def _scaled(total: int, percent: int, others: Sequence[int]) -> list[int]:
    slot = Fraction(total * percent, 100)
    factor = slot.denominator
    return [int(slot * factor), int((total - slot) * factor), *(other * factor for other in others)]


def _at_least_one(part: Fraction) -> int:
    return max(1, round(part)) if part else 0


def _shares(weights: Mapping[str, int], named: Mapping[Slot, str], action: SetWeights) -> dict[str, int]:
    """New weights of all target groups of the rule; those of others change in number only, not in share."""
    others = [arn for arn in weights if arn not in named.values()]
    total = sum(weights[arn] for arn in named.values())
    if len(named) < len(Slot) or (total == 0 and any(weights[arn] for arn in others)):
        return {}
    mine, rest, kept = split(total, action.percent, [weights[arn] for arn in others])
    return {named[action.slot]: mine, named[action.slot.other]: rest} | dict(zip(others, kept, strict=True))


def _rewritten_action(
    each: Mapping[str, Any], weights: Mapping[str, int], rule: Rule, action: SetWeights
) -> dict[str, Any]:
    kept = dict(each)
    if each["Type"] == "authenticate-oidc":
        # AWS never shows the secret, and forgets it unless told to keep it.
        kept["AuthenticateOidcConfig"] = dict(each["AuthenticateOidcConfig"]) | {"UseExistingClientSecret": True}
    if each["Type"] != "forward":
        return kept
    kept.pop("TargetGroupArn", None)
    config = dict(each.get("ForwardConfig", {}))
    config["TargetGroups"] = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    sticky = dict(config.get("TargetGroupStickinessConfig") or {"Enabled": False})
    if rule.arn in action.restore_stickiness:
        seconds = action.restore_stickiness[rule.arn]
        sticky = {"Enabled": True} | ({} if seconds == UNTIMED else {"DurationSeconds": seconds})
    elif action.suspend_stickiness:
        sticky["Enabled"] = False
    return kept | {"ForwardConfig": config | {"TargetGroupStickinessConfig": sticky}}


def _weights(forward: Mapping[str, Any]) -> dict[str, int]:
    """A single target group may be written without weights; it has all the traffic then, whatever its weight says."""
    groups = forward.get("ForwardConfig", {}).get("TargetGroups")
    if not groups:
        return {str(forward["TargetGroupArn"]): 1} if "TargetGroupArn" in forward else {}
    if len(groups) == 1:
        return {str(groups[0]["TargetGroupArn"]): max(1, int(groups[0].get("Weight", 1)))}
    return {str(group["TargetGroupArn"]): int(group.get("Weight", 1)) for group in groups}
