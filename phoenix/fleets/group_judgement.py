"""Blockers of a start in the description of one Auto Scaling group, whatever kind of fleet it is part of. Pure.

Every sentence names the fact and the consequence, and brings the command that mends it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from phoenix.aws.groups import is_marked
from phoenix.aws.templates import template_of
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.tags import GROUP, MANAGED, WRITTEN
from phoenix.fleets import group_limits, group_mixed_policy, group_owners
from phoenix.fleets.group_limits import judge_limits
from phoenix.fleets.group_mixed_policy import judge_mixed
from phoenix.fleets.group_owners import judge_owner
from phoenix.fleets.group_shapes import RETAINED, our_tags

CHECKS: Final = (
    "being-deleted",
    "launch-configuration",
    "suspended-process",
    "warm-pool",
    "other-group",
    *group_mixed_policy.CHECKS,
    "capacity-in-other-units",
    "desired-out-of-bounds",
    "scale-in-protection",
    "retained-instances",
    *group_limits.CHECKS,
    *group_owners.CHECKS,
    "unmarked",
)

_MOST_PROTECTIONS_PER_CALL = 50
_INDISPENSABLE: Final = {
    "Launch": "No instance can be launched, not even a replacement.",
    "Terminate": "The old generation could never be let go.",
    "AddToLoadBalancer": "Instances launched now are never registered, not even after it is resumed.",
}


def judge_group(
    group_name: str, group: Mapping[str, Any], keys: Collection[str] = WRITTEN, drained_by: Collection[str] = ()
) -> Iterator[Blocker]:
    """Everything that any rotation needs of the group, who owns it and what AWS limits included. `keys` are those of
    the tags that a rotation may write, `drained_by` the kinds of what instances pass before they leave."""
    yield from judge_owner(group, drained_by)
    yield from judge_limits(group, keys)
    name = str(group["AutoScalingGroupName"])
    where = f"Auto Scaling group {name}"
    if "Delete" in str(group.get("Status", "")):
        look = f"aws autoscaling describe-scaling-activities --auto-scaling-group-name {name}"
        yield Blocker("being-deleted", where, f"{name} is being deleted: {group['Status']}.", look)
    if template_of(group) is None:
        yield Blocker(
            "launch-configuration",
            where,
            f"{name} uses a launch configuration, which has no versions to go back to. Give it a launch template:",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --launch-template 'LaunchTemplateName=<name>,Version=<number>'",
        )
    yield from _suspended(group)
    if group.get("WarmPoolConfiguration"):
        yield Blocker(
            "warm-pool",
            where,
            f"{name} has a warm pool: it keeps instances of the old image, and fills up even at desired 0.",
            f"aws autoscaling delete-warm-pool --auto-scaling-group-name {name}",
        )
    owner = our_tags(group).get(GROUP, group_name)
    if owner != group_name:
        yield Blocker(
            "other-group",
            where,
            f"{name} belongs to group {owner}, says its tag {GROUP}. One of the two policies is wrong.",
            f"aws autoscaling delete-tags --tags ResourceId={name},ResourceType=auto-scaling-group,Key={GROUP}",
        )
    yield from _in_other_units(name, str(group.get("DesiredCapacityType") or "units"))
    yield from judge_mixed(name, group.get("MixedInstancesPolicy") or {})


def judge_retained(group: Mapping[str, Any]) -> Iterator[Blocker]:
    """AWS keeps these for a person to look at; they neither serve nor count, and cost until they are ended."""
    name = str(group["AutoScalingGroupName"])
    kept = [str(i["InstanceId"]) for i in group.get("Instances", ()) if i.get("LifecycleState") == RETAINED]
    if kept:
        yield Blocker(
            "retained-instances",
            f"Auto Scaling group {name}",
            f"{are(kept)} kept after an abandoned termination hook ({RETAINED}): paid for until a person ends them.",
            "\n".join(
                "aws autoscaling terminate-instance-in-auto-scaling-group --no-should-decrement-desired-capacity \\\n"
                f"    --instance-id {instance}"
                for instance in kept
            ),
            warning=True,
        )


def _in_other_units(name: str, unit: str) -> Iterator[Blocker]:
    if unit != "units":
        yield Blocker(
            "capacity-in-other-units",
            f"Auto Scaling group {name}",
            f"{name} counts its capacity in {unit}, not in instances.",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} --desired-capacity-type units",
        )


def _suspended(group: Mapping[str, Any]) -> Iterator[Blocker]:
    name = str(group["AutoScalingGroupName"])
    suspended = {item["ProcessName"] for item in group.get("SuspendedProcesses", ())}
    for word, consequence in _INDISPENSABLE.items():
        if word in suspended:
            yield Blocker(
                "suspended-process",
                f"Auto Scaling group {name}",
                f"{word} is suspended, not by phoenix. {consequence}",
                f"aws autoscaling resume-processes --auto-scaling-group-name {name} \\\n    --scaling-processes {word}",
            )


def judge_protected(group: Mapping[str, Any], whose: str) -> Iterator[Blocker]:
    """Instances that no scale-in may end."""
    name = str(group["AutoScalingGroupName"])
    protected = [str(item["InstanceId"]) for item in group.get("Instances", ()) if item.get("ProtectedFromScaleIn")]
    if protected:
        yield Blocker(
            "scale-in-protection",
            f"Auto Scaling group {name}",
            f"{counted(len(protected), 'instance')} of {whose} cannot go: protected from scale-in.",
            "\n".join(
                f"aws autoscaling set-instance-protection --auto-scaling-group-name {name} \\\n"
                f"    --no-protected-from-scale-in --instance-ids {' '.join(batch)}"
                for batch in _batches(protected, _MOST_PROTECTIONS_PER_CALL)
            ),
        )


def _batches(ids: Sequence[str], size: int) -> list[Sequence[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def in_standby(group: Mapping[str, Any]) -> list[str]:
    """Ids of the instances that are out of service, or on their way there."""
    instances = group.get("Instances", ())
    return [str(item["InstanceId"]) for item in instances if "Standby" in str(item.get("LifecycleState", ""))]


def are(ids: Sequence[str]) -> str:
    """`1 instance is`, `2 instances are`."""
    return f"{counted(len(ids), 'instance')} {'is' if len(ids) == 1 else 'are'}"


def judge_marks(groups: Sequence[Mapping[str, Any]]) -> Iterator[Blocker]:
    """Without the owner's mark, rights as `phoenix iam` prints them do not hold; wider rights need no mark."""
    names = [str(group["AutoScalingGroupName"]) for group in groups if not is_marked(group)]
    if not names:
        return
    alone = len(names) < len(groups)
    in_use = "the other one carries it, so the rights seem to hang on it" if alone else "wider rights do not need it"
    yield Blocker(
        "unmarked",
        f"Auto Scaling group {names[0]}" if alone else f"Auto Scaling groups {' and '.join(names)}",
        f"Without the tag {MANAGED}=true AWS refuses every change to {'it' if alone else 'them'} where the rights are"
        f" those that `phoenix iam` prints ({in_use}):",
        "\n".join(
            "aws autoscaling create-or-update-tags --tags \\\n"
            f"    ResourceId={name},ResourceType=auto-scaling-group,Key={MANAGED},Value=true,PropagateAtLaunch=false"
            for name in names
        ),
        warning=not alone,
        of_rights=True,
    )


def judge_bounds(group: Mapping[str, Any]) -> Iterator[Blocker]:
    """Sizes that Auto Scaling itself is about to change."""
    name = str(group["AutoScalingGroupName"])
    least, desired, most = int(group["MinSize"]), int(group["DesiredCapacity"]), int(group["MaxSize"])
    if not least <= desired <= most:
        yield Blocker(
            "desired-out-of-bounds",
            f"Auto Scaling group {name}",
            f"desired {desired} is outside min {least} and max {most}; Auto Scaling is about to change it.",
            f"aws autoscaling set-desired-capacity --auto-scaling-group-name {name} \\\n"
            f"    --desired-capacity {min(max(desired, least), most)}",
        )


def judge_new_protection(group: Mapping[str, Any]) -> Iterator[Blocker]:
    """A group that protects whatever it launches."""
    name = str(group["AutoScalingGroupName"])
    where = f"Auto Scaling group {name}"
    if group.get("NewInstancesProtectedFromScaleIn"):
        yield Blocker(
            "protects-new-instances",
            where,
            f"{name} protects every instance it launches from scale-in: a generation of it could never be let go.",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --no-new-instances-protected-from-scale-in",
        )
