"""Short ways to rotate one plain group by hand: web-blue of the example pair, of which green stays empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.sandbox.conftest import Ground, new_version

BLUE = {"AutoScalingGroupName": "web-blue"}
DRAIN = 30
"""Seconds of deregistration delay of its target group."""
LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"


def enter(ground: Ground, ids: Sequence[str], decrement: bool = True) -> list[Any]:
    asked = {"InstanceIds": list(ids), "ShouldDecrementDesiredCapacity": decrement}
    return list(ground.autoscaling.enter_standby(**BLUE, **asked)["Activities"])


def leave(ground: Ground, ids: Sequence[str]) -> list[Any]:
    return list(ground.autoscaling.exit_standby(**BLUE, InstanceIds=list(ids))["Activities"])


def terminate(ground: Ground, instance: str, decrement: bool = False) -> Any:
    return ground.autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=decrement
    )["Activity"]


def suspend(ground: Ground, *processes: str) -> None:
    ground.autoscaling.suspend_processes(**BLUE, ScalingProcesses=list(processes))


def reserve(ground: Ground, count: int = 2) -> list[str]:
    """Put that many in Standby, drained; zones are left as they are then."""
    suspend(ground, "AZRebalance")
    ids = ground.ids("web-blue")[:count]
    enter(ground, ids)
    ground.clock.advance(DRAIN)
    return ids


def hook(ground: Ground, transition: str, name: str = "phoenix-hold", **settings: Any) -> None:
    ground.autoscaling.put_lifecycle_hook(**BLUE, LifecycleHookName=name, LifecycleTransition=transition, **settings)


def answer(ground: Ground, instance: str, result: str = "CONTINUE", name: str = "phoenix-hold") -> None:
    ground.autoscaling.complete_lifecycle_action(
        **BLUE, LifecycleHookName=name, InstanceId=instance, LifecycleActionResult=result
    )


def state(ground: Ground, instance: str) -> str:
    """Its lifecycle state; "gone" once it is not listed."""
    return next((each["LifecycleState"] for each in members(ground) if each["InstanceId"] == instance), "gone")


def members(ground: Ground) -> list[Any]:
    return list(ground.group("web-blue")["Instances"])


def zones(ground: Ground, lifecycle: str = "InService") -> Counter[str]:
    return Counter(each["AvailabilityZone"] for each in members(ground) if each["LifecycleState"] == lifecycle)


def name_version(ground: Ground, image: str) -> str:
    """Let the group launch that image from now on; return the version's number."""
    number = str(new_version(ground, image)["VersionNumber"])
    ground.update("web-blue", LaunchTemplate={"LaunchTemplateName": "web", "Version": number})
    return number


def versions(ground: Ground, lifecycle: str = "InService") -> Counter[str]:
    found = [each for each in members(ground) if each["LifecycleState"] == lifecycle]
    return Counter(each["LaunchTemplate"]["Version"] for each in found)


def newcomer(ground: Ground) -> str:
    """An instance that is launched now; it runs."""
    before = set(ground.ids("web-blue"))
    ground.update("web-blue", DesiredCapacity=5)
    ground.clock.advance(22)
    (found,) = set(ground.ids("web-blue")) - before
    return found
