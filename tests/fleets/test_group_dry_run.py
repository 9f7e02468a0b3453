"""The trial launch: what it asks EC2, and what it makes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.sandbox.faults import LaunchTerms
from tests.account import Account, Opener
from tests.fakes import an_image

CHEAP = {"VCpuCount": {"Min": 2, "Max": 4}, "MemoryMiB": {"Min": 4096}}


@pytest.fixture
def image(account: Account) -> Image:
    return an_image(account.sandbox.bake_image("web-2026.11.18-c0ffee"))


def found(account: Account, image: Image) -> dict[str, bool]:
    """Names of all that stands in the way, and whether each is only a warning."""
    return {blocker.name: blocker.warning for blocker in account.fleet.find_blockers(Slot.BLUE, image, 4)}


def trials(account: Account) -> list[Any]:
    return [call.params for call in account.sandbox.calls if call.operation == "RunInstances"]


def retemplate(account: Account, name: str = "web", **changes: Any) -> None:
    """Another version by the owner; None takes a key away."""
    ec2 = account.client("ec2")
    first = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"][0]
    content = {key: value for key, value in (first["LaunchTemplateData"] | changes).items() if value is not None}
    content["MetadataOptions"] = {"HttpTokens": "required"}
    ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=content)


def remix(account: Account, **override: Any) -> None:
    for slot in ("blue", "green"):
        name = f"{account.group}-{slot}"
        client = account.client("autoscaling")
        (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        policy = group["MixedInstancesPolicy"]
        specification = {"LaunchTemplateName": account.group, "Version": "1"}
        policy["LaunchTemplate"] = {"LaunchTemplateSpecification": specification, "Overrides": [override]}
        client.update_auto_scaling_group(AutoScalingGroupName=name, MixedInstancesPolicy=policy)


def test_types_chosen_by_attributes_in_the_template_are_not_tried_and_block_nothing(
    account: Account, image: Image
) -> None:
    retemplate(account, InstanceType=None, InstanceRequirements=CHEAP)

    assert found(account, image)["not-checked"] is True
    assert "launch-impossible" not in found(account, image)
    assert trials(account) == []


def test_types_chosen_by_attributes_in_the_overrides_are_not_tried_and_block_nothing(open_account: Opener) -> None:
    account = open_account("workers")
    retemplate(account, "workers", InstanceType=None)
    remix(account, InstanceRequirements=CHEAP)

    blockers = found(account, an_image(account.sandbox.bake_image("workers-2")))

    assert (blockers["not-checked"], "launch-impossible" in blockers) == (True, False)


def test_a_zone_that_lacks_the_type_is_a_warning_while_another_has_it(account: Account, image: Image) -> None:
    account.sandbox.launch_terms.withheld |= {("m7i.large", "eu-west-1a")}

    assert found(account, image) == {"launch-zone": True}


def test_a_type_that_no_zone_has_stands_in_the_way(account: Account, image: Image) -> None:
    zones = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    account.sandbox.launch_terms.withheld |= {("m7i.large", zone) for zone in zones}

    assert found(account, image) == {"launch-impossible": False}


def test_the_trial_has_the_tags_that_the_group_gives_its_instances(account: Account, image: Image) -> None:
    for slot in ("blue", "green"):
        tag = {"ResourceType": "auto-scaling-group", "ResourceId": f"web-{slot}", "Key": "cost-centre", "Value": "7"}
        account.client("autoscaling").create_or_update_tags(Tags=[tag | {"PropagateAtLaunch": True}])
    account.sandbox.launch_terms.tags = frozenset({"cost-centre"})

    assert "launch-denied" not in found(account, image)


def test_a_launch_without_a_tag_that_the_organisation_demands_stands_in_the_way(account: Account, image: Image) -> None:
    account.sandbox.launch_terms.tags = frozenset({"cost-centre"})

    assert found(account, image)["launch-denied"] is False


def test_rights_that_refuse_only_the_trial_are_a_warning(account: Account, image: Image) -> None:
    account.sandbox.launch_terms.template_images_only = True

    assert found(account, image) == {"not-checked": True}


def test_terms_are_none_unless_they_are_set(account: Account) -> None:
    assert account.sandbox.launch_terms == LaunchTerms()


@pytest.mark.parametrize(
    "content",
    [
        {"InstanceMarketOptions": {"MarketType": "spot"}},
        {"Placement": {"Tenancy": "dedicated"}},
        {"CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}}},
        {"InstanceType": "mac2.metal"},
    ],
)
def test_instances_that_the_quota_on_demand_does_not_count_are_not_held_against_it(
    account: Account, image: Image, content: dict[str, Any]
) -> None:
    account.sandbox.launch_terms.withheld.clear()
    retemplate(account, **content)

    found(account, image)

    asked = [call.params["QuotaCode"] for call in account.sandbox.calls if call.operation == "GetServiceQuota"]
    assert "L-1216C47A" not in asked
