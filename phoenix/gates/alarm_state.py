"""A CloudWatch alarm at one instant: its state, its subject, and its treatment of missing data. Values and their
reading.

Must never ask AWS, and never judge a candidate.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from phoenix.core.model import Slot, SlotState

OK: Final = "OK"
ALARM: Final = "ALARM"
TARGET_GROUP: Final = "TargetGroup"
BALANCER: Final = "LoadBalancer"
PUBLISHING: Final = timedelta(minutes=2)
"""The time that CloudWatch takes, roughly, to have a load balancer's data of a minute and to evaluate it."""
_SILENT: Final = frozenset({"missing", "ignore"})
_LONGEST_REASON = 240
_MINIMUM: Final = re.compile(r" \(minimum \d+ datapoints? for [A-Z_]+ -> [A-Z_]+ transition\)")
_LATER: Final = re.compile(r"(?<=, )([-+.\dE]+) \([^()]*\)")
"""A datapoint after the first of `[94.0 (18/11/26 02:56:00), 88.0 (18/11/26 02:55:00)]`; the first has the time."""
# "Reported only when there is a nonzero value": the error counts in the CloudWatch guides of ALB, NLB, CLB, Lambda and
# API Gateway. Without an error, such a metric has no data at all.
_ERRORS: Final = re.compile(r"httpcode|[45]xx|error|fault|reject|throttl|exception|reset_count", re.IGNORECASE)
_CHILD: Final = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")
_ASKS_MORE: Final = re.compile(r"\bNOT\b|\bOK\s*\(|\bINSUFFICIENT_DATA\s*\(|\b(?:TRUE|FALSE|AT_LEAST)\b", re.IGNORECASE)
_AND: Final = re.compile(r"\bAND\b", re.IGNORECASE)
_SAID_ONLY: Final = frozenset(
    {
        "AlarmArn", "AlarmConfigurationUpdatedTimestamp", "EvaluationState", "StateReason", "StateReasonData",
        "StateTransitionedTimestamp", "StateUpdatedTimestamp", "StateValue", "TreatMissingData",
    }
)  # fmt: skip
"""The keys that DescribeAlarms returns and PutMetricAlarm refuses, and the key to change."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm at one instant. `window` is how far back it looks. For a composite alarm, `children` are the alarms in
    its rule, and `rung_by` the metric alarms that make it ring, if that is known."""

    name: str
    state: str
    reason: str
    changed_at: datetime
    missing: str = "missing"
    metrics: tuple[str, ...] = ()
    dimensions: frozenset[tuple[str, str]] = frozenset()
    fills_gaps: bool = False
    window: timedelta | None = None
    children: tuple[str, ...] = ()
    rung_by: tuple[Alarm, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rings(self) -> bool:
        """True in ALARM."""
        return self.state == ALARM

    @property
    def is_silent_at_zero(self) -> bool:
        """True if no error means no data, and no data is not OK: without an error the alarm never becomes OK."""
        counts_errors = any(_ERRORS.search(metric) for metric in self.metrics)
        return counts_errors and not self.fills_gaps and self.missing in _SILENT

    @property
    def rings_with_any_child(self) -> bool:
        """True for a composite alarm that rings whenever one of its children does."""
        rule = str(self.said.get("AlarmRule") or "")
        return bool(self.children) and not _ASKS_MORE.search(rule) and not _AND.search(_CHILD.sub("", rule))

    def is_about(self, slots: Mapping[Slot, SlotState]) -> Slot | None:
        """Return the one slot that the dimensions name, by a target group or the Auto Scaling group; None for both or
        neither."""
        found = {slot for slot, state in slots.items() if self.dimensions & _names_of(state)}
        return found.pop() if len(found) == 1 else None

    def quote(self) -> str:
        """Return AWS's reason in quotes, shortened to one line; empty without a reason."""
        return f'"{shorten(self.reason)}"' if self.reason else ""

    def command(self) -> str:
        """Return the command that makes the alarm treat missing data as OK, and changes nothing else."""
        kept = {key: value for key, value in self.said.items() if key not in _SAID_ONLY and value not in ([], "", None)}
        document = shlex.quote(json.dumps(kept, separators=(",", ":"), sort_keys=True))
        return f"aws cloudwatch put-metric-alarm --treat-missing-data notBreaching --cli-input-json {document}"


def read_alarm(item: Mapping[str, Any]) -> Alarm:
    """Read a metric or composite alarm from DescribeAlarms."""
    queries = [query for query in item.get("Metrics", ()) if query.get("MetricStat")]
    stats = [query["MetricStat"] for query in queries]
    periods = [int(period) for period in (item.get("Period"), *(stat.get("Period") for stat in stats)) if period]
    window = timedelta(seconds=max(periods) * int(item["EvaluationPeriods"])) if periods else None
    named = [item, *(stat["Metric"] for stat in stats)]
    return Alarm(
        name=str(item["AlarmName"]),
        state=str(item["StateValue"]),
        reason=str(item.get("StateReason", "")),
        # The second time also moves if only the reason changes, but it is never older than the first.
        changed_at=(item.get("StateTransitionedTimestamp") or item["StateUpdatedTimestamp"]).astimezone(UTC),
        missing=str(item.get("TreatMissingData") or "missing"),
        metrics=tuple(str(each["MetricName"]) for each in named if each.get("MetricName")),
        dimensions=frozenset((d["Name"], d["Value"]) for each in named for d in each.get("Dimensions", ())),
        fills_gaps=any("FILL(" in (query.get("Expression") or "") for query in item.get("Metrics", ())),
        window=window,
        children=tuple(_children(str(item.get("AlarmRule") or ""))),
        said=item,
    )


def with_children(alarm: Alarm, known: Mapping[str, Alarm]) -> Alarm:
    """Derive a composite alarm from its children: their common subject, and the longest of their windows.

    If it rings, only the children that make it ring count: a slot that has lost its traffic may have an alarm for that,
    and the other slot must not be judged by it.
    """
    leaves = list(_leaves(alarm, known, frozenset()))
    if not alarm.children or not leaves:
        return alarm
    rung_by = tuple(_ringing(alarm, known, frozenset()))
    shared = frozenset.intersection(*(leaf.dimensions for leaf in rung_by or leaves))
    windows = [leaf.window for leaf in leaves if leaf.window is not None]
    return Alarm(
        alarm.name,
        alarm.state,
        alarm.reason,
        alarm.changed_at,
        dimensions=shared,
        window=max(windows, default=None),
        children=alarm.children,
        rung_by=rung_by,
        said=alarm.said,
    )


def shorten(reason: str) -> str:
    """Return AWS's words without the parts that tell how it counts; one that is still too long ends after a word."""
    told = _LATER.sub(r"\1", _MINIMUM.sub("", reason))
    if len(told) <= _LONGEST_REASON:
        return told
    return told[: _LONGEST_REASON - 3].rpartition(" ")[0].rstrip(" ,;") + "..."


def target_group_of(arn: str) -> str:
    """A target group as a dimension of its metrics spells it."""
    return arn.rpartition(":")[2]


def balancer_of(arn: str) -> str:
    """A load balancer as a dimension of its metrics spells it."""
    return arn.partition(":loadbalancer/")[2]


def _leaves(alarm: Alarm, known: Mapping[str, Alarm], above: frozenset[str]) -> Iterator[Alarm]:
    if not alarm.children:
        yield alarm
    for name in alarm.children:
        if name in known and name not in above:
            yield from _leaves(known[name], known, above | {alarm.name})


def _ringing(alarm: Alarm, known: Mapping[str, Alarm], above: frozenset[str]) -> Iterator[Alarm]:
    """Return the metric alarms that make it ring; none if its rule asks for more than alarms in ALARM."""
    if not alarm.rings or _ASKS_MORE.search(str(alarm.said.get("AlarmRule") or "")):
        return
    if not alarm.children:
        yield alarm
    for name in alarm.children:
        if name in known and name not in above:
            yield from _ringing(known[name], known, above | {alarm.name})


def _children(rule: str) -> Iterable[str]:
    """Return the names in a rule; an ARN ends in the name."""
    return dict.fromkeys(name.rpartition(":alarm:")[2] for name in _CHILD.findall(rule))


def _names_of(state: SlotState) -> frozenset[tuple[str, str]]:
    groups = {(TARGET_GROUP, target_group_of(arn)) for arn in state.target_groups}
    return frozenset(groups | {("AutoScalingGroupName", state.auto_scaling_group)})
