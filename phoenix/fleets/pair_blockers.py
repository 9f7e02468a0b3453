"""Blockers of a start in the two Auto Scaling groups, their template and their subnets. Reads only.

Must never stop at the first thing it finds: an owner who mends one at a time starts over each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.groups import read_groups
from phoenix.aws.members import below, unknown_members
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import template_of
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.fleets import (
    group_addresses,
    group_launch,
    group_mixed_policy,
    group_pets,
    group_template_followers,
    pair_judgement,
    pair_satellites,
    pair_scaling,
)
from phoenix.fleets.group_addresses import find_addresses
from phoenix.fleets.group_launch import Launch, check_launch
from phoenix.fleets.group_mixed_policy import POLICY, find_unknown
from phoenix.fleets.group_pets import find_pets
from phoenix.fleets.group_schedules import Span
from phoenix.fleets.group_shapes import target_groups
from phoenix.fleets.group_template_followers import find_followers
from phoenix.fleets.pair_judgement import Pair, judge_pair
from phoenix.fleets.pair_satellites import find_in_hooks, find_in_notifications, find_in_schedules
from phoenix.fleets.pair_scaling import find_in_policies
from phoenix.fleets.pair_twins import Twins

IAM_ACTIONS: Final = (
    reads("autoscaling:DescribeAutoScalingGroups")
    | reads("autoscaling:DescribeInstanceRefreshes", roles=FORWARD)
    | group_addresses.IAM_ACTIONS
    | group_launch.IAM_ACTIONS
    | group_pets.IAM_ACTIONS
    | pair_satellites.IAM_ACTIONS
    | pair_scaling.IAM_ACTIONS
)
_SHARED: Final = ("target-group-in-use", group_template_followers.CHECK)
CHECKS: Final = (
    "unknown-auto-scaling-group",
    *pair_judgement.CHECKS,
    "instance-refresh",
    *_SHARED,
    group_mixed_policy.UNKNOWN,
    *group_addresses.CHECKS,
    *pair_satellites.CHECKS,
    *pair_scaling.CHECKS,
    *group_launch.CHECKS,
    *group_pets.CHECKS,
)

_REFRESHING = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})
_MOST_GROUPS_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about: an image for a need that the live slot serves now."""

    group: str
    names: Mapping[Slot, str]
    live: Slot
    image: Image
    need: int
    at: datetime
    ahead: Ahead = UNKNOWN_AHEAD

    @property
    def extra(self) -> int:
        """The number of instances at the peak beyond the live ones."""
        return self.need if self.ahead.extra is None else self.ahead.extra


def find_blockers(aws: Aws, start: Start) -> list[Blocker]:
    """Everything at once."""
    with unknown_members(aws, "autoscaling", "describe_auto_scaling_groups") as unknown:
        found = read_groups(aws, start.names.values())
    missing = [_unknown(name, aws.region) for name in start.names.values() if name not in found]
    if missing:
        return missing
    live, candidate = found[start.names[start.live]], found[start.names[start.live.other]]
    blockers = [*judge_pair(Pair(start.group, live, candidate)), *find_unknown(below(unknown, POLICY))]
    # No template, nothing to launch: the reads below would only repeat that in AWS's words.
    launchable = not any(b.name == "launch-configuration" for b in blockers)
    return [*blockers, *make_checks(aws, list(_checks(aws, start, live, candidate, launchable=launchable)))]


