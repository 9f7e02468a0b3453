"""Could an earlier generation be launched again? What AWS tells, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.model import Slot
from tests.account import Account

DESCRIBE_VERSIONS, GET_QUOTA = "ec2:DescribeLaunchTemplateVersions", "servicequotas:GetServiceQuota"


@pytest.fixture
def live(account: Account) -> Generation:
    """What lives in blue, as the generation before will be known."""
    (instance, *_) = account.fleet.live_instances(Slot.BLUE)
    return Generation(1, Slot.BLUE, instance.image, template_version="1")


def found(account: Account, generation: Generation, count: int = 4) -> list[Blocker]:
    return list(account.fleet.find_revival_blockers(generation, count))


def test_it_takes_six_reads_at_most_and_no_write(account: Account, live: Generation) -> None:
    account.fleet.observe(None)
    account.sandbox.calls.clear()

    assert found(account, live) == []
    assert len(account.operations()) <= 6
    assert account.writes() == []


def test_more_instances_than_free_addresses_stand_in_the_way(account: Account, live: Generation) -> None:
    (blocker,) = found(account, live, 100_000)

    assert (blocker.name, blocker.warning) == ("subnet-addresses", False)


def launch_from_another(account: Account, image: str) -> None:
    """Let blue launch from a template made anew: version 1 of it has this image."""
    ec2 = account.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName="theirs", LaunchTemplateData={"ImageId": image, "InstanceType": "m7i.large"}
    )
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="web-blue", LaunchTemplate={"LaunchTemplateName": "theirs", "Version": "1"}
    )
    account.fleet.observe(None)


def test_another_launch_template_in_the_slot_is_no_obstacle_while_the_image_is_there(
    account: Account, live: Generation
) -> None:
    launch_from_another(account, account.sandbox.bake_image("other"))

    assert found(account, live) == []
    assert account.fleet.identify(live) == replace(live, template_version=None, template=None)


def test_a_generation_is_identified_by_the_image_that_the_version_launches_not_by_its_number(
    account: Account, live: Generation
) -> None:
    (use,) = {state.template for state in account.fleet.observe(None).slots.values()}
    assert account.fleet.identify(live) == replace(live, template=use)

    launch_from_another(account, live.image)

    again = account.fleet.identify(replace(live, template=use, template_version="7"))
    assert (again.template_version, again.template) == ("1", account.fleet.observe(None).slots[Slot.BLUE].template)


def test_a_version_that_was_deleted_launches_nothing(account: Account, live: Generation) -> None:
    known = account.fleet.identify(live)

    again = account.fleet.identify(replace(known, image="ami-0fedcba9876543210", template_version="99"))

    assert (again.template_version, again.template) == (None, None)


def test_an_unknown_image_is_compared_with_nothing(account: Account, live: Generation) -> None:
    assert found(account, replace(live, image="unknown")) == []


def test_a_template_that_is_gone_altogether_is_a_version_that_is_gone(account: Account, live: Generation) -> None:
    account.fleet.observe(None)
    account.client("ec2").delete_launch_template(LaunchTemplateName="web")

    assert [b.name for b in found(account, live)] == ["template-version-gone"]


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
def test_what_aws_does_not_answer_was_not_checked(account: Account, live: Generation, code: str) -> None:
    account.aws.refusals = {DESCRIBE_VERSIONS: code}

    (blocker,) = found(account, live)

    assert (blocker.name, blocker.warning) == ("not-checked", True)
    assert "image-gone" in blocker.unchecked


def test_a_quota_that_may_not_be_read_leaves_the_rest_checked(account: Account, live: Generation) -> None:
    account.aws.refusals = {GET_QUOTA: "AccessDeniedException"}
    account.client("ec2").deregister_image(ImageId=live.image)

    names = [(b.name, b.where) for b in found(account, live)]

    assert ("not-checked", "vCPU quota") in names
    assert "image-gone" in [name for name, _ in names]
