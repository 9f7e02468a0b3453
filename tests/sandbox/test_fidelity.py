"""Where the sandbox differs from moto, and a guard that speaks up when moto moves under it."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import moto.core.utils
import pytest
from moto.core.responses import BaseResponse
from moto.ec2.models.amis import Ami
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.elbv2.models import FakeListener

from phoenix.sandbox.mends import MOTO_SERIES
from tests.sandbox.conftest import Ground, Opener, new_version, refusal

PLACES = {
    BaseResponse._dispatch: ["self", "request", "full_url", "headers"],
    BaseResponse.setup_class: ["self", "request", "full_url", "headers", "use_raw_body"],
    BaseResponse.call_action: ["self"],
    BaseResponse.serialized: ["self", "action_result"],
    BaseResponse._enrich_response: ["headers", "body"],
    BaseResponse._get_action: ["self"],
    TaggedEC2Resource.get_tags: ["self"],
    moto.core.utils.utcnow: [],
    InstanceBackend.run_instances: ["self", "image_id", "count", "user_data", "security_group_names", "kwargs"],
    LaunchTemplate.create_version: ["self", "data", "description"],
}
"""What the sandbox calls or replaces inside moto, with the parameters that it counts on."""


def test_moto_is_of_the_series_that_the_mends_were_made_for() -> None:
    assert version("moto").startswith(MOTO_SERIES), "look through phoenix/sandbox/mends.py before you raise this"


@pytest.mark.parametrize(("place", "parameters"), PLACES.items(), ids=lambda each: getattr(each, "__qualname__", ""))
def test_a_place_in_moto_that_the_sandbox_leans_on_is_as_it_was(place: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(place).parameters) == parameters


def test_moto_still_keeps_what_is_read_past_its_interface() -> None:
    assert {"boot_mode", "architecture", "creation_date", "tags"} <= inspect.signature(Ami).parameters.keys()
    assert "_default_rule" in inspect.getsource(FakeListener.__init__)


def test_closing_a_sandbox_leaves_moto_as_it_was(open_sandbox: Opener) -> None:
    before = BaseResponse._dispatch, TaggedEC2Resource.get_tags, moto.core.utils.utcnow
    ground = open_sandbox()
    assert BaseResponse._dispatch is not before[0]

    ground.sandbox.__exit__(None, None, None)

    assert (BaseResponse._dispatch, TaggedEC2Resource.get_tags, moto.core.utils.utcnow) == before


def test_a_new_version_is_merged_over_its_source(ground: Ground) -> None:
    made = new_version(ground, ground.newest())

    content = made["LaunchTemplateData"]
    assert content["ImageId"] == ground.newest()
    assert content["InstanceType"] == "m7i.large"
    assert content["MetadataOptions"]["HttpTokens"] == "required"
    assert content["UserData"]


def test_the_same_client_token_makes_one_version_and_another_request_with_it_is_refused(ground: Ground) -> None:
    first, again = (new_version(ground, ground.newest(), ClientToken="web-42") for _ in range(2))
    other = {"LaunchTemplateName": "web", "ClientToken": "web-42", "LaunchTemplateData": {"InstanceType": "c7i.large"}}

    assert first["VersionNumber"] == again["VersionNumber"] == 2
    assert refusal(ground.ec2.create_launch_template_version, **other)[0] == "IdempotentParameterMismatch"


def test_members_and_instances_carry_the_version_they_were_launched_from(ground: Ground) -> None:
    ground.grow_green(ground.newest(), size=2)
    new_version(ground, ground.newest())

    members = ground.group()["Instances"]
    instance = ground.ec2.describe_instances(InstanceIds=ground.ids()[:1])["Reservations"][0]["Instances"][0]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert {member["LaunchTemplate"]["Version"] for member in members} == {"2"}
    assert instance["ImageId"] == ground.newest()
    assert tags["aws:ec2launchtemplate:version"] == "2"
    assert tags["aws:autoscaling:groupName"] == "web-green"
    assert (ground.clock.now() - instance["LaunchTime"]).total_seconds() == 117


def test_versions_are_paged_newest_first(ground: Ground) -> None:
    for _ in range(20):
        new_version(ground, ground.newest())

    pages = ground.ec2.get_paginator("describe_launch_template_versions").paginate(
        LaunchTemplateName="web", PaginationConfig={"PageSize": 8}
    )
    numbers = [each["VersionNumber"] for page in pages for each in page["LaunchTemplateVersions"]]
    assert numbers == list(range(21, 0, -1))


def test_a_merged_version_does_not_inherit_snapshots(ground: Ground) -> None:
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "VolumeSize": 9}}
    ground.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"BlockDeviceMappings": [disk]}
    )

    made = ground.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="2", LaunchTemplateData={"InstanceType": "c7g.large"}
    )["LaunchTemplateVersion"]

    assert made["LaunchTemplateData"]["BlockDeviceMappings"] == [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9}}]


def test_deleted_versions_are_gone_and_their_numbers_are_not_used_again(ground: Ground) -> None:
    for _ in range(2):
        new_version(ground, ground.newest())

    told = ground.ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["3", "1", "9"])
    made = new_version(ground, ground.newest())["VersionNumber"]

    gone = [each["VersionNumber"] for each in told["SuccessfullyDeletedLaunchTemplateVersions"]]
    kept = {
        each["VersionNumber"]: each["ResponseError"]["Code"]
        for each in told["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    left = ground.ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    assert (gone, kept) == ([3], {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"})
    assert (made, [each["VersionNumber"] for each in left]) == (4, [4, 2, 1])


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        ({"SnapshotId": "snap-0123456789abcdef0"}, "snapshotId cannot be modified on root device"),
        (
            {"SnapshotId": "snap-0123456789abcdef0", "Encrypted": False},
            "the encrypted flag cannot be specified since device /dev/xvda has a snapshot specified.",
        ),
    ],
)
def test_an_image_is_not_launched_with_another_ones_root_snapshot(
    ground: Ground, disk: dict[str, Any], words: str
) -> None:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": disk}

    asked: Any = {"ImageId": ground.newest(), "BlockDeviceMappings": [mapping], "MinCount": 1, "MaxCount": 1}

    assert refusal(ground.ec2.run_instances, DryRun=True, **asked) == ("InvalidBlockDeviceMapping", words)


def test_an_unknown_version_is_a_plain_error(ground: Ground) -> None:
    code, _ = refusal(ground.ec2.describe_launch_template_versions, LaunchTemplateName="web", Versions=["99"])

    assert code == "InvalidLaunchTemplateId.VersionNotFound"


def test_images_are_registered_with_what_was_said_about_them(ground: Ground) -> None:
    tags = [{"Key": "sandbox:behaviour", "Value": "bad"}]
    image = ground.ec2.register_image(
        Name="mine", Architecture="arm64", TagSpecifications=[{"ResourceType": "image", "Tags": tags}]
    )["ImageId"]

    shown = ground.ec2.describe_images(ImageIds=[image])["Images"][0]
    assert (shown["Architecture"], shown["VirtualizationType"], shown["EnaSupport"]) == ("arm64", "hvm", True)
    assert shown["CreationDate"].startswith("2026-11-18T02:41:02")
    assert shown["Tags"] == tags


def test_images_are_found_by_owner_name_tag_and_date(ground: Ground) -> None:
    filters = [
        {"Name": "name", "Values": ["web-*"]},
        {"Name": "tag:channel", "Values": ["stable"]},
        {"Name": "creation-date", "Values": ["2026-11-18*"]},
    ]

    found = ground.ec2.describe_images(Owners=["self"], Filters=filters)["Images"]

    assert {each["Name"] for each in found} == {"web-2026.11.18-9f2c1e", "web-2026.11.18-a64a64"}


def test_a_dry_run_checks_image_template_and_rights(ground: Ground) -> None:
    template = {"LaunchTemplateName": "web", "Version": "1"}
    arguments = {"MinCount": 1, "MaxCount": 1, "DryRun": True}
    run = ground.ec2.run_instances

    assert refusal(run, LaunchTemplate=template, **arguments)[0] == "DryRunOperation"
    assert refusal(run, ImageId="ami-00000000000000000", **arguments)[0].startswith("InvalidAMIID")
    ground.sandbox.fail_launches("permission")
    assert refusal(run, LaunchTemplate=template, **arguments)[0] == "UnauthorizedOperation"


def test_calls_of_other_services_work(ground: Ground) -> None:
    client = ground.sandbox.session.client
    client("ssm").put_parameter(Name="/web/image", Value="ami-1", Type="String")
    topic = client("sns").create_topic(Name="phoenix")["TopicArn"]

    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    assert client("ssm").get_parameter(Name="/web/image:1")["Parameter"]["Version"] == 1
    assert client("sns").publish(TopicArn=topic, Message="hello")["MessageId"]
    assert client("events").put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}])["Entries"]
    assert client("dynamodb").list_tables()["TableNames"] == []
