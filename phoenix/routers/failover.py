"""The thresholds of target groups below which DNS fails away from their load balancer: read and written.

A target group that was deleted while its Auto Scaling group still names it counts for nothing. Must never touch another
attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from phoenix.aws.rights import IS_MANAGED, WRITERS, Right, Rights, arn, reads
from phoenix.aws.session import Aws
from phoenix.core.failover import note
from phoenix.routers.target_blockers import FAILOVER, attributes_if_there

IAM_ACTIONS: Final[Rights] = frozenset(
    {
        Right(
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "SuspendFailover",
            WRITERS,
            (arn("elasticloadbalancing", "targetgroup/*"),),
            (IS_MANAGED,),
        )
    }
) | reads("elasticloadbalancing:DescribeTargetGroupAttributes")
KEYS: Final = FAILOVER
DEFAULTS: Final = ("1", "off")


def read(aws: Aws, arns: Sequence[str]) -> str:
    """`1/off`: one for all target groups where they agree, else one for each in the order of their ARNs."""
    found = aws.side_by_side([partial(thresholds_of, aws, each) for each in sorted(arns)])
    return note([each for each in found if each is not None])


def thresholds_of(aws: Aws, target_group: str) -> str | None:
    """Those of one target group; what AWS does not name has its default. None where it is gone."""
    attributes = attributes_if_there(aws, target_group)
    if attributes is None:
        return None
    return "/".join(attributes.get(key, default) for key, default in zip(KEYS, DEFAULTS, strict=True))


def write(aws: Aws, arns: Sequence[str], thresholds: str) -> None:
    """Set them; where there are more or fewer target groups than when they were noted, the first holds for all."""
    words = thresholds.split()
    wanted = words if len(words) == len(arns) else words[:1] * len(arns)
    aws.side_by_side([partial(_write, aws, *each) for each in zip(sorted(arns), wanted, strict=True)])


def _write(aws: Aws, target_group: str, thresholds: str) -> None:
    if thresholds_of(aws, target_group) in (None, thresholds):
        return
    attributes = [{"Key": key, "Value": value} for key, value in zip(KEYS, thresholds.split("/"), strict=True)]
    aws.call("elbv2", "modify_target_group_attributes", TargetGroupArn=target_group, Attributes=attributes)
