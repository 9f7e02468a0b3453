"""Services that drive an Auto Scaling group themselves, and how they are recognised."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.fleets.group_owners import judge_hooks, judge_owner, judge_predictive

RAISES = "IncreaseMaxCapacity"


def a_tagged_group(*keys: str) -> dict[str, Any]:
    return {"AutoScalingGroupName": "web-blue", "Tags": [{"Key": key, "Value": ""} for key in keys]}


def a_forecast(breach: str, mode: str = "ForecastAndScale") -> dict[str, Any]:
    """A predictive scaling policy."""
    config = {"MetricSpecifications": [], "Mode": mode, "MaxCapacityBreachBehavior": breach}
    return {"PolicyName": "forecast", "PolicyType": "PredictiveScaling", "PredictiveScalingConfiguration": config}


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


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("AmazonECSManaged", "ecs"),
        ("k8s.io/cluster-autoscaler/enabled", "kubernetes"),
        ("kubernetes.io/cluster/prod", "kubernetes"),
    ],
)
def test_what_is_drained_before_it_leaves_stands_in_no_way_and_is_named_otherwise(key: str, kind: str) -> None:
    (blocker,) = judge_owner(a_tagged_group(key))

    assert f"`before_leaving: [{{kind: {kind}" in blocker.text
    assert list(judge_owner(a_tagged_group(key), {kind})) == []
    assert len(list(judge_owner(a_tagged_group(key), {"consul"}))) == 1


def test_a_managed_node_group_stays_refused_whatever_is_drained() -> None:
    (blocker,) = judge_owner(a_tagged_group("eks:nodegroup-name"), {"ecs", "kubernetes"})

    assert "aws eks update-nodegroup-version" in blocker.text


def test_where_a_group_was_declared_does_not_matter() -> None:
    assert list(judge_owner(a_tagged_group("aws:cloudformation:stack-name", "phoenix:group"))) == []


def test_a_group_whose_operator_is_a_service_stands_in_the_way() -> None:
    (blocker,) = judge_owner(a_tagged_group() | {"Operator": {"Principal": "eks.amazonaws.com"}})

    assert (blocker.name, "eks.amazonaws.com" in blocker.text) == ("owned-by-another-service", True)


@pytest.mark.edge(49)
def test_a_hook_of_codedeploy_stands_in_the_way_and_others_do_not() -> None:
    names = ("CodeDeploy-managed-automatic-launch-deployment-hook-web-1", "warm-up")

    (blocker,) = judge_hooks("web-blue", [{"LifecycleHookName": name} for name in names])

    assert (blocker.name, "hook-web-1" in str(blocker.remedy)) == ("codedeploy-hook", True)


@pytest.mark.edge(5)
def test_a_forecast_that_raises_the_maximum_stands_in_the_way() -> None:
    (blocker,) = judge_predictive("web-blue", [a_forecast(RAISES)])

    assert (blocker.name, '"forecast"' in blocker.text) == ("predictive-scaling", True)


@pytest.mark.parametrize(("breach", "mode"), [("HonorMaxCapacity", "ForecastAndScale"), (RAISES, "ForecastOnly")])
def test_a_forecast_that_leaves_the_maximum_alone_is_fine(breach: str, mode: str) -> None:
    assert list(judge_predictive("web-blue", [a_forecast(breach, mode)])) == []
