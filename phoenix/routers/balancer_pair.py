"""Blockers where each slot has a load balancer of its own: both have to do the same with the same requests. Reads only.

Must never compare the load balancers by their own names, which differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.errors import NotFound
from phoenix.routers import action_blockers, listeners, shares, target_blockers
from phoenix.routers.action_blockers import name_of
from phoenix.routers.forwarding import Pair, Rule
from phoenix.routers.listeners import Listeners
from phoenix.routers.network_listeners import NetworkListeners
from phoenix.routers.target_blockers import (
    AttributeCheck,
    Attributes,
    Behind,
    find_in_targets,
    judge_target_groups,
    targets_read_once,
)

IAM_ACTIONS: Final = (
    target_blockers.IAM_ACTIONS | action_blockers.IAM_ACTIONS | listeners.IAM_ACTIONS | shares.RULES.rights
)
CHECKS: Final = ("listeners-differ", "no-weight-inside", *target_blockers.CHECKS)


def find_blockers(aws: Aws, slots: Mapping[Slot, SlotState], live: Slot) -> list[Blocker]:
    """Everything about listeners, rules and target groups at once."""
    arns = {slot: state.target_groups for slot, state in slots.items()}
    reader = Listeners(aws)
    try:
        described = reader.read_target_groups(arn for each in arns.values() for arn in each)
    except NotFound as error:
        return [Blocker("unknown-target-group", "target groups", error.message, unchecked=CHECKS)]
    found = dict(zip(slots, aws.side_by_side([partial(_rules_of, aws, arns[slot]) for slot in slots]), strict=True))
    rules = [rule for each in found.values() for rule in each]
    pair = Pair(arns, rules)
    names = {slot: state.auto_scaling_group for slot, state in slots.items()}
    # DNS failover of one load balancer never concerns the other one: its thresholds may be as they are.
    behind = Behind(rules, pair, suspends_stickiness=True, live=live, groups=names, suspends_failover=True)
    nothing = AttributeCheck((), _nothing, "")
    return [
        *judge_target_groups(described, behind),
        *_in_listeners(found, live),
        *_in_shares(found, arns),
        *find_in_targets(aws, slots, behind, targets_read_once(aws), nothing),
    ]


def _rules_of(aws: Aws, target_groups: Sequence[str]) -> list[Rule]:
    """Of one slot, so that no rule is named after its load balancer."""
    return [rule for reader in (Listeners(aws), NetworkListeners(aws)) for rule in reader.find(target_groups)]


def _nothing(_read: Attributes, _behind: Behind) -> Iterator[Blocker]:
    return iter(())


def _in_listeners(found: Mapping[Slot, Sequence[Rule]], live: Slot) -> Iterator[Blocker]:
    mine, other = ({rule.name for rule in found[slot]} for slot in (live, live.other))
    missing = sorted(mine - other)
    if missing:
        yield Blocker(
            "listeners-differ",
            "load balancers",
            f"{live}'s load balancer forwards {', '.join(missing)} to it, {live.other}'s does not: such requests would"
            f" fail there as soon as a record answers with it. Give {live.other}'s load balancer the same listeners and"
            " rules.",
        )


def _in_shares(found: Mapping[Slot, Sequence[Rule]], arns: Mapping[Slot, Sequence[str]]) -> Iterator[Blocker]:
    """Behind its own load balancer a slot has all of a rule's traffic, or records do not say who gets what."""
    for slot, rules in found.items():
        for rule in rules:
            weights = rule.target_groups
            inside = sum(weight for arn, weight in weights.items() if arn in arns[slot])
            if inside < sum(weights.values()) or not inside:
                others = ", ".join(name_of(arn) for arn in weights if arn not in arns[slot]) or "nothing"
                yield Blocker(
                    "no-weight-inside",
                    rule.name,
                    f"{rule.name} of {slot}'s load balancer gives {slot} {inside} of a weight of"
                    f" {sum(weights.values())} (besides it: {others}). Behind its own load balancer a slot has to get"
                    " all of it: only records move traffic.",
                    action_blockers.look_at(rule),
                )
