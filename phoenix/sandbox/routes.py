"""Each target group's share of the traffic, by moto's listeners and rules, as it takes effect.

The API's echo is immediate; this is the data plane, which follows seconds later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from moto.elbv2.models import ELBv2Backend

    from phoenix.sandbox.timeline import Timeline

BY_REQUEST = frozenset({"http-header", "query-string", "source-ip"})
NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Of a change that requests do not follow."""
Shares = Mapping[str, float]
"""Share of one rule's requests by target group ARN; sums to 1, or is empty when nothing gets any."""


@dataclass(frozen=True, slots=True)
class Route:
    """One rule: its former shares, and its shares from `since` on."""

    load_balancer: str
    before: Shares
    after: Shares
    since: datetime
    is_opt_in: bool = False

    def at(self, moment: datetime) -> Shares:
        """Return the shares that requests meet then."""
        return self.after if moment >= self.since else self.before


class Routes:
    """All rules of all load balancers, default rules included."""

    def __init__(self, timeline: Timeline, physics: Physics, elbv2: Callable[[], ELBv2Backend]) -> None:
        self.physics = physics
        self._timeline, self._elbv2 = timeline, elbv2
        self._routes: dict[str, Route] = {}
        self._going: dict[str, Route] = {}
        self._used: frozenset[str] = frozenset()
        self._naming: Mapping[str, frozenset[str]] = {}
        self._named: Mapping[str, frozenset[str]] = {}
        self._ignoring: frozenset[int] | None = frozenset()
        self.on_use: list[Callable[[], None]] = []
        self.on_shift: list[Callable[[], None]] = []
        self.shares_of_clients: Callable[[str], list[float]] = lambda _: [1.0]
        """Of each state of clients, the share that reaches a load balancer (ARN) at all."""

    def refresh(self) -> None:
        """Read moto's rules again; whatever changed takes effect after the propagation time."""
        now = self._timeline.now
        seen: dict[str, Route] = {}
        used: dict[str, set[str]] = {}
        for load_balancer, port, rule in self._rules():
            weights = weights_of(rule.actions)
            for arn in weights:
                used.setdefault(arn, set()).add(load_balancer)
            shares = _shares(weights)
            known = self._routes.get(rule.arn)
            if known is None:
                # One that is made for some requests only takes its time like any change of weights.
                asked_for = is_opt_in(rule)
                since = now + self._delay(load_balancer) if asked_for else now
                seen[rule.arn] = Route(load_balancer, {} if asked_for else shares, shares, since, asked_for)
            elif known.after == shares:
                seen[rule.arn] = known
            else:
                changes = NEVER if self._ignores(port) else now + self._delay(load_balancer)
                seen[rule.arn] = Route(load_balancer, known.at(now), shares, changes, known.is_opt_in)
        self._note_going(seen)
        self._routes = seen
        self._note_use(used)
        for seconds in (self.physics.weight_propagation, self.physics.network_propagation):
            self._timeline.after(seconds, self.announce)

    def ignore_weights(self, ports: Iterable[int] | None) -> None:
        """From now on the API echoes a change of weights on these listeners, and requests do not follow it; None: on
        all listeners. AWS promises neither that they follow, nor by when."""
        self._ignoring = None if ports is None else frozenset(ports)
        if self._ignoring == frozenset():
            now = self._timeline.now
            self._routes = {
                arn: replace(route, since=now) if route.since == NEVER else route for arn, route in self._routes.items()
            }
            self.announce()

    def _ignores(self, port: int) -> bool:
        return self._ignoring is None or port in self._ignoring

    def _note_going(self, seen: Mapping[str, Route]) -> None:
        """Requests that ask for a target group reach it until the data plane has followed the removal of their rule."""
        now = self._timeline.now
        gone = {arn: route for arn, route in self._routes.items() if route.is_opt_in and arn not in seen}
        for arn, route in gone.items():
            ends = now + self._delay(route.load_balancer)
            self._going[arn] = Route(route.load_balancer, route.at(now), {}, ends, is_opt_in=True)
        self._going = {arn: route for arn, route in self._going.items() if route.since > now}

    def is_network(self, load_balancer: str) -> bool:
        """True for the ARN of a Network Load Balancer."""
        return ":loadbalancer/net/" in load_balancer

    def is_cross_zone(self, load_balancer: str) -> bool:
        """True where each of its nodes reaches the targets of all zones."""
        found: Any = self._elbv2().load_balancers[load_balancer]
        return str(found.attrs.get("load_balancing.cross_zone.enabled")) == "true"

    def in_use(self, target_group: str) -> bool:
        """Whether any rule names it, at whatever weight: only then are its targets checked."""
        return target_group in self._used

    def load_balancers_naming(self, target_group: str) -> frozenset[str]:
        """ARNs of the load balancers of which a rule names it, at whatever weight; AWS allows one."""
        return self._naming.get(target_group, frozenset())

    def named_by(self, load_balancer: str) -> frozenset[str]:
        """ARNs of the target groups that a rule of the load balancer names."""
        return self._named.get(load_balancer, frozenset())

    def zones_of(self, target_group: str) -> frozenset[str]:
        """Zones that are enabled for the load balancers of which a rule names it."""
        balancers: Any = self._elbv2().load_balancers
        named = (balancers[arn] for arn in self.load_balancers_naming(target_group))
        return frozenset(subnet.availability_zone for balancer in named for subnet in balancer.subnets)

    def effective(self) -> Mapping[str, Shares]:
        """Return the shares that requests meet now, by rule ARN; rules for some requests only are left out. Where
        clients go by different answers of DNS, a number follows the ARN, and there is one for each answer."""
        now = self._timeline.now
        return {
            f"{arn} {state}" if state else arn: {group: share * reached for group, share in route.at(now).items()}
            for arn, route in self._routes.items()
            if not route.is_opt_in
            for state, reached in enumerate(self.shares_of_clients(route.load_balancer))
        }

    def is_asked_for(self, target_group: str) -> bool:
        """True while requests that ask for it reach it, by a rule for such requests only."""
        now = self._timeline.now
        routes = (*self._routes.values(), *self._going.values())
        return any(route.is_opt_in and route.at(now).get(target_group, 0) > 0 for route in routes)

    def load_balancers_sending_to(self, target_group: str) -> frozenset[str]:
        """ARNs of the load balancers of which it now gets requests."""
        now = self._timeline.now
        return frozenset(
            route.load_balancer
            for route in (*self._routes.values(), *self._going.values())
            if route.at(now).get(target_group, 0) > 0 and any(self.shares_of_clients(route.load_balancer))
        )

    def sends_requests(self, load_balancer: str) -> bool:
        """Whether any target group gets requests of it now."""
        now = self._timeline.now
        routes = (route for route in self._routes.values() if route.load_balancer == load_balancer)
        is_reached = any(self.shares_of_clients(load_balancer))
        return is_reached and any(share > 0 for route in routes for share in route.at(now).values())

    def _delay(self, load_balancer: str) -> timedelta:
        physics = self.physics
        return timedelta(
            seconds=physics.network_propagation if self.is_network(load_balancer) else physics.weight_propagation
        )

    def _rules(self) -> Iterator[tuple[str, int, Any]]:
        for load_balancer in self._elbv2().load_balancers.values():
            for listener in load_balancer.listeners.values():
                for rule in listener.rules.values():
                    yield load_balancer.arn, int(listener.port or 0), rule

    def _note_use(self, used: Mapping[str, set[str]]) -> None:
        for target_group in self._elbv2().target_groups.values():
            # moto only ever adds to this list.
            target_group.load_balancer_arns = sorted(used.get(target_group.arn, ()))
        self._naming = {arn: frozenset(balancers) for arn, balancers in used.items()}
        self._named = {
            each: frozenset(arn for arn, balancers in used.items() if each in balancers)
            for each in {balancer for balancers in used.values() for balancer in balancers}
        }
        if self._used != used.keys():
            self._used = frozenset(used)
            for listener in self.on_use:
                listener()

    def announce(self) -> None:
        """Tell the alarms and measurements that traffic has shifted."""
        for listener in self.on_shift:
            listener()


def is_opt_in(rule: Any) -> bool:
    """True for a rule that sends some requests, by their content, to one target group alone."""
    fields = {str(condition.get("Field")) for condition in getattr(rule, "conditions", None) or ()}
    return not fields.isdisjoint(BY_REQUEST) and len(weights_of(rule.actions)) == 1


def weights_of(actions: list[Any]) -> dict[str, int]:
    """Return the weight by target group ARN of a rule's forward action; empty if it does not forward."""
    for action in actions:
        forward = action.data.get("ForwardConfig", {}).get("TargetGroups")
        if forward:
            return {each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in forward}
        if action.data.get("TargetGroupArn"):
            return {action.data["TargetGroupArn"]: 1}
    return {}


def _shares(weights: Mapping[str, int]) -> Shares:
    total = sum(weights.values())
    return {arn: weight / total for arn, weight in weights.items()} if total else {}
