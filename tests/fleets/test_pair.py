"""The pair on a sandbox: how few calls it needs, and exactly what it writes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.core.action import MakeTemplateVersion, ReplaceInstance, SetRole, WriteTags
from phoenix.core.model import Role, Slot
from phoenix.core.terms import Capacity
from phoenix.errors import NotFound, PermanentError, Throttled, TransientError
from phoenix.fleets.group_marks import groups_tagged
from phoenix.sandbox import Call
from tests.account import Account, Opener
from tests.builders import a_generation, a_rotation

BLUE, GREEN = Slot.BLUE, Slot.GREEN
PROFILE = "Value (web) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
NOT_KNOWN_YET = (
    "The specified launch template version does not exist.",
    "Could not find the specified version {number} for the launch template with ID {template}.",
    "The image id '[{image}]' does not exist",
    PROFILE,
)
"""EC2's sentences, as Auto Scaling passes them on."""
MAKE = MakeTemplateVersion(GREEN, "web-42-7k3f", 42, "ami-0123456789abcdef0")


def the_template(account: Account, version: str = "$Latest") -> dict[str, Any]:
    """One version of the sandbox's launch template, as EC2 describes it."""
    found = account.client("ec2").describe_launch_template_versions(
        LaunchTemplateName=account.group, Versions=[version]
    )
    described: dict[str, Any] = found["LaunchTemplateVersions"][0]
    return described


def made(account: Account) -> str:
    """The generation's version, made a moment ago with an image that is there."""
    image = the_template(account)["LaunchTemplateData"]["ImageId"]
    account.fleet.apply(replace(MAKE, image=image))
    return str(the_template(account)["VersionNumber"])


def grow(version: str) -> SetRole:
    return SetRole(GREEN, Role.CANDIDATE, 1, Capacity(1, 4), version)


@pytest.mark.parametrize("words", NOT_KNOWN_YET)
def test_what_auto_scaling_does_not_know_of_a_new_version_is_asked_for_again(account: Account, words: str) -> None:
    version = made(account)
    account.sandbox.hide_new_versions(30, words)

    with pytest.raises(TransientError, match="not known everywhere yet"):
        account.fleet.apply(grow(version))
    account.clock.advance(30)
    account.fleet.apply(grow(version))

    assert account.slots()[GREEN].template_version == version


@pytest.mark.parametrize("words", NOT_KNOWN_YET)
def test_what_is_still_unknown_of_a_version_after_two_minutes_is_for_a_person(account: Account, words: str) -> None:
    version = made(account)
    account.sandbox.hide_new_versions(3600, words)
    account.clock.advance(120)

    with pytest.raises(PermanentError, match="fully-formed launch template"):
        account.fleet.apply(grow(version))


@pytest.mark.parametrize(("seconds", "expected"), [(110, TransientError), (130, NotFound)])
def test_a_version_that_not_even_ec2_lists_is_as_old_as_its_rotation(
    account: Account, seconds: float, expected: type[Exception]
) -> None:
    at = account.clock.now()
    account.fleet.observe(a_rotation(started_at=at, grown_since=at))
    account.clock.advance(seconds)

    with pytest.raises(expected, match="Could not find the specified version 7"):
        account.fleet.apply(grow("7"))


def test_a_refusal_that_is_not_about_the_version_is_not_asked_for_again(account: Account) -> None:
    version = made(account)

    with pytest.raises(PermanentError, match="must be greater"):
        account.fleet.apply(replace(grow(version), role=Role.LIVE, owner=Capacity(9, 4)))


def test_both_slots_are_read_in_one_call(account: Account) -> None:
    account.fleet.observe(None)

    assert account.operations() == ["DescribeAutoScalingGroups"]


def test_a_rotation_at_rest_costs_no_further_call(account: Account) -> None:
    at = account.clock.now()
    account.fleet.observe(a_rotation(started_at=at, grown_since=at, proved_at=at))

    assert account.operations() == ["DescribeAutoScalingGroups"]


def test_waiting_for_launches_costs_one_call_more(account: Account) -> None:
    at = account.clock.now()
    account.fleet.observe(a_rotation(started_at=at, grown_since=at, proved_at=None))

    assert sorted(account.operations()) == ["DescribeAutoScalingGroups", "DescribeScalingActivities"]


def test_the_way_back_asks_neither_for_launches_nor_for_templates(account: Account) -> None:
    at = account.clock.now()
    new = a_generation(42, template_version=None)
    turned = replace(a_rotation(started_at=at, grown_since=at, new=new), back=object())  # type: ignore[arg-type]

    account.fleet.observe(turned)

    assert account.operations() == ["DescribeAutoScalingGroups"]


def test_a_group_that_does_not_exist_is_named_with_the_region(account: Account) -> None:
    fleet = account.fleet_of("web-blue", "web-gren")

    with pytest.raises(NotFound, match="no Auto Scaling group web-gren; did you mean web-green") as caught:
        fleet.observe(None)

    assert "looked in eu-west-1" in str(caught.value.hint)


def test_a_throttled_read_is_an_error_and_not_an_empty_slot(account: Account) -> None:
    account.aws.refusals["autoscaling:DescribeAutoScalingGroups"] = "Throttling"

    with pytest.raises(Throttled):
        account.fleet.observe(None)


def test_a_version_made_long_before_the_rotation_is_not_looked_for(account: Account) -> None:
    account.clock.advance(86_400)
    rotation = a_rotation(started_at=account.clock.now(), grown_since=None, new=a_generation(42, template_version=None))

    account.fleet.observe(rotation)

    assert account.operations() == ["DescribeAutoScalingGroups", "DescribeLaunchTemplateVersions"]


