"""Translate a policy for the core: terms, calendar, reasons.

Must never lose a value that the core decides by; values for adapters only stay in their settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from phoenix.core.drill import DrillTerms
from phoenix.core.many.limits import Breaker, Limits, Rules
from phoenix.core.terms import Step, Terms
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Freeze, Window
from phoenix.policy.model import AllGroups, Policy
from phoenix.policy.model import Window as WindowKeys
from phoenix.strategies.rolling import Room

_DEFAULTS = AllGroups()
_NONE: Mapping[str, str] = {}


def steps_of(policy: Policy) -> tuple[Step, ...]:
    """Return the steps of a rotation under this policy."""
    room = Room(policy.capacity.min_healthy_percentage, policy.capacity.max_healthy_percentage)
    return policy.strategy.to_steps(room, serving=policy.serving)


def terms_of(policy: Policy) -> Terms:
    """Return the core's part of the policy; the record keeps it from the start of a rotation."""
    traffic = policy.traffic
    return Terms(
        steps=steps_of(policy),
        strategy=policy.strategy.kind,
        serving=policy.serving,
        min_healthy_percentage=policy.capacity.min_healthy_percentage,
        max_unhealthy_percent=_health_budget(policy),
        healthy_for=_healthy_for(policy),
        propagation=traffic.settles_in(),
        launch_timeout=policy.timeouts.launch,
        drain_timeout=policy.timeouts.drain,
        rotation_timeout=policy.timeouts.rotation,
        hot_for=policy.retain.hot_for if policy.serving.keeps_hot else timedelta(0),
        on_failure=policy.on_failure,
        capacity=policy.fleet.bounds,
        suspend_stickiness=traffic.suspends_stickiness,
        suspend_failover=traffic.suspends_failover,
        opt_ins=policy.strategy.opt_ins,
        routed_at=traffic.routed_at,
        hooks_harmless=policy.fleet.hooks_harmless,
        holds=policy.serving.reserve and any(gate.precedes_traffic for gate in policy.gates),
        before_leaving=tuple(each.station() for each in policy.before_leaving),
        compares_arrival=traffic.compares_arrival,
        confirms_return=traffic.confirms_return,
        discovery=tuple(each.station() for each in policy.discovery),
    )


def calendar_of(policy: Policy, all_groups: AllGroups = _DEFAULTS, file: str | None = None) -> Calendar:
    """Return when a rotation may start; the freezes of all groups, from `file`, come first, so that they are named."""
    return _calendar(policy.windows, policy, all_groups, file)


def drill_of(policy: Policy, all_groups: AllGroups = _DEFAULTS, file: str | None = None) -> DrillTerms | None:
    """Return what the policy allows to be ended, and when: in the windows of its drills, else in those of rotations."""
    drill = policy.drill
    if drill is None:
        return None
    windows = policy.drills or policy.windows
    calendar = _calendar(windows, policy, all_groups, file)
    return DrillTerms(drill.most, drill.floor, drill.timeout, calendar, scheduled=bool(policy.drills))


def _calendar(windows: Iterable[WindowKeys], policy: Policy, all_groups: AllGroups, file: str | None) -> Calendar:
    stands = [(freeze, file) for freeze in all_groups.freezes] + [(freeze, None) for freeze in policy.freezes]
    return Calendar(
        windows=tuple(Window(w.schedule, w.duration, w.timezone) for w in windows),
        freezes=tuple(Freeze(f.first, f.last, f.reason, f.timezone, file) for f, file in stands),
    )


def rotate_when_of(policy: Policy) -> RotateWhen:
    """Return the reasons that make a rotation due."""
    when = policy.rotate_when
    return RotateWhen(
        when.new_image,
        when.max_instance_lifetime,
        when.drift,
        when.tainted is not False,
        when.template,
        when.base_older_than,
        when.tainted if isinstance(when.tainted, timedelta) else timedelta(0),
    )


def rules_of(all_groups: AllGroups, policies: Iterable[Policy], groups: Iterable[str]) -> Rules:
    """Return the limits for all groups together; a group with a broken policy counts too, although its labels are
    unknown."""
    breaker = all_groups.breaker
    return Rules(
        limits=Limits(all_groups.limits.in_flight, dict(all_groups.limits.per_label)),
        breaker=Breaker(breaker.rollbacks, breaker.within) if breaker is not None else None,
        max_age=all_groups.max_age,
        labels={**dict.fromkeys(groups, _NONE), **{policy.group: dict(policy.labels) for policy in policies}},
    )


def _healthy_for(policy: Policy) -> timedelta:
    wanted = [gate.healthy_time for gate in policy.gates]
    return max((each for each in wanted if each is not None), default=timedelta(seconds=30))


def _health_budget(policy: Policy) -> int:
    return max((gate.tolerated_percent for gate in policy.gates), default=0)
