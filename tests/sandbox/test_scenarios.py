"""Each scenario does what its one line says, and faults can be put anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from phoenix.sandbox import GROUPS, PLAIN, SCENARIOS, Call, for_rehearsal
from tests.sandbox.conftest import Ground, Opener

HEALTHY = ("healthy", None)


class Died(BaseException):
    """Stands for the end of the caller."""


def test_every_scenario_is_described() -> None:
    expected = {"healthy", "bad-image", "slow-boot", "no-capacity", "flapping", "alarm", "throttled"}

    assert set(SCENARIOS) == expected
    assert all(scenario.description for scenario in SCENARIOS.values())


def test_on_a_good_day_the_newest_image_comes_up(ground: Ground) -> None:
    ground.grow_green(ground.newest())

    assert ground.health() == {HEALTHY: 4}


def test_bad_images_come_into_service_and_never_become_healthy(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="bad-image")
    ground.grow_green(ground.newest())

    assert ground.lifecycles() == {"InService": 4}
    assert ground.health() == {("unhealthy", "Target.ResponseCodeMismatch"): 4}


def test_slow_images_become_healthy_after_twenty_minutes(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="slow-boot")
    ground.grow_green(ground.newest())

    ground.clock.advance(1000)
    assert ground.health()[HEALTHY] == 0
    ground.clock.advance(150)
    assert ground.health() == {HEALTHY: 4}


def test_green_slots_get_no_capacity(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="no-capacity")
    ground.grow_green(ground.newest())
    ground.update("web-blue", MinSize=5)
    ground.clock.advance(60)

    assert not ground.ids()
    assert "do not have sufficient m7i.large capacity" in ground.activities()[0]["StatusMessage"]
    assert ground.lifecycles("web-blue") == {"InService": 5}


def test_flapping_images_are_healthy_and_unhealthy_in_turns(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="flapping")
    suspend = {"AutoScalingGroupName": "web-green", "ScalingProcesses": ["ReplaceUnhealthy"]}
    ground.autoscaling.suspend_processes(**suspend)
    ground.grow_green(ground.newest(), size=1)

    seen: set[tuple[str, str | None]] = set()
    for _ in range(30):
        ground.clock.advance(5)
        seen |= ground.health().keys()

    assert seen == {HEALTHY, ("unhealthy", "Target.ResponseCodeMismatch")}


def test_the_alarm_goes_off_only_once_the_erring_image_gets_traffic_and_recovers_after(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="alarm")
    ground.grow_green(ground.newest())
    ground.clock.advance(600)
    assert state_of(ground) == ("OK", 4)

    ground.shift(blue=95, green=5)
    ground.clock.advance(66)
    assert state_of(ground) == ("ALARM", 4)
    ground.shift(blue=100, green=0)
    ground.clock.advance(130)
    assert state_of(ground) == ("OK", 4)


def test_the_alarm_says_what_it_saw(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="alarm")
    ground.grow_green(ground.newest())
    ground.shift(blue=0, green=100)
    shifted_at = ground.clock.now()
    ground.clock.advance(66)

    alarm = ground.cloudwatch.describe_alarms(AlarmNames=["web-5xx"])["MetricAlarms"][0]

    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 3 datapoints [94.0 (18/11/26 02:")
    assert "was greater than the threshold (25.0) (minimum 1 datapoint for OK" in alarm["StateReason"]
    measured = alarm["StateReason"].partition("[94.0 (")[2].partition(")")[0]
    assert datetime.strptime(measured, "%d/%m/%y %H:%M:%S").replace(tzinfo=UTC) >= shifted_at


def test_who_asks_by_the_wall_clock_reads_alarms_by_the_wall_clock(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="alarm")
    began = ground.clock.now()
    ground.sandbox.world.alarms.shown = lambda moment: began + (moment - began) / 30
    ground.clock.advance(3600)

    ground.sandbox.set_alarm("web-5xx", "ALARM")

    alarm = ground.cloudwatch.describe_alarms(AlarmNames=["web-5xx"])["MetricAlarms"][0]
    (item,) = ground.cloudwatch.describe_alarm_history(
        AlarmName="web-5xx", StartDate=began + timedelta(minutes=1), EndDate=began + timedelta(minutes=3)
    )["AlarmHistoryItems"]
    assert alarm["StateTransitionedTimestamp"] == item["Timestamp"] == began + timedelta(minutes=2)


def test_throttling_reaches_the_sdk_as_an_error_it_retries(ground: Ground) -> None:
    ground.sandbox.throttle(["DescribeAutoScaling*"], count=1)

    assert ground.group("web-blue")

    assert [call.error for call in ground.sandbox.calls] == ["Throttling", None]


def test_throttling_without_end_is_an_error_of_its_own_kind(ground: Ground) -> None:
    ground.sandbox.throttle(["PutWarmPool"])
    client = ground.sandbox.session.client("autoscaling", config=no_retries())

    with pytest.raises(ClientError, match="Throttling"):
        client.put_warm_pool(AutoScalingGroupName="web-blue")


def test_some_calls_are_throttled_in_the_throttled_scenario(open_sandbox: Opener) -> None:
    ground = open_sandbox(scenario="throttled")
    client = ground.sandbox.session.client("autoscaling", config=no_retries())

    outcomes = set()
    for _ in range(40):
        try:
            client.describe_auto_scaling_groups()
            outcomes.add("answered")
        except ClientError as error:
            outcomes.add(error.response["Error"]["Code"])

    assert outcomes == {"answered", "Throttling"}


@pytest.mark.parametrize(("stage", "desired"), [("before", 0), ("after", 3)])
def test_a_caller_can_die_before_or_after_a_call_is_carried_out(ground: Ground, stage: str, desired: int) -> None:
    def die(call: Call, moment: str) -> None:
        if call.operation == "UpdateAutoScalingGroup" and moment == stage:
            raise Died

    ground.sandbox.intercept(die)
    with pytest.raises(Died):
        ground.update(MinSize=3, MaxSize=3)

    assert ground.group()["DesiredCapacity"] == desired


def test_calls_are_listed_with_what_they_were_and_whether_they_change_anything(ground: Ground) -> None:
    assert not ground.sandbox.calls

    ground.group()
    ground.update(MinSize=0)

    seen = [(call.service, call.operation, call.mutating) for call in ground.sandbox.calls]
    assert seen == [
        ("autoscaling", "DescribeAutoScalingGroups", False),
        ("autoscaling", "UpdateAutoScalingGroup", True),
    ]
    assert ground.sandbox.calls[1].params["AutoScalingGroupName"] == "web-green"


def test_all_fleets_can_stand_side_by_side(ground: Ground) -> None:
    for name in GROUPS[1:]:
        ground.sandbox.seed(name)

    groups = ground.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    sizes = {group["AutoScalingGroupName"]: len(group["Instances"]) for group in groups}
    assert {name: size for name, size in sizes.items() if size} == {
        "web-blue": 4,
        "internal-blue": 4,
        "workers-blue": 4,
        "elastic-blue": 4,
        "single-blue": 1,
        "edge-blue": 4,
        **dict.fromkeys(PLAIN, 4),
    }
    assert len(sizes) == 12 + len(PLAIN)
    assert ground.autoscaling.describe_policies(AutoScalingGroupName="elastic-blue")["ScalingPolicies"]


def no_retries() -> Config:
    return Config(retries={"total_max_attempts": 1})


def state_of(ground: Ground) -> tuple[str, int]:
    alarm = ground.cloudwatch.describe_alarms(AlarmNames=["web-5xx"])["MetricAlarms"][0]
    return alarm["StateValue"], ground.health()[HEALTHY]


@pytest.mark.parametrize("speed", [0.5, 1, 20, 30])
def test_an_image_that_is_slow_to_boot_outlasts_a_launch_time_out_at_any_speed(speed: float) -> None:
    real_seconds = for_rehearsal(speed).slow_boot / max(speed, 1)

    assert real_seconds > timedelta(minutes=15).total_seconds()
