"""Blockers of a start in the descriptions of the two Auto Scaling groups alone. Pure.

Every sentence says what is so and what would go wrong, and brings the command that mends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.tags import GENERATION
from phoenix.fleets import group_attachments, group_judgement, pair_settings
from phoenix.fleets.group_attachments import judge_attachments
from phoenix.fleets.group_judgement import (
    are,
    in_standby,
    judge_bounds,
    judge_group,
    judge_marks,
    judge_new_protection,
    judge_protected,
    judge_retained,
)
from phoenix.fleets.group_shapes import our_tags, subnets_of, target_groups
from phoenix.fleets.pair_settings import judge_settings
from phoenix.fleets.pair_twins import Twins

CHECKS: Final = (
    *group_judgement.CHECKS,
    "protects-new-instances",
    "slot-not-empty",
    "standby",
    "too-few-zones",
    "subnets-differ",
    "shared-target-group",
    *group_attachments.CHECKS,
    *pair_settings.CHECKS,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both groups as AWS describes them, by what they would be in the rotation."""

    group: str
    live: Mapping[str, Any]
    candidate: Mapping[str, Any]
    drained_by: frozenset[str] = frozenset()


def judge_pair(pair: Pair) -> list[Blocker]:
    """All that can be said without another call."""
    both = (pair.live, pair.candidate)
    return [
        *(blocker for group in both for blocker in judge_group(pair.group, group, drained_by=pair.drained_by)),
        *(blocker for group in both for blocker in (*judge_new_protection(group), *judge_attachments(group))),
        *_live(pair.live),
        *_candidate(pair.candidate, alone=int(pair.live["DesiredCapacity"]) == 0),
        *_together(pair.live, pair.candidate),
        *judge_settings(Twins(pair.live, pair.candidate)),
        *judge_marks(both),
    ]


def _live(group: Mapping[str, Any]) -> Iterator[Blocker]:
    yield from judge_retained(group)
    name = str(group["AutoScalingGroupName"])
    yield from judge_bounds(group)
    yield from judge_protected(group, "the live generation")
    standing_by = in_standby(group)
    if standing_by:
        yield Blocker(
            "standby",
            f"Auto Scaling group {name}",
            f"{are(standing_by)} in standby: AWS leaves them behind when the generation goes, and its slot cannot be"
            " used again before they are gone. When they are no longer needed there:",
            f"aws autoscaling exit-standby --auto-scaling-group-name {name} \\\n"
            f"    --instance-ids {' '.join(standing_by)}",
            warning=True,
        )


def _candidate(group: Mapping[str, Any], *, alone: bool) -> Iterator[Blocker]:
    """`alone`: nothing else runs. Then no remedy lets these instances go, whatever they are."""
    yield from judge_retained(group)
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
    yield from judge_protected(group, "the generation before")
    standing_by = in_standby(group)
    if standing_by:
        yield Blocker(
            "standby",
            f"Auto Scaling group {name}",
            f"{are(standing_by)} in standby, which no scale-in takes away; the next generation needs the slot empty."
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
