"""Auto Scaling groups as AWS describes them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from phoenix.aws.session import Aws
from phoenix.core.tags import MANAGED
from phoenix.errors import NotFound

_NAMES_PER_CALL = 50


def read_groups(aws: Aws, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The groups by name, in one call; names that AWS does not know are left out."""
    found = aws.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=list(names)
    )
    return {str(group["AutoScalingGroupName"]): group for group in found}


def read_group(aws: Aws, name: str) -> dict[str, Any]:
    """One group.

    Raises:
        NotFound: AWS does not know it here.
    """
    groups = read_groups(aws, (name,))
    if name not in groups:
        raise unknown_group(aws, name)
    return groups[name]


def unmarked(aws: Aws, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the groups that their owner has not marked as phoenix's to change; names that AWS does not know too."""
    batches = (names[start : start + _NAMES_PER_CALL] for start in range(0, len(names), _NAMES_PER_CALL))
    found = {name: group for batch in batches for name, group in read_groups(aws, batch).items()}
    marked = {
        name
        for name, group in found.items()
        if any(tag["Key"] == MANAGED and tag.get("Value") == "true" for tag in group.get("Tags", ()))
    }
    return tuple(name for name in names if name not in marked)


def unknown_group(aws: Aws, name: str) -> NotFound:
    """The error for a name that AWS does not know, with where it was looked for."""
    return NotFound(
        f"there is no Auto Scaling group {name!r} in {aws.region}",
        hint="check fleet in the policy, and that region, profile and role are the right ones",
    )
