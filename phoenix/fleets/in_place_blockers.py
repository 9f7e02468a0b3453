"""Blockers of a start in the one Auto Scaling group of an in-place fleet, its template and its subnets. Reads only.

Must never stop at the first thing it finds: an owner who mends one at a time starts over each time.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.groups import read_groups
from phoenix.aws.members import below, unknown_members
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.core.tags import CAPACITY, IN_ONE_GROUP
from phoenix.fleets import (
    group_addresses,
    group_judgement,
    group_launch,
    group_mixed_policy,
    group_neighbours,
    group_pets,
    group_refreshes,
)
from phoenix.fleets.group_addresses import find_addresses
from phoenix.fleets.group_judgement import (
    are,
    in_standby,
    judge_bounds,
    judge_group,
    judge_marks,
    judge_protected,
    judge_retained,
)
from phoenix.fleets.group_launch import Launch, check_launch
from phoenix.fleets.group_mixed_policy import POLICY, find_unknown
from phoenix.fleets.group_neighbours import find_neighbours, unknown_group
from phoenix.fleets.group_owners import CODEDEPLOY, judge_hooks, judge_predictive
from phoenix.fleets.group_pets import find_pets
from phoenix.fleets.group_refreshes import find_refreshes
from phoenix.fleets.group_satellites import hooks_of, policies_of, schedules_of
from phoenix.fleets.group_schedules import next_firing
from phoenix.fleets.group_shapes import our_tags
from phoenix.fleets.in_place_calls import HOOK
from phoenix.fleets.in_place_slots import tags_in

IAM_ACTIONS: Final = (
    reads("autoscaling:DescribeAutoScalingGroups")
    | reads(
        "autoscaling:DescribeLifecycleHooks",
        "autoscaling:DescribePolicies",
        "autoscaling:DescribeScheduledActions",
        roles=FORWARD,
    )
    | group_refreshes.IAM_ACTIONS
    | group_addresses.IAM_ACTIONS
    | group_launch.IAM_ACTIONS
    | group_pets.IAM_ACTIONS
)
IN_HOOKS: Final = ("hooks-not-run", "codedeploy-hook")
IN_POLICIES: Final = ("predictive-scaling",)
IN_SCHEDULES: Final = ("scheduled-action",)
CHECKS: Final = (
    "unknown-auto-scaling-group",
    *group_judgement.CHECKS,
    "standby",
    *group_refreshes.CHECKS,
    *IN_HOOKS,
    *IN_POLICIES,
    *IN_SCHEDULES,
    *group_neighbours.CHECKS,
    group_mixed_policy.UNKNOWN,
    *group_addresses.CHECKS,
    *group_launch.CHECKS,
    *group_pets.CHECKS,
)


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about: an image for a need that the group serves now."""

    group: str
    name: str
    live: Slot
    image: Image
    need: int
    at: datetime
    ahead: Ahead = UNKNOWN_AHEAD
    hooks_harmless: bool = False
    drained_by: frozenset[str] = frozenset()

    @property
    def extra(self) -> int:
        """How many instances there will be at the peak beyond those that live."""
        return self.need if self.ahead.extra is None else self.ahead.extra


def find_blockers(aws: Aws, start: Start) -> list[Blocker]:
    """Everything at once."""
    with unknown_members(aws, "autoscaling", "describe_auto_scaling_groups") as unknown:
        found = read_groups(aws, (start.name,))
    if start.name not in found:
        return [unknown_group(start.name, aws.region, CHECKS)]
    group = found[start.name]
    blockers = [*_judge(start, group), *find_unknown(below(unknown, POLICY))]
    launchable = not any(b.name == "launch-configuration" for b in blockers)
    return [*blockers, *make_checks(aws, list(_checks(aws, start, group, launchable=launchable)))]


