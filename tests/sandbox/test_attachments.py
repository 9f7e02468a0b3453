"""What a group is attached to: the calls for each kind, those for all, and where AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.core.model import Slot
from phoenix.core.tags import WRITTEN
from phoenix.fleets.group_attachments import judge_attachments
from phoenix.fleets.group_limits import judge_limits
from tests.account import Account, account, open_account
from tests.remedies import run_remedy

__all__ = ["account", "open_account"]

LATTICE = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0b1f"
BLUE = {"AutoScalingGroupName": "web-blue"}


def classic(account: Account, name: str = "web-classic") -> str:
    """A Classic Load Balancer."""
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    account.client("elb").create_load_balancer(
        LoadBalancerName=name, Listeners=[listener], AvailabilityZones=["eu-west-1a"]
    )
    return name


def described(account: Account) -> dict[str, Any]:
    groups = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])
    found: dict[str, Any] = groups["AutoScalingGroups"][0]
    return found


def attach(account: Account, identifier: str, kind: str) -> None:
    source = {"Identifier": identifier, "Type": kind}
    account.client("autoscaling").attach_traffic_sources(**BLUE, TrafficSources=[source])


@pytest.mark.parametrize("call", ["attach_load_balancers", "attach_traffic_sources"])
def test_a_classic_balancer_is_named_and_detached_by_the_command_as_printed(account: Account, call: str) -> None:
    name, client = classic(account), account.client("autoscaling")
    sources = {"TrafficSources": [{"Identifier": name, "Type": "elb"}]}
    getattr(client, call)(**BLUE, **({"LoadBalancerNames": [name]} if "load" in call else sources))

    (blocker,) = judge_attachments(described(account))
    ran = run_remedy(account.sandbox.session, blocker.remedy)

    assert (ran, "the Classic Load Balancer web-classic" in blocker.text) == (["detach-traffic-sources"], True)
    assert list(judge_attachments(described(account))) == []


def test_a_lattice_target_group_is_named_too(account: Account) -> None:
    attach(account, LATTICE, "vpc-lattice")

    (blocker,) = account.fleet.find_blockers(Slot.BLUE, an_image_of(account), 4)

    assert (blocker.name, blocker.warning, LATTICE in blocker.text) == ("other-traffic-source", False, True)


def an_image_of(account: Account) -> Any:
    from tests.fakes import an_image

    return an_image(account.sandbox.bake_image("web-2026.11.18-c0ffee"))


def test_instances_register_with_a_target_group_however_it_is_attached(account: Account) -> None:
    green = account.target_groups()[Slot.GREEN][0]
    attach(account, green, "elbv2")

    health = account.client("elbv2").describe_target_health(TargetGroupArn=green)["TargetHealthDescriptions"]

    assert len(health) == 4
    assert green in account.target_groups()[Slot.BLUE]


def test_what_attach_traffic_sources_has_attached_only_detach_traffic_sources_detaches(account: Account) -> None:
    green, client = account.target_groups()[Slot.GREEN][0], account.client("autoscaling")
    attach(account, green, "elbv2")

    with pytest.raises(ClientError, match="not part of the group"):
        client.detach_load_balancer_target_groups(**BLUE, TargetGroupARNs=[green])
    client.detach_traffic_sources(**BLUE, TrafficSources=[{"Identifier": green, "Type": "elbv2"}])

    assert green not in account.target_groups()[Slot.BLUE]


@pytest.mark.parametrize(("identifier", "kind"), [("nowhere", "elb"), ("arn:aws:elasticloadbalancing:x", "elbv2")])
def test_what_does_not_exist_cannot_be_attached(account: Account, identifier: str, kind: str) -> None:
    with pytest.raises(ClientError):
        attach(account, identifier, kind)


def test_traffic_sources_are_listed_by_type(account: Account) -> None:
    attach(account, classic(account), "elb")
    client = account.client("autoscaling")

    every = client.describe_traffic_sources(**BLUE)["TrafficSources"]
    some = client.describe_traffic_sources(**BLUE, TrafficSourceType="elb")["TrafficSources"]

    assert sorted(each["Type"] for each in every) == ["elb", "elbv2"]
    assert [each["Identifier"] for each in some] == ["web-classic"]


# --- tags -------------------------------------------------------------------------------------------------------------


def tag(account: Account, count: int, value: str = "x") -> None:
    """Give web-blue that many more tags."""
    for start in range(0, count, 25):
        account.client("autoscaling").create_or_update_tags(
            Tags=[
                {"ResourceId": "web-blue", "ResourceType": "auto-scaling-group", "Key": f"cost-{n}", "Value": value}
                for n in range(start, min(start + 25, count))
            ]
        )


def test_a_group_holds_fifty_tags_and_no_more(account: Account) -> None:
    tag(account, 48)

    with pytest.raises(ClientError, match="maximum number of tags"):
        tag(account, 49)


def test_a_tag_value_has_256_letters_at_most(account: Account) -> None:
    tag(account, 1, "x" * 256)

    with pytest.raises(ClientError, match="256"):
        tag(account, 1, "x" * 257)


ROOM = 50 - 2 - len(WRITTEN)
"""The example group has two tags of its own."""


@pytest.mark.parametrize(("count", "full"), [(ROOM, False), (ROOM + 1, True)])
def test_a_group_without_room_for_our_tags_stands_in_the_way_before_the_start(
    account: Account, count: int, full: bool
) -> None:
    tag(account, count)

    said = list(judge_limits(described(account)))
    for blocker in said:
        run_remedy(account.sandbox.session, blocker.remedy)

    assert [(b.name, b.warning) for b in said] == [("tag-limit", False)] * full
    assert list(judge_limits(described(account))) == []
