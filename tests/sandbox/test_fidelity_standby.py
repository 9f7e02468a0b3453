"""Standby, as AWS has it. "Guide" is docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html, "model"
is botocore 1.44.5, "reasoned" was found in no document and no transcript."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import (
    BLUE,
    DRAIN,
    enter,
    leave,
    name_version,
    reserve,
    state,
    suspend,
    terminate,
    versions,
    zones,
)

HEALTHY = ("healthy", None)


# --- into Standby -----------------------------------------------------------------------------------------------------


def test_an_instance_is_entering_standby_until_its_target_group_has_drained_it(ground: Ground) -> None:
    """Guide: "the instance is deregistered from the load balancer"; lifecycle states: model."""
    instance = ground.ids("web-blue")[0]

    enter(ground, [instance])

    assert state(ground, instance) == "EnteringStandby"
    assert ground.health("web-blue") == {HEALTHY: 3, ("draining", "Target.DeregistrationInProgress"): 1}
    ground.clock.advance(DRAIN - 1)
    assert state(ground, instance) == "EnteringStandby"
    ground.clock.advance(1)
    assert state(ground, instance) == "Standby"
    assert ground.health("web-blue") == {HEALTHY: 3}


def test_its_activity_is_worded_as_in_the_guide(ground: Ground) -> None:
    first, second = ground.ids("web-blue")[:2]

    told = enter(ground, [first, second])

    assert told[0]["Description"] == f"Moving EC2 instance to Standby: {first}"
    assert told[0]["Cause"].endswith(
        f"instance {first} was moved to standby in response to a user request, shrinking the capacity from 4 to 3."
    )
    assert told[1]["Cause"].endswith("shrinking the capacity from 3 to 2.")
    assert (told[0]["StatusCode"], told[0]["Progress"]) == ("InProgress", 50)
    assert told[0]["Details"].startswith('{"Subnet ID":"subnet-')


def test_the_desired_capacity_is_decremented_and_standby_is_listed_outside_of_it(ground: Ground) -> None:
    """Guide: "still part of the Auto Scaling group"."""
    ids = reserve(ground)
    ground.clock.advance(600)

    group = ground.group("web-blue")
    assert (group["DesiredCapacity"], ground.lifecycles("web-blue")) == (2, {"InService": 2, "Standby": 2})
    assert set(ids) <= set(ground.ids("web-blue"))


def test_without_decrementing_others_are_launched_in_their_place(ground: Ground) -> None:
    """Guide and model: "launches new instances to replace the instances on standby"."""
    enter(ground, ground.ids("web-blue")[:1], decrement=False)
    ground.clock.advance(60)

    assert ground.group("web-blue")["DesiredCapacity"] == 4
    assert ground.lifecycles("web-blue") == {"InService": 4, "Standby": 1}


def test_below_the_minimum_it_is_refused_and_nothing_moves(ground: Ground) -> None:
    """The sentence, with "1 instance": a transcript of 2025 in a public repository; with "1 instances": older ones."""
    ground.update("web-blue", MinSize=4)

    code, words = refusal(enter, ground=ground, ids=ground.ids("web-blue")[:1])
    _, more = refusal(enter, ground=ground, ids=ground.ids("web-blue")[:2])

    assert (code, words) == (
        "ValidationError",
        "AutoScalingGroup web-blue has min-size=4, max-size=12, and desired-size=4. To place into standby 1 instance,"
        " please update the AutoScalingGroup sizes appropriately.",
    )
    assert "To place into standby 2 instances, please" in more
    assert ground.lifecycles("web-blue") == {"InService": 4}


def test_only_instances_in_service_enter_and_one_that_is_not_refuses_them_all(ground: Ground) -> None:
    """The sentence: aws-samples/aws-codedeploy-samples#50, keikoproj/upgrade-manager#324. So a repeated call is
    refused, and decrements nothing."""
    first, second = ground.ids("web-blue")[:2]
    enter(ground, [first])

    code, words = refusal(enter, ground=ground, ids=[second, first])

    assert (code, words) == ("ValidationError", f"The instance {first} is not in InService.")
    assert (state(ground, second), ground.group("web-blue")["DesiredCapacity"]) == ("InService", 3)


def test_an_instance_of_no_group_or_of_another_one_is_refused(ground: Ground) -> None:
    """The sentence: hashicorp/terraform-provider-aws#35071, and tools that look for it."""
    stranger = "i-0123456789abcdef0"

    code, words = refusal(enter, ground=ground, ids=[stranger])

    assert (code, words) == (
        "ValidationError",
        f"The instance {stranger} is not part of Auto Scaling group web-blue.",
    )


