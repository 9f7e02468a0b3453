"""The measurements behind alarms, as CloudWatch is asked for them and answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from phoenix.aws.session import Aws
from phoenix.core.chronicle import MOST_POINTS, Point
from phoenix.gates.alarm_series import read_series
from phoenix.gates.alarm_state import Alarm, read_alarm
from tests.builders import NOON, after

METRIC: dict[str, Any] = {
    "MetricName": "HTTPCode_Target_5XX_Count", "Namespace": "AWS/ApplicationELB", "Statistic": "Sum", "Period": 60,
    "Dimensions": [{"Name": "LoadBalancer", "Value": "app/web/1"}], "EvaluationPeriods": 1, "Threshold": 25.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
EXPRESSION: dict[str, Any] = {
    "Metrics": [
        {"Id": "errors", "ReturnData": False, "MetricStat": {"Metric": {"MetricName": "5XX"}, "Period": 60}},
        {"Id": "rate", "Expression": "100*errors/requests", "ReturnData": True},
    ],
    "EvaluationPeriods": 1, "Threshold": 5.0,
}  # fmt: skip


def an_alarm(name: str = "web-5xx", **said: Any) -> Alarm:
    return read_alarm({"AlarmName": name, "StateValue": "ALARM", "StateUpdatedTimestamp": NOON, **said})


class CloudWatch(Aws):
    """Answers with these results, and remembers what it was asked."""

    def __init__(self, *results: dict[str, Any]) -> None:
        super().__init__(session=object())
        self.results, self.asked = results, []

    asked: list[dict[str, Any]]

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(parameters)
        yield from self.results


def test_points_of_several_pages_are_one_series_in_order() -> None:
    page = {"Id": "a0", "Timestamps": [after(2)], "Values": [61.0]}
    cloudwatch = CloudWatch(page, page | {"Timestamps": [after(1)], "Values": [94.0]})

    (series,) = read_series(cloudwatch, [an_alarm(**METRIC)], NOON, after(3))

    assert series.points == (Point(after(1), 94.0), Point(after(2), 61.0))
    assert (series.alarm, series.metric, series.threshold) == ("web-5xx", "Sum HTTPCode_Target_5XX_Count", 25.0)


def test_plain_metrics_are_one_call_with_the_alarms_own_statistic_and_dimensions() -> None:
    cloudwatch = CloudWatch()

    read_series(cloudwatch, [an_alarm(**METRIC), an_alarm("web-p99", **METRIC)], NOON, after(3))

    (asked,) = cloudwatch.asked
    assert [query["Id"] for query in asked["MetricDataQueries"]] == ["a0", "a1"]
    assert asked["MetricDataQueries"][0]["MetricStat"]["Stat"] == "Sum"
    assert asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"] == METRIC["Dimensions"]


def test_an_expression_is_asked_for_as_it_is_and_shown_by_its_result() -> None:
    cloudwatch = CloudWatch({"Id": "rate", "Timestamps": [after(1)], "Values": [7.5]})

    (series,) = read_series(cloudwatch, [an_alarm(**EXPRESSION)], NOON, after(3))

    assert cloudwatch.asked[0]["MetricDataQueries"] == EXPRESSION["Metrics"]
    assert series.points == (Point(after(1), 7.5),)


def test_a_long_time_is_asked_for_in_longer_periods() -> None:
    cloudwatch = CloudWatch()

    read_series(cloudwatch, [an_alarm(**METRIC)], NOON, NOON + timedelta(minutes=MOST_POINTS * 3))

    assert cloudwatch.asked[0]["MetricDataQueries"][0]["MetricStat"]["Period"] == 180


def test_an_alarm_without_a_metric_is_not_asked_about() -> None:
    cloudwatch = CloudWatch()

    assert read_series(cloudwatch, [an_alarm(AlarmRule="ALARM(a)")], NOON, after(3)) == []
    assert cloudwatch.asked == []
