"""An Auto Scaling group: settings in the API's spelling, members, activities.

Records only; `scaling` changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ACTIVE = frozenset({"Pending", "Pending:Wait", "Pending:Proceed", "InService"})
"""Lifecycle states that count towards the desired capacity."""


@dataclass(slots=True)
class Activity:
    """One entry of DescribeScalingActivities."""

    id: str
    group: str
    group_arn: str
    description: str
    cause: str
    start: datetime
    details: str
    status: str = "InProgress"
    message: str | None = None
    end: datetime | None = None
    progress: int = 50

    def finish(self, status: str, at: datetime, message: str | None = None) -> None:
        """Close it."""
        self.status, self.end, self.message, self.progress = status, at, message, 100

    def describe(self) -> dict[str, Any]:
        """In the API's shape."""
        shape: dict[str, Any] = {
            "ActivityId": self.id,
            "AutoScalingGroupName": self.group,
            "AutoScalingGroupARN": self.group_arn,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.start,
            "StatusCode": self.status,
            "Progress": self.progress,
            "Details": self.details,
        }
        if self.end:
            shape["EndTime"] = self.end
        if self.message:
            shape["StatusMessage"] = self.message
        return shape


@dataclass(slots=True)
class Member:
    """An instance as its group sees it."""

    instance_id: str
    zone: str
    instance_type: str
    template: Mapping[str, str] | None
    launched: datetime
    protected: bool
    lifecycle: str = "Pending"
    healthy: bool = True
    complaint: str = ""
    """Why it is not healthy: the activity that ends it says so."""
    in_service_since: datetime | None = None
    launch: Activity | None = None
    activity: Activity | None = None
    """The newest activity about it."""
    subnet: str | None = None
    balancing: bool = False
    """Launched to level the zones, and not in service yet: one more than desired."""

    def describe(self) -> dict[str, Any]:
        """In the shape of `AutoScalingGroups[].Instances[]`."""
        shape: dict[str, Any] = {
            "InstanceId": self.instance_id,
            "InstanceType": self.instance_type,
            "AvailabilityZone": self.zone,
            "LifecycleState": self.lifecycle,
            "HealthStatus": "Healthy" if self.healthy else "Unhealthy",
            "ProtectedFromScaleIn": self.protected,
        }
        if self.template:
            shape["LaunchTemplate"] = dict(self.template)
        return shape


@dataclass(slots=True)
class Tag:
    """A tag of a group."""

    value: str
    propagates: bool


@dataclass(slots=True)
class Group:
    """An Auto Scaling group. `settings` holds the parameters that the API got, under the API's names."""

    name: str
    arn: str
    created: datetime
    settings: dict[str, Any]
    tags: dict[str, Tag] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    members: list[Member] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    refreshes: list[dict[str, Any]] = field(default_factory=list)
    warm_pool: dict[str, Any] | None = None
    sources: dict[str, str] = field(default_factory=dict)
    """Types by identifier of what AttachTrafficSources has attached; the older calls do not know of it."""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Scaling policies, lifecycle hooks and scheduled actions by name, as the API was told."""
    notifications: set[tuple[str, str]] = field(default_factory=set)
    """Topic and type."""
    causes: list[str] = field(default_factory=list)
    """The reasons for the desired capacity; the newest last."""
    failed_launches: int = 0
    """In a row."""
    launched_by_token: dict[str, tuple[datetime, dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    """LaunchInstances by client token: when, what was asked, and the answer."""
    proven_attachments: set[str] = field(default_factory=set)
    """Target groups that have had a healthy target of this group: until then ELB health replaces nothing."""

    @property
    def desired(self) -> int:
        """DesiredCapacity."""
        return int(self.settings["DesiredCapacity"])

    @property
    def target_groups(self) -> list[str]:
        """ARNs of all target groups that instances register with, whatever call has attached them."""
        attached = [arn for arn, kind in self.sources.items() if kind == "elbv2"]
        return list(dict.fromkeys([*self.settings["TargetGroupARNs"], *attached]))

    @property
    def traffic_sources(self) -> dict[str, str]:
        """Types of everything attached, by identifier."""
        old = dict.fromkeys(self.settings["TargetGroupARNs"], "elbv2")
        return old | dict.fromkeys(self.settings["LoadBalancerNames"], "elb") | self.sources

    def active(self) -> list[Member]:
        """The members that count towards the desired capacity: neither one in Standby nor one that is leaving."""
        return [member for member in self.members if member.lifecycle in ACTIVE and not member.balancing]

    @property
    def keeps_abandoned(self) -> bool:
        """The lifecycle policy keeps instances of which a termination hook was abandoned."""
        triggers = (self.settings.get("InstanceLifecyclePolicy") or {}).get("RetentionTriggers", {})
        return bool(triggers.get("TerminateHookAbandon") == "retain")

    def member(self, instance_id: str) -> Member | None:
        """None when it is not, or no longer, in this group."""
        return next((member for member in self.members if member.instance_id == instance_id), None)

    def describe(self, include_instances: bool = True) -> dict[str, Any]:
        """In the API's shape."""
        shape = dict(self.settings)
        shape |= {
            "AutoScalingGroupName": self.name,
            "AutoScalingGroupARN": self.arn,
            "CreatedTime": self.created,
            "Instances": [member.describe() for member in self.members] if include_instances else [],
            "SuspendedProcesses": [
                {"ProcessName": name, "SuspensionReason": "User suspended"} for name in sorted(self.suspended)
            ],
            "Tags": self.describe_tags(),
            "TrafficSources": [{"Identifier": name, "Type": kind} for name, kind in self.traffic_sources.items()],
        }
        if self.warm_pool is not None:
            shape |= {"WarmPoolConfiguration": self.warm_pool, "WarmPoolSize": 0}
        return shape

    def describe_tags(self) -> list[dict[str, Any]]:
        """In the API's shape, sorted by key as AWS does."""
        return [
            {
                "ResourceId": self.name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": tag.value,
                "PropagateAtLaunch": tag.propagates,
            }
            for key, tag in sorted(self.tags.items())
        ]
