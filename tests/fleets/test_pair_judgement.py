"""What the descriptions of the two groups alone say against a start, each with the command that mends it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from phoenix.core.blocker import Blocker
from phoenix.fleets.pair_judgement import Pair, judge_pair

MARK = {"Key": "phoenix:managed", "Value": "true"}
TEMPLATE = {"LaunchTemplateId": "lt-1", "Version": "1"}
SUBNETS = ("eu-west-1a", "eu-west-1b")


def a_group(name: str = "web-blue", desired: int = 4, **changes: Any) -> dict[str, Any]:
    """A group as Auto Scaling describes it, with nothing wrong about it."""
    return {
        "AutoScalingGroupName": name,
        "MinSize": 2,
        "MaxSize": 8,
        "DesiredCapacity": desired,
        "LaunchTemplate": TEMPLATE,
        "AvailabilityZones": list(SUBNETS),
        "VPCZoneIdentifier": "subnet-1,subnet-2",
        "Instances": [{"InstanceId": f"i-{n}"} for n in range(desired)],
        "TargetGroupARNs": [f"arn:tg/{name}"],
    } | changes


def judged(live: dict[str, Any] | None = None, candidate: dict[str, Any] | None = None) -> list[Blocker]:
    """What is said against this pair."""
    blue, green = a_group() | (live or {}), a_group("web-green", 0, MinSize=0) | (candidate or {})
    return judge_pair(Pair("web", marked(blue), marked(green)))


def marked(group: dict[str, Any]) -> dict[str, Any]:
    """The group with its owner's mark."""
    return group | {"Tags": [MARK, *group.get("Tags", ())]}


def named(found: list[Blocker] | Any) -> list[str]:
    """Names only."""
    return [blocker.name for blocker in found]


def mixed(**override: Any) -> dict[str, Any]:
    """A mixed instances policy with one override."""
    launch = {"LaunchTemplateSpecification": TEMPLATE, "Overrides": [{"InstanceType": "m7g.large"} | override]}
    return {"LaunchTemplate": None, "MixedInstancesPolicy": {"LaunchTemplate": launch}}


def test_nothing_is_said_against_a_pair_at_rest() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("live", "name"),
    [
        ({"LaunchTemplate": None, "LaunchConfigurationName": "old"}, "launch-configuration"),
        pytest.param({"WarmPoolConfiguration": {"MinSize": 1}}, "warm-pool", marks=pytest.mark.edge(12)),
        ({"Status": "Delete in progress"}, "being-deleted"),
        ({"DesiredCapacity": 9}, "desired-out-of-bounds"),
        ({"DesiredCapacityType": "vcpu"}, "capacity-in-other-units"),
        ({"Tags": [{"Key": "phoenix:group", "Value": "api"}]}, "other-group"),
    ],
)
def test_a_live_group_may_be_unfit(live: dict[str, Any], name: str) -> None:
    assert named(judged(live=live)) == [name]


@pytest.mark.edge(6)
@pytest.mark.parametrize("word", ["Launch", "Terminate", "AddToLoadBalancer"])
def test_a_suspended_launch_stands_in_the_way_with_the_command_that_resumes_it(word: str) -> None:
    (blocker,) = judged(candidate={"SuspendedProcesses": [{"ProcessName": word}]})

    assert (blocker.name, blocker.where) == ("suspended-process", "Auto Scaling group web-green")
    assert f"--scaling-processes {word}" in str(blocker.remedy)


def test_suspended_schedules_are_our_own_business() -> None:
    assert judged(candidate={"SuspendedProcesses": [{"ProcessName": "ScheduledActions"}]}) == []


