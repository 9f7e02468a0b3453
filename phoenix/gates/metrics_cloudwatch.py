"""Reads metrics from CloudWatch: all of one look in one call.

Must never mix generations: each has dimensions of its own, its target group's, its Auto Scaling group's or its
instances'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.errors import Unreachable
from phoenix.gates.acceptance import in_one_line
from phoenix.gates.alarm_state import balancer_of
from phoenix.gates.metrics_source import Metric, Query, Series, Side

MOST_QUERIES: Final = 500
"""In one call of GetMetricData.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""
DOLLARS: Final = 0.01 / 1000
"""For one metric requested by GetMetricData, in US East; others differ little. https://aws.amazon.com/cloudwatch/pricing/"""
BALANCERS: Final = ("AWS/ApplicationELB", "AWS/NetworkELB")
_ADDED: Final = ("Sum", "SampleCount")


@dataclass
class CloudWatch:
    """One group's metrics. `is_pair`: each generation has an Auto Scaling group of its own."""

    aws: Aws
    is_pair: bool
    _balancers: dict[str, str] = field(default_factory=dict)

    def read(self, queries: tuple[Query, ...], since: datetime, until: datetime) -> tuple[Series, ...]:
        """The series in the order of the queries; those of several instances as one."""
        targets = {arn for query in queries if is_balanced(query.metric) for arn in query.side.state.target_groups[:1]}
        self._find_balancers(sorted(targets))
        most = max(MOST_QUERIES // max(len(queries), 1), 1)
        asked = [(number, each) for number, query in enumerate(queries) for each in self._asked(query, most)]
        if not asked:
            return tuple({} for _ in queries)
        stats = {f"m{place}": stat for place, (_, stat) in enumerate(asked)}
        found = self._call([{"Id": name, "MetricStat": stat} for name, stat in stats.items()], since, until)
        parts: list[list[Series]] = [[] for _ in queries]
        for place, (number, _) in enumerate(asked):
            parts[number].append(found.get(f"m{place}", {}))
        return tuple(_joined(each, _stat(query) in _ADDED) for each, query in zip(parts, queries, strict=True))

    def price(self, metrics: tuple[Metric, ...], looks: int, instances: int) -> str:
        """Queries of all looks of a rotation, and what AWS charges for them."""
        a_look = sum(each.queries * 2 * self._width(each, instances) for each in metrics)
        total = looks * min(a_look, MOST_QUERIES)
        return f"up to {looks} looks of {min(a_look, MOST_QUERIES)} metrics each: ${total * DOLLARS:.3f}"

    def _width(self, metric: Metric, instances: int) -> int:
        return 1 if self.is_pair or is_balanced(metric) else max(instances, 1)

    def _find_balancers(self, arns: Sequence[str]) -> None:
        """AWS/ApplicationELB has a target group's metrics under its load balancer's dimension as well."""
        unknown = [arn for arn in arns if arn not in self._balancers]
        if not unknown:
            return
        for each in self.aws.call("elbv2", "describe_target_groups", TargetGroupArns=unknown)["TargetGroups"]:
            for balancer in each.get("LoadBalancerArns", ())[:1]:
                self._balancers[each["TargetGroupArn"]] = balancer_of(balancer)

    def _asked(self, query: Query, most: int) -> Iterator[dict[str, Any]]:
        for dimensions in self._dimensions(query.metric, query.side, most):
            named = [
                {"Name": name, "Value": value} for name, value in (dimensions | dict(query.metric.dimensions)).items()
            ]
            metric = {"Namespace": query.metric.namespace, "MetricName": query.word, "Dimensions": named}
            yield {"Metric": metric, "Period": 60, "Stat": _stat(query)}

    def _dimensions(self, metric: Metric, side: Side, most: int) -> Iterator[dict[str, str]]:
        if is_balanced(metric):
            for arn in side.state.target_groups[:1]:
                if arn in self._balancers:
                    yield {"TargetGroup": arn.rpartition(":")[2], "LoadBalancer": self._balancers[arn]}
        elif self.is_pair:
            yield {"AutoScalingGroupName": side.state.auto_scaling_group}
        else:
            # Always the same ones, where there are more than one call may ask for.
            yield from ({"InstanceId": instance} for instance in sorted(side.instances)[:most])

    def _call(
        self, queries: list[dict[str, Any]], since: datetime, until: datetime
    ) -> dict[str, dict[datetime, float]]:
        found: dict[str, dict[datetime, float]] = {}
        asked: dict[str, Any] = {
            "MetricDataQueries": queries,
            "StartTime": since,
            "EndTime": until,
            "ScanBy": "TimestampAscending",
        }
        while True:
            page = self.aws.call("cloudwatch", "get_metric_data", **asked)
            for each in page["MetricDataResults"]:
                if each.get("StatusCode") in ("InternalError", "Forbidden"):
                    said = in_one_line(" ".join(str(word.get("Value", "")) for word in each.get("Messages", ())))
                    raise Unreachable(f"CloudWatch answers {each['StatusCode']} for {each.get('Label')}: {said}")
                points = zip(each["Timestamps"], each["Values"], strict=True)
                found.setdefault(each["Id"], {}).update((at.astimezone(UTC), float(value)) for at, value in points)
            if not page.get("NextToken"):
                return {
                    name: {at: v for at, v in values.items() if since <= at < until} for name, values in found.items()
                }
            asked["NextToken"] = page["NextToken"]


def is_balanced(metric: Metric) -> bool:
    """True for a metric of a load balancer's, which knows target groups and no instances."""
    return metric.namespace in BALANCERS


def _stat(query: Query) -> str:
    if query.of:
        return "Sum"
    return query.metric.stat or ("Sum" if query.metric.per is not None else "Average")


def _joined(parts: Sequence[Mapping[datetime, float]], is_sum: bool) -> Series:
    """Several instances' values as one: added where they are counts, else their mean."""
    joined: dict[datetime, list[float]] = {}
    for part in parts:
        for at, value in part.items():
            joined.setdefault(at, []).append(value)
    return {at: sum(values) / (1 if is_sum else len(values)) for at, values in sorted(joined.items())}
