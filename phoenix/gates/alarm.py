"""Are the owner's CloudWatch alarms quiet while the candidate has traffic?

Must never take missing or insufficient information for an alarm that is quiet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.record import Rotation
from phoenix.errors import TransientError
from phoenix.keys import Kind, Text

_OK: Final = "OK"
_ALARM: Final = "ALARM"
_GAP = timedelta(minutes=1)
_LONGEST_REASON = 160


class Settings(Kind):
    """The keys of `{kind: alarm}`."""

    kind: Literal["alarm"] = "alarm"
    alarms: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)] = Field(
        description="Names of CloudWatch alarms, metric or composite; one in ALARM fails the gate."
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm at one instant."""

    name: str
    state: str
    reason: str
    changed_at: datetime


class AlarmGate:
    """All alarms in one call a look; their history only after a gap in watching."""

    settings = Settings
    name = "alarm"
    before_traffic_only = False
    judges_alone = False
    IAM_ACTIONS: ClassVar[Rights] = reads("cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", roles=FORWARD)
    checks: ClassVar[tuple[str, ...]] = ("unknown-alarm", "alarm-already-ringing", "alarm-without-measurements")

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._aws = scope.aws
        self._names = tuple(dict.fromkeys(settings.alarms))

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """FAIL for one in ALARM, now or while nobody looked; WAIT for one that is missing or lacks measurements.

        An alarm that rings before the candidate has any traffic is not the candidate's: that waits too.
        """
        verdict = self._judge(rotation, seen)
        if verdict.judgement is Judgement.FAIL and rotation.weight == 0:
            reason = f"{verdict.reason}; not the new generation's doing, which has no traffic yet"
            return Verdict(self.name, Judgement.WAIT, reason, Cause.ENVIRONMENT)
        return verdict

    def _judge(self, rotation: Rotation, seen: Observation) -> Verdict:
        alarms = self._read()
        for alarm in alarms.values():
            if alarm.state == _ALARM:
                return self._failed(alarm.name, alarm.changed_at, alarm.reason)
        missed = self._missed(rotation, seen, alarms.values())
        if missed is not None:
            return missed
        waiting = [self._why_waiting(name, alarms.get(name)) for name in self._names]
        if any(waiting):
            return Verdict(self.name, Judgement.WAIT, ", ".join(filter(None, waiting)), Cause.ENVIRONMENT)
        return Verdict(self.name, Judgement.PASS, ", ".join(f"{name} OK" for name in self._names))

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Alarms that do not exist, and those that ring already: a rotation could not be told apart from what is."""
        alarms = self._read()
        found = (self._blocker(name, alarms.get(name)) for name in self._names)
        return [blocker for blocker in found if blocker is not None]

    def _read(self) -> dict[str, Alarm]:
        """Both kinds come on the same pages, and a page may be short: an alarm left out would count as deleted."""
        asked: dict[str, Any] = {
            "AlarmNames": list(self._names),
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100,
        }
        found: dict[str, Alarm] = {}
        while True:
            page = self._aws.call("cloudwatch", "describe_alarms", **asked)
            found |= {alarm.name: alarm for alarm in map(_alarm, [*page["MetricAlarms"], *page["CompositeAlarms"]])}
            if not page.get("NextToken"):
                return found
            asked["NextToken"] = page["NextToken"]

    def _missed(self, rotation: Rotation, seen: Observation, alarms: Iterable[Alarm]) -> Verdict | None:
        """What happened between two looks that lie too far apart, on a laptop that slept for instance."""
        looked_at = rotation.looked_at
        if looked_at is None or seen.at - looked_at <= _GAP:
            return None
        for alarm in alarms:
            if alarm.changed_at <= looked_at:
                continue
            for item in self._history(alarm.name, looked_at, seen.at):
                state = _new_state(item)
                if state.get("stateValue") == _ALARM:
                    return self._failed(
                        alarm.name, item["Timestamp"].astimezone(UTC), str(state.get("stateReason", "")), "; OK again"
                    )
        return None

    def _history(self, name: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        return self._aws.pages(
            "cloudwatch",
            "describe_alarm_history",
            "AlarmHistoryItems",
            AlarmName=name,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            HistoryItemType="StateUpdate",
            StartDate=start,
            EndDate=end,
        )

    def _failed(self, name: str, at: datetime, reason: str, since: str = "") -> Verdict:
        said = f': "{_shortened(reason)}"' if reason else ""
        return Verdict(self.name, Judgement.FAIL, f"{name} went OK -> ALARM at {at:%H:%M:%S}{since}{said}")

    @staticmethod
    def _why_waiting(name: str, alarm: Alarm | None) -> str | None:
        if alarm is None:
            return f"{name} does not exist"
        return f"{name} has too few measurements ({alarm.state})" if alarm.state != _OK else None

    @staticmethod
    def _blocker(name: str, alarm: Alarm | None) -> Blocker | None:
        where = f"alarm {name}"
        if alarm is None:
            remedy = "aws cloudwatch describe-alarms --query '[MetricAlarms,CompositeAlarms][].AlarmName'"
            return Blocker("unknown-alarm", where, f"CloudWatch knows no alarm {name} here.", remedy)
        look = f"aws cloudwatch describe-alarms --alarm-names {name} --alarm-types MetricAlarm CompositeAlarm"
        if alarm.state == _ALARM:
            text = f'{name} is in ALARM since {alarm.changed_at:%H:%M:%S} UTC: "{_shortened(alarm.reason)}".'
            return Blocker("alarm-already-ringing", where, f"{text} The rotation would be rolled back at once.", look)
        if alarm.state != _OK:
            text = f"{name} has too few measurements now; the gate waits until it is OK."
            return Blocker("alarm-without-measurements", where, text, look, warning=True)
        return None


def _alarm(item: Mapping[str, Any]) -> Alarm:
    return Alarm(
        name=str(item["AlarmName"]),
        state=str(item["StateValue"]),
        reason=str(item.get("StateReason", "")),
        # The second is also moved when only the reason changes, but it is never older than the first.
        changed_at=(item.get("StateTransitionedTimestamp") or item["StateUpdatedTimestamp"]).astimezone(UTC),
    )


def _new_state(item: Mapping[str, Any]) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(item.get("HistoryData") or "{}").get("newState", {})
    except ValueError as error:
        raise TransientError(f"the history of alarm {item.get('AlarmName')} cannot be read: {error}") from error
    return state


def _shortened(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 3] + "..."
