"""Auto Scaling: into Standby and out of it. All of the instances of a call, or none.

Sentences: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html and public logs; those that
were found nowhere are marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers.common import (
    counted,
    group_named,
    invalid,
    member_of,
    refuse_if_moving,
    require,
    sizes,
)
from phoenix.sandbox.causes import GROWING, OUT_OF_STANDBY, SHRINKING, TO_STANDBY, stamp
from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.world import World

MOST = 20
"""Instances of one call: the model of botocore."""


def enter_standby(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """EnterStandby: they count no more, and get no traffic. Without decrementing, others are launched for them."""
    group = group_named(world, params["AutoScalingGroupName"])
    members = _members(group, params)
    for member in members:
        require(member, ("InService",))
    old, decrements = group.desired, bool(params["ShouldDecrementDesiredCapacity"])
    if decrements:
        if old - len(members) < group.settings["MinSize"]:
            raise sizes(group, f"To place into standby {counted(members)}")
        group.settings["DesiredCapacity"] = old - len(members)
    activities = []
    for number, member in enumerate(members):
        cause = TO_STANDBY.format(at=stamp(world.timeline.now), instance=member.instance_id)
        cause += SHRINKING.format(old=old - number, new=old - number - 1) if decrements else ""
        activities.append(world.scaling.standby.enter(group, member, f"{cause}.").describe())
    world.scaling.reconcile_soon(group)
    return {"Activities": activities}


def exit_standby(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """ExitStandby: they count again, whatever the group wants, and are in service soon after.

    "Is not in Standby" and "To move out of standby" follow the sentences for the other way; they were found nowhere.
    """
    group = group_named(world, params["AutoScalingGroupName"])
    members = _members(group, params)
    for member in members:
        refuse_if_moving(member)
        require(member, ("Standby",))
    old = group.desired
    if old + len(members) > group.settings["MaxSize"]:
        raise sizes(group, f"To move out of standby {counted(members)}")
    group.settings["DesiredCapacity"] = old + len(members)
    activities = []
    for number, member in enumerate(members):
        cause = OUT_OF_STANDBY.format(at=stamp(world.timeline.now), instance=member.instance_id)
        cause += GROWING.format(old=old + number, new=old + number + 1)
        activities.append(world.scaling.bring_back(group, member, f"{cause}.").describe())
    world.scaling.reconcile_soon(group)
    return {"Activities": activities}


def _members(group: Group, params: Mapping[str, Any]) -> list[Member]:
    """The words for too many were not found."""
    ids = list(dict.fromkeys(params.get("InstanceIds") or ()))
    if not ids:
        raise invalid("At least one instance ID must be specified.")
    if len(ids) > MOST:
        raise invalid(
            f"1 validation error detected: Value '[{', '.join(ids)}]' at 'instanceIds' failed to satisfy constraint:"
            f" Member must have length less than or equal to {MOST}"
        )
    return [member_of(group, each) for each in ids]


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "EnterStandby": enter_standby,
    "ExitStandby": exit_standby,
}
