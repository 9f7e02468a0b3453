"""Do the subnets of an Auto Scaling group have addresses for `count` more instances? Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.fleets.group_shapes import subnets_of

IAM_ACTIONS: Final = reads("ec2:DescribeSubnets")
CHECKS: Final = ("subnet-addresses",)


def find_addresses(aws: Aws, group: Mapping[str, Any], count: int) -> Iterator[Blocker]:
    """One if all subnets together have fewer; nothing where the group names no subnets."""
    subnets = sorted(subnets_of(group))
    if not subnets:
        return
    found = list(aws.pages("ec2", "describe_subnets", "Subnets", SubnetIds=subnets))
    free = sum(int(subnet["AvailableIpAddressCount"]) for subnet in found)
    if free < count:
        yield Blocker(
            "subnet-addresses",
            f"Auto Scaling group {group['AutoScalingGroupName']}",
            f"{', '.join(subnets)} have {free} free addresses; {count} instances are to be launched there.",
            f"aws ec2 describe-subnets --subnet-ids {' '.join(subnets)}",
        )