def test_twenty_instances_a_call_are_the_most(ground: Ground) -> None:
    """Model: "You can specify up to 20 instances". The words are reasoned (keikoproj/upgrade-manager#301 cuts them)."""
    ground.update("web-blue", MinSize=0, MaxSize=30, DesiredCapacity=21)
    ground.clock.advance(60)

    code, _ = refusal(enter, ground=ground, ids=ground.ids("web-blue"))
    enter(ground, ground.ids("web-blue")[:20])

    assert code == "ValidationError"
    assert ground.lifecycles("web-blue") == {"InService": 1, "EnteringStandby": 20}


# --- in Standby -------------------------------------------------------------------------------------------------------


def test_a_standby_instance_that_dies_stays_listed_and_healthy(ground: Ground) -> None:
    """Guide: "If you put a healthy instance on standby and then terminate it, … continues to report the instance as
    healthy"."""
    (victim,) = reserve(ground, 1)

    ground.sandbox.kill_instance(victim)
    ground.clock.advance(3600)

    found = next(each for each in ground.group("web-blue")["Instances"] if each["InstanceId"] == victim)
    assert (found["LifecycleState"], found["HealthStatus"]) == ("Standby", "Healthy")
    running = ground.ec2.describe_instance_status()["InstanceStatuses"]
    assert victim not in {each["InstanceId"] for each in running}


def test_a_standby_server_that_fails_is_not_replaced(ground: Ground) -> None:
    (victim,) = reserve(ground, 1)

    ground.sandbox.make_unhealthy(victim)
    ground.clock.advance(3600)

    assert state(ground, victim) == "Standby"


def test_an_instance_called_unhealthy_just_before_stays_unhealthy_in_standby(ground: Ground) -> None:
    """Guide: "its health status reflects the status that it had before you put it on standby"."""
    victim = ground.ids("web-blue")[0]
    ground.autoscaling.set_instance_health(InstanceId=victim, HealthStatus="Unhealthy")

    enter(ground, [victim])
    ground.clock.advance(600)

    found = next(each for each in ground.group("web-blue")["Instances"] if each["InstanceId"] == victim)
    assert (found["LifecycleState"], found["HealthStatus"]) == ("Standby", "Unhealthy")


def test_scaling_in_to_nothing_and_deleting_leave_standby_behind(ground: Ground) -> None:
    """hashicorp/terraform-provider-aws#34113, keikoproj/upgrade-manager#347."""
    reserve(ground)
    ground.update("web-blue", MinSize=0, MaxSize=0)
    ground.clock.advance(600)

    code, _ = refusal(ground.autoscaling.delete_auto_scaling_group, **BLUE)

    assert (ground.lifecycles("web-blue"), code) == ({"Standby": 2}, "ResourceInUse")


def test_uneven_zones_are_levelled_by_launching_and_terminating(ground: Ground) -> None:
    """Guide: "compensates by rebalancing the Availability Zones unless you suspend the AZRebalance process"; the causes
    are quoted in public repositories."""
    ground.update("web-blue", DesiredCapacity=6)
    ground.clock.advance(90)
    moved = [
        each["InstanceId"] for each in ground.group("web-blue")["Instances"] if each["AvailabilityZone"][-1] == "b"
    ]

    enter(ground, moved)
    ground.clock.advance(300)

    assert sorted(zones(ground).values()) == [1, 1, 2]
    causes = [each["Cause"] for each in ground.activities("web-blue")]
    assert any(
        "had 2 0 2 instances respectively. An instance was launched to aid in balancing" in each for each in causes
    )
    assert any("instances were launched to balance instances in zones eu-west-1b" in each for each in causes)


def test_uneven_zones_stay_uneven_while_rebalancing_is_suspended(ground: Ground) -> None:
    ground.update("web-blue", DesiredCapacity=6)
    ground.clock.advance(90)
    suspend(ground, "AZRebalance")
    moved = [
        each["InstanceId"] for each in ground.group("web-blue")["Instances"] if each["AvailabilityZone"][-1] == "b"
    ]

    enter(ground, moved)
    ground.clock.advance(600)

    assert zones(ground) == {"eu-west-1a": 2, "eu-west-1c": 2}


@pytest.mark.parametrize(
    ("preferences", "status", "left"),
    [
        ({}, "Failed", 1),
        ({"StandbyInstances": "Ignore"}, "InProgress", 1),
        ({"StandbyInstances": "Terminate"}, "InProgress", 0),
    ],
)
def test_an_instance_refresh_waits_an_hour_for_standby_and_fails(
    ground: Ground, preferences: dict[str, str], status: str, left: int
) -> None:
    """Model, StandbyInstances: "waits one hour for you to return the instances to service. Otherwise, … will fail"."""
    reserve(ground, 1)

    ground.autoscaling.start_instance_refresh(**BLUE, Preferences=preferences)
    ground.clock.advance(3600)

    refresh = ground.autoscaling.describe_instance_refreshes(**BLUE)["InstanceRefreshes"][0]
    assert (refresh["Status"], ground.lifecycles("web-blue")["Standby"]) == (status, left)


