"""Auto Scaling groups and their activities, where moto has no time, no failure and a short memory."""

from __future__ import annotations

import pytest

from phoenix.sandbox import LaunchFault
from tests.sandbox.conftest import Ground, new_version, refusal


def test_instances_are_spread_over_the_zones(ground: Ground) -> None:
    zones = [each["AvailabilityZone"] for each in ground.group("web-blue")["Instances"]]

    assert sorted(zones) == ["eu-west-1a", "eu-west-1a", "eu-west-1b", "eu-west-1c"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"MinSize": 6}, (6, 12, 6)),
        ({"MaxSize": 3}, (2, 3, 3)),
        ({"MinSize": 3, "MaxSize": 8}, (3, 8, 4)),
        ({"DesiredCapacity": 5}, (2, 12, 5)),
    ],
)
def test_bounds_push_the_desired_capacity(
    ground: Ground, changes: dict[str, int], expected: tuple[int, int, int]
) -> None:
    ground.update("web-blue", **changes)

    group = ground.group("web-blue")
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == expected


@pytest.mark.parametrize("changes", [{"DesiredCapacity": 13}, {"DesiredCapacity": 1}, {"MinSize": 20}])
def test_numbers_that_contradict_each_other_are_refused_and_change_nothing(
    ground: Ground, changes: dict[str, int]
) -> None:
    before = ground.group("web-blue")

    code, _ = refusal(ground.update, name="web-blue", **changes)

    assert code == "ValidationError"
    assert ground.group("web-blue") == before


def test_unknown_groups_are_left_out_of_answers_and_refused_in_writes(ground: Ground) -> None:
    found = ground.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["unknown"])

    assert not found["AutoScalingGroups"]
    assert refusal(ground.update, name="unknown", MinSize=1)[0] == "ValidationError"
    assert (
        refusal(ground.autoscaling.describe_instance_refreshes, AutoScalingGroupName="unknown")[0] == "ValidationError"
    )


def test_a_second_group_of_the_same_name_is_refused(ground: Ground) -> None:
    arguments = {"MinSize": 0, "MaxSize": 0, "LaunchTemplate": {"LaunchTemplateName": "web"}}
    create = ground.autoscaling.create_auto_scaling_group

    assert refusal(create, AutoScalingGroupName="web-blue", **arguments)[0] == "AlreadyExists"


def test_a_template_that_names_a_gone_image_is_refused(ground: Ground) -> None:
    image = ground.sandbox.bake_image("web-gone")
    number = str(new_version(ground, image)["VersionNumber"])
    ground.ec2.deregister_image(ImageId=image)

    code, message = refusal(ground.update, LaunchTemplate={"LaunchTemplateName": "web", "Version": number})

    assert code == "ValidationError"
    assert "does not exist" in message


def test_a_suspended_launch_does_not_launch_until_it_is_resumed(ground: Ground) -> None:
    launch = {"AutoScalingGroupName": "web-green", "ScalingProcesses": ["Launch"]}
    ground.autoscaling.suspend_processes(**launch)
    ground.update(MinSize=2, MaxSize=12)

    ground.clock.advance(600)
    assert not ground.ids()
    ground.autoscaling.resume_processes(**launch)
    ground.clock.advance(30)
    assert ground.lifecycles() == {"InService": 2}


def test_instances_launched_while_registration_is_suspended_are_never_registered(ground: Ground) -> None:
    add = {"AutoScalingGroupName": "web-green", "ScalingProcesses": ["AddToLoadBalancer"]}
    ground.autoscaling.suspend_processes(**add)
    ground.update(MinSize=2, MaxSize=12)
    ground.clock.advance(60)

    ground.autoscaling.resume_processes(**add)
    ground.clock.advance(600)

    assert ground.lifecycles() == {"InService": 2}
    assert not ground.health()


def test_scaling_in_spares_protected_instances_and_keeps_the_zones_level(ground: Ground) -> None:
    spared = ground.ids("web-blue")[0]
    ground.autoscaling.set_instance_protection(
        AutoScalingGroupName="web-blue", InstanceIds=[spared], ProtectedFromScaleIn=True
    )

    ground.update("web-blue", MinSize=1, MaxSize=3)
    ground.clock.advance(60)

    assert spared in ground.ids("web-blue")
    assert len({each["AvailabilityZone"] for each in ground.group("web-blue")["Instances"]}) == 3


def test_terminated_members_leave_group_and_target_group_and_free_their_addresses(ground: Ground) -> None:
    before = free_addresses(ground)
    ground.grow_green(ground.newest())
    assert free_addresses(ground) == before - 4

    ground.update(MinSize=0, MaxSize=0)
    ground.clock.advance(120)

    assert not ground.ids()
    assert not ground.health()
    assert free_addresses(ground) == before


