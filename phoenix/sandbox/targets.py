"""Target health: a load balancer's findings about its servers, and their times.

A target is never healthy because it is registered, and never checked while no rule names its group. A Classic Load
Balancer and a target group of VPC Lattice count as groups here, by name or ARN.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.physics import Physics
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.routes import Routes
from phoenix.sandbox.servers import Reply, Servers
from phoenix.sandbox.terms import Sources, Terms

if TYPE_CHECKING:
    from moto.elbv2.models import ELBv2Backend

    from phoenix.sandbox.timeline import Timeline

DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [503]",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
}

OUT_OF_REACH = "Target is in an Availability Zone that is not enabled for the load balancer"
"""The other description of Target.NotInUse, as hundreds have quoted it from the console and from ECS."""
TARGET_GROUP = "arn:aws:elasticloadbalancing:"
TARGETS_A_BALANCER, TARGETS_A_GROUP = "L-7E6692B2", "L-A0D0B863"
TARGETS_A_NETWORK_BALANCER = "L-EEF1AD04"
"""Codes of quotas. That of the targets in each zone of a Network Load Balancer is not enforced here."""


@dataclass(slots=True)
class Target:
    """One registered target."""

    group: str
    instance_id: str
    port: int
    state: str = "initial"
    reason: str | None = "Elb.RegistrationInProgress"
    words: str = ""
    """Description, where it is not the usual one of the reason."""
    checked_since: datetime | None = None
    proven: bool = False
    """Has it been healthy yet: a new target needs one success, one that failed needs the threshold."""
    plan: int = 0
    """Counts the plans made for it; an older plan that comes due does nothing."""

    def become(self, state: str, reason: str | None = None) -> None:
        """Change state; every change makes older plans void."""
        self.state, self.reason, self.words = state, reason, ""
        self.plan += 1

    def describe(self) -> dict[str, Any]:
        """In the shape of TargetHealthDescriptions."""
        health: dict[str, Any] = {"State": self.state}
        if self.reason:
            health |= {"Reason": self.reason, "Description": self.words or DESCRIPTIONS[self.reason]}
        return {
            "Target": {"Id": self.instance_id, "Port": self.port},
            "HealthCheckPort": str(self.port),
            "TargetHealth": health,
        }


class Targets:
    """All registered targets of all target groups."""

    def __init__(self, timeline: Timeline, physics: Physics, routes: Routes, servers: Servers) -> None:
        self.physics = physics
        self._timeline, self._routes, self._servers = timeline, routes, servers
        self._targets: dict[tuple[str, str], Target] = {}
        self._sizes: Counter[str] = Counter()
        """Registrations by target group."""
        self.elbv2: Callable[[], ELBv2Backend]
        self.sources: Sources
        self.quotas: Mapping[str, int] = {}
        """Those of the account that are about targets, by code."""
        self.on_healthy: list[Callable[[Target], None]] = []
        self.on_unhealthy: list[Callable[[Target], None]] = []
        routes.on_use.append(self._use_changed)
        servers.on_reply.append(self._reply_changed)

    def of(self, group: str) -> list[Target]:
        """Everything registered there, draining ones included."""
        return [target for target in self._targets.values() if target.group == group]

    def serving(self, instance_id: str) -> list[Target]:
        """The healthy targets that this instance is."""
        return [each for each in self._targets.values() if each.instance_id == instance_id and each.state == "healthy"]

    def register(self, group: str, instance_id: str, port: int | None = None) -> None:
        """Add a target; one that is draining comes back.

        Raises:
            Refusal: there is no room for it, in its target group or on the load balancer.
        """
        known, terms = self._targets.get((group, instance_id)), self.sources.of(group)
        if terms is None or (known is not None and known.state != "draining"):
            return
        if known is None:
            self._check_room(group)
            self._sizes[group] += 1
        self.sources.note(group, instance_id, registered=True)
        target = self._targets[group, instance_id] = Target(group, instance_id, int(port or terms.port))
        if self._set_aside(target):
            return
        plan = target.plan
        delay = self.physics.network_registration if terms.slow_to_register else self.physics.registration
        self._timeline.after(delay, lambda: self._start_checks(target, plan))

    def zone_of(self, target: Target) -> str | None:
        """The zone of its instance; None for one that is gone, and for an address."""
        server = self._servers.get(target.instance_id)
        return server.instance.placement.zone if server is not None else None

    def deregister(self, group: str, instance_id: str) -> float:
        """Begin to drain it; return the seconds until it is gone."""
        target = self._targets.get((group, instance_id))
        if target is None:
            return 0
        terms = self.sources.of(group)
        self.sources.note(group, instance_id, registered=False)
        if terms is None or not terms.drain or target.state == "unused":
            self._remove(target)
            return 0
        target.become("draining", "Target.DeregistrationInProgress")
        plan = target.plan
        self._timeline.after(terms.drain, lambda: self._drained(target, plan))
        return terms.drain

    def health(self, group: str, instance_id: str, port: int | None = None) -> dict[str, Any]:
        """Return DescribeTargetHealth's entry for one target, registered or not."""
        target = self._targets.get((group, instance_id))
        if target is not None:
            return target.describe()
        port = int(port or self._terms(group).port)
        return Target(group, instance_id, port, "unused", "Target.NotRegistered").describe()

    def _terms(self, group: str) -> Terms:
        terms = self.sources.of(group)
        if terms is None:
            raise KeyError(group)
        return terms

    def _drained(self, target: Target, plan: int) -> None:
        if target.plan == plan:
            self._remove(target)

    def _remove(self, target: Target) -> None:
        del self._targets[target.group, target.instance_id]
        self._sizes[target.group] -= 1

    def _start_checks(self, target: Target, plan: int) -> None:
        if target.plan == plan:
            target.checked_since = self._timeline.now
            target.become("initial", "Elb.InitialHealthChecking")
            self._plan(target)

    def zones_changed(self) -> None:
        """A load balancer has other zones than before."""
        self._use_changed()

    def on_balancer(self, balancer: str, joining: Collection[str] = ()) -> int:
        """Registrations on the load balancer, with those of target groups that are about to join: AWS counts a target
        once for each target group (kubernetes-sigs/aws-load-balancer-controller#2302: some 30 in each of 34)."""
        named = {*self._routes.named_by(balancer), *joining}
        return sum(self._sizes[group] for group in named)

    def check_balancer(self, balancer: str, count: int) -> None:
        """Refuse targets beyond the quota, in AWS's words (kubernetes/kubernetes#86441, for a listener that would bring
        them).

        Raises:
            Refusal: that is more than the quota.
        """
        code = TARGETS_A_NETWORK_BALANCER if self._routes.is_network(balancer) else TARGETS_A_BALANCER
        most = self.quotas.get(code, count)
        if count > most:
            raise Refusal(
                "TooManyTargets",
                f"The maximum number of targets per load balancer '{most}' has been reached on load balancer"
                f" '{balancer}'",
            )

    def _check_room(self, group: str) -> None:
        """AWS's words about a target group are not known; its code is the model's."""
        most = self.quotas.get(TARGETS_A_GROUP)
        if most is not None and self._sizes[group] >= most:
            raise Refusal("TooManyTargets", f"The maximum number of targets per target group '{most}' has been reached")
        for balancer in self._routes.load_balancers_naming(group):
            self.check_balancer(balancer, self.on_balancer(balancer) + 1)

    def _set_aside(self, target: Target) -> bool:
        """True for a target without health checks, which is `unused`: no rule names its group, or its zone is not one
        of the load balancer's."""
        is_group = target.group.startswith(TARGET_GROUP)
        if is_group and not self._routes.in_use(target.group):
            target.become("unused", "Target.NotInUse")
            return True
        zone = self.zone_of(target)
        enabled = self._routes.zones_of(target.group) if is_group else self._terms(target.group).zones
        if zone is None or zone in enabled or (not is_group and not enabled):
            return False
        target.become("unused", "Target.NotInUse")
        target.words = OUT_OF_REACH
        return True

    def _use_changed(self) -> None:
        for target in list(self._targets.values()):
            was_unused = target.state == "unused"
            if target.state == "draining" or self._set_aside(target):
                continue
            if was_unused:
                target.proven = False
                self._start_checks(target, target.plan)

    def _reply_changed(self, instance_id: str) -> None:
        for target in self._targets.values():
            if target.instance_id == instance_id and target.checked_since and target.state != "draining":
                self._plan(target)

    def _plan(self, target: Target) -> None:
        """Work out when the checks will have found out what the server answers now."""
        target.plan += 1
        if target.state == "unused":
            return
        terms = self._terms(target.group)
        server = self._servers.get(target.instance_id)
        reply = server.reply if server else Reply.OK
        if reply is Reply.OK or (terms.connects_only and reply is not Reply.REFUSED):
            if target.state == "healthy":
                return
            quick = not target.proven and (terms.one_suffices or self.physics.one_check_proves)
            needed, event = 1 if quick else terms.healthy_after, self._pass
        elif target.state == "unhealthy":
            target.reason = _failure(reply)
            return
        else:
            needed, event = terms.unhealthy_after, self._fail
        plan = target.plan
        self._timeline.at(self._check(target, needed, terms.interval), lambda: event(target, plan))

    def _check(self, target: Target, number: int, interval: float) -> datetime:
        """When the n-th check from now on happens: checks come at the group's interval since the first one."""
        since = target.checked_since or self._timeline.now
        elapsed = (self._timeline.now - since).total_seconds()
        return since + timedelta(seconds=(math.ceil(elapsed / interval) + number - 1) * interval)

    def _pass(self, target: Target, plan: int) -> None:
        if target.plan != plan:
            return
        target.become("healthy")
        target.proven = True
        for listener in self.on_healthy:
            listener(target)

    def _fail(self, target: Target, plan: int) -> None:
        if target.plan != plan:
            return
        server = self._servers.get(target.instance_id)
        target.become("unhealthy", _failure(server.reply if server else Reply.REFUSED))
        for listener in self.on_unhealthy:
            listener(target)


def _failure(reply: Reply) -> str:
    return "Target.FailedHealthChecks" if reply is Reply.REFUSED else "Target.ResponseCodeMismatch"
