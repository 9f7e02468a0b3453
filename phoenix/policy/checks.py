"""Checks between the keys of a policy, and between policies.

Each check is a sentence for the owner; none may stop the others. `model` checks single keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from phoenix.keys import render_duration
from phoenix.policy.model import AllGroups, Policy
from phoenix.policy.strategy import Canary, Rolling
from phoenix.policy.tree import Path


@dataclass(frozen=True, slots=True)
class Complaint:
    """A contradiction between keys. `at` is the place to mend, `about` are the values that the complaint rests on.

    If one of those is wrong itself, the complaint is not made: the correction might remove it.
    """

    at: Path
    reason: str
    about: tuple[Path, ...] = ()
    instead: str | None = None


def complaints(policy: Policy) -> Iterator[Complaint]:
    """Yield every contradiction between keys of this policy."""
    for check in _CHECKS:
        yield from check(policy)


def _weights(policy: Policy) -> Iterator[Complaint]:
    if not isinstance(policy.strategy, Canary):
        return
    weights = [stage.weight for stage in policy.strategy.steps]
    for number, weight in enumerate(weights):
        at: Path = ("strategy", "steps", number, "weight")
        if weight == 100:
            yield Complaint(at, "100 is always last and implied: leave this step out")
        elif weight == 0 and (number or not policy.strategy.routes):
            yield Complaint(at, "must be at least 1: a step without traffic proves nothing")
    for number, (before, weight) in enumerate(pairwise(weights), start=1):
        at = ("strategy", "steps", number, "weight")
        if weight <= before:
            yield Complaint(at, f"weights must rise: {weight} comes after {before}")


def _routes(policy: Policy) -> Iterator[Complaint]:
    opt_ins = policy.strategy.opt_ins
    at: Path = ("strategy", "routes")
    if opt_ins and not policy.traffic.has_rules:
        reason = f"traffic {policy.traffic.kind} has no rules: only an Application Load Balancer tells requests apart"
        yield Complaint(at, f"{reason} (kind: alb)", (at, ("traffic",)))
    for number, opt_in in enumerate(opt_ins):
        if opt_in in opt_ins[:number]:
            yield Complaint((*at, number), f"{opt_in} is given twice")


def _stage_capacity(policy: Policy) -> Iterator[Complaint]:
    if not isinstance(policy.strategy, Canary):
        return
    most = 0
    for number, stage in enumerate(policy.strategy.steps):
        at: Path = ("strategy", "steps", number, "capacity")
        capacity = stage.capacity_percent(serving=policy.serving)
        if policy.serving.reserve and capacity > stage.weight:
            reason = "in one group whatever is launched takes traffic: leave it out, or make it the weight"
            yield Complaint(at, reason, (("fleet",), at), instead=str(stage.weight))
        elif capacity < stage.weight:
            reason = f"{capacity} % of the capacity cannot carry {stage.weight} % of the traffic"
            yield Complaint(at, reason, instead=str(stage.weight))
        elif capacity < most:
            reason = f"capacity cannot fall from step to step: {capacity} comes after {most}"
            yield Complaint(at, reason, instead=str(most))
        most = max(most, capacity)


def _room(policy: Policy) -> Iterator[Complaint]:
    capacity, strategy = policy.capacity, policy.strategy
    at: Path = ("capacity", "max_healthy_percentage")
    about: tuple[Path, ...] = (("capacity",), ("strategy", "kind"))
    if capacity.max_healthy_percentage < strategy.peak():
        reason = f"{strategy.kind} needs {strategy.peak()}: two whole generations stand side by side"
        yield Complaint(at, f"{reason}; rolling needs less", about, instead=str(strategy.peak()))
    elif isinstance(strategy, Rolling) and capacity.min_healthy_percentage == capacity.max_healthy_percentage:
        reason = (
            "rolling has no room: the group may neither grow nor shrink; lower min_healthy_percentage or raise this"
        )
        yield Complaint(at, reason, about)


def _fits_rotation(policy: Policy) -> Iterator[Complaint]:
    limit, timeouts = policy.timeouts.rotation, policy.timeouts
    at: Path = ("timeouts", "rotation")
    for name, part in (("launch", timeouts.launch), ("drain", timeouts.drain)):
        if part > limit:
            reason = f"{render_duration(part)} does not fit into timeouts.rotation, {render_duration(limit)}"
            yield Complaint(("timeouts", name), reason, (at, ("timeouts", name)))
    yield from _fit_leaving(policy)
    yield from _fit_bakes(policy)


def _fit_leaving(policy: Policy) -> Iterator[Complaint]:
    limit = policy.timeouts.rotation
    longest = sum((each.timeout for each in (*policy.discovery, *policy.before_leaving)), timedelta(0))
    if longest >= limit:
        reason = f"together they may take {render_duration(longest)}, timeouts.rotation is {render_duration(limit)}"
        at: Path = ("before_leaving",) if policy.before_leaving else ("discovery",)
        yield Complaint(at, reason, (("timeouts", "rotation"), at))


def _fit_bakes(policy: Policy) -> Iterator[Complaint]:
    limit, strategy = policy.timeouts.rotation, policy.strategy
    at: Path = ("timeouts", "rotation")
    if isinstance(strategy.bake, timedelta) and strategy.bake >= limit:
        reason = f"{render_duration(strategy.bake)} does not fit into timeouts.rotation, {render_duration(limit)}"
        yield Complaint(("strategy", "bake"), reason, (at, ("strategy", "bake")))
        return
    rests = sum((rest for rest in strategy.rests if isinstance(rest, timedelta)), timedelta(0))
    if rests >= limit:
        where = at if "rotation" in policy.timeouts.model_fields_set else ("strategy",)
        reason = f"the bakes alone take {render_duration(rests)}, timeouts.rotation is {render_duration(limit)}"
        yield Complaint(where, reason, (at, ("strategy",)))


def _without_traffic(policy: Policy) -> Iterator[Complaint]:
    if not policy.serving.keeps_hot and policy.retain.hot_for and "hot_for" in policy.retain.model_fields_set:
        reason = "no generation can stay hot without a load balancer: both generations would work"
        yield Complaint(("retain", "hot_for"), reason, (("traffic",), ("retain", "hot_for")), instead="0s")
    for number, gate in enumerate(policy.gates):
        need = gate.needs_traffic(policy.serving)
        if need is not None:
            at: Path = ("gates", number, need.key) if need.key else ("gates", number)
            yield Complaint(at, need.reason, (("traffic",), ("gates", number)), instead=need.instead)


def _fits_fleet(policy: Policy) -> Iterator[Complaint]:
    """Weights need two groups of instances to weigh; what one group is attached to has none."""
    about: tuple[Path, ...] = (("fleet",), ("traffic",))
    at: Path = ("traffic", "kind") if "kind" in policy.traffic.model_fields_set else ("traffic",)
    one_group = len(set(policy.fleet.slots().values())) == 1
    has_weights, has_health = policy.serving.weights, policy.serving.health
    if one_group and has_weights:
        reason = f"{policy.traffic.kind} moves weights between two Auto Scaling groups; in one, write attached"
        yield Complaint(at, reason, about, instead="attached")
    elif not one_group and has_health and not has_weights:
        reason = "a pair is told apart by weights: write the kind of load balancer that has them"
        yield Complaint(at, reason, about, instead="alb")


def _leaving_for_good(policy: Policy) -> Iterator[Complaint]:
    for number, each in enumerate(policy.before_leaving):
        if each.cannot_return and policy.serving.reserve and policy.retain.hot_for:
            at: Path = ("before_leaving", number, each.cannot_return)
            reason = "what is kept in Standby for a rollback could not come back: leave it out, or write hot_for: 0s"
            yield Complaint(at, reason, (at, ("retain", "hot_for"), ("fleet",)))


def _announced_once(policy: Policy) -> Iterator[Complaint]:
    """A registry takes an instance out before it leaves: it is no station besides, and is listed once."""
    names = [each.title for each in policy.discovery]
    for number, each in enumerate(policy.discovery):
        if each.title in names[:number]:
            yield Complaint(("discovery", number), f"{each.title} is given twice", (("discovery", number),))
    for number, each in enumerate(policy.before_leaving):
        if each.title in names:
            at: Path = ("before_leaving", number)
            reason = f"{each.title} is in discovery, which takes an instance out before it leaves: leave it out here"
            yield Complaint(at, reason, (("discovery",), at))


def _gates_once(policy: Policy) -> Iterator[Complaint]:
    seen: Counter[str] = Counter()
    for number, gate in enumerate(policy.gates):
        seen[gate.kind] += 1
        if seen[gate.kind] == 2 and gate.is_single:
            at: Path = ("gates", number)
            yield Complaint(at, f"{gate.kind} is given twice", (at,))


def freeze_complaints(groups: Policy | AllGroups) -> Iterator[Complaint]:
    """Yield freezes that end before they begin."""
    for number, freeze in enumerate(groups.freezes):
        if freeze.last < freeze.first:
            at: Path = ("freezes", number)
            yield Complaint((*at, "until"), f"before its beginning, {freeze.first}", (at,))


def _drills(policy: Policy) -> Iterator[Complaint]:
    if policy.drills and policy.drill is None:
        at: Path = ("drills",)
        yield Complaint(at, "has no effect without drill: {most: 1, floor: 75%}", (at, ("drill",)))


def _role(policy: Policy) -> Iterator[Complaint]:
    if policy.external_id is not None and policy.role_arn is None:
        at: Path = ("external_id",)
        yield Complaint(at, "has no effect without a role_arn", (at, ("role_arn",)))
    if policy.role_arn is not None and policy.account is not None and f"::{policy.account}:" not in policy.role_arn:
        at = ("account",)
        yield Complaint(at, "is not the account of role_arn", (at, ("role_arn",)))


_CHECKS: Final[tuple[Callable[[Policy], Iterator[Complaint]], ...]] = (
    _weights,
    _routes,
    _stage_capacity,
    _room,
    _fits_rotation,
    _without_traffic,
    _fits_fleet,
    _leaving_for_good,
    _announced_once,
    _gates_once,
    freeze_complaints,
    _drills,
    _role,
)