def test_strangers_in_the_other_slot_stand_in_the_way() -> None:
    (blocker,) = judged(candidate={"Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]})

    assert (blocker.name, "2 instances" in blocker.text) == ("slot-not-empty", True)


def test_the_generation_before_does_not_stand_in_its_own_way() -> None:
    ours = [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]

    assert judged(candidate={"Instances": [{"InstanceId": "i-1"}], "Tags": ours}) == []


def test_a_generation_that_is_protected_from_scale_in_cannot_go() -> None:
    ours = [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]
    protected = [{"InstanceId": "i-1", "ProtectedFromScaleIn": True}]

    assert named(judged(candidate={"Instances": protected, "Tags": ours})) == ["scale-in-protection"]


def test_weighted_capacity_stands_in_the_way() -> None:
    both = mixed(WeightedCapacity="4")

    assert named(judged(both, both)) == ["weighted-capacity"] * 2


@pytest.mark.edge(22)
def test_overrides_with_templates_of_their_own_stand_in_the_way() -> None:
    both = mixed(LaunchTemplateSpecification=TEMPLATE)

    assert named(judged(both, both)) == ["template-per-override"] * 2


def test_one_mixed_policy_alone_is_worth_a_warning() -> None:
    assert [(b.name, b.warning) for b in judged(candidate=mixed())] == [("policies-differ", True)]


def test_a_candidate_in_one_zone_only_stands_in_the_way() -> None:
    assert named(judged(candidate={"AvailabilityZones": ["eu-west-1a"]})) == ["too-few-zones"]


def test_other_subnets_are_worth_a_warning() -> None:
    found = judged(candidate={"VPCZoneIdentifier": "subnet-1,subnet-3"})

    assert [(b.name, b.warning) for b in found] == [("subnets-differ", True)]


def test_a_target_group_for_both_slots_stands_in_the_way() -> None:
    assert named(judged(candidate={"TargetGroupARNs": ["arn:tg/web-blue"]})) == ["shared-target-group"]


@pytest.mark.edge(11)
def test_a_live_generation_that_is_protected_from_scale_in_cannot_go() -> None:
    protected = [{"InstanceId": f"i-{n}", "ProtectedFromScaleIn": n != 2} for n in range(53)]

    (blocker,) = judged(live={"Instances": protected})

    assert (blocker.name, blocker.warning) == ("scale-in-protection", False)
    assert "52 instances of the live generation" in blocker.text
    assert [line.count(" i-") for line in str(blocker.remedy).splitlines()] == [0, 50, 0, 2]


@pytest.mark.edge(11)
def test_a_group_that_protects_whatever_it_launches_stands_in_the_way() -> None:
    (blocker,) = judged(candidate={"NewInstancesProtectedFromScaleIn": True})

    assert blocker.name == "protects-new-instances"
    assert "--no-new-instances-protected-from-scale-in" in str(blocker.remedy)


@pytest.mark.edge(11)
def test_standby_is_a_warning_where_it_lives_and_stands_in_the_way_of_the_next() -> None:
    standby = {"Instances": [{"InstanceId": "i-1", "LifecycleState": "Standby"}]}
    ours = {"Tags": [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]}

    assert [(b.name, b.warning) for b in judged(live=standby)] == [("standby", True)]
    assert [(b.name, b.warning) for b in judged(candidate=standby | ours)] == [("standby", False)]


def test_who_runs_alone_is_never_told_to_go() -> None:
    instances = [{"InstanceId": "i-1"}]

    assert judged(live={"MinSize": 0, "DesiredCapacity": 0}, candidate={"Instances": instances}) == []


def test_another_launch_template_in_the_other_slot_is_worth_a_warning() -> None:
    found = judged(candidate={"LaunchTemplate": TEMPLATE | {"LaunchTemplateId": "lt-2"}})

    assert [(b.name, b.warning, "lt-2" in b.text) for b in found] == [("templates-differ", True, True)]


def test_a_group_of_another_service_is_found_among_the_rest() -> None:
    assert named(judged(live={"Tags": [{"Key": "AmazonECSManaged", "Value": ""}]})) == ["owned-by-another-service"]


UNFIT: list[dict[str, Any]] = [
    {"Status": "Delete in progress"},
    {"LaunchTemplate": None, "LaunchConfigurationName": "old"},
    {"SuspendedProcesses": [{"ProcessName": "Launch"}]},
    {"WarmPoolConfiguration": {"MinSize": 1}},
    {"DesiredCapacityType": "vcpu"},
    {"DesiredCapacity": 9},
    {"NewInstancesProtectedFromScaleIn": True},
    {"Tags": [{"Key": "phoenix:group", "Value": "api"}]},
    {"TargetGroupARNs": ["arn:tg/web-green"]},
    mixed(WeightedCapacity="4"),
    mixed(LaunchTemplateSpecification=TEMPLATE),
]


@pytest.mark.parametrize("live", UNFIT)
def test_everything_that_stands_in_the_way_comes_with_a_command(live: dict[str, Any]) -> None:
    found = judged(live=live)

    assert found
    assert all(str(blocker.remedy).startswith("aws ") for blocker in found)


def test_the_command_against_weights_keeps_the_rest_of_the_policy() -> None:
    both = mixed(WeightedCapacity="4")

    words = shlex.split(str(judged(both, both)[0].remedy).replace("\\\n", " "))

    assert json.loads(words[-1]) == mixed()["MixedInstancesPolicy"]


@pytest.mark.parametrize("side", ["live", "candidate"])
def test_instances_that_aws_keeps_after_an_abandoned_hook_are_named(side: str) -> None:
    ours = [{"Key": "phoenix:generation", "Value": "40 ami-1 56"}]
    kept = {"Instances": [{"InstanceId": "i-1", "LifecycleState": "Terminating:Retained"}], "Tags": ours}

    (blocker,) = judged(**{side: kept})

    assert (blocker.name, blocker.warning) == ("retained-instances", True)
    assert str(blocker.remedy).endswith("--instance-id i-1")


def test_a_new_kind_of_attachment_and_a_full_set_of_tags_are_found_among_the_rest() -> None:
    tags = [{"Key": f"cost-{n}", "Value": "x"} for n in range(45)]
    attached = {"TrafficSources": [{"Identifier": "x-1", "Type": "quantum"}]}

    assert named(judged(candidate=attached | {"Tags": tags})) == ["tag-limit", "other-traffic-source"]


@pytest.mark.parametrize(
    ("distribution", "override", "name"),
    [
        ({}, {"ImageId": "ami-0aaaaaaaaaaaaaaaa"}, "image-per-override"),
        ({"DistributionSegments": [{"CapacityTypes": ["spot"]}]}, {}, "distribution-segments"),
    ],
)
def test_what_a_policy_would_launch_or_lose_behind_the_version_stands_in_the_way(
    distribution: dict[str, Any], override: dict[str, Any], name: str
) -> None:
    policy = mixed(**override)
    policy["MixedInstancesPolicy"]["InstancesDistribution"] = distribution

    found = [blocker for blocker in judged(candidate=policy) if not blocker.warning]

    assert named(found) == [name]
    assert "--mixed-instances-policy '{" in str(found[0].remedy)


@pytest.mark.parametrize("tags", [[], [MARK | {"Value": "false"}]])
def test_a_group_without_the_mark_that_the_other_one_carries_is_in_the_way(tags: list[dict[str, str]]) -> None:
    (blocker,) = judge_pair(Pair("web", marked(a_group()), a_group("web-green", 0, MinSize=0, Tags=tags)))

    assert (blocker.name, blocker.where, blocker.warning) == ("unmarked", "Auto Scaling group web-green", False)
    assert blocker.of_rights
    assert "ResourceId=web-green" in str(blocker.remedy)
    assert "web-blue" not in str(blocker.remedy)


def test_a_pair_that_is_marked_nowhere_may_have_wider_rights() -> None:
    (blocker,) = judge_pair(Pair("web", a_group(), a_group("web-green", 0, MinSize=0)))

    assert (blocker.name, blocker.warning, str(blocker.remedy).count("create-or-update-tags")) == ("unmarked", True, 2)
