"""LaunchInstances, as the guide and botocore's model (1.44.5) have it: docs.aws.amazon.com/autoscaling/ec2/userguide/
launch-instances-synchronously.html and launching-instances-synchronous-provisioning.html."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import BLUE, LAUNCHING, hook, members, name_version


def launch(ground: Ground, count: int = 2, token: str = "one", **where: Any) -> Any:
    chosen = where or {"AvailabilityZones": ["eu-west-1a"]}
    return ground.autoscaling.launch_instances(**BLUE, RequestedCapacity=count, ClientToken=token, **chosen)


def test_the_ids_are_in_the_answer_and_the_desired_capacity_has_grown(ground: Ground) -> None:
    version = name_version(ground, ground.newest())

    told = launch(ground)

    (found,) = told["Instances"]
    assert (found["AvailabilityZone"], found["InstanceType"], found["MarketType"]) == (
        "eu-west-1a",
        "m7i.large",
        "OnDemand",
    )
    launched = {each["InstanceId"]: each for each in members(ground) if each["InstanceId"] in found["InstanceIds"]}
    assert [each["LifecycleState"] for each in launched.values()] == ["Pending"] * 2
    assert {each["LaunchTemplate"]["Version"] for each in launched.values()} == {version}
    assert (ground.group("web-blue")["DesiredCapacity"], told["Errors"]) == (6, [])


def test_launch_hooks_hold_what_it_has_launched(ground: Ground) -> None:
    """ "Instances returned by the API are in pending state. They may still fail during … lifecycle hooks"."""
    hook(ground, LAUNCHING)

    launch(ground)
    ground.clock.advance(60)

    assert ground.lifecycles("web-blue")["Pending:Wait"] == 2


def test_the_same_token_gets_the_same_answer_for_eight_hours(ground: Ground) -> None:
    first = launch(ground)["Instances"]

    again = launch(ground)["Instances"]
    other = refusal(launch, ground=ground, count=3)
    ground.clock.advance(8 * 3600)
    later = launch(ground)["Instances"]

    assert (again == first, other[0], later == first) == (True, "IdempotentParameterMismatch", False)


@pytest.mark.parametrize(("retry", "desired"), [("none", 4), ("retry-with-group-configuration", 6)])
def test_a_launch_that_fails_is_in_the_answer_and_tried_again_only_if_asked(
    ground: Ground, retry: str, desired: int
) -> None:
    ground.sandbox.fail_launches("no-capacity", count=1)

    told = launch(ground, AvailabilityZones=["eu-west-1b"], RetryStrategy=retry)
    ground.clock.advance(60)

    (error,) = told["Errors"]
    assert (error["ErrorCode"], error["AvailabilityZone"]) == ("InsufficientInstanceCapacity", "eu-west-1b")
    assert "do not have sufficient m7i.large capacity" in error["ErrorMessage"]
    assert (told["Instances"], ground.lifecycles("web-blue")) == ([], {"InService": desired})


def test_a_group_of_several_zones_has_to_say_which(ground: Ground) -> None:
    subnet = ground.group("web-blue")["VPCZoneIdentifier"].split(",")[1]
    client = ground.autoscaling

    code, _ = refusal(client.launch_instances, **BLUE, RequestedCapacity=1, ClientToken="two")

    assert code == "ValidationError"
    assert launch(ground, 1, SubnetIds=[subnet])["Instances"][0]["SubnetId"] == subnet


def test_it_refuses_what_is_above_the_maximum_and_what_it_does_not_support(ground: Ground) -> None:
    """The words are reasoned; the limits are not."""
    assert refusal(launch, ground=ground, count=9)[0] == "ValidationError"
    ground.autoscaling.put_warm_pool(**BLUE)
    assert refusal(launch, ground=ground)[0] == "UnsupportedOperation"
