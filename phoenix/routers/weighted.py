"""Weights between two target groups in the forward actions of load balancers: the common part of the routers.

Must never drop what else is in an action list: authentication, stickiness, third target groups.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from phoenix.aws.scope import Scope
from phoenix.aws.session import Aws
from phoenix.core.action import SetFailover, SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.failover import UNKNOWN
from phoenix.core.model import Route, Slot, SlotState
from phoenix.errors import AccessDenied, NotFound
from phoenix.ports import Traffic
from phoenix.routers.forwarding import Arns, Pair, Rule, differs, rewritten
from phoenix.routers.listeners import Health, Listeners, merged
from phoenix.routers.writing import refuse_foreign, verified


class WeightedRouter(ABC):
    """Weighted forward actions. A kind of load balancer says how they are found, read and written."""

    WEIGHTS: ClassVar = True
    HEALTH: ClassVar = True
    APART: ClassVar = False

    def __init__(self, scope: Scope) -> None:
        self._aws = scope.aws
        self._sleep = scope.clock.sleep
        self._suspends = scope.terms.suspend_stickiness, scope.terms.suspend_failover
        self._opt_ins = scope.terms.opt_ins
        self._listeners = self._open(scope.aws)

    def find(self, target_groups: Arns) -> tuple[Route, ...]:
        """Every action list that forwards to one of the target groups, on all their load balancers."""
        pair = Pair(target_groups)
        return tuple(rule.route(pair) for rule in self._listeners.find(pair.slot_of))

    def observe(self, target_groups: Arns, routes: Sequence[str], want_health: frozenset[Slot]) -> Traffic:
        """One read of all rules, and one of each target group asked for, side by side.

        Rules that are gone are no error: all are searched for again then, as they were rearranged. Nor are
        target groups: one that was deleted serves no request, and says nothing of the others of its slot.
        """
        wanted = [(slot, arn) for slot in Slot if slot in want_health for arn in target_groups.get(slot, ())]
        calls: list[Callable[[], Any]] = [partial(self._read_or_find, routes, target_groups)]
        calls += [partial(self._listeners.read_health, arn) for _, arn in wanted]
        rules, *health = self._aws.side_by_side(calls)
        pair = Pair(target_groups, rules)
        seen = {arn: h for (_, arn), h in zip(wanted, health, strict=True) if h is not None}
        found_in = {slot: merged(_counted(slot, seen, pair, rules)) for slot in want_health}
        return Traffic(
            routes=tuple(rule.route(pair) for rule in rules),
            health={slot: {i: h.state for i, h in found.items()} for slot, found in found_in.items()},
            words={slot: {i: h.words for i, h in found.items() if h.words} for slot, found in found_in.items()},
        )

    def shift(self, action: SetWeights, target_groups: Arns, routes: Sequence[str]) -> tuple[Route, ...]:
        """Set the weights on these rules: one read, the writes side by side, and reads until all of it shows.

        Raises:
            ForeignWeights: a raise found a share outside `only_from`; nothing at all was written.
            TransientError: AWS accepted the writes, but does not show them yet.
        """
        rules = self._read_or_find(routes, target_groups)
        pair = Pair(target_groups, rules)
        if action.only_from:
            refuse_foreign([rule.route(pair) for rule in rules], action)
        ours = [rule for rule in rules if pair.named_in(rule)]
        writes = [(rule, actions) for rule in ours if differs(rule, actions := rewritten(rule, pair, action))]
        self._aws.side_by_side([partial(self._write, rule, actions) for rule, actions in writes])
        if not writes:
            return tuple(rule.route(pair) for rule in rules)
        arns = [rule.arn for rule in rules]
        return verified(lambda: tuple(rule.route(pair) for rule in self._listeners.read(arns)), action, self._sleep)

    def read_failover(self, target_groups: Arns) -> dict[Slot, str]:
        """One read for each target group, side by side."""
        from phoenix.routers import failover

        try:
            return {slot: failover.read(self._aws, arns) for slot, arns in target_groups.items()}
        except AccessDenied:
            # A rollback by a role from before this was needed goes on without it; a start is told by preflight.
            return dict.fromkeys(target_groups, UNKNOWN)

    def set_failover(self, action: SetFailover, target_groups: Arns) -> None:
        """A read and, where it differs, a write for each target group."""
        from phoenix.routers import failover

        failover.write(self._aws, target_groups[action.slot], action.thresholds)

    @abstractmethod
    def serves_by_zone(self, target_groups: Arns) -> bool:
        """True if each zone serves its own share of the traffic, in either slot."""

    @abstractmethod
    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""

    @staticmethod
    @abstractmethod
    def _open(aws: Aws) -> Listeners:
        """The reader of the action lists."""

    @abstractmethod
    def _write(self, rule: Rule, actions: list[dict[str, Any]]) -> None:
        """Give the rule these actions."""

    def _read_or_find(self, routes: Sequence[str], target_groups: Arns) -> list[Rule]:
        try:
            return self._listeners.read(routes)
        except NotFound:
            return self._listeners.find(Pair(target_groups).slot_of)


def _counted(
    slot: Slot, seen: Mapping[str, Mapping[str, Health]], pair: Pair, rules: Sequence[Rule]
) -> list[Mapping[str, Health]]:
    """The health in the slot's target groups; where some are behind a rule, the others serve no users and say nothing.

    AWS checks no target of a group that no listener forwards to: it would be `unused` for ever, whatever the image.
    """
    routed = pair.routed_by(rules)
    mine = [arn for arn in seen if pair.slot_of[arn] is slot]
    behind = [arn for arn in mine if arn in routed]
    return [seen[arn] for arn in behind or mine]
