"""Limits of Auto Scaling that a rotation would meet in the middle, found before the start. Pure.

Must never count what AWS does not: tags of its own (`aws:`) are free.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from phoenix.core.blocker import Blocker
from phoenix.core.tags import WRITTEN

CHECKS: Final = ("tag-limit",)

MOST_TAGS: Final = 50
"""A group's tags; fixed ("Quotas for Amazon EC2 Auto Scaling resources and groups" in the user guide)."""


def judge_limits(group: Mapping[str, Any], keys: Collection[str] = WRITTEN) -> Iterator[Blocker]:
    """Check that all tags that a rotation may write, by their keys, fit beside the owner's."""
    name = str(group["AutoScalingGroupName"])
    theirs = sorted({str(tag["Key"]) for tag in group.get("Tags", ())} - set(keys))
    counted = [key for key in theirs if not key.startswith("aws:")]
    over = len(counted) + len(keys) - MOST_TAGS
    if over > 0:
        yield Blocker(
            "tag-limit",
            f"Auto Scaling group {name}",
            f"{name} has {len(counted)} tags; AWS allows {MOST_TAGS}, and phoenix writes up to {len(keys)} while a"
            f" rotation lasts. Take {over} away, such as:",
            f"aws autoscaling delete-tags --tags \\\n"
            f"    {shlex.quote(f'ResourceId={name},ResourceType=auto-scaling-group,Key={counted[0]}')}",
        )
