"""Everything about a Network Load Balancer that stands in the way of a start."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.blocker import Ahead, Blocker
from phoenix.core.model import Slot
from phoenix.routers import nlb_blockers
from tests.account import Account, Opener

BLUE, GREEN = Slot.BLUE, Slot.GREEN


@pytest.fixture
def account(open_account: Opener) -> Account:
    """The tier behind a Network Load Balancer."""
    return open_account("edge")


def found(account: Account, **router: Any) -> dict[str, Blocker]:
    """By name."""
    return {b.name: b for b in account.network_router(**router).find_blockers(account.slots(), BLUE)}


def listeners(account: Account) -> list[Any]:
    elbv2 = account.client("elbv2")
    arn = elbv2.describe_load_balancers(Names=["edge"])["LoadBalancers"][0]["LoadBalancerArn"]
    return list(elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"])


def name_blue_only(account: Account) -> None:
    """As an owner has it who has never shared a listener."""
    (arn,) = account.target_groups()[BLUE]
    for listener in listeners(account):
        account.client("elbv2").modify_listener(
            ListenerArn=listener["ListenerArn"], DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}]
        )


def set_attribute(account: Account, slot: Slot, key: str, value: str) -> None:
    (arn,) = account.target_groups()[slot]
    account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}]
    )


def test_the_example_has_none_and_every_name_is_announced(account: Account) -> None:
    assert found(account) == {}
    assert set(nlb_blockers.CHECKS) == set(account.network_router().checks)


def test_a_target_group_of_an_application_load_balancer_is_in_the_way(open_account: Opener) -> None:
    account = open_account()

    blocker = found(account)["not-a-network-load-balancer"]

    assert "its protocol is HTTP" in blocker.text
    assert "write `traffic: {kind: alb}`" in blocker.text


def test_a_target_group_of_a_network_load_balancer_is_in_the_way_of_an_alb_policy(account: Account) -> None:
    blockers = account.router().find_blockers(account.slots(), BLUE)

    assert any("write `traffic: {kind: nlb}`" in b.text for b in blockers if not b.warning)


# --- the quota of target groups in an action --------------------------------------------------------------------------


def test_an_account_that_allows_one_target_group_an_action_is_told_before_the_start(account: Account) -> None:
    name_blue_only(account)
    account.sandbox.world.groups_an_action["network"] = 1

    blocker = found(account)["target-groups-per-action"]

    assert not blocker.warning
    assert "AWS says that this account allows 1 in an action of a Network Load Balancer" in blocker.text
    assert (blocker.remedy or "").startswith("aws elbv2 modify-listener")
    assert '"Weight":0' in (blocker.remedy or "")


def test_the_quota_does_not_count_where_a_listener_shows_that_it_does_not_hold(account: Account) -> None:
    account.sandbox.world.groups_an_action["network"] = 1

    assert "target-groups-per-action" not in found(account)


def test_a_quota_that_may_not_be_read_is_said_to_be_unchecked(account: Account) -> None:
    name_blue_only(account)
    account.aws.refusals["elasticloadbalancing:DescribeAccountLimits"] = "AccessDenied"

    assert found(account)["not-checked"].unchecked == ("target-groups-per-action",)


# --- target groups ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["preserve_client_ip.enabled", "proxy_protocol_v2.enabled"])
def test_other_client_addresses_in_one_slot_are_in_the_way(account: Account, key: str) -> None:
    for slot, value in ((BLUE, "true"), (GREEN, "false")):
        set_attribute(account, slot, key, value)

    blocker = found(account)["client-addresses-differ"]

    assert not blocker.warning
    assert f"{key}: true and false" in blocker.text
    assert f"Key={key},Value=true" in (blocker.remedy or "")


def test_protocols_that_differ_are_in_the_way(account: Account) -> None:
    (arn,) = account.target_groups()[GREEN]
    account.sandbox.world.elbv2().target_groups[arn].protocol = "TCP_UDP"

    assert "Protocol" in found(account)["target-groups-differ"].text


@pytest.mark.parametrize(("green", "differs"), [("true", True), ("false", False)])
def test_zones_are_served_alike_in_both_slots(account: Account, green: str, differs: bool) -> None:
    set_attribute(account, GREEN, "load_balancing.cross_zone.enabled", green)

    assert ("cross-zone-differs" in found(account)) is differs


def test_connections_that_nothing_closes_are_worth_a_warning(account: Account) -> None:
    set_attribute(account, BLUE, "deregistration_delay.connection_termination.enabled", "false")

    blockers = found(account)

    assert "still open 30 s after an instance was deregistered" in blockers["connections-cut"].text
    assert "in one of the slots only" in blockers["target-attributes-differ"].text
    assert blockers["connections-cut"].warning


def test_clients_that_are_kept_by_their_address_are_worth_a_warning_where_aws_has_taken_it(account: Account) -> None:
    for slot in Slot:
        set_attribute(account, slot, "stickiness.enabled", "true")

    assert found(account)["client-affinity"].warning


def test_clients_that_are_kept_by_their_address_are_in_the_way_before_a_listener_was_ever_shared(
    account: Account,
) -> None:
    name_blue_only(account)
    set_attribute(account, BLUE, "stickiness.enabled", "true")

    blocker = found(account)["client-affinity"]

    assert not blocker.warning
    assert "has not been shown here yet" in blocker.text


def test_stickiness_of_the_listener_has_no_end_and_is_in_the_way_unless_it_is_suspended(account: Account) -> None:
    for listener in listeners(account):
        forward = listener["DefaultActions"][0]["ForwardConfig"]
        action = {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": forward["TargetGroups"],
                "TargetGroupStickinessConfig": {"Enabled": True},
            },
        }
        account.client("elbv2").modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])

    blocker = found(account)["group-stickiness"]

    assert "keeps clients on their target group without an end" in blocker.text
    assert "DurationSeconds" not in (blocker.remedy or "")
    assert found(account, stickiness="suspend") == {}


def test_failover_that_is_kept_leaves_zones_out_of_the_name(account: Account) -> None:
    blocker = found(account, suspends_failover=False)["dns-failover"]

    assert "the load balancer's own name leaves out every zone without a healthy target" in blocker.text


# --- room -------------------------------------------------------------------------------------------------------------


def too_many(account: Account, extra: int) -> list[Blocker]:
    ahead = Ahead(extra=extra)
    blockers = account.network_router().find_blockers(account.slots(), BLUE, ahead)
    return [b for b in blockers if b.name == "too-many-targets"]


def test_targets_are_counted_by_zone_where_each_zone_serves_its_own(account: Account) -> None:
    (blocker,) = too_many(account, 1600)

    assert blocker.where == "a zone of load balancer edge"
    assert "it would have 535 targets" in blocker.text
    assert "L-B211E961" in blocker.text
