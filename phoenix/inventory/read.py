"""Read the Auto Scaling groups of an account, with their load balancers and the images that they run. Reads only.

Calls are by page, and descriptions of many things are asked for at once. Must never ask once for each group: an account
has hundreds. Lifecycle hooks are the exception, as AWS describes those of one group a call
(https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeLifecycleHooks.html); they are read for few groups
only, and when a policy is to be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.session import Aws
from phoenix.core.image import Image
from phoenix.fleets.group_shapes import target_groups
from phoenix.images import describe
from phoenix.inventory.image_filter import broad_pattern, guess
from phoenix.inventory.judge import Surroundings, judge_groups
from phoenix.inventory.model import Account, ServerGroup

IAM_ACTIONS: Final[Rights] = describe.IAM_ACTIONS | reads(
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLifecycleHooks",
    "ec2:DescribeInstances",
    "elasticloadbalancing:DescribeTargetGroups",
    roles=FORWARD,
)
_GROUPS_A_PAGE = 100
_TARGET_GROUPS_A_PAGE = 400
_VALUES_A_FILTER = 200
"""EC2's limit for the values of one filter
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html)."""
FEW_GROUPS = 20
"""As many groups have their hooks read for the overview, too."""

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """The question: `policies` are names of policies by Auto Scaling group; `wanted` are names of groups, or of Auto
    Scaling groups, that a policy is to be written for, None: all of them, `()`: none."""

    at: datetime
    policies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wanted: Sequence[str] | None = ()


def read_account(aws: Aws, question: Question) -> Account:
    """Everything that there is, in one account and Region."""
    account = aws.account_id()
    described = {str(group["AutoScalingGroupName"]): group for group in _groups(aws)}
    around = Surroundings(_target_groups(aws, described.values()), question.policies, {})
    found = judge_groups(list(described.values()), around)
    asked = [each for each in found if _is_wanted(each, question)]
    with_hooks = found if len(found) <= FEW_GROUPS else asked
    hooks = _hooks(aws, [name for each in with_hooks for name in each.auto_scaling_groups])
    found = judge_groups(list(described.values()), replace(around, hooks=hooks))
    asked = [each for each in found if _is_wanted(each, question)]
    filters = _filters(aws, account, asked, described, question.at)
    groups = tuple(replace(each, image=filters.get(each.group)) for each in found)
    return Account(account, aws.region, question.at, groups, described)


def _is_wanted(group: ServerGroup, question: Question) -> bool:
    return question.wanted is None or bool({group.group, *group.auto_scaling_groups} & set(question.wanted))


def _groups(aws: Aws) -> Iterator[Described]:
    page = {"PageSize": _GROUPS_A_PAGE}
    return aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", PaginationConfig=page)


def _target_groups(aws: Aws, groups: Any) -> dict[str, Described]:
    """All of the Region's: the call for named ones takes too few names."""
    if not any(target_groups(group) for group in groups):
        return {}
    page = {"PageSize": _TARGET_GROUPS_A_PAGE}
    found = aws.pages("elbv2", "describe_target_groups", "TargetGroups", PaginationConfig=page)
    return {str(each["TargetGroupArn"]): each for each in found}


def _hooks(aws: Aws, names: Sequence[str]) -> dict[str, list[Described]]:
    answers = aws.side_by_side([partial(_hooks_of, aws, name) for name in names])
    return dict(zip(names, answers, strict=True))


def _hooks_of(aws: Aws, name: str) -> list[Described]:
    answer = aws.call("autoscaling", "describe_lifecycle_hooks", AutoScalingGroupName=name)
    return list(answer["LifecycleHooks"])


def _filters(
    aws: Aws, account: str, groups: Sequence[ServerGroup], described: Mapping[str, Described], at: datetime
) -> dict[str, Any]:
    """A filter for each group whose image is known, by the group's name."""
    instances = {each.group: found for each in groups if (found := _an_instance(each, described)) is not None}
    launched = _images_of(aws, sorted(instances.values()))
    images = {image.id: image for image in _images(aws, sorted(set(launched.values())))}
    running = {
        group: images[launched[instance]] for group, instance in instances.items() if launched.get(instance) in images
    }
    known = _builds(aws, account, running.values())
    guessed = {group: guess(image, account, known[image.owner], at) for group, image in running.items()}
    return {group: found for group, found in guessed.items() if found is not None}


def _an_instance(group: ServerGroup, described: Mapping[str, Described]) -> str | None:
    """One that serves, if there is one: it runs what users have."""
    instances = described[group.auto_scaling_groups[0]].get("Instances", ())
    serving = [item for item in instances if item.get("LifecycleState") == "InService"]
    return next((str(item["InstanceId"]) for item in (*serving, *instances)), None)


def _images_of(aws: Aws, instances: Sequence[str]) -> dict[str, str]:
    """Image ids by instance. By filter: an id that is gone by now would fail the call for all."""
    found: dict[str, str] = {}
    for batch in _batches(instances):
        named = [{"Name": "instance-id", "Values": batch}]
        for reservation in aws.pages("ec2", "describe_instances", "Reservations", Filters=named):
            found |= {str(item["InstanceId"]): str(item["ImageId"]) for item in reservation["Instances"]}
    return found


def _images(aws: Aws, ids: Sequence[str]) -> Iterator[Image]:
    for batch in _batches(ids):
        yield from describe.search_by(aws, (), [{"Name": "image-id", "Values": batch}])


def _builds(aws: Aws, account: str, running: Any) -> dict[str, list[Image]]:
    """All images that have the names of those that run, by owner."""
    patterns: dict[str, set[str]] = {}
    for image in running:
        patterns.setdefault(image.owner, set()).add(broad_pattern(image))
    found: dict[str, list[Image]] = {}
    for owner, names in sorted(patterns.items()):
        asked = describe.SELF if owner == account else owner
        found[owner] = [
            image
            for batch in _batches(sorted(names))
            for image in describe.search_by(aws, (asked,), [{"Name": "name", "Values": batch}])
        ]
    return found


def _batches(values: Sequence[str]) -> Iterator[list[str]]:
    return (list(values[start : start + _VALUES_A_FILTER]) for start in range(0, len(values), _VALUES_A_FILTER))
