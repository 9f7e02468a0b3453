"""Network Load Balancers: where AWS says no, how long it takes there, and which zones their names answer with."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.sandbox.answers.elbv2_network import GROUPS_AN_ACTION
from phoenix.sandbox.physics import Physics
from tests.sandbox.conftest import Ground, Opener, refusal

ZONES = frozenset({"eu-west-1a", "eu-west-1b", "eu-west-1c"})


@pytest.fixture
def edge(open_sandbox: Opener) -> Ground:
    """The example behind a Network Load Balancer."""
    ground = open_sandbox(seed_group=False)
    ground.sandbox.seed("edge")
    return ground


def modify(ground: Ground, action: dict[str, Any], port: int = 80) -> Any:
    listener = next(each for each in ground.listeners("edge") if each["Port"] == port)
    return {"ListenerArn": listener["ListenerArn"], "DefaultActions": [action]}


def extra_group(ground: Ground, name: str, protocol: str = "TCP") -> str:
    vpc = ground.elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = ground.elbv2.create_target_group(Name=name, Protocol=protocol, Port=8080, VpcId=vpc)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def test_its_arns_and_its_defaults_are_those_of_its_kind(edge: Ground) -> None:
    found = edge.elbv2.describe_load_balancers(Names=["edge"])["LoadBalancers"][0]
    attributes = edge.elbv2.describe_load_balancer_attributes(LoadBalancerArn=found["LoadBalancerArn"])["Attributes"]
    of_group = edge.elbv2.describe_target_group_attributes(TargetGroupArn=extra_group(edge, "udp", "UDP"))["Attributes"]

    assert (found["Type"], ":loadbalancer/net/edge/" in found["LoadBalancerArn"]) == ("network", True)
    assert {a["Key"]: a["Value"] for a in attributes}["load_balancing.cross_zone.enabled"] == "false"
    # botocore, TargetGroupAttribute: "For new UDP/TCP_UDP target groups the default is true"
    assert {a["Key"]: a["Value"] for a in of_group}["deregistration_delay.connection_termination.enabled"] == "true"
    assert "slow_start.duration_seconds" not in {a["Key"] for a in of_group}


def test_an_application_one_is_always_cross_zone(ground: Ground) -> None:
    arn = ground.elbv2.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["LoadBalancerArn"]

    found = ground.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]

    assert {a["Key"]: a["Value"] for a in found}["load_balancing.cross_zone.enabled"] == "true"


def test_its_listeners_take_weights_and_no_rules(edge: Ground) -> None:
    arguments = modify(edge, edge.forward({"edge-blue": 90, "edge-green": 10}))
    edge.elbv2.modify_listener(**arguments)
    condition = [{"Field": "path-pattern", "Values": ["/"]}]

    code, _ = refusal(
        edge.elbv2.create_rule,
        ListenerArn=arguments["ListenerArn"],
        Priority=1,
        Conditions=condition,
        Actions=arguments["DefaultActions"],
    )

    shown = edge.elbv2.describe_listeners(ListenerArns=[arguments["ListenerArn"]])["Listeners"][0]["DefaultActions"]
    assert [each["Weight"] for each in shown[0]["ForwardConfig"]["TargetGroups"]] == [90, 10]
    assert code == "UnsupportedProtocol"


def test_a_weight_is_from_0_to_999(edge: Ground) -> None:
    action = edge.forward({"edge-blue": 1000, "edge-green": 0})

    assert refusal(edge.elbv2.modify_listener, **modify(edge, action))[0] == "ValidationError"


def test_it_only_forwards(edge: Ground) -> None:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}

    assert refusal(edge.elbv2.modify_listener, **modify(edge, action))[0] == "InvalidLoadBalancerAction"


def test_its_stickiness_has_no_duration(edge: Ground) -> None:
    """API_TargetGroupStickinessConfig says of the duration: "[Application Load Balancers]"."""
    action = edge.forward({"edge-blue": 100, "edge-green": 0})
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True}
    edge.elbv2.modify_listener(**modify(edge, action))

    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    assert refusal(edge.elbv2.modify_listener, **modify(edge, action))[0] == "ValidationError"


def test_an_action_names_as_many_target_groups_as_the_account_allows(edge: Ground) -> None:
    for number in range(4):
        extra_group(edge, f"extra-{number}")
    names = ["edge-blue", "edge-green", *(f"extra-{number}" for number in range(4))]

    assert refusal(edge.elbv2.modify_listener, **modify(edge, edge.forward(dict.fromkeys(names, 1))))[0] == (
        "TooManyTargetGroups"
    )
    limits = {each["Name"]: each["Max"] for each in edge.elbv2.describe_account_limits()["Limits"]}
    assert limits[GROUPS_AN_ACTION] == "5"


def test_an_account_without_weights_is_refused_in_the_words_that_were_aws_s_until_2025(edge: Ground) -> None:
    """aws-cloudformation/cloudformation-coverage-roadmap#385."""
    edge.sandbox.world.groups_an_action["network"] = 1

    code, words = refusal(edge.elbv2.modify_listener, **modify(edge, edge.forward({"edge-blue": 100, "edge-green": 0})))

    assert (code, words) == (
        "ValidationError",
        "You cannot specify multiple target groups in a single action with a load balancer of type 'network'",
    )


