"""The lifecycle hooks, scheduled actions and scaling policies of one Auto Scaling group. Reads only."""

from __future__ import annotations

from typing import Any

from phoenix.aws.session import Aws


def hooks_of(aws: Aws, name: str) -> list[dict[str, Any]]:
    """The group's lifecycle hooks; AWS has no pages for them."""
    found = aws.call("autoscaling", "describe_lifecycle_hooks", AutoScalingGroupName=name)
    return list(found["LifecycleHooks"])


def schedules_of(aws: Aws, name: str) -> list[dict[str, Any]]:
    """The group's scheduled actions."""
    items, method = "ScheduledUpdateGroupActions", "describe_scheduled_actions"
    return list(aws.pages("autoscaling", method, items, AutoScalingGroupName=name))


def policies_of(aws: Aws, name: str) -> list[dict[str, Any]]:
    """The group's scaling policies, also those that are switched off."""
    return list(aws.pages("autoscaling", "describe_policies", "ScalingPolicies", AutoScalingGroupName=name))
