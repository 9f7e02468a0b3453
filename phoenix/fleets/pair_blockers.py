"""Blockers of a start in the two Auto Scaling groups, their template and their subnets. Reads only.

Must never stop at the first thing it finds: an owner who mends one at a time starts over each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.groups import read_groups
from phoenix.aws.members import below, unknown_members
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.fleets import (
    group_addresses,
    group_launch,
    group_mixed_policy,
    group_neighbours,
    group_pets,
    group_refreshes,
    pair_judgement,
    pair_satellites,
    pair_scaling,
)
from phoenix.fleets.group_addresses import find_addresses
from phoenix.fleets.group_launch import Launch, check_launch
from phoenix.fleets.group_mixed_policy import POLICY, find_unknown
from phoenix.fleets.group_neighbours import find_neighbours, unknown_group
from phoenix.fleets.group_pets import find_pets
from phoenix.fleets.group_refreshes import find_refreshes
from phoenix.fleets.group_schedules import Span
from phoenix.fleets.pair_judgement import Pair, judge_pair
from phoenix.fleets.pair_satellites import find_in_hooks, find_in_notifications, find_in_schedules
from phoenix.fleets.pair_scaling import find_in_policies
from phoenix.fleets.pair_twins import Twins

IAM_ACTIONS: Final = (
    reads("autoscaling:DescribeAutoScalingGroups")
    | group_refreshes.IAM_ACTIONS
    | group_addresses.IAM_ACTIONS
    | group_launch.IAM_ACTIONS
    | group_pets.IAM_ACTIONS
    | pair_satellites.IAM_ACTIONS
    | pair_scaling.IAM_ACTIONS
)
CHECKS: Final = (
    "unknown-auto-scaling-group",
    *pair_judgement.CHECKS,
    *group_refreshes.CHECKS,
    *group_neighbours.CHECKS,
    group_mixed_policy.UNKNOWN,
    *group_addresses.CHECKS,
    *pair_satellites.CHECKS,
    *pair_scaling.CHECKS,
    *group_launch.CHECKS,
    *group_pets.CHECKS,
)


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
    drained_by: frozenset[str] = frozenset()

    @property
    def extra(self) -> int:
        """The number of instances at the peak beyond the live ones."""
        return self.need if self.ahead.extra is None else self.ahead.extra


def find_blockers(aws: Aws, start: Start) -> list[Blocker]:
    """Everything at once."""
    with unknown_members(aws, "autoscaling", "describe_auto_scaling_groups") as unknown:
        found = read_groups(aws, start.names.values())
    missing = [unknown_group(name, aws.region, CHECKS) for name in start.names.values() if name not in found]
    if missing:
        return missing
    live, candidate = found[start.names[start.live]], found[start.names[start.live.other]]
    blockers = [
        *judge_pair(Pair(start.group, live, candidate, start.drained_by)),
        *find_unknown(below(unknown, POLICY)),
    ]
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
        yield Check(f"instance refreshes of {name}", group_refreshes.CHECKS, partial(find_refreshes, aws, name))
    twins = Twins(live, candidate)
    yield Check("lifecycle hooks", pair_satellites.IN_HOOKS, partial(find_in_hooks, aws, twins))
    yield Check("scaling policies", pair_scaling.CHECKS, partial(find_in_policies, aws, twins))
    yield Check("scheduled actions", pair_satellites.IN_SCHEDULES, partial(find_in_schedules, aws, twins, span))
    yield Check("notifications", pair_satellites.IN_NOTIFICATIONS, partial(find_in_notifications, aws, twins))
    yield Check("other Auto Scaling groups", group_neighbours.CHECKS, partial(find_neighbours, aws, (live, candidate)))
    yield Check("free addresses", group_addresses.CHECKS, partial(find_addresses, aws, candidate, count))
    yield Check("live instances", group_pets.CHECKS, partial(find_pets, aws, live))
    if launchable:
        launch = Launch(live, candidate, start.image, count, start.at)
        yield Check("launch template", group_launch.CHECKS, partial(check_launch, aws, launch))
