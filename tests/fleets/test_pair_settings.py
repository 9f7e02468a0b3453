"""Everything that DescribeAutoScalingGroups shows of two groups, compared."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from phoenix.aws.comparison import Severity
from phoenix.core.blocker import Blocker
from phoenix.fleets.pair_settings import SETTINGS, judge_settings
from phoenix.fleets.pair_twins import Twins
from tests.account import Account
from tests.remedies import run_remedy


def a_group(name: str, **changes: Any) -> dict[str, Any]:
    """A group as Auto Scaling describes it."""
    return {"AutoScalingGroupName": name, "HealthCheckType": "ELB", "HealthCheckGracePeriod": 60} | changes


def judged(live: dict[str, Any] | None = None, other: dict[str, Any] | None = None) -> list[Blocker]:
    """What is said of such a pair."""
    return list(judge_settings(Twins(a_group("web-blue") | (live or {}), a_group("web-green") | (other or {}))))


def test_each_member_that_aws_shows_of_a_group_has_a_decision() -> None:
    shape: Any = get_session().get_service_model("autoscaling").shape_for("AutoScalingGroup")

    assert set(shape.members) - set(SETTINGS) == set()


def test_each_decision_that_is_not_a_comparison_says_where_it_is_made() -> None:
    assert all(member.why for member in SETTINGS.values() if member.severity is Severity.APART)


def test_groups_that_are_alike_are_not_talked_about() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("live", "other", "blocks"),
    [
        ({"HealthCheckType": "ELB"}, {"HealthCheckType": "EC2"}, True),
        ({"HealthCheckType": "ELB,EBS"}, {"HealthCheckType": "EBS,ELB"}, None),
        ({"HealthCheckType": "EC2"}, {"HealthCheckType": "EC2,ELB"}, False),
        ({"HealthCheckGracePeriod": 300}, {"HealthCheckGracePeriod": 60}, False),
        ({"MaxInstanceLifetime": 604800}, {}, False),
        ({}, {"DeletionProtection": "none"}, None),
        ({"TerminationPolicies": ["OldestInstance"]}, {}, False),
        ({"InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120}}, {}, False),
        ({"SomethingNew": 1}, {"SomethingNew": 2}, False),
        ({"MinSize": 4, "MaxSize": 24}, {"MinSize": 0, "MaxSize": 0}, None),
        ({}, {"SuspendedProcesses": [{"ProcessName": "AlarmNotification"}]}, True),
        ({"SuspendedProcesses": [{"ProcessName": "AZRebalance"}]}, {}, False),
        ({}, {"SuspendedProcesses": [{"ProcessName": "ScheduledActions"}]}, None),
    ],
)
def test_what_would_be_lost_stands_in_the_way_and_the_rest_is_a_warning(
    live: dict[str, Any], other: dict[str, Any], blocks: bool | None
) -> None:
    said = [not blocker.warning for blocker in judged(live, other)]

    assert said == ([] if blocks is None else [blocks])


def test_a_metric_that_only_the_live_group_publishes_is_missed() -> None:
    (blocker,) = judged({"EnabledMetrics": [{"Metric": "GroupInServiceInstances", "Granularity": "1Minute"}]})

    assert "GroupInServiceInstances" in blocker.text
    assert "enable-metrics-collection" in str(blocker.remedy)


def a_tag(key: str, value: str, propagates: bool = True) -> dict[str, Any]:
    return {"Key": key, "Value": value, "PropagateAtLaunch": propagates}


@pytest.mark.parametrize(
    ("live", "other", "differs"),
    [
        ([a_tag("cost", "shop")], [a_tag("cost", "shop")], False),
        ([a_tag("cost", "shop")], [], True),
        ([a_tag("cost", "shop")], [a_tag("cost", "shop", propagates=False)], True),
        ([a_tag("Name", "web-blue")], [a_tag("Name", "web-green")], False),
        ([a_tag("Name", "web-blue")], [a_tag("Name", "web-blue")], True),
        ([a_tag("phoenix:group", "web"), a_tag("aws:cloudformation:stack-id", "1")], [], False),
        ([a_tag("owner", "me", propagates=False)], [], False),
        ([], [a_tag("cost", "shop")], True),
    ],
)
def test_tags_that_instances_inherit_have_to_be_the_same(
    live: list[dict[str, Any]], other: list[dict[str, Any]], differs: bool
) -> None:
    said = judged({"Tags": live}, {"Tags": other})

    assert [(b.name, b.warning) for b in said] == [("propagated-tags-differ", True)] * differs


MIXED: dict[str, Any] = {
    "LaunchTemplate": {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "Overrides": [{"InstanceType": "m7i.large"}, {"InstanceType": "m6i.large"}],
    },
    "InstancesDistribution": {"OnDemandBaseCapacity": 2, "SpotAllocationStrategy": "price-capacity-optimized"},
}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"InstancesDistribution": {"OnDemandBaseCapacity": 0}}, "OnDemandBaseCapacity is 2 and 0"),
        ({"LaunchTemplate": MIXED["LaunchTemplate"] | {"Overrides": [{"InstanceType": "t3.small"}]}}, "t3.small"),
        ({"SomethingNew": 1}, "SomethingNew is not the same"),
    ],
)
def test_mixed_instances_policies_are_compared_in_what_they_say(change: dict[str, Any], word: str) -> None:
    (blocker,) = judged({"MixedInstancesPolicy": MIXED}, {"MixedInstancesPolicy": MIXED | change})

    assert (blocker.name, blocker.warning, word in blocker.text) == ("policies-differ", True, True)


def test_mixed_instances_policies_of_other_versions_are_alike() -> None:
    launch = MIXED["LaunchTemplate"] | {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "7"}}

    assert judged({"MixedInstancesPolicy": MIXED}, {"MixedInstancesPolicy": MIXED | {"LaunchTemplate": launch}}) == []


CHANGES: list[dict[str, Any]] = [
    {"HealthCheckType": "EC2"},
    {"HealthCheckGracePeriod": 5, "DefaultInstanceWarmup": 10},
    {"TerminationPolicies": ["NewestInstance"], "CapacityRebalance": True},
    {"MaxInstanceLifetime": 604800, "DeletionProtection": "prevent-force-deletion"},
    {"InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120}},
    {"CapacityReservationSpecification": {"CapacityReservationPreference": "none"}},
    {"AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"}},
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("changed", ["web-blue", "web-green"])
def test_the_command_makes_them_alike_as_printed(account: Account, change: dict[str, Any], changed: str) -> None:
    client = account.client("autoscaling")
    client.update_auto_scaling_group(AutoScalingGroupName=changed, **change)

    def said() -> list[Blocker]:
        names = ["web-blue", "web-green"]
        groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        return list(judge_settings(Twins(*groups)))

    before = said()
    for blocker in before:
        run_remedy(account.sandbox.session, blocker.remedy)

    assert len(before) == len(change)
    assert said() == []


def test_tags_and_metrics_are_given_by_the_command_as_printed(account: Account) -> None:
    client = account.client("autoscaling")
    tag = a_tag("Environment", "prod of web-blue") | {"ResourceId": "web-blue", "ResourceType": "auto-scaling-group"}
    client.create_or_update_tags(Tags=[tag])
    client.enable_metrics_collection(AutoScalingGroupName="web-blue", Granularity="1Minute")
    client.suspend_processes(AutoScalingGroupName="web-blue", ScalingProcesses=["AZRebalance"])

    def said() -> list[Blocker]:
        names = ["web-blue", "web-green"]
        groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        return list(judge_settings(Twins(*groups)))

    ran = [run_remedy(account.sandbox.session, blocker.remedy) for blocker in said()]

    assert ran == [["suspend-processes"], ["enable-metrics-collection"], ["create-or-update-tags"]]
    assert said() == []
