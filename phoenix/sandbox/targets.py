"""Target health: what a load balancer finds out about the servers behind it, and when.

A target is never healthy because it is registered, and never checked while no rule names its group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.physics import Physics
from phoenix.sandbox.routes import Routes
from phoenix.sandbox.servers import Reply, Servers

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


@dataclass(slots=True)
class Target:
    """One registered target."""

    group: str
    instance_id: str
    port: int
    state: str = "initial"
    reason: str | None = "Elb.RegistrationInProgress"
    checked_since: datetime | None = None
    proven: bool = False
    """Has it been healthy yet: a new target needs one success, one that failed needs the threshold."""
    plan: int = 0
    """Counts the plans made for it; an older plan that comes due does nothing."""

    def become(self, state: str, reason: str | None = None) -> None:
        """Change state; every change makes older plans void."""
        self.state, self.reason = state, reason
        self.plan += 1

    def describe(self) -> dict[str, Any]:
        """In the shape of TargetHealthDescriptions."""
        health: dict[str, Any] = {"State": self.state}
        if self.reason:
            health |= {"Reason": self.reason, "Description": DESCRIPTIONS[self.reason]}
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
        self.elbv2: Callable[[], ELBv2Backend]
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
        """Add a target; one that is draining comes back."""
        known = self._targets.get((group, instance_id))
        if known is not None and known.state != "draining":
            return
        port = int(port or self.elbv2().target_groups[group].port)
        target = self._targets[group, instance_id] = Target(group, instance_id, port)
        if not self._routes.in_use(group):
            target.become("unused", "Target.NotInUse")
            return
        plan = target.plan
        self._timeline.after(self.physics.registration, lambda: self._start_checks(target, plan))

    def deregister(self, group: str, instance_id: str) -> float:
        """Begin to drain it; return the seconds until it is gone."""
        target = self._targets.get((group, instance_id))
        if target is None:
            return 0
        settings = self.elbv2().target_groups.get(group)
        if settings is None or target.state == "unused":
            del self._targets[group, instance_id]
            return 0
        target.become("draining", "Target.DeregistrationInProgress")
        delay = float(settings.attributes["deregistration_delay.timeout_seconds"])
        plan = target.plan
        self._timeline.after(delay, lambda: self._drained(target, plan))
        return delay

    def health(self, group: str, instance_id: str, port: int | None = None) -> dict[str, Any]:
        """What DescribeTargetHealth says about one target, registered or not."""
        target = self._targets.get((group, instance_id))
        if target is not None:
            return target.describe()
        port = int(port or self.elbv2().target_groups[group].port)
        return Target(group, instance_id, port, "unused", "Target.NotRegistered").describe()

    def _drained(self, target: Target, plan: int) -> None:
        if target.plan == plan:
            del self._targets[target.group, target.instance_id]

    def _start_checks(self, target: Target, plan: int) -> None:
        if target.plan == plan:
            target.checked_since = self._timeline.now
            target.become("initial", "Elb.InitialHealthChecking")
            self._plan(target)

    def _use_changed(self) -> None:
        for target in list(self._targets.values()):
            used = self._routes.in_use(target.group)
            if used and target.state == "unused":
                target.proven = False
                self._start_checks(target, target.plan)
            elif not used and target.state not in ("unused", "draining"):
                target.become("unused", "Target.NotInUse")

    def _reply_changed(self, instance_id: str) -> None:
        for target in self._targets.values():
            if target.instance_id == instance_id and target.checked_since and target.state != "draining":
                self._plan(target)

    def _plan(self, target: Target) -> None:
        """Work out when the checks will have found out what the server answers now."""
        target.plan += 1
        if target.state == "unused":
            return
        settings: Any = self.elbv2().target_groups[target.group]
        server = self._servers.get(target.instance_id)
        reply = server.reply if server else Reply.OK
        if reply is Reply.OK:
            if target.state == "healthy":
                return
            quick = not target.proven and settings.protocol in ("HTTP", "HTTPS")
            needed, event = 1 if quick else int(settings.healthy_threshold_count), self._pass
        elif target.state == "unhealthy":
            target.reason = _failure(reply)
            return
        else:
            needed, event = int(settings.unhealthy_threshold_count), self._fail
        plan = target.plan
        self._timeline.at(self._check(target, needed), lambda: event(target, plan))

    def _check(self, target: Target, number: int) -> datetime:
        """When the n-th check from now on happens: checks come at the group's interval since the first one."""
        settings: Any = self.elbv2().target_groups[target.group]
        interval = float(settings.health_check_interval_seconds)
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
