"""Services that drive an Auto Scaling group themselves, and how they are recognised."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.fleets.other_owners import find_hooks, find_predictive, judge_owner
from tests.account import Account

RAISES = "IncreaseMaxCapacity"


def a_tagged_group(*keys: str) -> dict[str, Any]:
    return {"AutoScalingGroupName": "web-blue", "Tags": [{"Key": key, "Value": ""} for key in keys]}


def forecast(account: Account, breach: str, mode: str = "ForecastAndScale") -> None:
    """Give web-blue a predictive scaling policy."""
    metric = {"PredefinedMetricType": "ASGCPUUtilization"}
    account.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName="web-blue",
        PolicyName="forecast",
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration={
            "MetricSpecifications": [{"TargetValue": 40, "PredefinedMetricPairSpecification": metric}],
            "Mode": mode,
            "MaxCapacityBreachBehavior": breach,
        },
    )


@pytest.mark.edge(49)
@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("AmazonECSManaged", "an ECS capacity provider"),
        ("eks:nodegroup-name", "EKS"),
        ("k8s.io/cluster-autoscaler/enabled", "the Kubernetes cluster autoscaler"),
        ("kubernetes.io/cluster/prod", "Kubernetes"),
        ("elasticbeanstalk:environment-name", "Elastic Beanstalk"),
    ],
)
def test_a_group_that_another_service_drives_stands_in_the_way(key: str, owner: str) -> None:
    (blocker,) = judge_owner(a_tagged_group("Name", key))

    assert (blocker.name, blocker.text.startswith(f"{owner} drives web-blue")) == ("owned-by-another-service", True)
    assert str(blocker.remedy).startswith("aws ")


def test_where_a_group_was_declared_does_not_matter() -> None:
    assert list(judge_owner(a_tagged_group("aws:cloudformation:stack-name", "phoenix:group"))) == []


@pytest.mark.edge(49)
def test_a_hook_of_codedeploy_stands_in_the_way_and_others_do_not(account: Account) -> None:
    for hook in ("CodeDeploy-managed-automatic-launch-deployment-hook-web-1", "warm-up"):
        account.client("autoscaling").put_lifecycle_hook(
            AutoScalingGroupName="web-blue",
            LifecycleHookName=hook,
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        )

    (blocker,) = find_hooks(account.aws, "web-blue")

    assert (blocker.name, "hook-web-1" in str(blocker.remedy)) == ("codedeploy-hook", True)


@pytest.mark.edge(5)
def test_a_forecast_that_raises_the_maximum_stands_in_the_way(account: Account) -> None:
    forecast(account, RAISES)

    (blocker,) = find_predictive(account.aws, "web-blue")

    assert (blocker.name, '"forecast"' in blocker.text) == ("predictive-scaling", True)


@pytest.mark.parametrize(("breach", "mode"), [("HonorMaxCapacity", "ForecastAndScale"), (RAISES, "ForecastOnly")])
def test_a_forecast_that_leaves_the_maximum_alone_is_fine(account: Account, breach: str, mode: str) -> None:
    forecast(account, breach, mode)

    assert list(find_predictive(account.aws, "web-blue")) == []