def test_capacity_and_template_version_are_set_in_one_call(account: Account) -> None:
    account.fleet.observe(None)
    account.sandbox.calls.clear()

    account.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 4, Capacity(2, 12), version="1"))

    (call,) = account.sandbox.calls
    assert (call.operation, "DesiredCapacity" in call.params) == ("UpdateAutoScalingGroup", False)


@pytest.mark.edge(22)
def test_a_mixed_instances_policy_is_kept_but_for_the_version(open_account: Opener) -> None:
    account = open_account("workers")
    describe = account.client("autoscaling").describe_auto_scaling_groups
    before = describe(AutoScalingGroupNames=["workers-green"])["AutoScalingGroups"][0]["MixedInstancesPolicy"]
    account.fleet.apply(replace(MAKE, image=account.sandbox.bake_image("workers-2")))

    account.fleet.apply(SetRole(GREEN, Role.CANDIDATE, 1, Capacity(1, 4), version="2"))

    after = describe(AutoScalingGroupNames=["workers-green"])["AutoScalingGroups"][0]["MixedInstancesPolicy"]
    assert after["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "2"
    assert after["LaunchTemplate"]["Overrides"] == before["LaunchTemplate"]["Overrides"]
    assert after["InstancesDistribution"] == before["InstancesDistribution"]


def test_tags_of_both_slots_are_written_in_one_call_and_stay_off_instances(account: Account) -> None:
    account.fleet.apply(WriteTags({slot: {"phoenix:group": "web", "phoenix:store": "s"} for slot in Slot}))

    (call,) = account.sandbox.calls
    assert len(call.params["Tags"]) == 4
    assert not any(tag["PropagateAtLaunch"] for tag in call.params["Tags"])


@pytest.mark.edge(13)
def test_many_tags_are_written_in_batches(account: Account) -> None:
    account.fleet.apply(WriteTags({BLUE: {f"phoenix:{n}": "x" for n in range(30)}}))

    assert [len(call.params["Tags"]) for call in account.sandbox.calls] == [25, 5]


def test_tags_of_others_are_not_seen(account: Account) -> None:
    account.fleet.apply(WriteTags({BLUE: {"phoenix:group": "web", "team": "web"}}))

    assert account.slots()[BLUE].tags == {"phoenix:group": "web"}


def test_a_sick_instance_is_replaced_without_a_period_of_grace(account: Account) -> None:
    sick = account.slots()[BLUE].instances[0].id

    account.fleet.apply(ReplaceInstance(BLUE, sick))

    assert account.sandbox.calls[-1].params["ShouldRespectGracePeriod"] is False


def test_a_group_is_found_by_its_tags_alone(account: Account) -> None:
    assert groups_tagged(account.aws, "web") == ()
    account.fleet.apply(WriteTags({slot: {"phoenix:group": "web"} for slot in Slot}))

    assert groups_tagged(account.aws, "web") == ("web-blue", "web-green")


def test_the_slots_target_groups_are_those_that_instances_are_registered_with(account: Account) -> None:
    assert [arn.split("/")[1] for arn in account.slots()[BLUE].target_groups] == ["web-blue"]


def test_scaling_policies_are_noticed(open_account: Opener) -> None:
    account = open_account("elastic")
    account.client("autoscaling").delete_policy(AutoScalingGroupName="elastic-green", PolicyName="cpu-60")

    assert (account.fleet.has_scaling_policies(BLUE), account.fleet.has_scaling_policies(GREEN)) == (True, False)


def test_more_instances_than_one_filter_takes_are_asked_for_in_batches(account: Account) -> None:
    known = [instance.id for instance in account.slots()[BLUE].instances]
    account.sandbox.calls.clear()

    found = account.fleet.images_of([*known, *(f"i-{n:017x}" for n in range(400))])

    assert sorted(found) == sorted(known)
    assert account.operations() == ["DescribeInstances"] * 3


def test_an_instance_whose_image_is_known_is_not_asked_about_again(account: Account) -> None:
    known = [instance.id for instance in account.slots()[BLUE].instances]
    account.sandbox.calls.clear()

    first = account.fleet.images_of(known[:3])
    whole = account.fleet.images_of(known)
    again = account.fleet.images_of(known)

    assert (set(first), set(whole)) == (set(known[:3]), set(known))
    assert again == whole
    assert account.operations() == ["DescribeInstances"] * 2


@pytest.mark.parametrize(
    "words",
    [
        "The instance {} is not part of Auto Scaling group web-green.",
        "The instance {} is not in InService.",
        "Instance Id not found - No managed instance found for instance ID: {}",
        "A way to be gone that AWS has only just invented: {}",
    ],
)
@pytest.mark.parametrize("serves", [False, True])
def test_a_refused_replacement_of_an_instance_that_is_gone_is_what_was_wanted(
    account: Account, words: str, serves: bool
) -> None:
    sick = str(account.fleet.observe(None).slots[BLUE].instances[0].id)
    refuse_to_replace(account, words.format(sick))
    if not serves:
        account.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=sick, ShouldDecrementDesiredCapacity=False
        )

    with pytest.raises(PermanentError) if serves else nullcontext():
        account.fleet.apply(ReplaceInstance(BLUE, sick))


def refuse_to_replace(account: Account, words: str) -> None:
    """As Auto Scaling refuses SetInstanceHealth; the sentences are from public threads of Cloudera's and CodeDeploy's
    users."""

    def refuse(call: Call, stage: str) -> None:
        if call.operation == "SetInstanceHealth" and stage == "before":
            answer: Any = {"Error": {"Code": "ValidationError", "Message": words}}
            raise ClientError(answer, call.operation)

    account.sandbox.intercept(refuse)
