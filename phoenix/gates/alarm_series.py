"""The measurements behind an alarm, as CloudWatch has them. Reads only; must never judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.core.chronicle import MOST_POINTS, Point, Series
from phoenix.gates.alarm_state import Alarm

_MINUTE: Final = 60
MOST_ALARMS: Final = 10
"""Alarms whose measurements are asked for; a report shows fewer."""


def read_series(aws: Aws, alarms: Sequence[Alarm], since: datetime, until: datetime) -> list[Series]:
    """Return the measurements of metric alarms in that time: one call for all plain metrics, and one for each
    expression, whose names must not meet those of another. A composite alarm has none of its own."""
    period = _period(since, until)
    plain = {f"a{place}": alarm for place, alarm in enumerate(alarms[:MOST_ALARMS]) if alarm.said.get("MetricName")}
    found = []
    if plain:
        points = _read(aws, [_query(alarm, name, period) for name, alarm in plain.items()], since, until)
        found += [_series(alarm, points.get(name, ())) for name, alarm in plain.items()]
    for alarm in alarms[:MOST_ALARMS]:
        queries = list(alarm.said.get("Metrics") or ())
        shown = next((query["Id"] for query in queries if query.get("ReturnData", True)), None)
        if shown is not None:
            found.append(_series(alarm, _read(aws, queries, since, until).get(shown, ())))
    return found


def _read(
    aws: Aws, queries: Sequence[Mapping[str, Any]], since: datetime, until: datetime
) -> Mapping[str, Sequence[Point]]:
    results = aws.pages(
        "cloudwatch", "get_metric_data", "MetricDataResults",
        MetricDataQueries=queries, StartTime=since, EndTime=until + timedelta(minutes=1), ScanBy="TimestampAscending",
    )  # fmt: skip
    points: dict[str, list[Point]] = {}
    for result in results:  # one may go on over several pages
        pairs = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False)
        points.setdefault(result["Id"], []).extend(
            Point(at.astimezone(UTC), float(value)) for at, value in pairs if isfinite(value)
        )
    return points


def _series(alarm: Alarm, points: Sequence[Point]) -> Series:
    threshold, statistic = alarm.said.get("Threshold"), _statistic(alarm.said)
    return Series(
        alarm.name,
        " ".join((*([statistic] if alarm.said.get("MetricName") else []), ", ".join(alarm.metrics))),
        tuple(sorted(points)),
        None if threshold is None else float(threshold),
        str(alarm.said.get("ComparisonOperator") or ""),
    )


def _period(since: datetime, until: datetime) -> int:
    """The shortest whole minutes that keep the points few; CloudWatch keeps single minutes for 15 days."""
    minutes = max((until - since) // timedelta(minutes=1), 1)
    return _MINUTE * -(-minutes // MOST_POINTS)


def _query(alarm: Alarm, name: str, period: int) -> dict[str, Any]:
    said = alarm.said
    metric = {key: said[key] for key in ("Namespace", "MetricName", "Dimensions") if said.get(key)}
    wanted = max(period, int(said.get("Period") or period))
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": wanted, "Stat": _statistic(said)}}


def _statistic(said: Mapping[str, Any]) -> str:
    return str(said.get("ExtendedStatistic") or said.get("Statistic") or "Average")
