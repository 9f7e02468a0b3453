"""A template version says which image it launches; what runs is what EC2 says of each instance."""

from __future__ import annotations

import pytest

from phoenix.core.model import Cause, Outcome
from tests.rotation.conftest import Opener
from tests.rotation.stage import Stage, a_policy


def mixed(stage: Stage, slot: str, version: str, **override: str) -> None:
    """The owner's code gives the slot a mixed instances policy with that override."""
    template = {"LaunchTemplateSpecification": {"LaunchTemplateName": "web", "Version": version}}
    launches = template | {"Overrides": [{"InstanceType": "m7i.large"} | override]}
    stage.resize(slot, MixedInstancesPolicy={"LaunchTemplate": launches})


@pytest.mark.parametrize("reached", ["before it grows", "while it has traffic"])
def test_an_image_that_came_in_by_an_override_gets_no_traffic_under_the_name_of_the_chosen_one(
    open_stage: Opener, reached: str
) -> None:
    canary = {"kind": "canary", "steps": [{"weight": 20, "capacity": 50, "bake": "3m"}], "bake": "30s"}
    stage = open_stage(policy=a_policy(strategy=canary))
    mixed(stage, "blue", "1")
    mixed(stage, "green", "1")
    foreign = stage.box.bake_image("web-other", tags={})
    said = "gates passed; 20 %" if reached == "while it has traffic" else "image"
    stage.tick_until(lambda _: len(stage.versions()) == 2 and any(said in e.text for e in stage.rotation.events))
    mixed(stage, "green", "2", ImageId=foreign)

    stage.tick_until(lambda report: report.record.in_flight is None)

    assert (stage.rotation.outcome, stage.rotation.cause) == (Outcome.ROLLED_BACK, Cause.ENVIRONMENT)
    assert f"{foreign}, not {stage.rotation.new.image}" in (stage.rotation.reason or "")
    assert set(stage.weights_written("green")) <= ({0, 20} if reached == "while it has traffic" else {0})
    assert (stage.share("blue"), stage.record.quarantine) == ((1.0, 1.0), ())


def test_each_instance_is_asked_about_once_however_often_it_is_looked_at(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "blue_green", "bake": "20m"}))

    stage.rotate()

    assert 1 <= stage.reads().count("DescribeInstances") <= 4
