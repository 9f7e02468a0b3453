"""Are the owner's CloudWatch alarms quiet while the candidate has traffic?

Must never take a lack of data for a quiet alarm once the candidate has traffic. Must never blame the candidate for an
alarm about the other generation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from phoenix.aws.rights import FORWARD, ROTATE, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.chronicle import Series
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.sides import has_traffic
from phoenix.errors import TransientError
from phoenix.gates.alarm_blockers import Start, blocker_of, elsewhere, short_bakes
from phoenix.gates.alarm_series import read_series
from phoenix.gates.alarm_state import ALARM, BALANCER, OK, Alarm, balancer_of, read_alarm, shorten, with_children
from phoenix.gates.keys import GateKeys
from phoenix.keys import Text

_GAP = timedelta(minutes=1)
_DEPTH = 5
_AT_A_TIME = 100
_TYPES = ("MetricAlarm", "CompositeAlarm")

Finding = tuple[Judgement, str]


class Settings(GateKeys):
    """The keys of `{kind: alarm}`."""

    kind: Literal["alarm"] = "alarm"
    alarms: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)] = Field(
        description="Names of CloudWatch alarms, metric or composite; one in ALARM fails the gate."
    )


class AlarmGate:
    """Reads all alarms in one call a tick; composite alarms' children and the history only if they decide."""

    settings = Settings
    name = "alarm"
    before_traffic_only = False
    judges_alone = False
    begins_something = False
    IAM_ACTIONS: ClassVar[Rights] = reads(
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "elasticloadbalancing:DescribeTargetGroups",
        roles=FORWARD,
    ) | reads("cloudwatch:GetMetricData", roles=ROTATE)
    checks: ClassVar[tuple[str, ...]] = (
        "unknown-alarm",
        "alarm-already-ringing",
        "alarm-without-measurements",
        "alarm-never-ok",
        "alarm-elsewhere",
        "bake-too-short",
    )

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._aws, self._group = scope.aws, scope.group
        self._names = tuple(dict.fromkeys(settings.alarms))
        self._steps = scope.terms.steps

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """FAIL for an alarm in ALARM, now or between two ticks; WAIT for one that is missing or lacks data.

        An alarm about a slot without traffic is right to have no data. An alarm that rings before the candidate has
        traffic, or about the old generation, is not the candidate's: that is WAIT.
        """
        is_gap = rotation.looked_at is not None and seen.at - rotation.looked_at > _GAP
        alarms = self._read(lambda alarm: is_gap or alarm.state != OK)
        found = [self._judge(name, alarms.get(name), rotation, seen) for name in self._names]
        missed = self._missed(rotation, seen, alarms)
        if missed is not None:
            is_its = has_traffic(rotation, seen)
            found.append((Judgement.FAIL, missed) if is_its else (Judgement.WAIT, _not_yet(missed)))
        for judgement in (Judgement.FAIL, Judgement.WAIT):
            told = [reason for found_judgement, reason in found if found_judgement is judgement]
            if told:
                cause = Cause.IMAGE if judgement is Judgement.FAIL else Cause.ENVIRONMENT
                return Verdict(self.name, judgement, told[0] if cause is Cause.IMAGE else ", ".join(told), cause)
        return Verdict(self.name, Judgement.PASS, ", ".join(reason for _, reason in found))

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Find alarms that do not exist, ring already, could never become OK or watch other resources; and bakes that
        end before an alarm could ring."""
        alarms = self._read(lambda _: True)
        start = Start(self._group, slots, live)
        found = (blocker_of(name, alarms.get(name), start) for name in self._names)
        watched = [alarms[name] for name in self._names if name in alarms]
        balancers = self._balancers(slots, list(alarms.values()))
        strange = (elsewhere(alarm, start, balancers) for alarm in alarms.values())
        return [*(b for b in (*found, *strange) if b is not None), *short_bakes(watched, self._steps)]

    def measure(self, since: datetime, until: datetime) -> Sequence[Series]:
        """The measurements of the alarms that ring, or have rung in that time; of all where none is known to have."""
        alarms = self._read(lambda _: True)
        metric = [alarm for alarm in alarms.values() if not alarm.children]
        told = [alarm for alarm in metric if alarm.rings or since <= alarm.changed_at <= until]
        return read_series(self._aws, told or metric, since, until)

    def _balancers(self, slots: Mapping[Slot, SlotState], alarms: Sequence[Alarm]) -> frozenset[str]:
        """Return the load balancers of both slots; read only if an alarm watches one."""
        arns = sorted({arn for state in slots.values() for arn in state.target_groups})
        if not arns or not any(name == BALANCER for alarm in alarms for name, _ in alarm.dimensions):
            return frozenset()
        found = self._aws.call("elbv2", "describe_target_groups", TargetGroupArns=arns)["TargetGroups"]
        return frozenset(balancer_of(arn) for each in found for arn in each.get("LoadBalancerArns", ()))

    def _judge(self, name: str, alarm: Alarm | None, rotation: Rotation, seen: Observation) -> Finding:
        if alarm is None:
            return Judgement.WAIT, f"{name} does not exist"
        about = alarm.is_about(seen.slots)
        if alarm.state == ALARM:
            return self._ringing(alarm, about, rotation, seen)
        if alarm.state == OK:
            return Judgement.PASS, f"{name} OK"
        is_idle = rotation.weight == 100 if about is rotation.old.slot else not has_traffic(rotation, seen)
        if is_idle:
            return Judgement.PASS, f"{name} has no data, and none is expected without traffic"
        why = ": it counts errors, and treats no data as missing; phoenix plan has the command that mends it"
        return (
            Judgement.WAIT,
            f"{name} has too few measurements ({alarm.state}){why if alarm.is_silent_at_zero else ''}",
        )

    def _ringing(self, alarm: Alarm, about: Slot | None, rotation: Rotation, seen: Observation) -> Finding:
        ask = rotation.origin.ignored.get(f"alarm:{alarm.name}")
        if ask is not None and not self._was_ok_since(alarm, rotation.started_at, seen.at):
            rings = f"{alarm.name} rings since before the start, ignored by {ask.by}"
            if rotation.weight < 100:
                return Judgement.PASS, f"{rings} until it has been OK once"
            return Judgement.WAIT, f"{rings} so far; the last bake ends once it is OK"
        if about is rotation.old.slot:
            rings = f"{alarm.name} rings, and is about generation {rotation.old.number}"
            if rotation.weight == 100:
                return Judgement.PASS, f"{rings}, which has no traffic any more"
            return Judgement.WAIT, f"{rings}, not {rotation.new.number}"
        rang = _rang(alarm.name, alarm.changed_at, alarm.reason)
        return (Judgement.FAIL, rang) if has_traffic(rotation, seen) else (Judgement.WAIT, _not_yet(rang))

    def _was_ok_since(self, alarm: Alarm, since: datetime, now: datetime) -> bool:
        """True if the alarm has been OK between then and now, even if it rings again."""
        if alarm.changed_at <= since:
            return False
        return any(_new_state(item).get("stateValue") == OK for item in self._history(alarm.name, since, now))

    def _read(self, wants_children: Callable[[Alarm], bool]) -> dict[str, Alarm]:
        """Return the alarms by name, with the children of the composite ones asked for."""
        found = self._described(self._names)
        for _ in range(_DEPTH):
            parents = [alarm for alarm in found.values() if alarm.children and wants_children(alarm)]
            left = [name for alarm in parents for name in alarm.children if name not in found]
            described = self._described(left) if left else {}
            if not described:
                break
            found |= described
        return {name: with_children(alarm, found) for name, alarm in found.items()}

    def _described(self, names: Sequence[str]) -> dict[str, Alarm]:
        """Read all pages: both kinds share them, a page may be short, and a missed alarm would count as deleted."""
        found: dict[str, Alarm] = {}
        wanted = list(dict.fromkeys(names))
        for start in range(0, len(wanted), _AT_A_TIME):
            asked: dict[str, Any] = {
                "AlarmNames": wanted[start : start + _AT_A_TIME],
                "AlarmTypes": list(_TYPES),
                "MaxRecords": 100,
            }
            while True:
                page = self._aws.call("cloudwatch", "describe_alarms", **asked)
                found |= {a.name: a for a in map(read_alarm, [*page["MetricAlarms"], *page["CompositeAlarms"]])}
                if not page.get("NextToken"):
                    break
                asked["NextToken"] = page["NextToken"]
        return found

    def _missed(self, rotation: Rotation, seen: Observation, alarms: Mapping[str, Alarm]) -> str | None:
        """Judge the time between two ticks that are too far apart, for example on a laptop that slept."""
        looked_at = rotation.looked_at
        if looked_at is None or seen.at - looked_at <= _GAP:
            return None
        for name in self._names:
            if name not in alarms or f"alarm:{name}" in rotation.origin.ignored:
                continue
            by_the_old_one = False
            for alarm in _heard(alarms[name], alarms):
                # A composite alarm comes after its children, so that one of the old generation's can explain its ring.
                told = None if alarm.children and by_the_old_one else self._rang_between(alarm, looked_at, seen.at)
                if told is not None and alarm.is_about(seen.slots) is not rotation.old.slot:
                    return told
                by_the_old_one = by_the_old_one or told is not None
        return None

    def _rang_between(self, alarm: Alarm, start: datetime, end: datetime) -> str | None:
        """Tell how an alarm that is silent now rang meanwhile; one that still rings is judged by its state."""
        if alarm.rings or alarm.changed_at <= start:
            return None
        for item in self._history(alarm.name, start, end):
            state = _new_state(item)
            if state.get("stateValue") == ALARM:
                at, reason = item["Timestamp"].astimezone(UTC), str(state.get("stateReason", ""))
                return _rang(alarm.name, at, reason, "; OK again" if alarm.state == OK else f"; {alarm.state} now")
        return None

    def _history(self, name: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        return self._aws.pages(
            "cloudwatch",
            "describe_alarm_history",
            "AlarmHistoryItems",
            AlarmName=name,
            AlarmTypes=list(_TYPES),
            HistoryItemType="StateUpdate",
            StartDate=start,
            EndDate=end,
        )


def _heard(alarm: Alarm, known: Mapping[str, Alarm], above: frozenset[str] = frozenset()) -> Iterator[Alarm]:
    """Return the alarms whose ring makes this one ring, itself last. A composite alarm tells less of the cause than its
    children, and hides a second child's ring while it rings for a first."""
    if alarm.rings_with_any_child:
        for name in alarm.children:
            if name in known and name not in above:
                yield from _heard(known[name], known, above | {alarm.name})
    yield alarm


def _rang(name: str, at: datetime, reason: str, since: str = "") -> str:
    said = f': "{shorten(reason)}"' if reason else ""
    return f"{name} went OK -> ALARM at {at:%H:%M:%S}{since}{said}"


def _not_yet(rang: str) -> str:
    return f"{rang}; the new generation did not cause it: it has no traffic yet"


def _new_state(item: Mapping[str, Any]) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(item.get("HistoryData") or "{}").get("newState", {})
    except ValueError as error:
        raise TransientError(f"the history of alarm {item.get('AlarmName')} cannot be read: {error}") from error
    return state
