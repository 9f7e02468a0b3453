"""Both slots have to scale alike, each by its own measure."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.blocker import Blocker
from phoenix.fleets.pair_scaling import find_in_policies
from phoenix.fleets.pair_twins import Twins
from tests.account import Account
from tests.remedies import run_remedy

CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 60.0}


def put(account: Account, group: str, name: str = "cpu", **policy: Any) -> str:
    """Give a group a policy; its ARN."""
    wanted = policy or {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": CPU}
    answer = account.client("autoscaling").put_scaling_policy(AutoScalingGroupName=group, PolicyName=name, **wanted)
    return str(answer["PolicyARN"])


def by_requests(account: Account, slot: str, target_group: str | None = None) -> dict[str, Any]:
    """Target tracking by requests a target."""
    arn = account.client("elbv2").describe_target_groups(Names=[target_group or f"web-{slot}"])["TargetGroups"][0][
        "TargetGroupArn"
    ]
    metric = {
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": f"app/web/50dc6c495c0c9188/{arn.rsplit(':', 1)[-1]}",
    }
    config = {"PredefinedMetricSpecification": metric, "TargetValue": 500.0}
    return {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": config}


def by_maths(group: str) -> dict[str, Any]:
    """Target tracking by an expression over metrics of the group."""
    metric = {
        "Namespace": "app",
        "MetricName": "busy",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group}],
    }
    metrics = [
        {"Id": "m", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e", "Expression": "m / 2", "ReturnData": True},
    ]
    config = {"CustomizedMetricSpecification": {"Metrics": metrics}, "TargetValue": 10.0}
    return {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": config}


def found(account: Account) -> list[Blocker]:
    """What is said with blue live."""
    groups = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue", "web-green"])
    return list(find_in_policies(account.aws, Twins(*groups["AutoScalingGroups"])))


def mend(account: Account, said: list[Blocker]) -> None:
    """Do what the remedies say."""
    for blocker in said:
        run_remedy(account.sandbox.session, blocker.remedy)


def test_a_pair_without_policies_is_not_talked_about(account: Account) -> None:
    assert found(account) == []


def test_a_policy_that_only_the_live_slot_has_stands_in_the_way_until_it_is_copied(account: Account) -> None:
    put(account, "web-blue")

    said = found(account)
    mend(account, said)

    assert [(b.name, b.warning, '"cpu"' in b.text) for b in said] == [("scaling-policies-differ", False, True)]
    assert found(account) == []


def test_a_policy_that_only_the_other_slot_has_is_a_warning(account: Account) -> None:
    put(account, "web-green")

    said = found(account)
    mend(account, said)

    assert [(b.name, b.warning) for b in said] == [("scaling-policies-differ", True)]
    assert found(account) == []


@pytest.mark.parametrize(
    "change",
    [
        {"TargetTrackingConfiguration": CPU | {"TargetValue": 50.0}},
        {"TargetTrackingConfiguration": CPU | {"DisableScaleIn": True}},
        {"TargetTrackingConfiguration": CPU, "Enabled": False},
        {"TargetTrackingConfiguration": CPU, "EstimatedInstanceWarmup": 30},
    ],
)
def test_one_that_is_not_the_same_on_both_stands_in_the_way_until_it_is(
    account: Account, change: dict[str, Any]
) -> None:
    put(account, "web-blue")
    put(account, "web-green", PolicyType="TargetTrackingScaling", **change)

    said = found(account)
    mend(account, said)

    assert [(b.name, b.warning) for b in said] == [("scaling-policies-differ", False)]
    assert found(account) == []


def test_policies_of_other_names_that_do_the_same_are_alike(account: Account) -> None:
    put(account, "web-blue", "cpu-of-blue")
    put(account, "web-green", "keep-cpu-low")

    assert found(account) == []


@pytest.mark.parametrize("measured", ["requests", "maths"])
def test_each_slot_has_to_measure_itself(account: Account, measured: str) -> None:
    blue = by_requests(account, "blue") if measured == "requests" else by_maths("web-blue")
    green = by_requests(account, "green") if measured == "requests" else by_maths("web-green")
    put(account, "web-blue", **blue)
    put(account, "web-green", **green)

    assert found(account) == []


@pytest.mark.parametrize("wrong", ["web-blue", "web-green"])
@pytest.mark.parametrize("measured", ["requests", "maths"])
def test_a_policy_that_measures_the_other_slot_stands_in_the_way_until_it_measures_its_own(
    account: Account, measured: str, wrong: str
) -> None:
    """What a clone of a group forgets, and what is left after a trade of places."""
    other = "web-green" if wrong == "web-blue" else "web-blue"
    same = by_requests(account, "", other) if measured == "requests" else by_maths(other)
    put(account, "web-blue", **same)
    put(account, "web-green", **same)

    (blocker,) = said = found(account)
    mend(account, said)

    assert (blocker.name, blocker.warning, blocker.where) == (
        "scaling-policies-differ",
        False,
        f"Auto Scaling group {wrong}",
    )
    assert found(account) == []


# --- step policies hang on alarms -------------------------------------------------------------------------------------

STEP: dict[str, Any] = {
    "PolicyType": "StepScaling",
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
}


def alarm(account: Account, name: str, measured: str, *actions: str) -> None:
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": measured}],
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        Threshold=80.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="missing",
        AlarmActions=list(actions),
    )


def test_a_step_policy_without_an_alarm_stands_in_the_way_until_it_has_its_own(account: Account) -> None:
    alarm(account, "busy", "web-blue", put(account, "web-blue", **STEP))
    put(account, "web-green", **STEP)

    said = found(account)
    mend(account, said)

    assert [(b.name, b.warning, '"busy"' in b.text) for b in said] == [("scaling-alarms-differ", False, True)]
    assert found(account) == []
    made = account.client("cloudwatch").describe_alarms(AlarmNames=["busy-web-green"])["MetricAlarms"][0]
    assert made["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "web-green"}]
    assert (made["DatapointsToAlarm"], made["TreatMissingData"]) == (2, "missing")


def test_one_alarm_for_both_slots_measures_only_one_of_them(account: Account) -> None:
    both = [put(account, group, **STEP) for group in ("web-blue", "web-green")]
    alarm(account, "busy", "web-blue", *both)

    (blocker,) = found(account)

    assert (blocker.name, blocker.where) == ("scaling-alarms-differ", "Auto Scaling group web-green")
    assert "measures web-blue" in blocker.text


def test_one_alarm_on_what_both_share_is_fine(account: Account) -> None:
    both = [put(account, group, **STEP) for group in ("web-blue", "web-green")]
    alarm(account, "queue", "another-queue", *both)

    assert found(account) == []


def test_alarms_are_asked_for_only_where_policies_hang_on_them(account: Account) -> None:
    put(account, "web-blue")

    found(account)

    assert "cloudwatch:DescribeAlarms" not in account.aws.actions
