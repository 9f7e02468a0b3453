"""An account as it is read: the number of calls, and the words about groups that cannot be rotated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from phoenix.aws.session import Aws
from phoenix.inventory.model import Account, ServerGroup
from phoenix.inventory.read import Question, read_account
from phoenix.sandbox import ManualClock, Sandbox

MANY = 500


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=ManualClock(), seed_group=False) as box:
        box.seed("api")
        box.seed("batch")
        yield box


def read(box: Sandbox, wanted: Sequence[str] | None = (), **policies: Sequence[str]) -> Account:
    box.calls.clear()
    return read_account(Aws(session=box.session, threads=1), Question(box.clock.now(), policies, wanted))


def group_named(found: Account, name: str) -> ServerGroup:
    return next(group for group in found.groups if group.group == name)


def add(box: Sandbox, name: str, desired: int = 1, **settings: Any) -> None:
    batch: Any = box.session.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["batch"])
    like = batch["AutoScalingGroups"][0]
    template = {"LaunchTemplateId": like["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"}
    given = {"MinSize": 0, "MaxSize": 4, "VPCZoneIdentifier": like["VPCZoneIdentifier"], "LaunchTemplate": template}
    box.session.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name, DesiredCapacity=desired, **(given | settings)
    )


def asked(box: Sandbox) -> Counter[str]:
    return Counter(call.operation for call in box.calls)


def test_an_overview_of_500_groups_takes_few_calls(box: Sandbox) -> None:
    for number in range(MANY):
        add(box, f"node-{number}")

    found = read(box)

    assert len(found.groups) == MANY + 2
    assert sum(asked(box).values()) <= 40
    assert asked(box)["DescribeLifecycleHooks"] == 0


def test_policies_for_500_groups_take_one_call_each_and_that_is_for_the_hooks(box: Sandbox) -> None:
    for number in range(MANY):
        add(box, f"node-{number}")
    box.clock.sleep(300)

    found = read(box, wanted=None)

    assert all(group.image is not None for group in found.groups)
    hooks = asked(box).pop("DescribeLifecycleHooks")
    assert hooks == MANY + 2
    assert sum(asked(box).values()) - hooks <= 40


def test_reading_an_account_changes_nothing(box: Sandbox) -> None:
    read(box, wanted=None)

    assert [call.operation for call in box.calls if call.mutating] == []


def test_a_policy_that_names_the_group_is_told(box: Sandbox) -> None:
    assert group_named(read(box, api=["web-api"]), "api").policies == ("web-api",)


def test_an_empty_group_has_no_image_and_that_is_said(box: Sandbox) -> None:
    add(box, "sleeping", desired=0)

    found = group_named(read(box, wanted=None), "sleeping")

    assert found.image is None
    assert "empty" in [blocker.name for blocker in found.missing]


def test_a_name_that_no_policy_can_have_is_replaced_and_stays_different(box: Sandbox) -> None:
    add(box, "a/b")
    add(box, "a-b")

    first, second = (each for each in read(box).groups if each.auto_scaling_groups[0] in ("a/b", "a-b"))

    assert first.group != second.group


def _tagged(key: str) -> Callable[[Sandbox], None]:
    def tag(box: Sandbox) -> None:
        tags: Any = [{"Key": key, "Value": "x", "PropagateAtLaunch": True}]
        add(box, "other", Tags=tags)

    return tag


def _launch_configuration(box: Sandbox) -> None:
    autoscaling: Any = box.session.client("autoscaling")
    images = box.session.client("ec2").describe_images()["Images"]
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="old", ImageId=images[0]["ImageId"], InstanceType="t3.micro"
    )
    subnets = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["VPCZoneIdentifier"]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="other", MinSize=0, MaxSize=1, LaunchConfigurationName="old", VPCZoneIdentifier=subnets
    )


def _code_deploy(box: Sandbox) -> None:
    add(box, "other")
    box.session.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="other",
        LifecycleHookName="CodeDeploy-managed-automatic-launch-deployment-hook-other",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_tagged("eks:nodegroup-name"), "owned-by-another-service"),
        (_tagged("AmazonECSManaged"), "owned-by-another-service"),
        (_tagged("elasticbeanstalk:environment-name"), "owned-by-another-service"),
        (_launch_configuration, "launch-configuration"),
        (_code_deploy, "codedeploy-hook"),
        (lambda box: add(box, "a group"), "name"),
    ],
)
def test_a_group_that_cannot_be_rotated_says_why(box: Sandbox, make: Callable[[Sandbox], None], reason: str) -> None:
    make(box)

    (found,) = (each for each in read(box).groups if each.group not in ("api", "batch"))

    assert found.fleet is None
    assert reason in [blocker.name for blocker in found.in_the_way]
