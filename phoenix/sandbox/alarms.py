"""Alarms that see what health checks do not: the errors of an image whose servers call themselves healthy.

An alarm somebody has set by hand stays as it was set: only what was raised here is taken back here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.physics import Behaviour, Physics
from phoenix.sandbox.routes import Routes
from phoenix.sandbox.servers import Servers
from phoenix.sandbox.targets import Target, Targets

if TYPE_CHECKING:
    from moto.cloudwatch.models import Alarm, CloudWatchBackend

    from phoenix.sandbox.timeline import Timeline

DATAPOINTS = (61.0, 88.0, 94.0)
BREACHED = (
    "Threshold Crossed: 3 out of the last 3 datapoints [{points}] were greater than the threshold ({threshold})"
    " (minimum 3 datapoints for OK -> ALARM transition)."
)
RECOVERED = "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as"
RECOVERED += " [NonBreaching]."


class Alarms:
    """CloudWatch alarms, and what makes them change."""

    def __init__(self, timeline: Timeline, physics: Physics, routes: Routes, targets: Targets) -> None:
        self.physics = physics
        self.servers: Servers
        self.cloudwatch: Callable[[], CloudWatchBackend]
        self.history: list[dict[str, Any]] = []
        self._timeline, self._routes, self._targets = timeline, routes, targets
        self._raised: set[str] = set()
        self._watched: dict[str, bool] = {}
        routes.on_shift.append(self._look)
        targets.on_healthy.append(self._glance)
        targets.on_unhealthy.append(self._glance)

    def set(self, alarm: Alarm, state: str, reason: str, reason_data: str = "{}") -> None:
        """Change an alarm's state, as SetAlarmState or an evaluation does."""
        now = self._timeline.now
        old = {"stateValue": alarm.state_value, "stateReason": alarm.state_reason}
        if alarm.state_value != state or not hasattr(alarm, "state_transitioned_timestamp"):
            alarm.state_transitioned_timestamp = now.replace(tzinfo=None)
        if alarm.state_value != state:
            self.history.append(_history_item(alarm.name, now, old, {"stateValue": state, "stateReason": reason}))
        alarm.state_value, alarm.state_reason, alarm.state_reason_data = state, reason, reason_data
        alarm.state_updated_timestamp = now.replace(tzinfo=None)

    def find(self, name: str) -> Alarm | None:
        """None when there is no such alarm."""
        return self.cloudwatch().alarms.get(name)

    def _glance(self, target: Target) -> None:
        server = self.servers.get(target.instance_id)
        if server is not None and server.behaviour is Behaviour.ERRING:
            self._look()

    def _look(self) -> None:
        """Note which load balancers have begun, or ceased, to send requests to erring servers."""
        hurt = self._erring_load_balancers()
        for balancer in {*self._watched, *hurt}:
            if self._watched.get(balancer, False) == (balancer in hurt):
                continue
            self._watched[balancer] = balancer in hurt
            delay = self.physics.alarm_lag if balancer in hurt else self.physics.alarm_recovery
            self._timeline.after(delay, lambda arn=balancer, bad=balancer in hurt: self._evaluate(arn, bad))  # type: ignore[misc]

    def _erring_load_balancers(self) -> frozenset[str]:
        found: set[str] = set()
        for server in self.servers.living():
            if server.behaviour is not Behaviour.ERRING:
                continue
            for target in self._targets.serving(server.instance.id):
                found |= self._routes.load_balancers_sending_to(target.group)
        return frozenset(found)

    def _evaluate(self, load_balancer: str, bad: bool) -> None:
        if self._watched.get(load_balancer) != bad:
            return
        for alarm in self._alarms_on(load_balancer):
            if bad and alarm.state_value != "ALARM":
                self._raised.add(alarm.name)
                self.set(alarm, "ALARM", _breach(alarm, self._timeline.now))
            elif not bad and alarm.name in self._raised:
                self._raised.discard(alarm.name)
                self.set(alarm, "OK", RECOVERED)

    def _alarms_on(self, load_balancer: str) -> list[Alarm]:
        name = load_balancer.partition(":loadbalancer/")[2]
        return [
            alarm
            for alarm in self.cloudwatch().alarms.values()
            if "5XX" in (alarm.metric_name or "")
            and any(each.name == "LoadBalancer" and each.value == name for each in alarm.dimensions)
        ]


def _breach(alarm: Alarm, now: datetime) -> str:
    minutes = [now - timedelta(minutes=back) for back in (3, 2, 1)]
    points = ", ".join(
        f"{value} ({minute:%d/%m/%y %H:%M}:00)" for value, minute in zip(DATAPOINTS, minutes, strict=True)
    )
    return BREACHED.format(points=points, threshold=alarm.threshold)


def _history_item(name: str, at: datetime, old: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old['stateValue']} to {new['stateValue']}",
        "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": new}),
    }
