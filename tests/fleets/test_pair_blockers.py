"""Everything about the two groups that stands in the way of a start, each with the command that mends it."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.core.model import Slot
from phoenix.errors import Throttled
from phoenix.fleets.pair import PairFleet, Settings
from phoenix.fleets.pair_judgement import Pair, judge_pair
from tests.account import Account, Opener
from tests.fakes import an_image

TEMPLATE = {"LaunchTemplateId": "lt-1", "Version": "1"}
SUBNETS = ("eu-west-1a", "eu-west-1b")


def a_group(name: str = "web-blue", desired: int = 4, **changes: Any) -> dict[str, Any]:
    """A group as Auto Scaling describes it, with nothing wrong about it."""
    return {
        "AutoScalingGroupName": name,
        "MinSize": 2,
        "MaxSize": 8,
        "DesiredCapacity": desired,
        "LaunchTemplate": TEMPLATE,
        "AvailabilityZones": list(SUBNETS),
        "VPCZoneIdentifier": "subnet-1,subnet-2",
        "Instances": [{"InstanceId": f"i-{n}"} for n in range(desired)],
        "TargetGroupARNs": [f"arn:tg/{name}"],
    } | changes


def judged(live: dict[str, Any] | None = None, candidate: dict[str, Any] | None = None) -> list[Blocker]:
    """What is said against this pair."""
    return judge_pair(Pair("web", a_group() | (live or {}), a_group("web-green", 0, MinSize=0) | (candidate or {})))


def named(found: list[Blocker] | Any) -> list[str]:
    """Names only."""
    return [blocker.name for blocker in found]


def mixed(**override: Any) -> dict[str, Any]:
    """A mixed instances policy with one override."""
    launch = {"LaunchTemplateSpecification": TEMPLATE, "Overrides": [{"InstanceType": "m7g.large"} | override]}
    return {"LaunchTemplate": None, "MixedInstancesPolicy": {"LaunchTemplate": launch}}


def test_nothing_is_said_against_a_pair_at_rest() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("live", "name"),
    [
        ({"LaunchTemplate": None, "LaunchConfigurationName": "old"}, "launch-configuration"),
        ({"WarmPoolConfiguration": {"MinSize": 1}}, "warm-pool"),
        ({"Status": "Delete in progress"}, "being-deleted"),
        ({"DesiredCapacity": 9}, "desired-out-of-bounds"),
        ({"DesiredCapacity": 0, "MinSize": 0}, "nothing-live"),
        ({"DesiredCapacityType": "vcpu"}, "capacity-in-other-units"),
        ({"Tags": [{"Key": "phoenix:group", "Value": "api"}]}, "other-group"),
    ],
)
def test_a_live_group_may_be_unfit(live: dict[str, Any], name: str) -> None:
    assert named(judged(live=live)) == [name]


@pytest.mark.edge(6)
@pytest.mark.parametrize("word", ["Launch", "Terminate", "AddToLoadBalancer"])
def test_a_suspended_launch_stands_in_the_way_with_the_command_that_resumes_it(word: str) -> None:
    (blocker,) = judged(candidate={"SuspendedProcesses": [{"ProcessName": word}]})

    assert (blocker.name, blocker.where) == ("suspended-process", "Auto Scaling group web-green")
    assert f"--scaling-processes {word}" in str(blocker.remedy)


def test_suspended_schedules_are_our_own_business() -> None:
    assert judged(candidate={"SuspendedProcesses": [{"ProcessName": "ScheduledActions"}]}) == []


def test_strangers_in_the_other_slot_stand_in_the_way() -> None:
    (blocker,) = judged(candidate={"Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]})

    assert (blocker.name, "2 instances" in blocker.text) == ("slot-not-empty", True)


def test_the_generation_before_does_not_stand_in_its_own_way() -> None:
    ours = [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]

    assert judged(candidate={"Instances": [{"InstanceId": "i-1"}], "Tags": ours}) == []


def test_a_generation_that_is_protected_from_scale_in_cannot_go() -> None:
    ours = [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]
    protected = [{"InstanceId": "i-1", "ProtectedFromScaleIn": True}]

    assert named(judged(candidate={"Instances": protected, "Tags": ours})) == ["scale-in-protection"]


def test_weighted_capacity_stands_in_the_way() -> None:
    both = mixed(WeightedCapacity="4")

    assert named(judged(both, both)) == ["weighted-capacity"] * 2


@pytest.mark.edge(22)
def test_overrides_with_templates_of_their_own_stand_in_the_way() -> None:
    both = mixed(LaunchTemplateSpecification=TEMPLATE)

    assert named(judged(both, both)) == ["template-per-override"] * 2


def test_one_mixed_policy_alone_is_worth_a_warning() -> None:
    assert [(b.name, b.warning) for b in judged(candidate=mixed())] == [("policies-differ", True)]


def test_a_candidate_in_one_zone_only_stands_in_the_way() -> None:
    assert named(judged(candidate={"AvailabilityZones": ["eu-west-1a"]})) == ["too-few-zones"]


def test_other_subnets_are_worth_a_warning() -> None:
    found = judged(candidate={"VPCZoneIdentifier": "subnet-1,subnet-3"})

    assert [(b.name, b.warning) for b in found] == [("subnets-differ", True)]


def test_a_target_group_for_both_slots_stands_in_the_way() -> None:
    assert named(judged(candidate={"TargetGroupARNs": ["arn:tg/web-blue"]})) == ["shared-target-group"]


# --- what has to be asked for -----------------------------------------------------------------------------------------


@pytest.fixture
def image(account: Account) -> Image:
    return an_image(account.sandbox.bake_image("web-2026.11.18-c0ffee"))


def test_an_unknown_group_is_the_only_thing_said(account: Account, image: Image) -> None:
    fleet = account.make(PairFleet, Settings(blue="web-blue", green="web-gren"))

    (blocker,) = fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, "web-gren in eu-west-1" in blocker.text) == ("unknown-auto-scaling-group", True)


@pytest.mark.edge(49)
def test_an_instance_refresh_stands_in_the_way(account: Account, image: Image) -> None:
    account.client("autoscaling").start_instance_refresh(AutoScalingGroupName="web-blue")

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, "web-blue" in str(blocker.remedy)) == ("instance-refresh", True)


def test_scheduled_actions_are_worth_a_warning(account: Account, image: Image) -> None:
    account.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="web-green", ScheduledActionName="nightly-up", Recurrence="0 2 * * *", MinSize=4
    )

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, image, 4)

    assert (blocker.name, blocker.warning, "nightly-up" in blocker.text) == ("scheduled-action", True, True)


def test_more_instances_than_free_addresses_stand_in_the_way(account: Account, image: Image) -> None:
    assert named(account.fleet.find_blockers(Slot.BLUE, image, 100_000)) == ["subnet-addresses"]


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
