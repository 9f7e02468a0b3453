"""What `status` promises of a rollback, in the situations that an operator will meet, and what asking for it costs."""

from __future__ import annotations

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.look import look
from phoenix.views import status
from tests.rotation.conftest import Opener
from tests.rotation.stage import OLD_NAME, Stage, a_policy

ROLLING = {"kind": "rolling", "batch": "50%", "pause": "10m", "bake": "30s"}
FOR_EACH_LOOK = 4
"""Reads that show the pair, its routes and its targets."""
FOR_A_LAUNCH = 6
"""Reads more, where something has to be launched first."""


@pytest.fixture
def hot(stage: Stage) -> Stage:
    """Generation 2 lives, 1 is hot and whole."""
    assert stage.rotate().outcome is Outcome.SUCCEEDED
    return stage


@pytest.fixture
def cold(hot: Stage) -> Stage:
    """The same, two hours later."""
    hot.clock.advance(3601)
    hot.tick_until(lambda _: hot.record.hot_until is None, every=60)
    hot.clock.advance(300)
    return hot


def reads_of_a_look(stage: Stage) -> int:
    stage.mark()
    stage.look()
    assert stage.writes() == []
    return len(stage.reads())


def test_while_it_is_hot_and_whole_nothing_more_is_asked(hot: Stage) -> None:
    found = hot.look().rollback_ready

    assert (found.ready, found.at_once, found.why) == (True, True, "1 has 4 of 4 healthy, weights move first")
    assert reads_of_a_look(hot) == FOR_EACH_LOOK


def test_a_hot_one_that_is_too_small_says_what_is_there_and_what_now_would_leave(hot: Stage) -> None:
    hot.resize("green", DesiredCapacity=8)
    hot.clock.advance(120)

    found = hot.look().rollback_ready

    assert (found.ready, found.at_once) == (True, False)
    assert found.why.startswith("1 has 4 of 8 healthy: it grows and is proved first")
    assert "--now leaves 50 % until then" in found.why


def test_the_tick_lets_a_hot_one_follow_and_the_promise_is_whole_again(hot: Stage) -> None:
    hot.resize("green", DesiredCapacity=8)
    hot.tick()
    hot.clock.advance(300)

    assert hot.look().rollback_ready.why == "1 has 8 of 8 healthy, weights move first"


def test_a_hot_one_without_a_healthy_instance_is_not_ready(hot: Stage) -> None:
    for each in hot.instances("blue"):
        hot.box.make_unhealthy(each["InstanceId"])
    hot.clock.advance(12)

    found = hot.look().rollback_ready

    assert (found.ready, found.why) == (False, "1 has no healthy instance of 4: traffic waits until it has one")


def test_a_hot_one_whose_slot_was_given_another_version_says_so(hot: Stage) -> None:
    template = {"LaunchTemplateName": "web", "Version": "2"}
    hot.resize("blue", LaunchTemplate=template)

    found = hot.look().rollback_ready

    assert found.at_once
    assert found.why.endswith("but web-blue launches from template version 2, not 1")


def test_a_hot_one_whose_instances_were_replaced_by_another_version_has_to_be_launched_again(hot: Stage) -> None:
    hot.resize("blue", LaunchTemplate={"LaunchTemplateName": "web", "Version": "2"})
    with hot.unnoticed():
        for each in hot.instances("blue"):
            hot.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=each["InstanceId"], ShouldDecrementDesiredCapacity=False
            )
    hot.clock.advance(300)

    found = hot.look()

    assert (found.rollback_ready.ready, found.rollback_ready.at_once) == (True, False)
    assert found.rollback_ready.why.startswith("1 has 0 of 4 healthy: 4 more of version 1 to be launched")
    assert "4 instances there are not of 1's template version" in found.rollback_ready.why
    assert "ready now" not in status.render(found)
    hot.mark()
    assert hot.rollback().outcome is Outcome.ROLLED_BACK
    assert hot.writes().index("UpdateAutoScalingGroup") < hot.writes().index("ModifyListener")
    assert hot.images("blue") == {OLD_NAME: 4}


def test_a_cold_one_grows_first_and_asking_takes_a_few_reads(cold: Stage) -> None:
    found = cold.look().rollback_ready

    assert (found.ready, found.at_once) == (True, False)
    assert found.why.startswith("1 has 0 of 4 healthy: it grows and is proved first, then weights move")
    assert reads_of_a_look(cold) <= FOR_EACH_LOOK + FOR_A_LAUNCH


