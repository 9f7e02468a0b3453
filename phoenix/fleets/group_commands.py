"""The commands against obstacles that the engine finds, for any Auto Scaling group. Pure: text, nothing is run."""

from __future__ import annotations

import shlex
from typing import assert_never

from phoenix.aws.groups import ROUTED
from phoenix.core.remedy import Empty, KeepOldInstances, LeaveTargetGroups, Remedy, Resize, ShowTargetGroups


def command(remedy: Remedy, auto_scaling_group: str) -> str:
    """The remedy as a person types it. `<n>` stands for a number that only a person knows."""
    name = f"--auto-scaling-group-name {shlex.quote(auto_scaling_group)}"
    match remedy:
        case LeaveTargetGroups():
            sources = " ".join(f"Identifier={arn},Type={ROUTED}" for arn in remedy.target_groups)
            return f"aws autoscaling detach-traffic-sources {name} \\\n    --traffic-sources {sources}"
        case ShowTargetGroups():
            return f"aws autoscaling describe-traffic-sources {name}"
        case Resize():
            count = "<n>" if remedy.count is None else remedy.count
            return f"aws autoscaling set-desired-capacity {name} --desired-capacity {count}"
        case Empty():
            return (
                f"aws autoscaling update-auto-scaling-group {name} \\\n"
                "    --min-size 0 --max-size 0 --desired-capacity 0"
            )
        case KeepOldInstances():
            return f"aws autoscaling update-auto-scaling-group {name} --max-instance-lifetime 0"
        case _:
            assert_never(remedy)
