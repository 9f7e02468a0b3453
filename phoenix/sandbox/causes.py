"""Auto Scaling's own sentences: the causes of its activities, and the words of an activity that failed.

Sentences only. One that was not found in a document or a transcript says so where it stands.
"""

from __future__ import annotations

from datetime import datetime

EC2_CHECK = "At {at} an instance was taken out of service in response to an EC2 health check indicating it has been"
EC2_CHECK += " terminated or stopped."
STATUS_CHECK = "At {at} an instance was taken out of service in response to an EC2 instance status checks failure."
"""Matched by a public tool, and quoted in a public runbook."""
ELB_CHECK = "At {at} an instance was taken out of service in response to an ELB system health check failure."
USER_CHECK = "At {at} an instance was taken out of service in response to a user health-check."
LAUNCH_FAILURE = "At {at} an instance was taken out of service in response to a launch failure."
ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned: {why}"
)
"""With "Heartbeat Timeout" it stands in CodeDeploy's guide, under troubleshooting Auto Scaling."""
SHRINK = "At {at} an instance was taken out of service in response to a difference between desired and actual capacity,"
SHRINK += " shrinking the capacity from {old} to {new}."
GROW = "At {at} an instance was started in response to a difference between desired and actual capacity, increasing the"
GROW += " capacity from {old} to {new}."
UNBALANCED = (
    "At {at} availability zones {zones} had {counts} instances respectively. An instance was launched to aid in"
    " balancing the group's zones."
)
BALANCED = (
    "At {at} instances were launched to balance instances in zones {zones} with other zones resulting in more than"
    " desired number of instances in the group."
)
"""Both are quoted from the activities of a group in public repositories (of 2023, with "zones null")."""
REQUESTED = "At {at} instance {instance} was taken out of service in response to a user request"
"""The AWS CLI's example of terminate-instance-in-auto-scaling-group."""
TO_STANDBY = "At {at} instance {instance} was moved to standby in response to a user request"
OUT_OF_STANDBY = "At {at} instance {instance} was moved out of standby in response to a user request"
"""Both: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html"""
SHRINKING = ", shrinking the capacity from {old} to {new}"
GROWING = ", increasing the capacity from {old} to {new}"
LAUNCHED = "At {at} an instance was started in response to a LaunchInstances request, increasing the capacity from"
LAUNCHED += " {old} to {new}."
"""Not found anywhere."""


def stamp(moment: datetime) -> str:
    """As AWS writes times inside its sentences."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
