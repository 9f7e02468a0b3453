"""Parts of several services' answers: refusals, pages, a group by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.refusal import Refusal
from phoenix.sandbox.world import World


def refuse(code: str, message: str) -> Refusal:
    """The error to raise, as AWS words it."""
    return Refusal(code, message)


def invalid(message: str) -> Refusal:
    """A ValidationError."""
    return refuse("ValidationError", message)


def group_named(world: World, name: str) -> Group:
    """The group.

    Raises:
        Refusal: there is none of that name.
    """
    group = world.scaling.groups.get(name)
    if group is None:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def member_of(group: Group, instance_id: str) -> Member:
    """The member.

    Raises:
        Refusal: it is no member, or one of another group.
    """
    member = group.member(instance_id)
    if member is None:
        raise invalid(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
    return member


def require(member: Member, states: Sequence[str]) -> None:
    """Refuse a member that is in none of these states.

    Raises:
        Refusal: as EnterStandby says it (aws-samples/aws-codedeploy-samples#50), DetachInstances
            (reproio/ecs_deploy#47) and SetInstanceProtection.
    """
    if member.lifecycle not in states:
        raise invalid(f"The instance {member.instance_id} is not in {' or '.join(states)}.")


def refuse_if_moving(member: Member) -> None:
    """Refuse what has to wait until the member is through with what it is doing.

    Raises:
        Refusal: it is on its way into Standby (keikoproj/upgrade-manager#77, for a termination) or out of the group.
            The words have been quoted for another action.
    """
    if member.lifecycle.startswith(("EnteringStandby", "Terminating")) and member.activity is not None:
        words = f"Scaling activity {member.activity.id} is in progress and blocks this action"
        raise refuse("ScalingActivityInProgress", words)


def decrement(group: Group, count: int) -> None:
    """Lower the desired capacity with the members that go.

    Raises:
        Refusal: that is below the minimum.
    """
    wanted, least = group.desired - count, group.settings["MinSize"]
    if wanted < least:
        raise invalid(
            f"Currently, desiredSize equals minSize ({least}). Terminating instance without replacement will violate"
            " group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min"
            " size."
        )
    group.settings["DesiredCapacity"] = wanted


def counted(instances: Sequence[object]) -> str:
    """In 2025 "1 instance"; older logs have "1 instances"."""
    return "1 instance" if len(instances) == 1 else f"{len(instances)} instances"


def sizes(group: Group, what: str) -> Refusal:
    """The error of a call that would take the desired capacity out of its bounds, to raise. Quoted for EnterStandby and
    for AttachInstances."""
    least, most = group.settings["MinSize"], group.settings["MaxSize"]
    return invalid(
        f"AutoScalingGroup {group.name} has min-size={least}, max-size={most}, and desired-size={group.desired}."
        f" {what}, please update the AutoScalingGroup sizes appropriately."
    )


def page(items: Sequence[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """One page, and the token of the next; None after the last. A token is the position to go on from."""
    if token is not None and not token.isdigit():
        raise refuse("InvalidNextToken", "The NextToken value is not valid.")
    start = int(token or 0)
    rest = start + size
    return list(items[start:rest]), str(rest) if rest < len(items) else None