@pytest.mark.parametrize(
    ("port", "protocol", "taken"),
    [(80, "TCP_UDP", True), (80, "UDP", False), (443, "TLS", True), (443, "UDP", False)],
)
def test_a_listener_takes_target_groups_that_speak_as_it_does(
    edge: Ground, port: int, protocol: str, taken: bool
) -> None:
    extra_group(edge, "other", protocol)
    arguments = modify(edge, edge.forward({"other": 1}), port)

    if taken:
        edge.elbv2.modify_listener(**arguments)
    else:
        assert refusal(edge.elbv2.modify_listener, **arguments)[0] == "IncompatibleProtocols"


def test_listeners_of_which_one_is_gone_are_not_listed(edge: Ground) -> None:
    there = edge.listeners("edge")[0]["ListenerArn"]

    code, _ = refusal(edge.elbv2.describe_listeners, ListenerArns=[there, there[:-4] + "0000"])

    assert code == "ListenerNotFound"


# --- time -------------------------------------------------------------------------------------------------------------


def grow_green(ground: Ground, seconds: float) -> None:
    ground.update("edge-green", MinSize=3, MaxSize=3)
    ground.clock.advance(seconds)


def test_registration_takes_minutes_and_is_as_slow_as_the_physics_say(edge: Ground) -> None:
    """90 to 180 s in kubernetes-sigs/aws-load-balancer-controller#1834."""
    assert 90 <= Physics().network_registration <= 180
    running = Physics().api_to_pending + Physics().pending_to_running

    grow_green(edge, running + Physics().network_registration - 5)
    assert edge.health("edge-green") == {("initial", "Elb.RegistrationInProgress"): 3}

    edge.clock.advance(30)
    assert edge.health("edge-green") == {("healthy", None): 3}


def test_new_connections_follow_a_change_of_weights_later_than_behind_an_application_one(edge: Ground) -> None:
    """Some 75 s in aws/containers-roadmap#470."""
    grow_green(edge, 300)
    for port in (80, 443):
        edge.elbv2.modify_listener(**modify(edge, edge.forward({"edge-blue": 0, "edge-green": 1}), port))

    edge.clock.advance(Physics().network_propagation - 1)
    early = edge.sandbox.serving()["edge-green"].highest_share
    edge.clock.advance(2)

    assert (early, edge.sandbox.serving()["edge-green"].lowest_share) == (0.0, 1.0)


# --- zones ------------------------------------------------------------------------------------------------------------


def kill_in(ground: Ground, zone: str) -> None:
    for each in ground.group("edge-blue")["Instances"]:
        if each["AvailabilityZone"] == zone:
            ground.sandbox.make_unhealthy(each["InstanceId"])
    ground.clock.advance(15)


def suspend_green(ground: Ground) -> None:
    keys = ("count", "percentage")
    prefix = "target_group_health.dns_failover.minimum_healthy_targets."
    ground.elbv2.modify_target_group_attributes(
        TargetGroupArn=ground.target_group("edge-green"),
        Attributes=[{"Key": f"{prefix}{key}", "Value": "off"} for key in keys],
    )


def test_a_zone_without_a_healthy_target_is_left_out_of_the_name(edge: Ground) -> None:
    suspend_green(edge)
    assert edge.sandbox.dns_zones() == {"edge": ZONES}

    kill_in(edge, "eu-west-1b")

    assert edge.sandbox.dns_zones() == {"edge": ZONES - {"eu-west-1b"}}


def test_cross_zone_load_balancing_keeps_it(edge: Ground) -> None:
    suspend_green(edge)
    arn = edge.elbv2.describe_load_balancers(Names=["edge"])["LoadBalancers"][0]["LoadBalancerArn"]
    on = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    edge.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=on)

    kill_in(edge, "eu-west-1b")

    assert edge.sandbox.dns_zones() == {"edge": ZONES}


def test_an_empty_target_group_at_weight_0_may_leave_every_zone_out(edge: Ground) -> None:
    assert edge.sandbox.dns_zones() == {"edge": frozenset()}
    assert edge.sandbox.dns_zones(empty_fails=False) == {"edge": ZONES}
