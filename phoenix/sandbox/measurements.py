"""What an Application Load Balancer tells CloudWatch of each target group: requests, errors, times, by minute.

Follows the weights that are in effect and the servers behind them, whatever health checks say. Nothing is kept by the
minute: each value follows from the truth at that minute and from dice of its own, so asking twice gives the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, Final

from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.routes import Routes
from phoenix.sandbox.servers import Servers
from phoenix.sandbox.targets import Target, Targets

if TYPE_CHECKING:
    from phoenix.sandbox.timeline import Timeline

NAMESPACE: Final = "AWS/ApplicationELB"
MINUTE: Final = timedelta(minutes=1)
PUBLISHING: Final = timedelta(seconds=60)
"""After the end of a minute until its measurements are there; "ELB reports metrics in 60-second intervals"
(docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html)."""
REQUESTS: Final = 6000.0
"""Of one rule, by minute."""
ERRORS: Final = 0.0005
"""Share of requests that fail at the best of servers."""
BROKEN: Final = 0.6
"""Share that fails at a server which errs."""
SECONDS: Final = 0.080
SPREAD: Final = 0.15
Truth = Mapping[str, tuple[float, float]]
"""By target group: its share of a rule's requests, and the share of its serving targets that err."""


class Measurements:
    """The truth behind each target group over time, and the measurements that follow from it."""

    def __init__(self, timeline: Timeline, routes: Routes, targets: Targets, servers: Servers) -> None:
        self.requests = REQUESTS
        self.counted: Callable[[str, datetime], float] | None = None
        """The requests of a target group in a minute, where a real data plane counts them; else they are made up."""
        self._timeline, self._routes, self._targets, self._servers = timeline, routes, targets, servers
        self.delays: dict[str, timedelta] = {}
        """How much later than usual a minute is published, by a pattern of target groups' names. "one to three minutes"
        is what people see; AWS promises no time."""
        self._times: list[datetime] = []
        self._truths: list[Truth] = []
        routes.on_shift.append(self._note)
        targets.on_healthy.append(self._glance)
        targets.on_unhealthy.append(self._glance)

    def series(self, target_group: str, metric: str, since: datetime, until: datetime) -> dict[datetime, float]:
        """The metric's values by minute, of those that are published. As AWS says: "Elastic Load Balancing reports
        metrics to CloudWatch only when requests are flowing through the load balancer", and counts of errors have the
        "Reporting criteria: There is a nonzero value"."""
        self._note()
        minute = since.replace(second=0, microsecond=0)
        minute += MINUTE if minute < since else timedelta(0)
        found: dict[datetime, float] = {}
        published = self._timeline.now - PUBLISHING - self._delay(target_group)
        while minute < until and minute + MINUTE <= published:
            value = self._measure(target_group, metric, minute)
            if value is not None:
                found[minute] = value
            minute += MINUTE
        return found

    def _delay(self, target_group: str) -> timedelta:
        name = target_group.split("/")[1] if "/" in target_group else target_group
        found = (delay for pattern, delay in self.delays.items() if fnmatchcase(name, pattern))
        return max(found, default=timedelta(0))

    def _glance(self, target: Target) -> None:
        server = self._servers.get(target.instance_id)
        if server is not None and server.behaviour is Behaviour.ERRING:
            self._note()

    def _note(self) -> None:
        shares: dict[str, float] = {}
        for route in self._routes.effective().values():
            for group, share in route.items():
                shares[group] = shares.get(group, 0.0) + share
        truth = {group: (share, self._erring(group)) for group, share in shares.items()}
        if not self._truths or self._truths[-1] != truth:
            self._times.append(self._timeline.now)
            self._truths.append(truth)

    def _erring(self, group: str) -> float:
        servers = [self._servers.get(each.instance_id) for each in self._targets.of(group) if each.state == "healthy"]
        erring = sum(server is not None and server.behaviour is Behaviour.ERRING for server in servers)
        return erring / len(servers) if servers else 0.0

    def _at(self, moment: datetime, group: str) -> tuple[float, float]:
        """The first truth holds for all time before it: example fleets count as old."""
        place = max(bisect_right(self._times, moment) - 1, 0)
        return self._truths[place].get(group, (0.0, 0.0)) if self._truths else (0.0, 0.0)

    def _measure(self, group: str, metric: str, minute: datetime) -> float | None:
        moments = [self._at(minute + timedelta(seconds=seconds), group) for seconds in (0, 15, 30, 45)]
        share = sum(each for each, _ in moments) / len(moments)
        erring = sum(each * part for part, each in moments) / max(sum(part for part, _ in moments), 1e-9)
        dice = Random(f"{group} {minute.isoformat()}")
        requests = _count(dice, self.requests * share) if self.counted is None else self.counted(group, minute)
        errors = min(_count(dice, requests * (ERRORS + BROKEN * erring)), requests)
        seconds = SECONDS * dice.lognormvariate(0, SPREAD)
        values: Mapping[str, Callable[[], float | None]] = {
            "RequestCount": lambda: requests or None,
            "HTTPCode_Target_5XX_Count": lambda: errors or None,
            "HTTPCode_Target_2XX_Count": lambda: requests - errors or None,
            "TargetResponseTime": lambda: seconds if requests else None,
        }
        return values[metric]() if metric in values else None


def _count(dice: Random, mean: float) -> float:
    """About Poisson's."""
    if mean <= 0:
        return 0.0
    if mean > 30:
        return float(max(round(dice.gauss(mean, mean**0.5)), 0))
    left, count = dice.expovariate(1.0), 0
    while left < mean:
        left += dice.expovariate(1.0)
        count += 1
    return float(count)
