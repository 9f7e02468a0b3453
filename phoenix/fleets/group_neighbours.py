"""Other Auto Scaling groups of the account that share a target group or a launch template with ours. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.aws.templates import template_of
from phoenix.core.blocker import Blocker
from phoenix.fleets import group_template_followers
from phoenix.fleets.group_shapes import target_groups
from phoenix.fleets.group_template_followers import find_followers

CHECKS: Final = ("target-group-in-use", group_template_followers.CHECK)

_MOST_GROUPS_PER_PAGE = 100


def unknown_group(name: str, region: str | None, unchecked: tuple[str, ...]) -> Blocker:
    """The blocker for a group that does not exist; all other checks are `unchecked` then."""
    return Blocker(
        "unknown-auto-scaling-group",
        f"Auto Scaling group {name}",
        f"AWS knows no Auto Scaling group {name} in {region or 'a Region that is not configured'}.",
        f"aws autoscaling describe-auto-scaling-groups --region {region} \\\n"
        "    --query 'AutoScalingGroups[].AutoScalingGroupName'",
        unchecked=unchecked,
    )


def find_neighbours(aws: Aws, ours: Sequence[Mapping[str, Any]]) -> Iterator[Blocker]:
    """Other groups that register in our target groups, or launch the newest version of our template.

    AWS cannot be asked by either, so all groups are read, without their instances.
    """
    names = {str(group["AutoScalingGroupName"]) for group in ours}
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
    yield from _in_our_target_groups({arn for group in ours for arn in target_groups(group)}, others)
    templates = {use.id for use in map(template_of, ours) if use is not None}
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
