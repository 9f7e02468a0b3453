"""What is asked of all groups of an account together."""

from __future__ import annotations

from phoenix.fleets.group_marks import marked_groups, tainted_groups
from tests.account import Account


def tag_group(account: Account, name: str, key: str) -> None:
    tag = {
        "ResourceId": name,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": "x",
        "PropagateAtLaunch": False,
    }
    account.client("autoscaling").create_or_update_tags(Tags=[tag])


def test_groups_with_a_tag_that_only_a_rotation_leaves_are_marked(account: Account) -> None:
    tag_group(account, "web-green", "phoenix:hold")
    tag_group(account, "web-blue", "phoenix:generation")

    assert marked_groups(account.aws) == {"web-green"}


def test_groups_with_an_instance_that_is_tainted_are_found_by_that(account: Account) -> None:
    assert tainted_groups(account.aws) == set()
    (group,) = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])[
        "AutoScalingGroups"
    ]
    instance = group["Instances"][0]["InstanceId"]

    account.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": "phoenix:tainted", "Value": "disk"}])

    assert tainted_groups(account.aws) == {"web-blue"}
