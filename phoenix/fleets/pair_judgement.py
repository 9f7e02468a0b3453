"""Blockers of a start in the descriptions of the two Auto Scaling groups alone. Pure.

Every sentence says what is so and what would go wrong, and brings the command that mends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.groups import is_marked
from phoenix.aws.templates import template_of
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.tags import GENERATION, GROUP, MANAGED
from phoenix.fleets import group_attachments, group_limits, group_mixed_policy, group_owners, pair_settings
from phoenix.fleets.group_attachments import judge_attachments
from phoenix.fleets.group_limits import judge_limits
from phoenix.fleets.group_mixed_policy import judge_mixed
from phoenix.fleets.group_owners import judge_owner
from phoenix.fleets.group_shapes import RETAINED, our_tags, subnets_of, target_groups
from phoenix.fleets.pair_settings import judge_settings
from phoenix.fleets.pair_twins import Twins

CHECKS: Final = (
    "being-deleted",
    "launch-configuration",
    "suspended-process",
    "warm-pool",
    "other-group",
    "protects-new-instances",
    *group_mixed_policy.CHECKS,
    "capacity-in-other-units",
    "desired-out-of-bounds",
    "slot-not-empty",
    "scale-in-protection",
    "retained-instances",
    "standby",
    "too-few-zones",
    "subnets-differ",
    "shared-target-group",
    *group_attachments.CHECKS,
    *group_limits.CHECKS,
    *pair_settings.CHECKS,
    *group_owners.CHECKS,
    "unmarked",
)

_MOST_PROTECTIONS_PER_CALL = 50
_INDISPENSABLE: Final = {
    "Launch": "No instance can be launched, not even a replacement.",
    "Terminate": "The old generation could never be let go.",
    "AddToLoadBalancer": "Instances launched now are never registered, not even after it is resumed.",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Both groups as AWS describes them, by what they would be in the rotation."""

    group: str
    live: Mapping[str, Any]
    candidate: Mapping[str, Any]


def judge_pair(pair: Pair) -> list[Blocker]:
    """All that can be said without another call."""
    both = (pair.live, pair.candidate)
    return [
        *(blocker for group in both for blocker in _either(pair.group, group)),
        *(
            blocker
            for group in both
            for blocker in (*judge_owner(group), *judge_attachments(group), *judge_limits(group))
        ),
        *_live(pair.live),
        *_candidate(pair.candidate, alone=int(pair.live["DesiredCapacity"]) == 0),
        *_together(pair.live, pair.candidate),
        *judge_settings(Twins(pair.live, pair.candidate)),
        *_unmarked(both),
    ]


def _either(group_name: str, group: Mapping[str, Any]) -> Iterator[Blocker]:
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
    if group.get("NewInstancesProtectedFromScaleIn"):
        yield Blocker(
            "protects-new-instances",
            where,
            f"{name} protects every instance it launches from scale-in: a generation of it could never be let go.",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --no-new-instances-protected-from-scale-in",
        )
    yield from _in_other_units(name, str(group.get("DesiredCapacityType") or "units"))
    yield from judge_mixed(name, group.get("MixedInstancesPolicy") or {})


def _retained(group: Mapping[str, Any]) -> Iterator[Blocker]:
    """AWS keeps these for a person to look at; they neither serve nor count, and cost until they are ended."""
    name = str(group["AutoScalingGroupName"])
    kept = [str(i["InstanceId"]) for i in group.get("Instances", ()) if i.get("LifecycleState") == RETAINED]
    if kept:
        yield Blocker(
            "retained-instances",
            f"Auto Scaling group {name}",
            f"{_are(kept)} kept after an abandoned termination hook ({RETAINED}): paid for until a person ends them.",
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


def _live(group: Mapping[str, Any]) -> Iterator[Blocker]:
    yield from _retained(group)
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
    yield from _protected(group, "the live generation")
    standing_by = _in_standby(group)
    if standing_by:
        yield Blocker(
            "standby",
            f"Auto Scaling group {name}",
            f"{_are(standing_by)} in standby: AWS leaves them behind when the generation goes, and its slot cannot be"
            " used again before they are gone. When they are no longer needed there:",
            f"aws autoscaling exit-standby --auto-scaling-group-name {name} \\\n"
            f"    --instance-ids {' '.join(standing_by)}",
            warning=True,
        )


def _protected(group: Mapping[str, Any], whose: str) -> Iterator[Blocker]:
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


def _in_standby(group: Mapping[str, Any]) -> list[str]:
    instances = group.get("Instances", ())
    return [str(item["InstanceId"]) for item in instances if "Standby" in str(item.get("LifecycleState", ""))]


def _are(ids: Sequence[str]) -> str:
    return f"{counted(len(ids), 'instance')} {'is' if len(ids) == 1 else 'are'}"


def _candidate(group: Mapping[str, Any], *, alone: bool) -> Iterator[Blocker]:
    """`alone`: nothing else runs. Then no remedy lets these instances go, whatever they are."""
    yield from _retained(group)
    name = str(group["AutoScalingGroupName"])
    instances = group.get("Instances", ())
    if instances and GENERATION not in our_tags(group) and not alone:
        yield Blocker(
            "slot-not-empty",
            f"Auto Scaling group {name}",
            f"{name} has {counted(len(instances), 'instance')} that phoenix did not launch; the next generation needs"
            " the slot empty. If they are not needed:",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --min-size 0 --max-size 0 --desired-capacity 0",
        )
    yield from _protected(group, "the generation before")
    standing_by = _in_standby(group)
    if standing_by:
        yield Blocker(
            "standby",
            f"Auto Scaling group {name}",
            f"{_are(standing_by)} in standby, which no scale-in takes away; the next generation needs the slot empty."
            " If they are not needed:",
            f"aws ec2 terminate-instances --instance-ids {' '.join(standing_by)}",
        )


def _together(live: Mapping[str, Any], candidate: Mapping[str, Any]) -> Iterator[Blocker]:
    one, other = str(live["AutoScalingGroupName"]), str(candidate["AutoScalingGroupName"])
    where = f"Auto Scaling groups {one} and {other}"
    yield from _places(live, candidate, where)
    shared = sorted(set(target_groups(live)) & set(target_groups(candidate)))
    if shared:
        yield Blocker(
            "shared-target-group",
            where,
            "Both register with the same target group: weights could not tell the generations apart."
            f" Give {other} one of its own instead:",
            f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {other} \\\n"
            f"    --traffic-sources {' '.join(f'Identifier={arn},Type=elbv2' for arn in shared)}",
        )


def _unmarked(groups: Sequence[Mapping[str, Any]]) -> Iterator[Blocker]:
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


def _places(live: Mapping[str, Any], candidate: Mapping[str, Any], where: str) -> Iterator[Blocker]:
    zones = {str(zone) for zone in live["AvailabilityZones"]}, {str(z) for z in candidate["AvailabilityZones"]}
    remedy = (
        f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {candidate['AutoScalingGroupName']}"
        f" \\\n    --vpc-zone-identifier {live.get('VPCZoneIdentifier') or '<subnets>'}"
    )
    if len(zones[0]) > 1 and len(zones[1]) < 2:
        yield Blocker(
            "too-few-zones",
            where,
            f"{live['AutoScalingGroupName']} is in {', '.join(sorted(zones[0]))}, the other only in"
            f" {', '.join(sorted(zones[1]))}: the next generation would die with one zone.",
            remedy,
        )
    elif subnets_of(live) != subnets_of(candidate) or zones[0] != zones[1]:
        yield Blocker("subnets-differ", where, "They launch into different subnets.", remedy, warning=True)
