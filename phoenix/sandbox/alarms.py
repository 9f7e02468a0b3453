"""Alarms that see more than health checks: the errors of an image whose servers call themselves healthy.

Must never reset an alarm that was set by hand: only alarms raised here are reset here.
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

DATAPOINTS = (94.0, 88.0, 61.0)
BREACHED = (
    "Threshold Crossed: {count} out of the last {all} datapoints [{points}] {were} greater than the threshold"
    " ({threshold}) (minimum {least} datapoint{s} for OK -> ALARM transition)."
)
PUBLISHING = 60.0
"""From the end of a minute until its measurements can be evaluated; one to three minutes in practice."""
ERRORS = ("5XX", "Target_Reset_Count")
"""Parts of the names of metrics that erring servers raise: behind a Network Load Balancer they reset connections."""
SILENCE = {"missing": "INSUFFICIENT_DATA", "notBreaching": "OK", "breaching": "ALARM"}
RECOVERED = "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as"
RECOVERED += " [NonBreaching]."


class Alarms:
    """CloudWatch alarms, and the events that change them."""

    def __init__(self, timeline: Timeline, physics: Physics, routes: Routes, targets: Targets) -> None:
        self.physics = physics
        self.servers: Servers
        self.cloudwatch: Callable[[], CloudWatchBackend]
        self.history: list[dict[str, Any]] = []
        self._timeline, self._routes, self._targets = timeline, routes, targets
        self.shown: Callable[[datetime], datetime] = lambda moment: moment
        """Return a moment by the caller's clock, which may run slower than ours."""
        self._raised: set[str] = set()
        self._watched: dict[str, bool] = {}
        self._since: dict[str, datetime] = {}
        self._spells: list[tuple[str, datetime, datetime | None]] = []
        routes.on_shift.append(self._look)
        routes.on_shift.append(self._await_measurements)
        targets.on_healthy.append(self._glance)
        targets.on_unhealthy.append(self._glance)

    def set(self, alarm: Alarm, state: str, reason: str, reason_data: str = "{}") -> None:
        """Change an alarm's state, as SetAlarmState or an evaluation does."""
        now = self.shown(self._timeline.now)
        old = {"stateValue": alarm.state_value, "stateReason": alarm.state_reason}
        if alarm.state_value != state or not hasattr(alarm, "state_transitioned_timestamp"):
            alarm.state_transitioned_timestamp = now.replace(tzinfo=None)
        if alarm.state_value != state:
            self.history.append(_history_item(alarm.name, now, old, {"stateValue": state, "stateReason": reason}))
        alarm.state_value, alarm.state_reason, alarm.state_reason_data = state, reason, reason_data
        alarm.state_updated_timestamp = now.replace(tzinfo=None)

    def unchecked(self, alarm: Alarm) -> None:
        """A new alarm has too little to go by until it has been evaluated; moto calls it OK ("When an alarm is created,
        the alarm state is immediately set to INSUFFICIENT_DATA. The alarm is then evaluated and its state is set
        appropriately": PutMetricAlarm)."""
        if not hasattr(alarm, "state_transitioned_timestamp"):
            alarm.state_value = "INSUFFICIENT_DATA"
            self.set(alarm, alarm.state_value, "Unchecked: Initial alarm creation")
            self._await_evaluation(alarm)

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
            self._since[balancer] = self._timeline.now
            self._note_spell(balancer, balancer in hurt)
            delay = self.physics.alarm_lag if balancer in hurt else self.physics.alarm_recovery
            self._timeline.after(delay, lambda arn=balancer, bad=balancer in hurt: self._evaluate(arn, bad))  # type: ignore[misc]

    def _note_spell(self, balancer: str, begins: bool) -> None:
        now = self._timeline.now
        if begins:
            self._spells.append((balancer, now, None))
        else:
            self._spells = [(b, a, end or now) if b == balancer else (b, a, end) for b, a, end in self._spells]

    def measured(
        self, metric: dict[str, Any], window: tuple[datetime, datetime], period: int
    ) -> list[tuple[datetime, float]]:
        """Return a load balancer's counts of errors in each period that had some: what an evaluation of that minute
        would have seen."""
        wanted = next((d["Value"] for d in metric.get("Dimensions", ()) if d["Name"] == "LoadBalancer"), None)
        if wanted is None or not any(word in metric["MetricName"] for word in ERRORS):
            return []
        length = timedelta(seconds=period)
        start, end = (moment.replace(tzinfo=self._timeline.now.tzinfo) for moment in window)
        minute = start.replace(second=0, microsecond=0)
        spells = [(a, b or self._timeline.now) for arn, a, b in self._spells if arn.endswith(f":loadbalancer/{wanted}")]
        found: list[tuple[datetime, float]] = []
        while minute < min(end, self._timeline.now):
            if any(since < minute + length and until > minute for since, until in spells):
                found.append((self.shown(minute), DATAPOINTS[len(found) % len(DATAPOINTS)]))
            minute += length
        return found

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
                self.set(alarm, "ALARM", self._breach(alarm, self._since[load_balancer]))
            elif not bad and alarm.name in self._raised:
                self._raised.discard(alarm.name)
                self.set(alarm, "OK", RECOVERED)

    def _await_measurements(self) -> None:
        """Note that traffic has moved: alarms about one target group change when their window and the publishing are
        over."""
        for alarm in self.cloudwatch().alarms.values():
            if self._target_group_of(alarm) is not None:
                self._await_evaluation(alarm)

    def _await_evaluation(self, alarm: Alarm) -> None:
        if alarm.period:
            window = float(alarm.period) * (alarm.evaluation_periods or 1)
            self._timeline.after(window + PUBLISHING, lambda name=alarm.name: self._evaluate_silence(name))  # type: ignore[misc]

    def _evaluate_silence(self, name: str) -> None:
        """ALB "reports metrics to CloudWatch only when requests are flowing", and counts of errors only when there are
        some; what the alarm makes of that is its TreatMissingData. One in ALARM stays as it is."""
        alarm = self.find(name)
        flows = self._has_requests(alarm) if alarm is not None else None
        if alarm is None or flows is None or alarm.state_value == "ALARM":
            return
        has_data = flows and not any(word in (alarm.metric_name or "") for word in ("4XX", "5XX", "Error"))
        state = "OK" if has_data else SILENCE.get(alarm.treat_missing_data or "missing", alarm.state_value)
        if state != alarm.state_value:
            self.set(
                alarm, state, "Threshold Crossed" if state == "ALARM" else "Unchecked: no datapoints were received"
            )

    def _has_requests(self, alarm: Alarm) -> bool | None:
        """True if requests reach its subject; None if it measures no load balancer that still exists."""
        group = self._target_group_of(alarm)
        if group is not None:
            return bool(self._routes.load_balancers_sending_to(group))
        wanted = next((d.value for d in alarm.dimensions if d.name == "LoadBalancer"), None)
        balancers = self._targets.elbv2().load_balancers
        balancer = next((arn for arn in balancers if arn.endswith(f":loadbalancer/{wanted}")), None)
        return self._routes.sends_requests(balancer) if balancer is not None else None

    def _target_group_of(self, alarm: Alarm) -> str | None:
        """The ARN of the target group that it is about, if it still exists."""
        wanted = next((d.value for d in alarm.dimensions if d.name == "TargetGroup"), None)
        return next((arn for arn in self._targets.elbv2().target_groups if arn.endswith(f":{wanted}")), None)

    def _breach(self, alarm: Alarm, since: datetime) -> str:
        """Return its datapoints: the minutes that have begun since the first bad request, and none before."""
        this_minute = self._timeline.now.replace(second=0, microsecond=0)
        periods = alarm.evaluation_periods or 1
        minutes = [this_minute - timedelta(minutes=back) for back in range(periods)]
        seen = [minute for minute in minutes if minute >= since] or minutes[:1]
        points = ", ".join(
            f"{DATAPOINTS[place % len(DATAPOINTS)]} ({self.shown(minute):%d/%m/%y %H:%M:%S})"
            for place, minute in enumerate(seen)
        )
        least = min(alarm.datapoints_to_alarm or periods, len(seen))
        return BREACHED.format(
            count=len(seen),
            all=periods,
            points=points,
            were="was" if len(seen) == 1 else "were",
            threshold=alarm.threshold,
            least=least,
            s="" if least == 1 else "s",
        )

    def _alarms_on(self, load_balancer: str) -> list[Alarm]:
        name = load_balancer.partition(":loadbalancer/")[2]
        return [
            alarm
            for alarm in self.cloudwatch().alarms.values()
            if any(word in (alarm.metric_name or "") for word in ERRORS)
            and any(each.name == "LoadBalancer" and each.value == name for each in alarm.dimensions)
        ]


def _history_item(name: str, at: datetime, old: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old['stateValue']} to {new['stateValue']}",
        "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": new}),
    }
