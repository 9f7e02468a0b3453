"""How instances leave a group, and what keeps them: termination, scale-in, protection. "Guide" is the lifecycle hooks'
docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html, "model" is botocore 1.44.5, "reasoned" was
found in no document and no transcript."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import (
    BLUE,
    DRAIN,
    LAUNCHING,
    hook,
    members,
    name_version,
    newcomer,
    reserve,
    state,
    terminate,
    versions,
)


def protect(ground: Ground, *ids: str) -> None:
    ground.autoscaling.set_instance_protection(**BLUE, InstanceIds=list(ids), ProtectedFromScaleIn=True)


# --- TerminateInstanceInAutoScalingGroup ------------------------------------------------------------------------------


def test_a_terminated_instance_drains_first_and_is_replaced(ground: Ground) -> None:
    """Guide, step 4. The activity: the example of `aws autoscaling terminate-instance-in-auto-scaling-group`."""
    victim = ground.ids("web-blue")[0]

    told = terminate(ground, victim)

    assert told["Cause"].endswith(f"instance {victim} was taken out of service in response to a user request.")
    assert (told["Description"], told["Progress"]) == (f"Terminating EC2 instance: {victim}", 0)
    assert ground.health("web-blue")["draining", "Target.DeregistrationInProgress"] == 1
    ground.clock.advance(DRAIN + 25)
    assert (state(ground, victim), ground.lifecycles("web-blue")) == ("gone", {"InService": 4})


def test_terminating_one_in_standby_replaces_nothing(ground: Ground) -> None:
    """It is outside of the desired capacity; keikoproj/upgrade-manager ends its own so."""
    (victim,) = reserve(ground, 1)

    terminate(ground, victim)
    ground.clock.advance(300)

    assert (ground.lifecycles("web-blue"), ground.group("web-blue")["DesiredCapacity"]) == ({"InService": 3}, 3)


def test_decrementing_for_one_in_standby_shrinks_those_in_service(ground: Ground) -> None:
    (victim,) = reserve(ground, 1)

    terminate(ground, victim, decrement=True)
    ground.clock.advance(300)

    assert ground.lifecycles("web-blue") == {"InService": 2}


def test_decrementing_below_the_minimum_is_refused(ground: Ground) -> None:
    """The sentence is quoted in public threads of tools that terminate instances."""
    ground.update("web-blue", MinSize=4)

    refused = refusal(terminate, ground=ground, instance=ground.ids("web-blue")[0], decrement=True)

    assert refused == (
        "ValidationError",
        "Currently, desiredSize equals minSize (4). Terminating instance without replacement will violate group's min"
        " size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
    )


def test_an_instance_that_no_group_has_cannot_be_terminated(ground: Ground) -> None:
    """The sentence is matched by several public tools."""
    stranger = "i-0123456789abcdef0"

    assert refusal(terminate, ground=ground, instance=stranger) == (
        "ValidationError",
        f"Instance Id not found - No managed instance found for instance ID: {stranger}",
    )


def test_many_instances_of_one_group_are_terminated_by_one_call(ground: Ground) -> None:
    """Model: InstanceIds with AutoScalingGroupName, 100 at most; "the response populates Activities"."""
    ids = reserve(ground)
    call = ground.autoscaling.terminate_instance_in_auto_scaling_group

    told = call(**BLUE, InstanceIds=ids, ShouldDecrementDesiredCapacity=False)
    ground.clock.advance(60)

    assert ([each["Description"][-19:] for each in told["Activities"]], "Activity" in told) == (ids, False)
    assert ground.lifecycles("web-blue") == {"InService": 2}
    code, _ = refusal(call, InstanceIds=ground.ids("web-blue"), ShouldDecrementDesiredCapacity=False)
    assert code == "ValidationError"


def test_one_that_is_leaving_already_is_not_terminated_again(ground: Ground) -> None:
    """Reasoned: the model names ScalingActivityInProgress for this call."""
    victim = ground.ids("web-blue")[0]
    terminate(ground, victim)

    assert refusal(terminate, ground=ground, instance=victim)[0] == "ScalingActivityInProgress"


def test_a_detached_instance_runs_on_and_one_that_is_leaving_is_not_detached(ground: Ground) -> None:
    """The sentence: reproio/ecs_deploy#47."""
    first, second = ground.ids("web-blue")[:2]
    terminate(ground, second)
    detach = ground.autoscaling.detach_instances

    detach(**BLUE, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)

    words = f"The instance {second} is not in InService or Standby."
    assert refusal(detach, **BLUE, InstanceIds=[second], ShouldDecrementDesiredCapacity=False)[1] == words
    assert (state(ground, first), ground.group("web-blue")["DesiredCapacity"]) == ("gone", 3)