# --- out of Standby ---------------------------------------------------------------------------------------------------


def test_an_instance_that_returns_is_pending_then_in_service_and_healthy_after_a_check(ground: Ground) -> None:
    """A transcript of 2025 in a public repository shows Pending, then InService."""
    (instance,) = reserve(ground, 1)

    told = leave(ground, [instance])

    assert (state(ground, instance), ground.group("web-blue")["DesiredCapacity"]) == ("Pending", 4)
    assert told[0]["Cause"].endswith(
        "was moved out of standby in response to a user request, increasing the capacity from 3 to 4."
    )
    assert told[0]["Description"] == f"Moving EC2 instance out of Standby: {instance}"
    assert (told[0]["StatusCode"], told[0]["Progress"]) == ("PreInService", 30)
    ground.clock.advance(1)
    assert ground.health("web-blue") == {HEALTHY: 3, ("initial", "Elb.RegistrationInProgress"): 1}
    ground.clock.advance(6)
    assert (state(ground, instance), ground.health("web-blue")) == ("InService", {HEALTHY: 4})


def test_above_the_maximum_it_is_refused_and_nothing_moves(ground: Ground) -> None:
    """Guide: "the new desired capacity must be between the minimum and maximum group size. Otherwise, the operation
    fails". The sentence is reasoned, after the one for the other way."""
    ids = reserve(ground)
    ground.update("web-blue", MaxSize=3)

    code, words = refusal(leave, ground=ground, ids=ids)

    assert (code, words) == (
        "ValidationError",
        "AutoScalingGroup web-blue has min-size=2, max-size=3, and desired-size=2. To move out of standby 2 instances,"
        " please update the AutoScalingGroup sizes appropriately.",
    )
    assert ground.lifecycles("web-blue")["Standby"] == 2


def test_one_that_died_in_standby_is_replaced_from_the_version_that_the_group_names_now(ground: Ground) -> None:
    """Guide: "performs a health check on the instance, determines that it is terminating and unhealthy, and launches a
    replacement instance"."""
    (victim,) = reserve(ground, 1)
    ground.sandbox.kill_instance(victim)
    version = name_version(ground, ground.newest())

    leave(ground, [victim])
    ground.clock.advance(180)

    assert (state(ground, victim), versions(ground)) == ("gone", {"1": 3, version: 1})


def test_one_that_is_still_entering_can_neither_return_nor_be_terminated(ground: Ground) -> None:
    """keikoproj/upgrade-manager#77 for the termination; for the return it is reasoned. The words were quoted for
    another action ("Scaling activity … is in progress and blocks this action")."""
    instance = ground.ids("web-blue")[0]
    activity = enter(ground, [instance])[0]["ActivityId"]

    refused = [refusal(leave, ground=ground, ids=[instance]), refusal(terminate, ground=ground, instance=instance)]

    words = f"Scaling activity {activity} is in progress and blocks this action"
    assert refused == [("ScalingActivityInProgress", words)] * 2


def test_only_instances_in_standby_return(ground: Ground) -> None:
    """Reasoned, after "is not in InService"."""
    instance = ground.ids("web-blue")[0]

    assert refusal(leave, ground=ground, ids=[instance]) == (
        "ValidationError",
        f"The instance {instance} is not in Standby.",
    )


def test_no_launch_hook_runs_on_the_way_back_and_no_termination_hook_on_the_way_in(ground: Ground) -> None:
    """The table of docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html has no Standby."""
    for name, transition in (("in", "LAUNCHING"), ("out", "TERMINATING")):
        ground.autoscaling.put_lifecycle_hook(
            **BLUE, LifecycleHookName=name, LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}"
        )
    (instance,) = reserve(ground, 1)

    entered = state(ground, instance)
    leave(ground, [instance])
    ground.clock.advance(5)

    assert (entered, state(ground, instance)) == ("Standby", "InService")


def test_an_answer_to_enter_standby_that_is_lost_leaves_them_entering(ground: Ground) -> None:
    instance = ground.ids("web-blue")[0]
    ground.sandbox.lose_responses(["EnterStandby"], count=5)

    with pytest.raises(Exception, match=r"Connection was closed|is not in InService"):
        enter(ground, [instance])

    assert state(ground, instance) == "EnteringStandby"
    assert ground.group("web-blue")["DesiredCapacity"] == 3
