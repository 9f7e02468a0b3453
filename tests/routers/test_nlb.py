"""A Network Load Balancer on a sandbox: its listeners are read and written, and no rule is ever asked for."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.action import SetFailover, SetWeights
from phoenix.core.model import UNTIMED, Slot, TargetState
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.errors import ForeignWeights
from phoenix.routers import kind_behind, kind_of
from phoenix.routers.nlb import NlbRouter
from phoenix.routers.shares import LISTENERS, moved_groups
from tests.account import Account, Opener
from tests.builders import a_generation, a_record

BLUE, GREEN = Slot.BLUE, Slot.GREEN
CROSS_ZONE = "load_balancing.cross_zone.enabled"


@pytest.fixture
def account(open_account: Opener) -> Account:
    """The tier behind a Network Load Balancer."""
    return open_account("edge")


def routes_of(account: Account, router: NlbRouter) -> list[str]:
    """ARNs of everything that carries the pair; calls so far are forgotten."""
    found = [route.arn for route in router.find(account.target_groups())]
    account.sandbox.calls.clear()
    return found


def the_action(account: Account, listener: str) -> Any:
    """The default action of a listener, as AWS describes it."""
    return account.client("elbv2").describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"][0]


def set_cross_zone(account: Account, value: str, target_group: str | None = None) -> None:
    """On the load balancer, or on a target group."""
    elbv2, attributes = account.client("elbv2"), [{"Key": CROSS_ZONE, "Value": value}]
    if target_group is not None:
        elbv2.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=attributes)
        return
    arn = elbv2.describe_load_balancers(Names=["edge"])["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


def test_listeners_are_found_by_their_own_arns_and_named_by_their_ports(account: Account) -> None:
    routes = account.network_router().find(account.target_groups())

    assert [route.name for route in routes] == [":443", ":80"]
    assert all(":listener/net/edge/" in route.arn for route in routes)
    assert "DescribeRules" not in account.operations()


def test_a_look_costs_one_call_for_all_listeners_and_one_for_each_slot(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)

    router.observe(target_groups, routes, frozenset(Slot))

    assert sorted(account.operations()) == ["DescribeListeners", "DescribeTargetHealth", "DescribeTargetHealth"]


def test_known_listeners_have_their_names_from_the_one_call_that_reads_them(account: Account) -> None:
    target_groups, routes = account.target_groups(), routes_of(account, account.network_router())

    seen = account.network_router().observe(target_groups, routes, frozenset())

    assert [route.name for route in seen.routes] == [":443", ":80"]


def test_a_shift_writes_each_listener_once_and_reads_all_back(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)

    router.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})), target_groups, routes)

    assert account.operations() == ["DescribeListeners", "ModifyListener", "ModifyListener", "DescribeListeners"]
    assert [g["Weight"] for g in the_action(account, routes[0])["ForwardConfig"]["TargetGroups"]] == [95, 5]


def test_a_foreign_weight_on_one_listener_keeps_both_from_being_raised(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    router.shift(SetWeights(GREEN, 30), target_groups, routes[1:])
    account.sandbox.calls.clear()

    with pytest.raises(ForeignWeights, match="30 %, not 0 or 5"):
        router.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})), target_groups, routes)

    assert account.writes() == []


def test_a_listener_that_is_gone_makes_the_router_search_again(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    account.client("elbv2").delete_listener(ListenerArn=routes[1])

    seen = router.observe(target_groups, routes, frozenset())

    assert [route.name for route in seen.routes] == [":443"]


def test_a_slot_that_no_listener_names_is_added_at_weight_0_and_taken_out_again(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    out = SetWeights(GREEN, 0, unrefer=frozenset(routes))

    gone = router.shift(out, target_groups, routes)
    back = router.shift(SetWeights(GREEN, 0, only_from=frozenset({0})), target_groups, routes)

    assert {GREEN in route.weights for route in gone} == {False}
    assert [route.weights[GREEN] for route in back] == [0, 0]


def test_stickiness_without_a_duration_is_suspended_and_given_back_as_it_was(account: Account) -> None:
    router = account.network_router("suspend")
    target_groups, routes = account.target_groups(), routes_of(account, router)
    router.shift(SetWeights(BLUE, 100, restore_stickiness=dict.fromkeys(routes, UNTIMED)), target_groups, routes)
    assert the_action(account, routes[0])["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True}

    suspended = router.shift(SetWeights(GREEN, 50, suspend_stickiness=True), target_groups, routes)

    assert [route.sticky_seconds for route in suspended] == [0, 0]


def test_a_new_target_is_registered_for_minutes_before_it_is_healthy(account: Account) -> None:
    router = account.network_router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="edge-green", MinSize=1, MaxSize=1, DesiredCapacity=1
    )

    account.clock.advance(100)
    early = router.observe(target_groups, routes, frozenset({GREEN})).health[GREEN]
    account.clock.advance(100)
    late = router.observe(target_groups, routes, frozenset({GREEN})).health[GREEN]

    assert (list(early.values()), list(late.values())) == ([TargetState.INITIAL], [TargetState.HEALTHY])


@pytest.mark.parametrize(
    ("listener", "target_group"),
    [("TCP", "TCP"), ("TLS", "TLS"), ("UDP", "UDP"), ("TCP_UDP", "TCP_UDP"), ("UDP", "TCP_UDP")],
)
def test_weights_move_on_listeners_of_every_protocol(account: Account, listener: str, target_group: str) -> None:
    elbv2 = account.client("elbv2")
    balancer = elbv2.describe_load_balancers(Names=["edge"])["LoadBalancers"][0]
    secure = {}
    if listener == "TLS":
        known = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        secure = next({"Certificates": each["Certificates"]} for each in known if each["Protocol"] == "TLS")
    arns = {
        slot: elbv2.create_target_group(
            Name=f"other-{slot.value}", Protocol=target_group, Port=53, VpcId=balancer["VpcId"]
        )["TargetGroups"][0]["TargetGroupArn"]
        for slot in Slot
    }
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol=listener,
        Port=53,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arns[BLUE]}],
        **secure,
    )
    router, pair = account.network_router(), {slot: (arn,) for slot, arn in arns.items()}

    routes = router.shift(SetWeights(GREEN, 30), pair, [route.arn for route in router.find(pair)])

    assert [(route.name, route.percent(GREEN)) for route in routes] == [(":53", 30)]


# --- zones ------------------------------------------------------------------------------------------------------------


def test_each_zone_is_served_by_itself_unless_the_load_balancer_says_otherwise(account: Account) -> None:
    router = account.network_router()
    assert router.serves_by_zone(account.target_groups())

    set_cross_zone(account, "true")

    assert not router.serves_by_zone(account.target_groups())


@pytest.mark.parametrize(("balancer", "target_group", "by_zone"), [("true", "false", True), ("false", "true", False)])
def test_a_target_group_overrides_its_load_balancer(
    account: Account, balancer: str, target_group: str, by_zone: bool
) -> None:
    set_cross_zone(account, balancer)
    for (arn,) in account.target_groups().values():
        set_cross_zone(account, target_group, arn)

    assert account.network_router().serves_by_zone(account.target_groups()) is by_zone


def test_failover_by_zone_is_switched_off_and_on_like_that_of_any_load_balancer(account: Account) -> None:
    router = account.network_router()
    target_groups = account.target_groups()

    router.set_failover(SetFailover(GREEN, "off/off"), target_groups)

    assert router.read_failover(target_groups) == {BLUE: "1/off", GREEN: "off/off"}


# --- which kind it is, without a policy -------------------------------------------------------------------------------


def test_the_kind_is_told_by_routes_and_by_target_groups(account: Account) -> None:
    arns = account.target_groups()
    routes = routes_of(account, account.network_router())

    assert kind_of(Serving(), routes) == kind_behind(Serving(), account.aws, arns) == "nlb"
    assert kind_of(Serving(), ["arn:aws:x:y:z:listener-rule/app/web/50dc/f2f7/9683"]) == "alb"
    assert kind_of(NO_TRAFFIC) == kind_behind(NO_TRAFFIC, account.aws, {}) == "none"


def test_the_overview_reads_listeners_and_sees_one_that_was_moved(account: Account) -> None:
    target_groups = account.target_groups()
    routes = routes_of(account, account.network_router())
    record = a_record(
        group="edge", live=a_generation(1, slot=BLUE), target_groups=target_groups, routes=dict.fromkeys(routes, ":443")
    )

    assert moved_groups(account.aws, [record], LISTENERS) == set()
    assert account.operations() == ["DescribeListeners"]
    account.network_router().shift(SetWeights(GREEN, 10), target_groups, routes[:1])
    assert moved_groups(account.aws, [record], LISTENERS) == {"edge"}
