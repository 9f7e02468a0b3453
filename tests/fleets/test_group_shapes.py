"""AWS's words for an instance and a template version, in the model's words."""

from __future__ import annotations

import pytest

from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Slot
from phoenix.fleets.group_shapes import lifecycle_of, slot_state

GROUP = {"AutoScalingGroupName": "web-blue", "MinSize": 2, "MaxSize": 8, "DesiredCapacity": 4}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("InService", Lifecycle.IN_SERVICE),
        ("Pending", Lifecycle.PENDING),
        ("Pending:Wait", Lifecycle.HELD),
        ("Standby", Lifecycle.RESERVE),
        ("EnteringStandby", Lifecycle.DRAINING),
        ("Terminating:Wait", Lifecycle.LEAVING),
        ("Terminated", Lifecycle.LEAVING),
        ("Detaching", Lifecycle.LEAVING),
        ("Terminating:Retained", Lifecycle.KEPT),
        ("Warmed:Running", Lifecycle.UNKNOWN),
        ("InServiceSoon", Lifecycle.UNKNOWN),
    ],
)
def test_a_state_that_aws_may_add_is_never_in_service(word: str, expected: Lifecycle) -> None:
    assert lifecycle_of(word) is expected


@pytest.mark.edge(22)
@pytest.mark.parametrize(("version", "expected"), [("57", "57"), ("$Latest", None), ("$Default", None)])
def test_only_a_number_is_a_template_version(version: str, expected: str | None) -> None:
    use = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": version}

    assert slot_state(Slot.BLUE, GROUP | {"LaunchTemplate": use}).template_version == expected


def test_a_launch_configuration_has_no_template_version() -> None:
    assert slot_state(Slot.BLUE, GROUP | {"LaunchConfigurationName": "web"}).template_version is None
