"""Does the account's vCPU quota leave room for the next generation beside the live one?

Reads only, and only where AWS tells: the quota from Service Quotas, what is used from its own metric. Must never hold a
launch against a quota that does not count it: spot instances have quotas of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from phoenix.aws import quotas
from phoenix.aws.quotas import read_quota
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker

IAM_ACTIONS: Final = reads("cloudwatch:GetMetricStatistics", "ec2:DescribeInstanceTypes") | quotas.IAM_ACTIONS
CHECKS: Final = ("vcpu-quota",)

_STANDARD: Final = "L-1216C47A"
_STANDARD_SPOT: Final = "L-34B43A08"
# Beginning of an instance type -> code of the quota that counts it. The longest fits. None: it is not counted in vCPUs.
# "Amazon EC2 service quotas" in EC2's user guide, and the codes that `aws service-quotas list-service-quotas
# --service-code ec2` prints.
_QUOTAS: Final[Mapping[str, str | None]] = {
    "dl": "L-6E869C2A",
    "f": "L-74FC7D96",
    "g": "L-DB2E81BA",
    "vt": "L-DB2E81BA",
    "hpc": "L-F7808C92",
    "inf": "L-1945791B",
    "mac": None,  # dedicated hosts
    "p": "L-417A185B",
    "trn": "L-2C3B7624",
    "u": "L-43DA4232",
    "x": "L-7295265B",
}
_SPOT_QUOTAS: Final[Mapping[str, str | None]] = {
    "dl": "L-85EED4F7",
    "f": "L-88CF9481",
    "g": "L-3819A6DF",
    "vt": "L-3819A6DF",
    "hpc": None,
    "inf": "L-B5D1601B",
    "mac": None,
    "p": "L-7212CCBC",
    "p5": "L-C4BD4855",
    "trn": "L-6B0D517C",
    "u": None,
    "x": "L-E3A00192",
}
_PUBLISHED_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Demand:
    """Launching `count` more instances of this type at this instant, on demand unless `spot`."""

    instance_type: str
    count: int
    at: datetime
    spot: bool = False


def find_quota(aws: Aws, demand: Demand) -> Iterator[Blocker]:
    """One if the launch would go past the quota; nothing where no quota of this Region counts it."""
    code = quota_of(demand.instance_type, spot=demand.spot)
    if code is None:
        return
    quota, each = aws.side_by_side([partial(read_quota, aws, "ec2", code), partial(_vcpus, aws, demand.instance_type)])
    if quota is None:
        return
    used, limit = _used(aws, quota.get("UsageMetric"), demand.at), float(quota["Value"])
    wanted = each * demand.count
    if used + wanted <= limit:
        return
    yield Blocker(
        "vcpu-quota",
        f"quota {code}",
        f"{wanted} more vCPUs are needed for {demand.count} of {demand.instance_type}; {used:.0f} of {limit:.0f}"
        " are in use in this account and Region.",
        f"aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {code} \\\n"
        f"    --desired-value {used + wanted:.0f}",
    )


def quota_of(instance_type: str, *, spot: bool = False) -> str | None:
    """Code of the quota that counts instances of this type in vCPUs; None when none does."""
    table, standard = (_SPOT_QUOTAS, _STANDARD_SPOT) if spot else (_QUOTAS, _STANDARD)
    prefixes = [prefix for prefix in table if instance_type.startswith(prefix)]
    return table[max(prefixes, key=len)] if prefixes else standard


def _used(aws: Aws, metric: Mapping[str, Any] | None, at: datetime) -> float:
    """The last value that was published; nothing published means that nothing runs."""
    if not metric:
        return 0.0
    statistic = metric.get("MetricStatisticRecommendation") or "Maximum"
    answer = aws.call(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=metric["MetricNamespace"],
        MetricName=metric["MetricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()],
        StartTime=at - _PUBLISHED_WITHIN,
        EndTime=at,
        Period=300,
        Statistics=[statistic],
    )
    newest: Any = max(answer["Datapoints"], key=lambda point: point["Timestamp"], default=None)
    return float(newest[statistic]) if newest is not None else 0.0


def _vcpus(aws: Aws, instance_type: str) -> Any:
    found = aws.pages("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=[instance_type])
    return max((int(each["VCpuInfo"]["DefaultVCpus"]) for each in found), default=0)
