"""The right that every kind needs besides its own: to end the instances that were drained, and no others."""

from __future__ import annotations

from typing import Final

from phoenix.aws.rights import GROUPS, IS_MANAGED, WRITERS, Right, Rights

ENDS: Final[Rights] = frozenset(
    {Right("autoscaling:TerminateInstanceInAutoScalingGroup", "ChangeGroups", WRITERS, GROUPS, (IS_MANAGED,))}
)
