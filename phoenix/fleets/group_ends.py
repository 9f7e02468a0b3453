"""The end of instances that were chosen: Auto Scaling chooses none.

Must never end one through EC2: its group would go on listing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from phoenix.aws.session import Aws

MOST_ENDED: Final = 100
"""Instances that one TerminateInstanceInAutoScalingGroup takes, says the model of the API."""


def end_instances(aws: Aws, group: str, ids: Sequence[str], *, counted: bool) -> None:
    """With `counted` DesiredCapacity follows, which must not fall below MinSize."""
    for start in range(0, len(ids), MOST_ENDED):
        aws.call(
            "autoscaling",
            "terminate_instance_in_auto_scaling_group",
            AutoScalingGroupName=group,
            InstanceIds=list(ids[start : start + MOST_ENDED]),
            ShouldDecrementDesiredCapacity=counted,
        )
