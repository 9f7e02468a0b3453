"""What has to be asked of AWS before a start: refreshes, schedules, templates, addresses, and who else is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.action import MakeTemplateVersion, SetRole
from phoenix.core.blocker import Ahead, Blocker, passed
from phoenix.core.image import Image
from phoenix.core.model import Role, Slot
from phoenix.errors import Throttled, TransientError
from tests.account import Account, Opener
from tests.fakes import an_image


def named(found: list[Blocker] | Any) -> list[str]:
    """Names only."""
    return [blocker.name for blocker in found]


@pytest.fixture
def image(account: Account) -> Image:
    return an_image(account.sandbox.bake_image("web-2026.11.18-c0ffee"))


def test_an_unknown_group_is_the_only_thing_said(account: Account, image: Image) -> None:
    fleet = account.fleet_of("web-blue", "web-gren")

    (blocker,) = fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, "web-gren in eu-west-1" in blocker.text) == ("unknown-auto-scaling-group", True)


@pytest.mark.edge(49)
def test_an_instance_refresh_stands_in_the_way(account: Account, image: Image) -> None:
    account.client("autoscaling").start_instance_refresh(AutoScalingGroupName="web-blue")

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, "web-blue" in str(blocker.remedy)) == ("instance-refresh", True)


def test_scheduled_actions_are_worth_a_warning(account: Account, image: Image) -> None:
    for name in ("web-blue", "web-green"):
        account.client("autoscaling").put_scheduled_update_group_action(
            AutoScalingGroupName=name, ScheduledActionName="nightly-up", Recurrence="0 12 * * *", MinSize=4
        )

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, blocker.warning, "nightly-up" in blocker.text) == ("scheduled-action", True, True)


def test_more_instances_than_free_addresses_stand_in_the_way(account: Account, image: Image) -> None:
    assert named(account.fleet.find_blockers(Slot.BLUE, image, 100_000)) == ["subnet-addresses"]


def test_a_root_snapshot_of_the_old_image_is_said_and_does_not_stand_in_the_way(account: Account, image: Image) -> None:
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "Encrypted": False}}
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"BlockDeviceMappings": [disk]}
    )

    found = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert [(b.name, b.text) for b in found if not b.warning] == []
    assert "image-snapshot" in named(found)


def test_mappings_with_members_that_would_be_lost_stand_in_the_way(account: Account, image: Image) -> None:
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0123456789abcdef0"}}
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"BlockDeviceMappings": [disk]}
    )
    answer_with_member(account, "ec2", "DescribeLaunchTemplateVersions", "<deviceName>", "<warmth>9</warmth>")

    (blocker,) = (b for b in account.fleet.find_blockers(Slot.BLUE, image, 4) if not b.warning)

    assert (blocker.name, "Warmth" in blocker.text) == ("template-member-unknown", True)


def answer_with_member(account: Account, service: str, operation: str, before: str, member: str) -> None:
    """Let AWS answer with a member that came after the installed model."""

    def answer(response_dict: dict[str, Any], **_: object) -> None:
        response_dict["body"] = response_dict["body"].replace(before.encode(), (member + before).encode())

    client = account.aws.client(service)
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-parse.{name}.{operation}", answer)


@pytest.mark.parametrize(
    ("version", "expected"), [("$Latest", ["template-followed-elsewhere"]), ("$Default", []), ("1", [])]
)
def test_another_group_that_would_launch_the_next_version_stands_in_the_way(
    account: Account, image: Image, version: str, expected: list[str]
) -> None:
    another_group(account, LaunchTemplate={"LaunchTemplateId": the_id(account), "Version": version})

    assert named(b for b in account.fleet.find_blockers(Slot.BLUE, image, 4) if not b.warning) == expected


def test_an_override_may_follow_the_template_too(account: Account, image: Image) -> None:
    follows = {"LaunchTemplateId": the_id(account), "Version": "$Latest"}
    base = {"LaunchTemplateSpecification": follows | {"Version": "1"}}
    overrides = [{"InstanceType": "m7g.large", "LaunchTemplateSpecification": follows}]
    another_group(account, MixedInstancesPolicy={"LaunchTemplate": {**base, "Overrides": overrides}})

    found = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert "template-followed-elsewhere" in named(found)


def another_group(account: Account, **source: Any) -> None:
    zones = ["eu-west-1a"]
    account.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="api", MinSize=0, MaxSize=0, AvailabilityZones=zones, **source
    )


def test_a_policy_with_members_that_would_be_lost_stands_in_the_way(open_account: Opener) -> None:
    account = open_account("workers")
    image = an_image(account.sandbox.bake_image("workers-2026.11.18-c0ffee"))
    answer_with_member(
        account, "autoscaling", "DescribeAutoScalingGroups", "<OnDemandBaseCapacity>", "<Fresh>1</Fresh>"
    )

    (blocker,) = (b for b in account.fleet.find_blockers(Slot.BLUE, image, 4) if not b.warning)

    assert (blocker.name, "Fresh" in blocker.text) == ("policy-member-unknown", True)


def versions_of(account: Account, count: int) -> None:
    """Let the template have that many versions, the newest of them ours."""
    template = account.sandbox.world.ec2().launch_templates[the_id(account)]
    for number in range(len(template.versions) + 1, count + 1):
        template.create_version(template.versions[0].data, f"phoenix web-{number}-aaaa generation {number}")


def the_id(account: Account) -> str:
    found = account.client("ec2").describe_launch_templates(LaunchTemplateNames=["web"])
    return str(found["LaunchTemplates"][0]["LaunchTemplateId"])


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1001, None), (1002, ("template-versions", True)), (9_901, ("template-versions", True))],
)
def test_versions_that_pile_up_are_said_before_ec2_makes_no_more(
    account: Account, image: Image, count: int, expected: tuple[str, bool] | None
) -> None:
    versions_of(account, count)

    found = [b for b in account.fleet.find_blockers(Slot.BLUE, image, 4) if b.name == "template-versions"]

    assert [(b.name, b.warning) for b in found] == ([expected] if expected else [])
    assert all("no generation of" in b.text and "{" not in b.text for b in found)


def test_a_template_that_is_full_stands_in_the_way(account: Account, image: Image) -> None:
    versions_of(account, 10_000)

    (blocker,) = (b for b in account.fleet.find_blockers(Slot.BLUE, image, 4) if b.name == "template-versions")

    assert (blocker.warning, "describe-launch-template-versions" in str(blocker.remedy)) == (False, True)


def test_a_template_that_is_gone_stands_in_the_way(account: Account, image: Image) -> None:
    account.client("ec2").delete_launch_template(LaunchTemplateName="web")

    assert named(account.fleet.find_blockers(Slot.BLUE, image, 4)) == ["unknown-launch-template"]


@pytest.mark.parametrize(
    ("code", "name"),
    [("UnauthorizedOperation", "launch-denied"), ("InvalidParameterCombination", "launch-impossible")],
)
def test_a_dry_run_that_fails_stands_in_the_way(account: Account, image: Image, code: str, name: str) -> None:
    account.aws.refusals["ec2:RunInstances"] = code

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, "said the test" in blocker.text) == (name, True)


@pytest.mark.parametrize(("others", "reader"), [((), False), (("ec2:CreateLaunchTemplateVersion",), True)])
def test_a_caller_who_may_neither_launch_nor_make_versions_is_taken_for_a_reader(
    account: Account, image: Image, others: tuple[str, ...], reader: bool
) -> None:
    account.aws.refusals |= dict.fromkeys(("ec2:RunInstances", *others), "UnauthorizedOperation")

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, blocker.of_rights, blocker.warning) == ("launch-denied", reader, False)


def test_the_dry_run_is_of_the_very_launch_that_is_planned(account: Account, image: Image) -> None:
    account.fleet.find_blockers(Slot.BLUE, image, 4)

    (call,) = [call for call in account.sandbox.calls if call.operation == "RunInstances"]
    assert (call.params["DryRun"], call.params["ImageId"]) == (True, image.id)
    assert call.params["LaunchTemplate"]["Version"] == "1"
    assert call.params["SubnetId"].startswith("subnet-")


def test_looking_for_blockers_changes_nothing(account: Account, image: Image) -> None:
    account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert account.writes() == []


def test_a_check_that_is_denied_is_a_warning_and_not_a_pass(account: Account, image: Image) -> None:
    account.aws.refusals["ec2:DescribeSubnets"] = "UnauthorizedOperation"

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)
    assert (blocker.name, blocker.warning) == ("not-checked", True)


def test_a_throttled_check_is_no_answer_at_all(account: Account, image: Image) -> None:
    account.aws.refusals["ec2:DescribeSubnets"] = "RequestLimitExceeded"

    with pytest.raises(Throttled):
        account.fleet.find_blockers(Slot.BLUE, image, 4)


def test_a_mixed_group_is_checked_with_its_first_type(open_account: Opener) -> None:
    account = open_account("workers")
    baked = an_image(account.sandbox.bake_image("workers-2"))

    assert account.fleet.find_blockers(Slot.BLUE, baked, 4) == []
    (call,) = [call for call in account.sandbox.calls if call.operation == "RunInstances"]
    assert call.params["InstanceType"] == "m7i.large"


def test_a_check_that_aws_fails_to_answer_is_no_answer_at_all(account: Account, image: Image) -> None:
    account.aws.refusals["autoscaling:DescribeLifecycleHooks"] = "InternalFailure"

    with pytest.raises(TransientError):
        account.fleet.find_blockers(Slot.BLUE, image, 4)


def test_a_denied_check_is_not_among_those_that_passed(account: Account, image: Image) -> None:
    account.aws.refusals["autoscaling:DescribeLifecycleHooks"] = "AccessDenied"

    found = account.fleet.find_blockers(Slot.BLUE, image, 4)

    missed = set(account.fleet.checks) - set(passed(account.fleet.checks, found))
    assert missed == {"codedeploy-hook", "lifecycle-hooks-differ"}
    assert [blocker.where for blocker in found] == ["lifecycle hooks"]


def test_other_groups_in_our_target_groups_stand_in_the_way(account: Account, image: Image) -> None:
    (arn,) = account.target_groups()[Slot.GREEN]
    account.sandbox.seed("workers")
    account.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName="workers-blue", TargetGroupARNs=[arn]
    )

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, blocker.where) == ("target-group-in-use", "target group web-green")
    assert "--auto-scaling-group-name workers-blue" in str(blocker.remedy)


def test_a_scheduled_action_of_the_live_slot_counts_if_it_fires_before_the_end(account: Account, image: Image) -> None:
    account.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="web-blue", ScheduledActionName="nightly-down", Recurrence="0 3 * * *", MaxSize=2
    )

    def found(minutes: int) -> list[str]:
        said = named(account.fleet.find_blockers(Slot.BLUE, image, 4, Ahead(timedelta(minutes=minutes))))
        return [name for name in said if name == "scheduled-shrink"]

    assert (found(5), found(30)) == ([], ["scheduled-shrink"])


def test_only_what_is_launched_on_top_needs_addresses(account: Account, image: Image) -> None:
    rolling = Ahead(extra=25_000)

    assert account.fleet.find_blockers(Slot.BLUE, image, 100_000, rolling) == []


@pytest.mark.edge(25)
def test_what_the_owner_has_changed_in_the_template_is_shown(account: Account, image: Image) -> None:
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web",
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "m7i.xlarge", "ImageId": image.id, "KeyName": "new"},
    )

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, blocker.warning) == ("template-changed", True)
    assert "from version 2, which differs from version 1" in blocker.text
    assert blocker.text.endswith("image: InstanceType, KeyName.")
    assert account.fleet.template_changes(Slot.BLUE) == ("InstanceType", "KeyName")


@pytest.mark.edge(25)
def test_another_image_in_the_template_is_no_change(account: Account, image: Image) -> None:
    account.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"ImageId": image.id}
    )

    assert account.fleet.find_blockers(Slot.BLUE, image, 4) == []
    assert account.fleet.template_changes(Slot.BLUE) == ()


def test_a_generation_of_ours_is_no_change_of_the_owners(account: Account, image: Image) -> None:
    account.fleet.apply(MakeTemplateVersion(Slot.GREEN, "web-2-7k3f", 2, image.id))
    account.fleet.apply(SetRole(Slot.GREEN, Role.CANDIDATE, 2, version="2"))

    assert account.fleet.template_changes(Slot.GREEN) == ()


def test_an_empty_slot_has_no_template_to_compare(account: Account) -> None:
    assert account.fleet.template_changes(Slot.GREEN) == ()
