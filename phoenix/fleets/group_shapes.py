"""Between AWS's description of an Auto Scaling group and the model's words. Pure: reads and writes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from phoenix.aws.groups import ROUTED, type_of
from phoenix.aws.templates import template_of
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Slot, SlotState
from phoenix.core.routine import Routine
from phoenix.core.tags import MANAGED

OUR_PREFIX: Final = "phoenix:"


def slot_state(slot: Slot, group: Mapping[str, Any]) -> SlotState:
    """The slot as the model knows it. `$Latest`, `$Default` and a launch configuration name no version."""
    use = template_of(group)
    version = use.version if use is not None and use.version.isdigit() else None
    lifetime = int(group.get("MaxInstanceLifetime") or 0)
    return SlotState(
        slot=slot,
        auto_scaling_group=str(group["AutoScalingGroupName"]),
        min=int(group["MinSize"]),
        max=int(group["MaxSize"]),
        desired=int(group["DesiredCapacity"]),
        template_version=version,
        template=use.id if use is not None else "",
        instances=tuple(_instance(item) for item in group.get("Instances", ())),
        suspended=routines_of(item["ProcessName"] for item in group.get("SuspendedProcesses", ())),
        tags=our_tags(group),
        target_groups=target_groups(group),
        arn=str(group.get("AutoScalingGroupARN", "")),
        zones=tuple(map(str, group.get("AvailabilityZones", ()))),
        max_instance_lifetime=timedelta(seconds=lifetime) if lifetime else None,
        health_grace=timedelta(seconds=int(group.get("HealthCheckGracePeriod") or 0)),
        writer_words=_writer_words(str(group["AutoScalingGroupName"])),
    )


def _writer_words(name: str) -> str:
    return f"CloudTrail knows who: {lookup(name)}."


def lookup(name: str) -> str:
    """The command that asks who has changed a resource. CloudTrail finds events by one attribute, ResourceName among
    them: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupAttribute.html
    """
    attribute = f"AttributeKey=ResourceName,AttributeValue={shlex.quote(name)}"
    return f"aws cloudtrail lookup-events --lookup-attributes {attribute}"


def our_tags(group: Mapping[str, Any]) -> dict[str, str]:
    """The tags that phoenix has set."""
    tags = ((str(tag["Key"]), str(tag.get("Value", ""))) for tag in group.get("Tags", ()))
    return {key: value for key, value in tags if key.startswith(OUR_PREFIX) and key != MANAGED}


def target_groups(group: Mapping[str, Any]) -> tuple[str, ...]:
    """ARNs of all target groups that instances are registered with, whichever call has attached them."""
    return tuple(identifier for identifier, kind in traffic_sources(group) if kind == ROUTED)


def traffic_sources(group: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Everything that sends requests to the instances, each with its type, whichever call has attached it."""
    found = [(str(arn), ROUTED) for arn in group.get("TargetGroupARNs") or ()]
    for item in group.get("TrafficSources") or ():
        identifier = str(item["Identifier"])
        found.append((identifier, str(item.get("Type") or type_of(identifier))))
    found += [(str(name), "elb") for name in group.get("LoadBalancerNames") or ()]
    return tuple(dict.fromkeys(found))


def subnets_of(group: Mapping[str, Any]) -> frozenset[str]:
    """The subnets that the group launches into."""
    return frozenset(name.strip() for name in str(group.get("VPCZoneIdentifier", "")).split(",") if name.strip())


def launched_from(instance: Mapping[str, Any]) -> str | None:
    """The template version that an instance was launched from; None for a launch configuration."""
    version = instance.get("LaunchTemplate", {}).get("Version")
    return str(version) if version else None


def with_version(group: Mapping[str, Any], version: str, template: str | None = None) -> dict[str, Any]:
    """The parameters of UpdateAutoScalingGroup that change the version, or the template with it, and nothing else.

    A mixed instances policy is replaced as a whole by what is sent, so all of it is sent.
    """
    policy = group.get("MixedInstancesPolicy")
    if not policy:
        return {"LaunchTemplate": _pinned(group["LaunchTemplate"], version, template)}
    launches = policy["LaunchTemplate"]
    changed = dict(launches) | {
        "LaunchTemplateSpecification": _pinned(launches["LaunchTemplateSpecification"], version, template)
    }
    return {"MixedInstancesPolicy": dict(policy) | {"LaunchTemplate": changed}}


def _pinned(specification: Mapping[str, Any], version: str, template: str | None) -> dict[str, Any]:
    # AWS describes a template by id and name, and refuses to be told both.
    return {"LaunchTemplateId": template or specification["LaunchTemplateId"], "Version": version}


RETAINED: Final = "Terminating:Retained"
"""The state of an instance whose termination hook was abandoned, where the group's lifecycle policy says `retain`."""


def lifecycle_of(word: str) -> Lifecycle:
    """AWS's LifecycleState in the model's words. A state that AWS adds later is never in service."""
    if word.startswith(("Terminat", "Detach")):
        return Lifecycle.KEPT if word == RETAINED else Lifecycle.LEAVING
    if "Standby" in word:
        return Lifecycle.DRAINING if word == "EnteringStandby" else Lifecycle.RESERVE
    if word.startswith("Pending"):
        return Lifecycle.HELD if word == "Pending:Wait" else Lifecycle.PENDING
    return Lifecycle.IN_SERVICE if word == "InService" else Lifecycle.UNKNOWN


_ROUTINES: Final = {
    "ScheduledActions": Routine.SCHEDULES,
    "Launch": Routine.LAUNCHES,
    "AddToLoadBalancer": Routine.REGISTRATIONS,
    "HealthCheck": Routine.CHECKS,
    "ReplaceUnhealthy": Routine.REPLACEMENTS,
    "Terminate": Routine.TERMINATIONS,
}


def routines_of(words: Iterable[str]) -> frozenset[Routine]:
    """The scaling processes with these names, in the model's words; no decision depends on the others."""
    return frozenset(_ROUTINES[word] for word in words if word in _ROUTINES)


def _instance(item: Mapping[str, Any]) -> Instance:
    return Instance(
        id=str(item["InstanceId"]),
        zone=str(item["AvailabilityZone"]),
        lifecycle=lifecycle_of(str(item["LifecycleState"])),
        lifecycle_words=str(item["LifecycleState"]),
        healthy=str(item["HealthStatus"]).lower() == "healthy",
        template_version=launched_from(item),
        protected=bool(item.get("ProtectedFromScaleIn")),
        template=str(item.get("LaunchTemplate", {}).get("LaunchTemplateId", "")),
    )
