"""Instance refreshes: AWS's own replacement of instances, which must not run beside a rotation. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final

from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker

IAM_ACTIONS: Final = reads("autoscaling:DescribeInstanceRefreshes", roles=FORWARD)
CHECKS: Final = ("instance-refresh",)

_REFRESHING = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})


def find_refreshes(aws: Aws, name: str) -> Iterator[Blocker]:
    """The newest ten are enough: at most one is active, and it is the newest."""
    answer = aws.call("autoscaling", "describe_instance_refreshes", AutoScalingGroupName=name, MaxRecords=10)
    for item in answer["InstanceRefreshes"]:
        if item["Status"] not in _REFRESHING:
            continue
        yield Blocker(
            "instance-refresh",
            f"Auto Scaling group {name}",
            f"{item['InstanceRefreshId']} is {item['Status']}, {_done(item)} % done{_since(item)}. Wait for it, or:",
            f"aws autoscaling cancel-instance-refresh --auto-scaling-group-name {name}",
        )


def _done(refresh: Mapping[str, Any]) -> int:
    return int(refresh.get("PercentageComplete", 0))


def _since(refresh: Mapping[str, Any]) -> str:
    return f", started {refresh['StartTime'].astimezone(UTC):%H:%M:%S} UTC" if "StartTime" in refresh else ""