def _judge(start: Start, group: Mapping[str, Any]) -> Iterator[Blocker]:
    """All that can be said without another call."""
    yield from judge_group(start.group, group, IN_ONE_GROUP, start.drained_by)
    yield from judge_retained(group)
    yield from judge_bounds(group)
    if not group.get("NewInstancesProtectedFromScaleIn"):
        # Where every instance is protected, protection says nothing of a single one.
        yield from judge_protected(group, "the live generation")
    yield from _strange_standby(start, group)
    yield from judge_marks((group,))


def _strange_standby(start: Start, group: Mapping[str, Any]) -> Iterator[Blocker]:
    """What a person has put there, for whatever reason, would be taken for the reserve of a generation."""
    ours = CAPACITY in tags_in(our_tags(group), start.live.other)
    waiting = in_standby(group)
    if waiting and not ours:
        name = str(group["AutoScalingGroupName"])
        yield Blocker(
            "standby",
            f"Auto Scaling group {name}",
            f"{are(waiting)} in standby, not by phoenix, which keeps the earlier generation there. When they are no"
            " longer needed there:",
            f"aws autoscaling exit-standby --auto-scaling-group-name {shlex.quote(name)} \\\n"
            f"    --instance-ids {' '.join(waiting)}",
        )


def _checks(aws: Aws, start: Start, group: Mapping[str, Any], *, launchable: bool) -> Iterator[Check]:
    yield Check(f"instance refreshes of {start.name}", group_refreshes.CHECKS, partial(find_refreshes, aws, start.name))
    yield Check("lifecycle hooks", IN_HOOKS, partial(_find_hooks, aws, start))
    yield Check("scaling policies", IN_POLICIES, partial(_find_policies, aws, start.name))
    yield Check("scheduled actions", IN_SCHEDULES, partial(_find_schedules, aws, start))
    yield Check("other Auto Scaling groups", group_neighbours.CHECKS, partial(find_neighbours, aws, (group,)))
    yield Check("free addresses", group_addresses.CHECKS, partial(find_addresses, aws, group, start.extra))
    yield Check("live instances", group_pets.CHECKS, partial(find_pets, aws, group))
    if launchable:
        launch = Launch(group, group, start.image, start.extra, start.at)
        yield Check("launch template", group_launch.CHECKS, partial(check_launch, aws, launch))


def _find_hooks(aws: Aws, start: Start) -> Iterator[Blocker]:
    """Hooks that an instance passes by on its way out of service and back ("Temporarily remove instances from your Auto
    Scaling group" in the user guide): what they register somewhere stays registered in Standby."""
    found = hooks_of(aws, start.name)
    yield from judge_hooks(start.name, found)
    names = sorted({str(hook["LifecycleHookName"]) for hook in found} - {HOOK})
    names = [name for name in names if not name.startswith(CODEDEPLOY)]
    if names and not start.hooks_harmless:
        yield Blocker(
            "hooks-not-run",
            f"Auto Scaling group {start.name}",
            f"the lifecycle hook{'s' if len(names) > 1 else ''} {', '.join(names)} will not run for instances that go"
            " into Standby or come back from there: what a hook registers elsewhere, such as in a service directory,"
            " stays as it is. Where that does no harm, write `hooks: harmless` below `fleet` in the policy.",
        )


def _find_policies(aws: Aws, name: str) -> Iterator[Blocker]:
    yield from judge_predictive(name, policies_of(aws, name))


def _find_schedules(aws: Aws, start: Start) -> Iterator[Blocker]:
    """Actions that would fire meanwhile: they are suspended while a rotation lasts, and AWS does not make up for it."""
    for action in schedules_of(aws, start.name):
        fires_at = next_firing(action, start.at)
        if fires_at is not None and fires_at <= start.at + start.ahead.lasts:
            yield Blocker(
                "scheduled-action",
                f"Auto Scaling group {start.name}",
                f'"{action["ScheduledActionName"]}" is to fire at {fires_at:%H:%M} UTC, in the middle of the rotation:'
                " scheduled actions are suspended meanwhile, so that firing is left out.",
                f"aws autoscaling describe-scheduled-actions --auto-scaling-group-name {shlex.quote(start.name)}",
                warning=True,
            )
