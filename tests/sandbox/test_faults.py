"""Calls that AWS fails, answers late, or carries out without saying so."""

from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from phoenix.sandbox import ManualClock, SkewedClock
from tests.sandbox.conftest import Ground, Opener, new_version, refusal
from tests.sandbox.plain import LAUNCHING, enter, hook, members, state

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


@pytest.fixture
def ground(open_sandbox: Opener) -> Ground:
    """Whose client for Auto Scaling tries everything just once."""
    ground = open_sandbox()
    ground.__dict__["autoscaling"] = ground.sandbox.session.client("autoscaling", config=ONCE)
    return ground


def test_a_failed_call_is_answered_with_a_503_and_changes_nothing(ground: Ground) -> None:
    ground.sandbox.fail_calls(["UpdateAutoScalingGroup"], count=1)

    with pytest.raises(ClientError) as failed:
        ground.update(MinSize=3, MaxSize=5)

    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert ground.group()["MaxSize"] == 0


def test_a_failed_call_is_retried_by_clients_that_do(ground: Ground) -> None:
    ground.sandbox.fail_calls(["DescribeLoadBalancers"], count=1)

    assert ground.elbv2.describe_load_balancers()["LoadBalancers"]


def test_a_lost_response_has_had_its_effect(ground: Ground) -> None:
    ground.sandbox.lose_responses(["Update*"], count=1)

    with pytest.raises(ConnectionClosedError):
        ground.update(MinSize=3, MaxSize=5)

    assert ground.group()["MinSize"] == 3


def test_stale_reads_say_what_they_said_before(ground: Ground) -> None:
    ground.sandbox.stale_reads(["DescribeAutoScalingGroups"], most=30, probability=1)
    before = ground.group()["MaxSize"]
    ground.clock.advance(20)

    ground.update(MaxSize=before + 5)

    assert ground.group()["MaxSize"] == before
    ground.clock.advance(11)
    assert ground.group()["MaxSize"] == before + 5


def test_stale_reads_never_answer_another_question(ground: Ground) -> None:
    ground.sandbox.stale_reads(["Describe*"], probability=1)
    ground.group("web-blue")
    ground.clock.advance(5)

    assert ground.group("web-green")["AutoScalingGroupName"] == "web-green"


def test_writes_are_never_stale(ground: Ground) -> None:
    ground.sandbox.stale_reads(["*"], probability=1)

    ground.update(MaxSize=7)
    ground.clock.advance(5)
    ground.update(MaxSize=9)

    ground.sandbox.mend_calls()
    assert ground.group()["MaxSize"] == 9


def test_a_version_is_unknown_to_auto_scaling_until_it_is_old_enough(ground: Ground) -> None:
    ground.sandbox.hide_new_versions(10)
    version = str(new_version(ground, ground.newest())["VersionNumber"])
    template = {"LaunchTemplateName": "web", "Version": version}

    code, words = refusal(ground.update, LaunchTemplate=template)
    ground.clock.advance(10)
    ground.update(LaunchTemplate=template)

    assert code == "ValidationError"
    assert words.startswith("You must use a valid fully-formed launch template. The specified launch template version")
    assert ground.group()["LaunchTemplate"]["Version"] == version


def test_a_list_of_versions_may_come_from_a_replica_that_is_behind(ground: Ground) -> None:
    ground.clock.advance(60)
    ground.sandbox.lag_versions(10, probability=1)
    made = new_version(ground, ground.newest())["VersionNumber"]
    behind = ground.ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["$Latest"])
    unknown, _ = refusal(ground.ec2.describe_launch_template_versions, LaunchTemplateName="web", Versions=[str(made)])
    ground.clock.advance(10)

    then = ground.ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["$Latest"])

    assert [each["LaunchTemplateVersions"][0]["VersionNumber"] for each in (behind, then)] == [1, 2]
    assert unknown == "InvalidLaunchTemplateId.VersionNotFound"


def test_mended_calls_are_answered_truly(ground: Ground) -> None:
    ground.sandbox.fail_calls(["*"])
    ground.sandbox.lose_responses(["*"])
    ground.sandbox.throttle(["*"])

    ground.sandbox.mend_calls()

    assert ground.group()["AutoScalingGroupName"] == "web-green"


def test_a_skewed_clock_is_wrong_by_the_same_all_the_time() -> None:
    clock = ManualClock()
    skewed = SkewedClock(clock, -7)

    skewed.sleep(60)

    assert (clock.now() - skewed.now()).total_seconds() == 7
    assert not skewed.stopping


@pytest.mark.parametrize(("plain_too", "refused"), [(False, False), (True, True)])
def test_a_guard_on_versions_denies_plain_updates_only_where_aws_takes_them_for_updates_without_one(
    ground: Ground, plain_too: bool, refused: bool
) -> None:
    ground.sandbox.guard_versions(plain_too=plain_too)

    if refused:
        assert refusal(ground.update, MinSize=0)[0] == "AccessDenied"
    else:
        ground.update(MinSize=0)


@pytest.mark.parametrize("version", ["$Latest", "$Default", None])
def test_a_guard_on_versions_denies_every_version_that_is_no_number(ground: Ground, version: str | None) -> None:
    ground.sandbox.guard_versions(plain_too=False)
    template = ground.group()["LaunchTemplate"]
    named = {"LaunchTemplateId": template["LaunchTemplateId"], "Version": version}

    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        ground.update(LaunchTemplate={key: value for key, value in named.items() if value is not None})

    ground.update(LaunchTemplate={**named, "Version": "1"})


def test_a_contended_call_is_answered_with_a_500_and_changes_nothing(ground: Ground) -> None:
    ground.sandbox.contend(["EnterStandby"], count=1)
    ids = ground.ids("web-blue")[:1]

    with pytest.raises(ClientError) as refused:
        enter(ground, ids)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert refused.value.response["Error"]["Code"] == "ResourceContention"
    assert ground.lifecycles("web-blue") == {"InService": 4}


@pytest.mark.parametrize(("result", "after"), [("ABANDON", "Terminating"), ("CONTINUE", "Pending:Proceed")])
def test_an_owner_answers_every_hook_that_an_instance_waits_for(ground: Ground, result: str, after: str) -> None:
    for name in ("phoenix-a", "phoenix-b"):
        hook(ground, LAUNCHING, name)
    ground.update("web-blue", DesiredCapacity=5)
    ground.clock.advance(22)
    (waiting,) = [each["InstanceId"] for each in members(ground) if each["LifecycleState"] == "Pending:Wait"]

    ground.sandbox.answer_hooks(waiting, result)

    assert state(ground, waiting) == after