def test_one_that_is_just_being_let_go_has_to_be_kept_first(hot: Stage) -> None:
    hot.clock.advance(3601)
    hot.tick()
    promised = hot.look().rollback_ready
    hot.mark()

    report = hot.rollback()

    assert (hot.size("blue")[2], promised.at_once, report.exit_status) == (4, False, 0)
    assert hot.writes().index("UpdateAutoScalingGroup") < hot.writes().index("ModifyListener")


def test_a_cold_one_without_its_image_is_not_ready_and_says_what_would_mend_it(cold: Stage) -> None:
    assert cold.record.retained is not None
    image = cold.record.retained.image
    cold.client("ec2").deregister_image(ImageId=image)

    found = cold.look().rollback_ready

    assert not found.ready
    assert found.why.startswith(f"1 has 0 of 4 healthy and cannot grow: {image} is gone")
    assert found.remedy == f"aws ec2 restore-image-from-recycle-bin --image-id {image}"


def test_a_cold_one_that_may_launch_nothing_is_not_ready(cold: Stage) -> None:
    with cold.unnoticed():
        cold.client("autoscaling").suspend_processes(AutoScalingGroupName="web-blue", ScalingProcesses=["Launch"])

    found = cold.look().rollback_ready

    assert (found.ready, "Launches are suspended on web-blue" in found.why) == (False, True)


def test_what_may_not_be_asked_is_said_to_be_unchecked(cold: Stage) -> None:
    cold.deny("DescribeImages", "GetServiceQuota")

    found = cold.look().rollback_ready

    assert found.ready
    assert "; not checked: image ami-" in found.why


def test_ticks_never_ask_whether_a_rollback_would_work(cold: Stage) -> None:
    cold.mark()

    cold.tick()

    assert not {"GetServiceQuota", "DescribeSubnets"} & set(cold.reads())


def test_in_the_middle_of_rolling_the_promise_is_to_grow_first(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=ROLLING))
    stage.tick_until(lambda report: "baking at 50 %" in report.sentence)

    found = stage.look().rollback_ready

    assert (found.ready, found.at_once) == (True, False)
    assert "--now leaves 50 % until then" in found.why


def test_what_a_rotation_that_touched_nothing_left_retained_comes_back_by_its_number(hot: Stage) -> None:
    hot.box.bake_image("web-2026.11.19-77d0aa")
    hot.deny("CreateLaunchTemplateVersion")
    hot.rotate()
    hot.box.stop_intercepting()
    hot.rollback()

    asked_again, promised = hot.rollback(), hot.look().rollback_ready
    report = hot.rollback(to=1)

    assert (asked_again.outcome, promised.ready) == (Outcome.NONE, False)
    assert promised.why == "already back on 2; `--to 1` launches 1 again"
    assert report.outcome is Outcome.SUCCEEDED
    assert hot.share("blue") == (1.0, 1.0)


def test_a_first_rotation_of_a_group_that_follows_latest_counts_what_really_runs(open_stage: Opener) -> None:
    """The owner has added versions since the live instances were launched; they are generation 1 all the same."""
    stage = open_stage(policy=a_policy())
    for slot in ("blue", "green"):
        stage.resize(slot, LaunchTemplate={"LaunchTemplateName": stage.name, "Version": "$Latest"})
    add_versions(stage, "m7i.xlarge", "m7i.2xlarge")

    stage.rotate()

    report = look(stage.group)
    assert "4/4" in next(line for line in status.render(report).splitlines() if "retained" in line)
    assert report.rollback_ready.why.startswith("1 has 4 of 4 healthy")
    assert "web-blue launches from template version 3, not 1" in report.rollback_ready.why


def add_versions(stage: Stage, *types: str) -> None:
    ec2 = stage.client("ec2")
    for instance_type in types:
        found = ec2.describe_launch_template_versions(LaunchTemplateName=stage.name, Versions=["1"])
        content = found["LaunchTemplateVersions"][0]["LaunchTemplateData"] | {"InstanceType": instance_type}
        content["MetadataOptions"] = {"HttpTokens": "required"}
        ec2.create_launch_template_version(LaunchTemplateName=stage.name, LaunchTemplateData=content)