def _checks(
    aws: Aws, start: Start, live: Mapping[str, Any], candidate: Mapping[str, Any], *, launchable: bool
) -> Iterator[Check]:
    # What the generation before still has there is gone by the time the next one is launched.
    count = max(0, start.extra - len(candidate.get("Instances", ())))
    span = Span(start.at, start.ahead.lasts, start.need)
    for name in start.names.values():
        yield Check(f"instance refreshes of {name}", ("instance-refresh",), partial(_refreshes, aws, name))
    twins = Twins(live, candidate)
    yield Check("lifecycle hooks", pair_satellites.IN_HOOKS, partial(find_in_hooks, aws, twins))
    yield Check("scaling policies", pair_scaling.CHECKS, partial(find_in_policies, aws, twins))
    yield Check("scheduled actions", pair_satellites.IN_SCHEDULES, partial(find_in_schedules, aws, twins, span))
    yield Check("notifications", pair_satellites.IN_NOTIFICATIONS, partial(find_in_notifications, aws, twins))
    yield Check("other Auto Scaling groups", _SHARED, partial(_sharers, aws, live, candidate))
    yield Check("free addresses", group_addresses.CHECKS, partial(find_addresses, aws, candidate, count))
    yield Check("live instances", group_pets.CHECKS, partial(find_pets, aws, live))
    if launchable:
        launch = Launch(live, candidate, start.image, count, start.at)
        yield Check("launch template", group_launch.CHECKS, partial(check_launch, aws, launch))


def _unknown(name: str, region: str | None) -> Blocker:
    return Blocker(
        "unknown-auto-scaling-group",
        f"Auto Scaling group {name}",
        f"AWS knows no Auto Scaling group {name} in {region or 'a Region that is not configured'}.",
        f"aws autoscaling describe-auto-scaling-groups --region {region} \\\n"
        "    --query 'AutoScalingGroups[].AutoScalingGroupName'",
        unchecked=CHECKS,
    )


def _refreshes(aws: Aws, name: str) -> Iterator[Blocker]:
    """The newest ten are enough: at most one is active, and it is the newest."""
    answer = aws.call("autoscaling", "describe_instance_refreshes", AutoScalingGroupName=name, MaxRecords=10)
    for item in answer["InstanceRefreshes"]:
        if item["Status"] not in _REFRESHING:
            continue
        yield Blocker(
            "instance-refresh",
            f"Auto Scaling group {name}",
            f"{item['InstanceRefreshId']} is {item['Status']}, {_done(item)} % done{_since(item)}. Wait for it, or:",
            f"aws autoscaling cancel-instance-refresh --auto-scaling-group-name {name}",
        )


def _done(refresh: Mapping[str, Any]) -> int:
    return int(refresh.get("PercentageComplete", 0))


def _since(refresh: Mapping[str, Any]) -> str:
    return f", started {refresh['StartTime'].astimezone(UTC):%H:%M:%S} UTC" if "StartTime" in refresh else ""


def _sharers(aws: Aws, *pair: Mapping[str, Any]) -> Iterator[Blocker]:
    """Other groups that register in our target groups, or launch the newest version of our template.

    AWS cannot be asked by either, so all groups are read, without their instances.
    """
    names = {str(group["AutoScalingGroupName"]) for group in pair}
    everyone = list(
        aws.pages(
            "autoscaling",
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
            IncludeInstances=False,
            PaginationConfig={"PageSize": _MOST_GROUPS_PER_PAGE},
        )
    )
    others = [group for group in everyone if str(group["AutoScalingGroupName"]) not in names]
    yield from _in_our_target_groups({arn for group in pair for arn in target_groups(group)}, others)
    templates = {use.id for use in map(template_of, pair) if use is not None}
    yield from find_followers(templates, names, others)


def _in_our_target_groups(ours: Collection[str], others: Iterable[Mapping[str, Any]]) -> Iterator[Blocker]:
    """They would get a share of the traffic that no weight of ours accounts for."""
    for group in others:
        name = str(group["AutoScalingGroupName"])
        for arn in sorted(set(ours).intersection(target_groups(group))):
            yield Blocker(
                "target-group-in-use",
                f"target group {arn.split('/')[1]}",
                f"the Auto Scaling group {name} registers its instances here too: they would get traffic that is meant"
                " for one generation only.",
                f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {name} \\\n"
                f"    --traffic-sources Identifier={arn},Type=elbv2",
            )
