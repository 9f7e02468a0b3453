"""What the descriptions of the two Auto Scaling groups alone say against a start. Pure.

Every sentence says what is so and what would go wrong, and brings the command that mends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.templates import template_of
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.tags import GENERATION, GROUP
from phoenix.fleets.pair_shapes import our_tags, target_groups

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
        *_live(pair.live),
        *_candidate(pair.candidate),
        *_together(pair.live, pair.candidate),
    ]


def subnets_of(group: Mapping[str, Any]) -> frozenset[str]:
    """The subnets that the group launches into."""
    return frozenset(name.strip() for name in str(group.get("VPCZoneIdentifier", "")).split(",") if name.strip())


def _either(group_name: str, group: Mapping[str, Any]) -> Iterator[Blocker]:
    name = str(group["AutoScalingGroupName"])
    where = f"Auto Scaling group {name}"
    if "Delete" in str(group.get("Status", "")):
        yield Blocker("being-deleted", where, f"{name} is being deleted: {group['Status']}.")
    if template_of(group) is None:
        yield Blocker(
            "launch-configuration",
            where,
            f"{name} uses a launch configuration, which has no versions to go back to. Give it a launch template:",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --launch-template 'LaunchTemplateName=<name>,Version=<number>'",
        )
    suspended = {item["ProcessName"] for item in group.get("SuspendedProcesses", ())}
    for word, consequence in _INDISPENSABLE.items():
        if word in suspended:
            yield Blocker(
                "suspended-process",
                where,
                f"{word} is suspended, not by phoenix. {consequence}",
                f"aws autoscaling resume-processes --auto-scaling-group-name {name} \\\n    --scaling-processes {word}",
            )
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
    yield from _mixed(name, group.get("MixedInstancesPolicy") or {})


def _mixed(name: str, policy: Mapping[str, Any]) -> Iterator[Blocker]:
    where = f"Auto Scaling group {name}"
    overrides = policy.get("LaunchTemplate", {}).get("Overrides", ())
    if any(str(item.get("WeightedCapacity", "1")) != "1" for item in overrides):
        yield Blocker(
            "weighted-capacity",
            where,
            f"{name} counts capacity in weights, not in instances: a need could not be compared with what is healthy."
            " Remove WeightedCapacity from its overrides.",
        )
    if any(item.get("LaunchTemplateSpecification") for item in overrides):
        yield Blocker(
            "template-per-override",
            where,
            f"{name} has overrides with launch templates of their own: they would go on launching the old image."
            " Remove LaunchTemplateSpecification from its overrides.",
        )


def _live(group: Mapping[str, Any]) -> Iterator[Blocker]:
    name = str(group["AutoScalingGroupName"])
    least, desired, most = int(group["MinSize"]), int(group["DesiredCapacity"]), int(group["MaxSize"])
    if str(group.get("DesiredCapacityType") or "units") != "units":
        yield Blocker(
            "capacity-in-other-units",
            f"Auto Scaling group {name}",
            f"{name} counts its capacity in {group['DesiredCapacityType']}, not in instances.",
        )
    if not least <= desired <= most:
        yield Blocker(
            "desired-out-of-bounds",
            f"Auto Scaling group {name}",
            f"desired {desired} is outside min {least} and max {most}; Auto Scaling is about to change it.",
            f"aws autoscaling set-desired-capacity --auto-scaling-group-name {name} \\\n"
            f"    --desired-capacity {min(max(desired, least), most)}",
        )
    if desired == 0:
        yield Blocker(
            "nothing-live",
            f"Auto Scaling group {name}",
            f"{name} is live and has desired capacity 0: there is nothing to replace, and nothing to compare with.",
            f"aws autoscaling set-desired-capacity --auto-scaling-group-name {name} --desired-capacity <n>",
        )


def _candidate(group: Mapping[str, Any]) -> Iterator[Blocker]:
    name = str(group["AutoScalingGroupName"])
    instances = group.get("Instances", ())
    protected = [str(item["InstanceId"]) for item in instances if item.get("ProtectedFromScaleIn")]
    if instances and GENERATION not in our_tags(group):
        yield Blocker(
            "slot-not-empty",
            f"Auto Scaling group {name}",
            f"{name} has {counted(len(instances), 'instance')} that phoenix did not launch; the next generation needs"
            " the slot empty. If nobody needs them:",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
            "    --min-size 0 --max-size 0 --desired-capacity 0",
        )
    elif protected:
        yield Blocker(
            "scale-in-protection",
            f"Auto Scaling group {name}",
            f"{counted(len(protected), 'instance')} of the generation before cannot go: protected from scale-in.",
            f"aws autoscaling set-instance-protection --auto-scaling-group-name {name} \\\n"
            f"    --no-protected-from-scale-in --instance-ids {' '.join(protected[:50])}",
        )


def _together(live: Mapping[str, Any], candidate: Mapping[str, Any]) -> Iterator[Blocker]:
    names = f"{live['AutoScalingGroupName']} and {candidate['AutoScalingGroupName']}"
    where = f"Auto Scaling groups {names}"
    zones = {str(zone) for zone in live["AvailabilityZones"]}, {str(z) for z in candidate["AvailabilityZones"]}
    if len(zones[0]) > 1 and len(zones[1]) < 2:
        yield Blocker(
            "too-few-zones",
            where,
            f"{live['AutoScalingGroupName']} is in {', '.join(sorted(zones[0]))}, the other only in"
            f" {', '.join(sorted(zones[1]))}: the next generation would die with one zone.",
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {candidate['AutoScalingGroupName']}"
            f" \\\n    --vpc-zone-identifier {live.get('VPCZoneIdentifier') or '<subnets>'}",
        )
    elif subnets_of(live) != subnets_of(candidate) or zones[0] != zones[1]:
        yield Blocker("subnets-differ", where, f"{names} launch into different subnets.", warning=True)
    if bool(live.get("MixedInstancesPolicy")) != bool(candidate.get("MixedInstancesPolicy")):
        yield Blocker("policies-differ", where, "Only one of them has a mixed instances policy.", warning=True)
    if target_groups(live) and set(target_groups(live)) & set(target_groups(candidate)):
        yield Blocker(
            "shared-target-group",
            where,
            "Both register with the same target group: weights could not tell the generations apart."
            " Give each slot a target group of its own.",
        )
