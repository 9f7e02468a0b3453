"""Auto Scaling groups: AWS's description of them, changed by the calls of the rehearsal, and by time.

An undisturbed day: every launch succeeds, what leaves drains soon, and nothing changes by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from phoenix.core.planned_call import NEW_INSTANCE
from phoenix.errors import NotFound
from phoenix.ports import Clock

Item = dict[str, Any]
_COUNTED = ("Pending", "Pending:Wait", "InService")
DRAINS = timedelta(seconds=30)
"""From leaving service to Standby, or to the end. A deregistration delay may make it minutes; a plan has the least."""


@dataclass(slots=True)
class Launch:
    """An instance that the rehearsal has launched. `held`: a hook keeps it from being registered, until released."""

    group: str
    up_at: datetime
    healthy_at: datetime | None = None
    held: bool = False


class Groups:
    """`launch` is the time from a launch to a healthy instance: half of it until it runs, half until it is healthy."""

    def __init__(self, described: Mapping[str, Mapping[str, Any]], clock: Clock, launch: timedelta) -> None:
        self._groups = {name: deepcopy(dict(group)) for name, group in described.items()}
        self._clock = clock
        self._half = launch / 2
        self._numbers = count(1)
        self._hooks: dict[str, set[str]] = {name: set() for name in self._groups}
        self._draining: dict[str, datetime] = {}
        self.launches: dict[str, Launch] = {}

    # --- what AWS says ------------------------------------------------------------------------------------------------

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The groups that are named, as they are by now."""
        self._pass_time()
        names = parameters["AutoScalingGroupNames"]
        return {"AutoScalingGroups": [deepcopy(self._groups[name]) for name in names if name in self._groups]}

    def members_of(self, source: str) -> list[tuple[str, bool]]:
        """The instances that are registered with a target group or load balancer, and whether each is healthy."""
        self._pass_time()
        groups = [group for group in self._groups.values() if source in _sources(group)]
        serving = [i for group in groups for i in group["Instances"] if i["LifecycleState"] == "InService"]
        return [(item["InstanceId"], self._is_healthy(item["InstanceId"])) for item in serving]

    def template_of(self, instance: str) -> tuple[str, str]:
        """The template and the version that an instance was launched from."""
        found = next(i for i in self._groups[self.launches[instance].group]["Instances"] if i["InstanceId"] == instance)
        return found["LaunchTemplate"]["LaunchTemplateId"], found["LaunchTemplate"]["Version"]

    def next_event(self) -> datetime | None:
        """When the next instance runs, is healthy, or has drained; None while nothing is on its way."""
        now = self._clock.now()
        launched = [at for each in self.launches.values() for at in (each.up_at, each.healthy_at) if at is not None]
        return min((at for at in (*launched, *self._draining.values()) if at > now), default=None)

    def _is_healthy(self, instance: str) -> bool:
        launched = self.launches.get(instance)
        if launched is None:
            return True
        return launched.healthy_at is not None and launched.healthy_at <= self._clock.now()

    def _pass_time(self) -> None:
        now = self._clock.now()
        for name, launched in self.launches.items():
            if launched.healthy_at is None and launched.up_at <= now:
                if not launched.held:
                    self._put_in_service(name, launched)
                else:
                    self._item(launched.group, name)["LifecycleState"] = "Pending:Wait"
        for name in [name for name, at in self._draining.items() if at <= now]:
            del self._draining[name]
            self._drained(name)

    def _drained(self, instance: str) -> None:
        for group in self._groups.values():
            for item in group["Instances"]:
                if item["InstanceId"] == instance and item["LifecycleState"] == "EnteringStandby":
                    item["LifecycleState"] = "Standby"
            left = [
                i for i in group["Instances"] if (i["InstanceId"], i["LifecycleState"]) != (instance, "Terminating")
            ]
            group["Instances"] = left

    def _put_in_service(self, name: str, launched: Launch) -> None:
        self._item(launched.group, name)["LifecycleState"] = "InService"
        launched.healthy_at = max(self._clock.now(), launched.up_at) + self._half

    def _item(self, group: str, instance: str) -> Item:
        found: Item = next(i for i in self._groups[group]["Instances"] if i["InstanceId"] == instance)
        return found

    # --- calls to the group -------------------------------------------------------------------------------------------

    def update(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Sizes, and the version for launches from now on. DesiredCapacity stays between MinSize and MaxSize."""
        group = self._named(parameters)
        changes = {key: deepcopy(value) for key, value in parameters.items() if key != "AutoScalingGroupName"}
        if "LaunchTemplate" in changes:
            changes["LaunchTemplate"] = dict(group.get("LaunchTemplate", {})) | changes["LaunchTemplate"]
        group |= changes
        self._resize(group, int(group["DesiredCapacity"]))
        return {}

    def terminate(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """End these instances."""
        group = self._named(parameters)
        ids = parameters["InstanceIds"]
        self._remove(group, ids)
        self._resize(group, group["DesiredCapacity"] - len(ids) * parameters["ShouldDecrementDesiredCapacity"])
        return {"Activities": []}

    def enter_standby(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Take these instances out of service."""
        group = self._move(parameters, "EnteringStandby")
        self._drain(parameters["InstanceIds"])
        fewer = len(parameters["InstanceIds"]) if parameters["ShouldDecrementDesiredCapacity"] else 0
        self._resize(group, group["DesiredCapacity"] - fewer)
        return {"Activities": []}

    def exit_standby(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Put these instances back into service."""
        group = self._move(parameters, "InService")
        self._resize(group, group["DesiredCapacity"] + len(parameters["InstanceIds"]))
        return {"Activities": []}

    def suspend(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Suspend processes."""
        group = self._named(parameters)
        known = {item["ProcessName"] for item in group["SuspendedProcesses"]}
        more = [name for name in parameters["ScalingProcesses"] if name not in known]
        group["SuspendedProcesses"] += [{"ProcessName": name, "SuspensionReason": ""} for name in more]
        return {}

    def resume(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Resume processes."""
        group = self._named(parameters)
        left = [i for i in group["SuspendedProcesses"] if i["ProcessName"] not in parameters["ScalingProcesses"]]
        group["SuspendedProcesses"] = left
        return {}

    def tag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Set tags."""
        for tag in parameters["Tags"]:
            self._untag(tag)
            self._groups[tag["ResourceId"]]["Tags"].append(deepcopy(tag))
        return {}

    def untag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Delete tags."""
        for tag in parameters["Tags"]:
            self._untag(tag)
        return {}

    def put_hook(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """From now on new instances are held."""
        self._hooks[self._named(parameters)["AutoScalingGroupName"]].add(parameters["LifecycleHookName"])
        return {}

    def delete_hook(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """New instances are not held any more."""
        self._hooks[self._named(parameters)["AutoScalingGroupName"]].discard(parameters["LifecycleHookName"])
        return {}

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Let a held instance go on."""
        launched = self.launches[parameters["InstanceId"]]
        launched.held = False
        self._put_in_service(parameters["InstanceId"], launched)
        return {}

    # --- what follows from it -----------------------------------------------------------------------------------------

    def _named(self, parameters: Mapping[str, Any]) -> Item:
        name = parameters["AutoScalingGroupName"]
        if name not in self._groups:
            raise NotFound(f"there is no Auto Scaling group {name}")
        return self._groups[name]

    def _untag(self, tag: Mapping[str, Any]) -> None:
        group = self._groups[tag["ResourceId"]]
        group["Tags"] = [item for item in group.get("Tags", ()) if item["Key"] != tag["Key"]]

    def _move(self, parameters: Mapping[str, Any], state: str) -> Item:
        group = self._named(parameters)
        for item in group["Instances"]:
            if item["InstanceId"] in parameters["InstanceIds"]:
                item["LifecycleState"] = state
        return group

    def _remove(self, group: Item, ids: Sequence[str]) -> None:
        for item in group["Instances"]:
            if item["InstanceId"] in ids:
                item["LifecycleState"] = "Terminating"
                self.launches.pop(item["InstanceId"], None)
        self._drain(ids)

    def _drain(self, ids: Sequence[str]) -> None:
        self._draining |= dict.fromkeys(ids, self._clock.now() + DRAINS)

    def _resize(self, group: Item, desired: int) -> None:
        group["DesiredCapacity"] = max(int(group["MinSize"]), min(int(group["MaxSize"]), desired))
        counted = [item for item in group["Instances"] if item["LifecycleState"] in _COUNTED]
        for _ in range(group["DesiredCapacity"] - len(counted)):
            self._launch(group)
        over = counted[group["DesiredCapacity"] :]
        self._remove(group, [item["InstanceId"] for item in over])

    def _launch(self, group: Item) -> None:
        name = f"{NEW_INSTANCE}{next(self._numbers)}"
        group["Instances"].append(
            {
                "InstanceId": name,
                "AvailabilityZone": _emptiest_zone(group),
                "LifecycleState": "Pending",
                "HealthStatus": "Healthy",
                "LaunchTemplate": deepcopy(_specification(group)),
                "ProtectedFromScaleIn": bool(group.get("NewInstancesProtectedFromScaleIn")),
            }
        )
        group_name = group["AutoScalingGroupName"]
        held = bool(self._hooks[group_name])
        self.launches[name] = Launch(group_name, self._clock.now() + self._half, held=held)


def _specification(group: Mapping[str, Any]) -> Item:
    policy = group.get("MixedInstancesPolicy")
    found: Item = policy["LaunchTemplate"]["LaunchTemplateSpecification"] if policy else group["LaunchTemplate"]
    return found


def _emptiest_zone(group: Mapping[str, Any]) -> str:
    """Auto Scaling launches in the zone with the fewest instances."""
    counts = Counter(str(item["AvailabilityZone"]) for item in group["Instances"])
    return min(sorted(map(str, group["AvailabilityZones"])), key=counts.__getitem__)


def _sources(group: Mapping[str, Any]) -> set[str]:
    attached = {str(item["Identifier"]) for item in group.get("TrafficSources") or ()}
    return attached | {*(group.get("TargetGroupARNs") or ()), *(group.get("LoadBalancerNames") or ())}
