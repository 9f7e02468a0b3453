"""Find the Auto Scaling groups of an account that carry a tag of ours, or a tainted instance.

One question each, for all groups together. Reads only.
"""

from __future__ import annotations

from typing import Final

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.session import Aws
from phoenix.core.tags import GROUP, HOLD, TAINTED, TEMPORARY, all_keys

IAM_ACTIONS: Final[Rights] = reads("autoscaling:DescribeAutoScalingGroups") | reads(
    "autoscaling:DescribeTags", "ec2:DescribeInstances", roles=FORWARD
)

_MEMBER_OF: Final = "aws:autoscaling:groupName"


def groups_tagged(aws: Aws, group: str) -> tuple[str, ...]:
    """Names of those that say they belong to this group; empty when it was never rotated."""
    wanted = [{"Name": f"tag:{GROUP}", "Values": [group]}]
    found = aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=wanted)
    return tuple(sorted(str(item["AutoScalingGroupName"]) for item in found))


def marked_groups(aws: Aws) -> frozenset[str]:
    """Names of those on which a rotation has left something, or a person a word for one."""
    wanted = [{"Name": "key", "Values": list(all_keys((HOLD, *TEMPORARY)))}]
    found = aws.pages("autoscaling", "describe_tags", "Tags", Filters=wanted, PaginationConfig={"PageSize": 100})
    return frozenset(str(tag["ResourceId"]) for tag in found)


def tainted_groups(aws: Aws) -> frozenset[str]:
    """Names of those with an instance that was tagged for replacement."""
    wanted = [
        {"Name": "tag-key", "Values": [TAINTED]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    found = aws.pages("ec2", "describe_instances", "Reservations", Filters=wanted, PaginationConfig={"PageSize": 1000})
    tags = (tag for reservation in found for item in reservation["Instances"] for tag in item.get("Tags", ()))
    return frozenset(str(tag["Value"]) for tag in tags if tag["Key"] == _MEMBER_OF)
