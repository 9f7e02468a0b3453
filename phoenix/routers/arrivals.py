"""The requests that Application Load Balancers have counted for target groups, as CloudWatch has them, by minute.

Reads only, in one call; must never judge, nor fill a minute that CloudWatch does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from phoenix.aws.rights import WRITERS, Rights, reads
from phoenix.aws.session import Aws
from phoenix.core.model import Slot
from phoenix.errors import Unreachable
from phoenix.routers.forwarding import Arns

IAM_ACTIONS: Final[Rights] = reads("cloudwatch:GetMetricData", roles=WRITERS)
NAMESPACE: Final = "AWS/ApplicationELB"
METRIC: Final = "RequestCount"
"""Of one target group with the dimensions TargetGroup and LoadBalancer. "This metric is only incremented for requests
where the load balancer node was able to choose a target."
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""
DOLLARS: Final = 0.01 / 1000
"""For one metric requested by GetMetricData, in US East; others differ little. https://aws.amazon.com/cloudwatch/pricing/"""


def count(
    aws: Aws, target_groups: Arns, routes: Sequence[str], span: tuple[datetime, datetime]
) -> Mapping[Slot, Mapping[datetime, float]]:
    """The requests of each slot's target groups together, by minute, from the first moment until before the second."""
    since, until = span
    asked = {
        f"m{number}": (slot, _query(f"m{number}", arn, balancer))
        for number, (slot, arn, balancer) in enumerate(
            (slot, arn, balancer)
            for slot in Slot
            for arn in target_groups.get(slot, ())
            for balancer in balancers_of(routes)
        )
    }
    found: dict[Slot, dict[datetime, float]] = {slot: {} for slot in Slot}
    if not asked or since >= until:
        return found
    results = aws.pages(
        "cloudwatch", "get_metric_data", "MetricDataResults",
        MetricDataQueries=[query for _, query in asked.values()],
        StartTime=since, EndTime=until, ScanBy="TimestampAscending",
    )  # fmt: skip
    for result in results:  # one may go on over several pages
        if result.get("StatusCode") in ("InternalError", "Forbidden"):
            raise Unreachable(f"CloudWatch answers {result['StatusCode']} for {METRIC}")
        counts = found[asked[result["Id"]][0]]
        for at, value in zip(result["Timestamps"], result["Values"], strict=True):
            minute = at.astimezone(UTC)
            if since <= minute < until:
                counts[minute] = counts.get(minute, 0.0) + float(value)
    return found


def price(target_groups: Arns, looks: int) -> str:
    """The looks of a rotation, and what AWS charges for them."""
    metrics = sum(len(arns) for arns in target_groups.values())
    return f"up to {looks} looks of {metrics} metrics each: ${looks * metrics * DOLLARS:.3f}"


def balancers_of(routes: Sequence[str]) -> tuple[str, ...]:
    """`app/web/50dc6c495c0c9188` of the load balancers that the rules belong to. A target group is behind one of them;
    with another it has no measurements."""
    found = (arn.partition(":listener-rule/")[2] or arn.partition(":listener/")[2] for arn in routes)
    return tuple(dict.fromkeys("/".join(name.split("/")[:3]) for name in found))


def _query(name: str, target_group: str, balancer: str) -> dict[str, Any]:
    dimensions = [
        {"Name": "TargetGroup", "Value": target_group.rpartition(":")[2]},
        {"Name": "LoadBalancer", "Value": balancer},
    ]
    metric = {"Namespace": NAMESPACE, "MetricName": METRIC, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
