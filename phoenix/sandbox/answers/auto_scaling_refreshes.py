"""Auto Scaling: instance refreshes. Recorded as in progress; they replace nothing.

The sandbox keeps their effect on instances in Standby only (StandbyInstances in botocore's model).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from phoenix.sandbox.answers.common import group_named, refuse
from phoenix.sandbox.causes import stamp
from phoenix.sandbox.groups import Group
from phoenix.sandbox.world import World

ENDED = frozenset({"Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"})
PATIENCE_S = 3600
"""How long a refresh waits for instances in Standby: "waits one hour … Otherwise, the instance refresh will fail"."""
FOR_A_REFRESH = "At {at} an instance was taken out of service in response to an instance refresh."


def start_refresh(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """StartInstanceRefresh."""
    group = group_named(world, params["AutoScalingGroupName"])
    if any(each["Status"] not in ENDED for each in group.refreshes):
        raise refuse("InstanceRefreshInProgress", "An instance refresh is already in progress.")
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "InProgress",
        "StartTime": world.timeline.now,
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.active()),
    }
    group.refreshes.insert(0, refresh)
    _meet_standby(world, group, refresh, (params.get("Preferences") or {}).get("StandbyInstances", "Wait"))
    return {"InstanceRefreshId": refresh["InstanceRefreshId"]}


def cancel_refresh(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CancelInstanceRefresh."""
    group = group_named(world, params["AutoScalingGroupName"])
    for refresh in group.refreshes:
        if refresh["Status"] not in ENDED:
            refresh |= {"Status": "Cancelled", "EndTime": world.timeline.now}
            return {"InstanceRefreshId": refresh["InstanceRefreshId"]}
    raise refuse("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found.")


def _meet_standby(world: World, group: Group, refresh: dict[str, Any], preference: str) -> None:
    found = [member for member in group.members if member.lifecycle == "Standby"]
    if preference == "Terminate":
        for member in found:
            world.scaling.retire(group, member, FOR_A_REFRESH.format(at=stamp(world.timeline.now)))
    elif preference == "Wait" and found:
        world.timeline.after(PATIENCE_S, lambda: _give_up(world, group, refresh))


def _give_up(world: World, group: Group, refresh: dict[str, Any]) -> None:
    """The StatusReason is the sandbox's: none was found."""
    waiting = [member.instance_id for member in group.members if member.lifecycle == "Standby"]
    if waiting and refresh["Status"] not in ENDED:
        refresh |= {
            "Status": "Failed",
            "StatusReason": f"Instances {', '.join(waiting)} are in Standby.",
            "EndTime": world.timeline.now,
        }


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "StartInstanceRefresh": start_refresh,
    "CancelInstanceRefresh": cancel_refresh,
}
