"""What stands in the way of a start, in the two Auto Scaling groups, their template and their subnets. Reads only.

Must never report a check that could not be made as one that has passed: it becomes a warning that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Any, Final

from phoenix.aws.groups import read_groups
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.errors import PhoenixError, Throttled, Unreachable
from phoenix.fleets.launch_check import check_launch
from phoenix.fleets.pair_judgement import Pair, judge_pair, subnets_of

IAM_ACTIONS: Final = frozenset(
    {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeScheduledActions",
        "ec2:DescribeSubnets",
    }
)

_REFRESHING = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})


@dataclass(frozen=True, slots=True)
class Start:
    """The start that is asked about: `need` instances of this image, beside those of the live slot."""

    group: str
    names: Mapping[Slot, str]
    live: Slot
    image: Image
    need: int


def find_blockers(aws: Aws, start: Start) -> list[Blocker]:
    """Everything at once, so that nobody mends one thing only to meet the next."""
    found = read_groups(aws, start.names.values())
    missing = [_unknown(name, aws.region) for name in start.names.values() if name not in found]
    if missing:
        return missing
    live, candidate = found[start.names[start.live]], found[start.names[start.live.other]]
    blockers = judge_pair(Pair(start.group, live, candidate))
    # No template, nothing to launch: the reads below would only repeat that in AWS's words.
    launchable = not any(b.name == "launch-configuration" for b in blockers)
    checks: list[Callable[[], list[Blocker]]] = [
        *(partial(_refreshes, aws, name) for name in start.names.values()),
        partial(_schedules, aws, candidate),
        partial(_addresses, aws, candidate, start.need),
    ]
    if launchable:
        checks.append(partial(check_launch, aws, candidate, start.image))
    answers = aws.side_by_side([partial(_made, check) for check in checks])
    return [*blockers, *(blocker for answer in answers for blocker in answer)]


def _made(check: Callable[[], list[Blocker]]) -> list[Blocker]:
    """The answer of an extra check; an account may deny it, and that alone stands in nobody's way."""
    try:
        return check()
    except (Throttled, Unreachable):
        raise
    except PhoenixError as error:
        return [Blocker("not-checked", "preflight", error.message, error.hint, warning=True)]


def _unknown(name: str, region: str | None) -> Blocker:
    return Blocker(
        "unknown-auto-scaling-group",
        f"Auto Scaling group {name}",
        f"AWS knows no Auto Scaling group {name} in {region or 'a Region that is not configured'}.",
        f"aws autoscaling describe-auto-scaling-groups --region {region} \\\n"
        "    --query 'AutoScalingGroups[].AutoScalingGroupName'",
    )


def _refreshes(aws: Aws, name: str) -> list[Blocker]:
    answer = aws.call("autoscaling", "describe_instance_refreshes", AutoScalingGroupName=name, MaxRecords=10)
    active = (item for item in answer["InstanceRefreshes"] if item["Status"] in _REFRESHING)
    return [
        Blocker(
            "instance-refresh",
            f"Auto Scaling group {name}",
            f"{item['InstanceRefreshId']} is {item['Status']}, {_done(item)} % done{_since(item)}. Wait for it, or:",
            f"aws autoscaling cancel-instance-refresh --auto-scaling-group-name {name}",
        )
        for item in active
    ]


def _done(refresh: Mapping[str, Any]) -> int:
    return int(refresh.get("PercentageComplete", 0))


def _since(refresh: Mapping[str, Any]) -> str:
    return f", started {refresh['StartTime'].astimezone(UTC):%H:%M:%S} UTC" if "StartTime" in refresh else ""


def _schedules(aws: Aws, candidate: Mapping[str, Any]) -> list[Blocker]:
    name = str(candidate["AutoScalingGroupName"])
    found = aws.pages(
        "autoscaling", "describe_scheduled_actions", "ScheduledUpdateGroupActions", AutoScalingGroupName=name
    )
    return [
        Blocker(
            "scheduled-action",
            f"Auto Scaling group {name}",
            f'{name} has a scheduled action "{item["ScheduledActionName"]}"; suspended while the slot is not live.',
            warning=True,
        )
        for item in found
    ]


def _addresses(aws: Aws, candidate: Mapping[str, Any], need: int) -> list[Blocker]:
    subnets = subnets_of(candidate)
    if not subnets:
        return []
    found = list(aws.pages("ec2", "describe_subnets", "Subnets", SubnetIds=sorted(subnets)))
    free = sum(int(subnet["AvailableIpAddressCount"]) for subnet in found)
    if free >= need:
        return []
    return [
        Blocker(
            "subnet-addresses",
            f"Auto Scaling group {candidate['AutoScalingGroupName']}",
            f"{_listed(subnets)} have {free} free addresses; {need} instances are to be launched there.",
            f"aws ec2 describe-subnets --subnet-ids {' '.join(sorted(subnets))}",
        )
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
