"""Weights between two target groups on every listener and rule of an Application Load Balancer that names them.

Must never write a default rule as a rule: its actions belong to the listener.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from phoenix.aws.late import late
from phoenix.aws.rights import IS_MANAGED, WRITERS, Right, Rights, arn
from phoenix.aws.session import Aws
from phoenix.core.action import SetOptIns
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.core.opt_in import OptIns
from phoenix.core.record import GroupRecord
from phoenix.routers import listeners
from phoenix.routers.forwarding import Arns, Rule
from phoenix.routers.listeners import Listeners
from phoenix.routers.weighted import WeightedRouter


def _may(call: str, kind: str) -> Right:
    on = (arn("elasticloadbalancing", f"{kind}/app/*"),)
    return Right(f"elasticloadbalancing:{call}", "ShiftTraffic", WRITERS, on, (IS_MANAGED,))


def _rights() -> Rights:
    from phoenix.routers import alb_blockers, arrivals, failover, opt_in_blockers, opt_ins, shares

    ours = frozenset({_may("ModifyListener", "listener"), _may("ModifyRule", "listener-rule")})
    reads = listeners.IAM_ACTIONS | listeners.RULES | shares.RULES.rights
    ours |= opt_ins.IAM_ACTIONS | opt_in_blockers.IAM_ACTIONS
    return ours | reads | failover.IAM_ACTIONS | alb_blockers.IAM_ACTIONS | arrivals.IAM_ACTIONS


def _checks() -> tuple[str, ...]:
    from phoenix.routers import alb_blockers, opt_in_blockers

    return (*alb_blockers.CHECKS, *opt_in_blockers.CHECKS)


class AlbRouter(WeightedRouter):
    """Weighted forward actions of Application Load Balancers."""

    PROTOCOLS: ClassVar = frozenset({"HTTP", "HTTPS"})
    ROUTES: ClassVar = ":listener-rule/app/"
    uncounted: ClassVar = ""
    IAM_ACTIONS: ClassVar[Rights] = late(_rights)
    checks: ClassVar[tuple[str, ...]] = late(_checks)

    @staticmethod
    def moved_groups(aws: Aws, records: Iterable[GroupRecord]) -> frozenset[str]:
        """Groups at rest whose rules do not send everything to the live slot."""
        from phoenix.routers import shares

        return shares.moved_groups(aws, records, shares.RULES)

    def serves_by_zone(self, target_groups: Arns) -> bool:
        """True when any of the target groups has cross-zone load balancing switched off; one read for each."""
        from phoenix.routers.target_blockers import attributes_if_there, is_cross_zone_off

        reads = [partial(attributes_if_there, self._aws, arn) for arns in target_groups.values() for arn in arns]
        return any(is_cross_zone_off(found) for found in self._aws.side_by_side(reads) if found is not None)

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """All blockers at once, from fresh reads."""
        from phoenix.routers import opt_in_blockers
        from phoenix.routers.alb_blockers import CHECKS, find_blockers
        from phoenix.routers.weight_blockers import Start

        found = find_blockers(self._aws, self._listeners, Start(slots, live, *self._suspends, ahead))
        if self._opt_ins and all(state.target_groups for state in slots.values()):
            arns = {slot: state.target_groups for slot, state in slots.items()}
            wanted = SetOptIns(live.other, self._opt_ins)
            found += opt_in_blockers.find_blockers(self._aws, self._listeners, arns, wanted)
        # Where nothing else could be looked at, neither could these.
        more = opt_in_blockers.CHECKS
        return [replace(b, unchecked=(*b.unchecked, *more)) if {*CHECKS} <= {*b.unchecked} else b for b in found]

    def read_opt_ins(self, wanted: SetOptIns, target_groups: Arns, routes: Sequence[str]) -> OptIns:
        """A read of each listener, and one of the tags of rules that may be ours."""
        from phoenix.routers import opt_ins

        return opt_ins.read(self._aws, self._listeners.list_rules(routes), target_groups, wanted)

    def set_opt_ins(self, action: SetOptIns, target_groups: Arns, routes: Sequence[str]) -> None:
        """The same reads, then a write for each rule."""
        from phoenix.routers import opt_ins

        opt_ins.write(self._aws, self._listeners.list_rules(routes), target_groups, action)

    def count_requests(
        self, target_groups: Arns, routes: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[Slot, Mapping[datetime, float]]:
        """One GetMetricData for all target groups."""
        from phoenix.routers import arrivals

        return arrivals.count(self._aws, target_groups, routes, (since, until))

    def price_of_looks(self, target_groups: Arns, looks: int) -> str:
        """One metric for each target group."""
        from phoenix.routers import arrivals

        return arrivals.price(target_groups, looks)

    @staticmethod
    def _open(aws: Aws) -> Listeners:
        return Listeners(aws)

    def _write(self, rule: Rule, actions: list[dict[str, Any]]) -> None:
        if rule.is_default:
            self._aws.call("elbv2", "modify_listener", ListenerArn=rule.listener, DefaultActions=actions)
        else:
            self._aws.call("elbv2", "modify_rule", RuleArn=rule.arn, Actions=actions)
