"""What a generation is launched by was deleted by a clean-up: it still serves, is made again, or it is said."""

from __future__ import annotations

import pytest

from phoenix.core.model import Outcome
from tests.rotation import iac
from tests.rotation.conftest import Opener
from tests.rotation.costs import rotated
from tests.rotation.stage import NEW_NAME, OLD_NAME, Stage, a_policy

COLD = {"hot_for": "0s"}


def assert_only_old_serves(stage: Stage) -> None:
    stage.clock.advance(60)
    assert set(stage.images("blue")) == {OLD_NAME}
    assert stage.share("blue") == (1.0, 1.0)


@pytest.mark.parametrize("hot", ["10m", "0s"])
def test_a_generation_whose_template_version_was_deleted_comes_back_and_can_grow(open_stage: Opener, hot: str) -> None:
    stage = rotated(open_stage(policy=a_policy(retain={"hot_for": hot})))
    stage.clock.advance(300)
    iac.delete_versions(stage, "1")

    assert stage.rollback().outcome is Outcome.ROLLED_BACK

    stage.resize("blue", DesiredCapacity=6)
    assert_only_old_serves(stage)
    assert sum(stage.images("blue").values()) == 6
    assert stage.slot("blue")["LaunchTemplate"]["Version"] == "3"


def test_a_rotation_starts_where_every_version_of_the_owner_was_deleted(open_stage: Opener) -> None:
    stage = rotated(open_stage(policy=a_policy(retain=COLD)))
    stage.clock.advance(600)
    iac.delete_versions(stage, "1")

    assert stage.rotate(force=True).outcome is Outcome.SUCCEEDED
    assert set(stage.images("blue")) == {NEW_NAME}


def test_a_hot_generation_whose_image_is_gone_gets_the_traffic_and_it_is_said_that_it_cannot_grow(
    stage: Stage,
) -> None:
    rotated(stage)
    gone = iac.image(stage, OLD_NAME)
    with stage.unnoticed():
        stage.client("ec2").deregister_image(ImageId=gone)

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert f"generation 1 serves, and cannot be launched again: {gone} is gone" in report.sentence
    assert stage.share("blue") == (1.0, 1.0)


def test_where_the_live_groups_instances_were_all_replaced_by_old_ones_the_newer_image_is_due_again(
    open_stage: Opener,
) -> None:
    stage = rotated(open_stage(policy=a_policy(retain=COLD)))
    use = {**stage.slot("green")["LaunchTemplate"], "Version": "1"}
    use.pop("LaunchTemplateName", None)
    with stage.unnoticed():
        stage.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web-green", LaunchTemplate=use)
    for each in stage.instances("green"):
        stage.box.kill_instance(each["InstanceId"])
    stage.clock.advance(600)
    assert set(stage.images("green")) == {OLD_NAME}

    assert stage.rotate().outcome is Outcome.SUCCEEDED

    assert set(stage.images("blue")) == {NEW_NAME}
    assert stage.share("blue") == (1.0, 1.0)