def test_a_mixed_instances_policy_survives_updates_that_do_not_mention_it(ground: Ground) -> None:
    ground.sandbox.seed("workers")

    ground.update("workers-blue", MinSize=3)
    ground.update(
        "workers-blue",
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "workers", "Version": "1"}}
        },
    )

    policy = ground.group("workers-blue")["MixedInstancesPolicy"]
    assert policy["LaunchTemplate"]["Overrides"][0]["InstanceType"] == "m7i.large"
    assert policy["InstancesDistribution"]["OnDemandBaseCapacity"] == 1


@pytest.mark.parametrize("value", ["x" * 257, "sqlite://host/my,store", "who\nwas it"])
def test_a_tag_that_is_too_long_or_has_other_characters_is_refused_and_none_is_written(
    ground: Ground, value: str
) -> None:
    tag = {"ResourceId": "web-green", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    before = ground.group("web-green")["Tags"]
    tags = [{**tag, "Key": "phoenix:group", "Value": "web"}, {**tag, "Key": "phoenix:store", "Value": value}]

    assert refusal(ground.autoscaling.create_or_update_tags, Tags=tags)[0] == "ValidationError"
    assert ground.group("web-green")["Tags"] == before


def test_groups_are_found_by_their_tags(ground: Ground) -> None:
    tag = {"ResourceId": "web-green", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    ground.autoscaling.create_or_update_tags(Tags=[{**tag, "Key": "phoenix:group", "Value": "web"}])

    for name, value in (("tag:phoenix:group", "web"), ("tag-key", "phoenix:group")):
        found = ground.autoscaling.describe_auto_scaling_groups(Filters=[{"Name": name, "Values": [value]}])
        assert [each["AutoScalingGroupName"] for each in found["AutoScalingGroups"]] == ["web-green"]


def test_schedules_policies_refreshes_and_warm_pools_are_kept_and_shown(ground: Ground) -> None:
    blue, asg = {"AutoScalingGroupName": "web-blue"}, ground.autoscaling
    asg.put_scheduled_update_group_action(**blue, ScheduledActionName="nightly-up", Recurrence="0 4 * * *", MinSize=1)
    assert not asg.describe_instance_refreshes(**blue)["InstanceRefreshes"]
    assert "WarmPoolConfiguration" not in asg.describe_warm_pool(**blue)

    asg.start_instance_refresh(**blue)
    asg.put_warm_pool(**blue, MinSize=1)

    assert asg.describe_scheduled_actions(**blue)["ScheduledUpdateGroupActions"][0]["MinSize"] == 1
    assert asg.describe_instance_refreshes(**blue)["InstanceRefreshes"][0]["Status"] == "InProgress"
    assert asg.describe_warm_pool(**blue)["WarmPoolConfiguration"]["PoolState"] == "Stopped"
    assert not asg.describe_policies(**blue)["ScalingPolicies"]


def test_activities_tell_what_happened_newest_first_in_pages(ground: Ground) -> None:
    ground.update(MinSize=4, MaxSize=12)
    ground.clock.advance(60)

    pages = ground.autoscaling.get_paginator("describe_scaling_activities").paginate(
        AutoScalingGroupName="web-green", IncludeDeletedGroups=True, PaginationConfig={"PageSize": 3}
    )
    found = [each for page in pages for each in page["Activities"]]
    assert [each["StatusCode"] for each in found] == ["Successful"] * 4
    assert "increasing the capacity from 3 to 4" in found[0]["Cause"]
    assert found[0]["EndTime"] > found[0]["StartTime"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (LaunchFault.NO_CAPACITY, "do not have sufficient m7i.large capacity in the Availability Zone"),
        (LaunchFault.QUOTA, "more vCPU capacity than your current vCPU limit"),
        (LaunchFault.NO_ADDRESSES, "not enough free addresses in subnet 'subnet-"),
        (LaunchFault.KMS, "Client.InternalError: Client error on launch"),
        (LaunchFault.BAD_IMAGE, "does not exist. Launching EC2 instance failed."),
        (LaunchFault.PERMISSION, "You are not authorized to perform this operation."),
    ],
)
def test_a_failed_launch_says_why_in_the_words_of_aws(ground: Ground, fault: LaunchFault, words: str) -> None:
    ground.sandbox.fail_launches(fault, auto_scaling_group="web-green")
    ground.update(MinSize=4, MaxSize=12)
    ground.clock.advance(60)

    failed = ground.activities(Filters=[{"Name": "Status", "Values": ["Failed"]}])

    assert words in failed[0]["StatusMessage"]
    assert not ground.ids()


def test_launches_are_tried_again_once_they_may_succeed(ground: Ground) -> None:
    ground.sandbox.fail_launches("no-capacity", count=1)

    ground.update(MinSize=2, MaxSize=12)
    ground.clock.advance(60)

    assert ground.lifecycles() == {"InService": 2}
    assert [each["StatusCode"] for each in ground.activities()] == ["Successful", "Successful", "Failed"]


def test_an_image_deregistered_after_the_update_fails_the_launch(ground: Ground) -> None:
    image = ground.sandbox.bake_image("web-gone")
    version_number = str(new_version(ground, image)["VersionNumber"])
    ground.update(LaunchTemplate={"LaunchTemplateName": "web", "Version": version_number}, MinSize=1, MaxSize=1)
    ground.ec2.deregister_image(ImageId=image)

    ground.clock.advance(60)

    assert f"'[{image}]' does not exist" in ground.activities()[0]["StatusMessage"]


def free_addresses(ground: Ground) -> int:
    names = ground.group("web-blue")["VPCZoneIdentifier"].split(",")
    subnets = ground.ec2.describe_subnets(SubnetIds=names)["Subnets"]
    return sum(each["AvailableIpAddressCount"] for each in subnets)


def with_a_launch_hook(ground: Ground, name: str = "phoenix-hold", **settings: object) -> str:
    """One instance of green that waits for the hook."""
    ground.autoscaling.put_lifecycle_hook(
        AutoScalingGroupName="web-green",
        LifecycleHookName=name,
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        **settings,
    )
    ground.update(MinSize=1, MaxSize=4)
    ground.clock.advance(60)
    (waiting,) = ground.group("web-green")["Instances"]
    assert waiting["LifecycleState"] == "Pending:Wait"
    return str(waiting["InstanceId"])


def states(ground: Ground) -> list[str]:
    return [each["LifecycleState"] for each in ground.group("web-green")["Instances"]]


def answered(ground: Ground, instance: str, result: str) -> None:
    ground.autoscaling.complete_lifecycle_action(
        AutoScalingGroupName="web-green",
        LifecycleHookName="phoenix-hold",
        InstanceId=instance,
        LifecycleActionResult=result,
    )


def test_a_launch_hook_holds_an_instance_out_of_service_until_it_is_answered(ground: Ground) -> None:
    instance = with_a_launch_hook(ground)

    answered(ground, instance, "CONTINUE")

    assert states(ground) == ["Pending:Proceed"]
    ground.clock.advance(1)
    assert states(ground) == ["InService"]


def test_an_abandoned_launch_is_cancelled_in_awss_words_and_tried_again(ground: Ground) -> None:
    instance = with_a_launch_hook(ground)

    answered(ground, instance, "ABANDON")
    ground.clock.advance(3600)

    activities = ground.autoscaling.describe_scaling_activities(AutoScalingGroupName="web-green")["Activities"]
    cancelled = [each["StatusMessage"] for each in activities if each["StatusCode"] == "Cancelled"]
    assert "was abandoned: Completed with ABANDON Result" in cancelled[-1]
    assert instance not in {each["InstanceId"] for each in ground.group("web-green")["Instances"]}


@pytest.mark.parametrize(("default", "after"), [("CONTINUE", ["InService"]), ("ABANDON", ["Terminating"])])
def test_a_hook_that_is_not_answered_ends_with_its_default(ground: Ground, default: str, after: list[str]) -> None:
    with_a_launch_hook(ground, HeartbeatTimeout=120, DefaultResult=default)

    ground.clock.advance(85)

    assert states(ground)[:1] == after


def test_a_heartbeat_gives_a_hook_its_time_again(ground: Ground) -> None:
    instance = with_a_launch_hook(ground, HeartbeatTimeout=120)

    ground.autoscaling.record_lifecycle_action_heartbeat(
        AutoScalingGroupName="web-green", LifecycleHookName="phoenix-hold", InstanceId=instance
    )
    ground.clock.advance(100)

    assert states(ground) == ["Pending:Wait"]


def test_deleting_a_hook_abandons_the_launches_that_wait_for_it(ground: Ground) -> None:
    with_a_launch_hook(ground)

    ground.autoscaling.delete_lifecycle_hook(AutoScalingGroupName="web-green", LifecycleHookName="phoenix-hold")

    assert states(ground) == ["Terminating"]


def test_an_action_that_is_over_cannot_be_completed_again(ground: Ground) -> None:
    instance = with_a_launch_hook(ground)
    answered(ground, instance, "CONTINUE")

    code, message = refusal(answered, ground=ground, instance=instance, result="CONTINUE")

    assert (code, message) == ("ValidationError", f"No active Lifecycle Action found with instance ID {instance}")
