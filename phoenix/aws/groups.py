"""Auto Scaling groups as AWS describes them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

from phoenix.aws.session import Aws, Foreseen
from phoenix.core.tags import MANAGED
from phoenix.errors import PhoenixError, UnknownNames

_NAMES_PER_CALL = 50
ROUTED: Final = "elbv2"
"""The type of a traffic source whose instances are in a target group."""


def read_groups(aws: Aws, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the groups by name, in one call; names that AWS does not know are left out."""
    found = aws.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=list(names)
    )
    return {str(group["AutoScalingGroupName"]): group for group in found}


def foresee_groups(aws: Aws, names: Sequence[str]) -> Foreseen:
    """Read these groups in few calls, for questions about single ones that follow."""
    batches = [names[start : start + _NAMES_PER_CALL] for start in range(0, len(names), _NAMES_PER_CALL)]
    answers = aws.side_by_side([partial(read_groups, aws, batch) for batch in batches])
    found = {name: group for answer in answers for name, group in answer.items()}
    return Foreseen("AutoScalingGroupNames", {name: found.get(name) for name in names})


def type_of(source: str) -> str:
    """The type of a traffic source, by its name or ARN. AWS shows the type of all that it attaches now."""
    if not source.startswith("arn:"):
        return "elb"
    service = source.split(":")[2]
    return ROUTED if service == "elasticloadbalancing" else service


def read_batches(aws: Aws, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return any number of groups by name; names that AWS does not know are left out."""
    batches = (names[start : start + _NAMES_PER_CALL] for start in range(0, len(names), _NAMES_PER_CALL))
    return {name: group for batch in batches for name, group in read_groups(aws, batch).items()}


def is_marked(group: Mapping[str, Any]) -> bool:
    """True if a group, as AWS describes it, carries its owner's mark."""
    return any(tag["Key"] == MANAGED and tag.get("Value") == "true" for tag in group.get("Tags", ()))


def unknown_groups(aws: Aws, names: Sequence[str]) -> UnknownNames:
    """Return the error for names that AWS does not know, with similar names that it does know."""
    try:
        found = aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", IncludeInstances=False)
        known = [str(group["AutoScalingGroupName"]) for group in found]
    except PhoenixError:  # the wrong names are worth an error without suggestions
        known = []
    return UnknownNames(
        "Auto Scaling group",
        {name: get_close_matches(name, known, n=2) for name in names},
        hint=f"looked in {aws.region or 'no Region'}: check fleet in the policy, and region, profile and role",
    )