def test_an_instance_is_not_attached_beyond_the_maximum(ground: Ground) -> None:
    """The sentence is quoted by tests of a public tool."""
    ground.update("web-blue", MaxSize=4)

    _, words = refusal(ground.autoscaling.attach_instances, **BLUE, InstanceIds=["i-0123456789abcdef0"])

    assert words == (
        "AutoScalingGroup web-blue has min-size=2, max-size=4, and desired-size=4. To attach 1 instance, please update"
        " the AutoScalingGroup sizes appropriately."
    )


# --- scale-in ---------------------------------------------------------------------------------------------------------


def test_scaling_in_takes_the_oldest_version_even_if_the_group_names_it_again(ground: Ground) -> None:
    """docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html: "noncurrent launch
    template … first, followed by instances that use the oldest version of the current launch template"."""
    version = name_version(ground, ground.newest())
    ground.update("web-blue", DesiredCapacity=8)
    ground.clock.advance(60)
    ground.update("web-blue", LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"}, DesiredCapacity=4)
    ground.clock.advance(120)

    assert versions(ground)[version] > versions(ground)["1"]


@pytest.mark.parametrize(("policy", "kept"), [("OldestInstance", "2"), ("NewestInstance", "1")])
def test_scaling_in_follows_the_groups_first_termination_policy(ground: Ground, policy: str, kept: str) -> None:
    name_version(ground, ground.newest())
    ground.update("web-blue", MinSize=0, DesiredCapacity=6, TerminationPolicies=[policy])
    ground.clock.advance(60)

    ground.update("web-blue", DesiredCapacity=3)
    ground.clock.advance(120)

    assert versions(ground).most_common(1)[0][0] == kept


def test_scaling_in_takes_no_standby_and_no_protected_instance(ground: Ground) -> None:
    ids = reserve(ground)
    rest = [each["InstanceId"] for each in members(ground) if each["LifecycleState"] == "InService"]
    protect(ground, rest[0])

    ground.update("web-blue", MinSize=0, MaxSize=0)
    ground.clock.advance(120)

    assert sorted(ground.ids("web-blue")) == sorted([*ids, rest[0]])


def test_protection_is_for_instances_in_service_or_standby_all_of_a_call_or_none(ground: Ground) -> None:
    """The sentence is quoted in public logs of runners that protect themselves while they boot."""
    early = newcomer(ground)
    hook(ground, LAUNCHING)
    ground.update("web-blue", DesiredCapacity=6)
    ground.clock.advance(22)
    waiting = next(each["InstanceId"] for each in members(ground) if each["LifecycleState"] == "Pending:Wait")

    refused = refusal(
        ground.autoscaling.set_instance_protection, **BLUE, InstanceIds=[early, waiting], ProtectedFromScaleIn=True
    )

    words = f"The instance {waiting} is not in InService or EnteringStandby or Standby."
    assert refused == ("ValidationError", words)
    assert not any(each["ProtectedFromScaleIn"] for each in members(ground))


def test_protection_is_set_for_fifty_instances_a_call(ground: Ground) -> None:
    """Model: "If you exceed your maximum limit of instance IDs, which is 50 per Auto Scaling group, the call fails"."""
    ids = ground.ids("web-blue") * 13

    code, _ = refusal(
        ground.autoscaling.set_instance_protection, **BLUE, InstanceIds=ids[:51], ProtectedFromScaleIn=True
    )
    assert code == "LimitExceeded"
