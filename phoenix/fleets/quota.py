"""Does the account's vCPU quota leave room for the next generation beside the live one?

Reads only, and only where AWS tells: the quota from Service Quotas, what is used from its own metric. Must never count
spot instances, which have quotas of their own and come and go anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from phoenix.aws.errors import code_of
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.errors import PhoenixError

IAM_ACTIONS: Final = reads(
    "cloudwatch:GetMetricStatistics", "ec2:DescribeInstanceTypes", "servicequotas:GetServiceQuota"
)
CHECKS: Final = ("vcpu-quota",)

_STANDARD: Final = "L-1216C47A"
# Beginning of an instance type -> code of the quota that counts it. The longest fits.
_QUOTAS: Final[Mapping[str, str]] = {
    "dl": "L-6E869C2A",
    "f": "L-74FC7D96",
    "g": "L-DB2E81BA",
    "vt": "L-DB2E81BA",
    "hpc": "L-F7808C92",
    "inf": "L-1945791B",
    "p": "L-417A185B",
    "trn": "L-2C3B7624",
    "u": "L-43DA4232",
    "x": "L-7295265B",
}
_NO_SUCH_QUOTA: Final = "NoSuchResourceException"
_PUBLISHED_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Demand:
    """So many more on-demand instances of this type, at this instant."""

    instance_type: str
    count: int
    at: datetime


def find_quota(aws: Aws, demand: Demand) -> Iterator[Blocker]:
    """One if the launch would go past the quota; nothing where this Region has no such quota."""
    code = quota_of(demand.instance_type)
    quota, each = aws.side_by_side([partial(_quota, aws, code), partial(_vcpus, aws, demand.instance_type)])
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


def quota_of(instance_type: str) -> str:
    """Code of the quota that counts instances of this type."""
    prefixes = [prefix for prefix in _QUOTAS if instance_type.startswith(prefix)]
    return _QUOTAS[max(prefixes, key=len)] if prefixes else _STANDARD


def _quota(aws: Aws, code: str) -> Any:
    try:
        return aws.call("service-quotas", "get_service_quota", ServiceCode="ec2", QuotaCode=code)["Quota"]
    except PhoenixError as error:
        if code_of(error) == _NO_SUCH_QUOTA:
            return None
        raise


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
