"""The generation's template version: what it is made with, and that it is made once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.errors import TransientError
from phoenix.fleets.pair import PairFleet
from tests.account import Account, Opener
from tests.builders import a_generation, a_rotation
from tests.fleets.test_pair import MAKE, grow, the_template

GREEN = Slot.GREEN


@pytest.mark.edge(25)
def test_a_new_version_differs_in_image_and_description_only(account: Account) -> None:
    before = the_template(account)

    account.fleet.apply(MAKE)

    after = the_template(account)
    assert after["VersionDescription"] == "phoenix web-42-7k3f generation 42"
    assert after["LaunchTemplateData"] == before["LaunchTemplateData"] | {"ImageId": MAKE.image}


def test_a_new_version_starts_from_the_owners_newest_and_not_from_ours(account: Account) -> None:
    account.fleet.apply(MAKE)
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "c7g.large"}
    )
    account.fleet.apply(replace(MAKE, rotation="web-43-aaaa", generation=43))
    account.fleet.apply(replace(MAKE, rotation="web-44-bbbb", generation=44))

    assert the_template(account)["LaunchTemplateData"] == {"ImageId": MAKE.image, "InstanceType": "c7g.large"}


def sent(account: Account) -> dict[str, Any]:
    """What the last version was made with."""
    return next(dict(c.params) for c in reversed(account.sandbox.calls) if c.operation == "CreateLaunchTemplateVersion")


def test_ec2_itself_copies_what_the_installed_model_may_not_know(account: Account) -> None:
    account.fleet.apply(MAKE)

    assert (sent(account)["SourceVersion"], sent(account)["LaunchTemplateData"]) == ("1", {"ImageId": MAKE.image})


def own_version(account: Account, **content: Any) -> None:
    """The owner makes a version out of the newest."""
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="$Latest", LaunchTemplateData=content
    )


def test_the_owners_snapshots_are_sent_because_ec2_would_not_copy_them(account: Account) -> None:
    data = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "VolumeSize": 500}}
    own_version(account, BlockDeviceMappings=[data])

    account.fleet.apply(MAKE)

    assert the_template(account)["LaunchTemplateData"]["BlockDeviceMappings"] == [data]


def test_a_template_with_its_old_images_root_snapshot_launches_the_new_image(account: Account) -> None:
    ec2 = account.client("ec2")
    old = the_template(account)["LaunchTemplateData"]["ImageId"]
    root = ec2.describe_images(ImageIds=[old])["Images"][0]["BlockDeviceMappings"][0]
    disk = {"SnapshotId": root["Ebs"]["SnapshotId"], "Encrypted": False, "VolumeSize": 80}
    own_version(account, BlockDeviceMappings=[{"DeviceName": root["DeviceName"], "Ebs": disk}])
    image = account.sandbox.bake_image("web-2026.11.18-c0ffee")

    account.fleet.apply(replace(MAKE, image=image))
    account.fleet.apply(grow(str(the_template(account)["VersionNumber"])))
    account.clock.advance(120)

    mapping = the_template(account)["LaunchTemplateData"]["BlockDeviceMappings"][0]
    assert mapping == {"DeviceName": root["DeviceName"], "Ebs": {"VolumeSize": 80}}
    assert [each.in_service for each in account.slots()[GREEN].instances] == [True]


@pytest.mark.parametrize("owner_is_faster", [False, True])
def test_a_version_whose_answer_was_lost_is_found_again_behind_stale_answers(
    account: Account, owner_is_faster: bool
) -> None:
    account.clock.advance(60)
    rotation = a_rotation(
        id=MAKE.rotation, started_at=account.clock.now(), grown_since=None, new=a_generation(42, template_version=None)
    )
    account.sandbox.lag_versions(10, probability=1)
    account.fleet.apply(MAKE)
    if owner_is_faster:
        account.sandbox.lag_versions(0, probability=0)
        own_version(account, InstanceType="c7g.large")
    successor = account.make(PairFleet)

    if owner_is_faster:
        with pytest.raises(TransientError, match="IdempotentParameterMismatch"):
            successor.apply(MAKE)
    else:
        assert successor.observe(rotation).prepared_version is None
        successor.apply(MAKE)
    account.sandbox.lag_versions(0, probability=0)

    assert successor.observe(rotation).prepared_version == "2"
    ours = account.client("ec2").describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    assert [v["VersionNumber"] for v in ours if v.get("VersionDescription", "").startswith("phoenix ")] == [2]


def test_the_token_is_the_same_for_the_same_version(open_account: Opener) -> None:
    account = open_account()
    account.fleet.apply(MAKE)
    template = account.sandbox.world.ec2().launch_templates[the_template(account)["LaunchTemplateId"]]
    template.versions.pop()
    account.fleet.apply(MAKE)

    tokens = [c.params["ClientToken"] for c in account.sandbox.calls if c.operation == "CreateLaunchTemplateVersion"]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert len(tokens[0]) <= 64
