"""The example groups that are rotated in place: what each has, and that a rotation by hand works on it."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.sandbox import PLAIN
from tests.sandbox.conftest import Ground, Opener

HEALTHY = ("healthy", None)


@pytest.fixture
def ground(open_sandbox: Opener) -> Ground:
    """Nothing yet."""
    return open_sandbox(seed_group=False)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_group_lives_at_once_is_three_days_old_and_has_one_newer_image(ground: Ground, name: str) -> None:
    ground.sandbox.seed(name, desired=3)

    group = ground.group(name)
    assert (ground.lifecycles(name), group["DesiredCapacity"]) == ({"InService": 3}, 3)
    assert (ground.clock.now() - group["CreatedTime"]).days == 3
    assert {"Key": "phoenix:managed", "Value": "true"}.items() <= group["Tags"][0].items()
    images = ground.ec2.describe_images(Owners=["self"], Filters=[{"Name": "tag:service", "Values": [name]}])["Images"]
    assert sorted(each["Name"] for each in images) == [f"{name}-2026.11.11-41aa07", f"{name}-2026.11.18-9f2c1e"]


@pytest.mark.parametrize("name", ["api", "tcp"])
def test_a_group_behind_a_target_group_is_healthy_there_and_takes_all_requests(ground: Ground, name: str) -> None:
    ground.sandbox.seed(name)

    truth = ground.sandbox.serving()[name]
    assert (ground.health(name), truth.lowest_share, truth.healthy) == ({HEALTHY: 4}, 1.0, 4)
    assert ground.listeners(name)[0]["DefaultActions"][0]["Type"] == "forward"


def test_api_scales_with_its_load_and_its_leavers_wait_half_a_minute_for_their_owner(ground: Ground) -> None:
    ground.sandbox.seed("api")
    victim = ground.ids("api")[0]

    ground.autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=False)
    ground.clock.advance(30)
    waiting = ground.lifecycles("api")["Terminating:Wait"]
    ground.clock.advance(60)

    policies: Any = ground.autoscaling.describe_policies(AutoScalingGroupName="api")["ScalingPolicies"]
    assert (policies[0]["PolicyType"], waiting, victim in ground.ids("api")) == ("TargetTrackingScaling", 1, False)


def test_legacy_is_in_service_behind_its_classic_load_balancer(ground: Ground) -> None:
    ground.sandbox.seed("legacy")

    elb: Any = ground.sandbox.session.client("elb")
    found = elb.describe_instance_health(LoadBalancerName="legacy")["InstanceStates"]
    assert [each["State"] for each in found] == ["InService"] * 4
    assert ground.group("legacy")["LoadBalancerNames"] == ["legacy"]


def test_batch_is_attached_to_nothing(ground: Ground) -> None:
    ground.sandbox.seed("batch")

    assert ground.group("batch")["TrafficSources"] == []


@pytest.mark.parametrize("name", PLAIN)
def test_a_generation_is_replaced_in_place_and_comes_back(ground: Ground, name: str) -> None:
    """Grow, put the old ones in Standby, bring them back: by the calls alone."""
    ground.sandbox.seed(name)
    old, asked = ground.ids(name), {"AutoScalingGroupName": name}

    ground.update(name, MinSize=8, MaxSize=12)
    ground.clock.advance(300)
    ground.update(name, MinSize=4)
    ground.autoscaling.suspend_processes(**asked, ScalingProcesses=["AZRebalance"])
    ground.autoscaling.enter_standby(**asked, InstanceIds=old, ShouldDecrementDesiredCapacity=True)
    ground.clock.advance(60)
    hot = ground.lifecycles(name)
    ground.autoscaling.exit_standby(**asked, InstanceIds=old)
    ground.clock.advance(10)

    assert (hot, ground.lifecycles(name)) == ({"InService": 4, "Standby": 4}, {"InService": 8})
    assert ground.group(name)["DesiredCapacity"] == 8


def test_without_capacity_no_plain_group_grows(open_sandbox: Opener) -> None:
    ground = open_sandbox(seed_group=False, scenario="no-capacity")
    ground.sandbox.seed("batch")

    ground.update("batch", DesiredCapacity=6)
    ground.clock.advance(300)

    assert ground.lifecycles("batch") == {"InService": 4}
