"""What a group registers its instances with besides an Application Load Balancer, and how each of them checks."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import BLUE, enter, state

INITIAL = ("initial", "Elb.RegistrationInProgress")
REGISTERING = ("OutOfService", "ELB", "Instance registration is still in progress.")
IN_SERVICE = ("InService", "N/A", "N/A")
DRAINING = ("InService", "N/A", "Instance deregistration currently in progress.")
ELSEWHERE = (
    "OutOfService",
    "ELB",
    "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
)
FAILED = (
    "OutOfService",
    "Instance",
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
)


def classic(ground: Ground, drain: int = 0, zones: str = "abc") -> Any:
    """A Classic Load Balancer on web-blue with the checks of the console: every 30 s, ten successes."""
    elb = ground.sandbox.session.client("elb")
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    elb.create_load_balancer(
        LoadBalancerName="old", Listeners=[listener], AvailabilityZones=[f"eu-west-1{zone}" for zone in zones]
    )
    check = {
        "Target": "HTTP:8080/healthz",
        "Interval": 30,
        "Timeout": 5,
        "UnhealthyThreshold": 2,
        "HealthyThreshold": 10,
    }
    elb.configure_health_check(LoadBalancerName="old", HealthCheck=check)
    if drain:
        draining = {"ConnectionDraining": {"Enabled": True, "Timeout": drain}}
        elb.modify_load_balancer_attributes(LoadBalancerName="old", LoadBalancerAttributes=draining)
    ground.autoscaling.attach_load_balancers(**BLUE, LoadBalancerNames=["old"])
    return elb


def states(elb: Any, *ids: str) -> list[tuple[str, str, str]]:
    asked = {"Instances": [{"InstanceId": each} for each in ids]} if ids else {}
    found = elb.describe_instance_health(LoadBalancerName="old", **asked)["InstanceStates"]
    return [(each["State"], each["ReasonCode"], each["Description"]) for each in found]


def test_a_classic_load_balancer_needs_threshold_times_interval(ground: Ground) -> None:
    """The descriptions: InstanceState in botocore's model of ELB."""
    elb = classic(ground)

    before = states(elb)
    ground.clock.advance(2 + 9 * 30 - 1)
    almost = states(elb)
    ground.clock.advance(2)

    assert (before, almost, states(elb)) == ([REGISTERING] * 4, [REGISTERING] * 4, [IN_SERVICE] * 4)
    listed = elb.describe_load_balancers(LoadBalancerNames=["old"])["LoadBalancerDescriptions"][0]["Instances"]
    assert sorted(each["InstanceId"] for each in listed) == sorted(ground.ids("web-blue"))


def test_a_classic_load_balancer_says_why_an_instance_is_out_of_service(ground: Ground) -> None:
    elb = classic(ground)
    ground.clock.advance(300)
    ground.autoscaling.suspend_processes(**BLUE, ScalingProcesses=["ReplaceUnhealthy"])
    victim = ground.ids("web-blue")[0]

    ground.sandbox.make_unhealthy(victim)
    ground.clock.advance(61)

    assert states(elb, victim) == [FAILED]
    gone = refusal(
        elb.describe_instance_health, LoadBalancerName="old", Instances=[{"InstanceId": "i-0badbad0badbad000"}]
    )
    assert gone[0] == "InvalidInstance"
    assert refusal(partial(elb.describe_instance_health, LoadBalancerName="new"))[0] == "LoadBalancerNotFound"


def test_standby_waits_for_connection_draining_and_comes_back_after_ten_checks(ground: Ground) -> None:
    """A draining instance is in service, with the deregistration as description: public tools wait for that."""
    elb = classic(ground, drain=60)
    ground.clock.advance(300)
    instance = ground.ids("web-blue")[0]

    enter(ground, [instance])
    ground.clock.advance(59)
    draining, entering = states(elb, instance), state(ground, instance)
    ground.clock.advance(1)
    gone, resting = states(elb, instance), state(ground, instance)
    ground.autoscaling.exit_standby(**BLUE, InstanceIds=[instance])
    ground.clock.advance(10)

    attributes = elb.describe_load_balancer_attributes(LoadBalancerName="old")["LoadBalancerAttributes"]
    assert attributes["ConnectionDraining"] == {"Enabled": True, "Timeout": 60}
    assert (draining, entering) == ([DRAINING], "EnteringStandby")
    assert (gone[0][2], resting) == ("Instance is not currently registered with the LoadBalancer.", "Standby")
    assert (states(elb, instance), state(ground, instance)) == ([REGISTERING], "InService")
    ground.clock.advance(9 * 30)
    assert states(elb, instance) == [IN_SERVICE]


def test_a_group_replaces_what_its_classic_load_balancer_finds_unhealthy(ground: Ground) -> None:
    elb = classic(ground)
    ground.clock.advance(300)
    ground.autoscaling.detach_load_balancer_target_groups(**BLUE, TargetGroupARNs=[ground.target_group("web-blue")])
    victim = ground.ids("web-blue")[0]

    ground.sandbox.make_unhealthy(victim)
    ground.clock.advance(200)

    assert (state(ground, victim), len(states(elb))) == ("gone", 4)


def test_an_instance_in_a_zone_that_a_classic_load_balancer_lacks_stays_out_of_service(ground: Ground) -> None:
    """The description: InstanceState in botocore's model of ELB."""
    elb = classic(ground, zones="a")

    ground.clock.advance(600)

    assert sorted(states(elb)) == sorted([IN_SERVICE, IN_SERVICE, ELSEWHERE, ELSEWHERE])


def network(ground: Ground) -> str:
    """A Network Load Balancer with a listener and a target group, attached to web-blue; return the group's ARN."""
    subnets = ground.group("web-blue")["VPCZoneIdentifier"].split(",")
    vpc = ground.elbv2.describe_target_groups(Names=["web-blue"])["TargetGroups"][0]["VpcId"]
    made = ground.elbv2.create_load_balancer(Name="lines", Type="network", Subnets=subnets)["LoadBalancers"][0]
    group = ground.elbv2.create_target_group(
        Name="lines", Protocol="TCP", Port=8080, VpcId=vpc, HealthCheckIntervalSeconds=10, HealthyThresholdCount=3
    )["TargetGroups"][0]["TargetGroupArn"]
    action = {"Type": "forward", "TargetGroupArn": group}
    ground.elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"], Protocol="TCP", Port=443, DefaultActions=[action]
    )
    ground.autoscaling.attach_traffic_sources(**BLUE, TrafficSources=[{"Identifier": group, "Type": "elbv2"}])
    return str(group)


def test_a_network_load_balancer_takes_two_minutes_to_register_and_then_its_threshold(ground: Ground) -> None:
    """docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html: 90 to 180 s."""
    network(ground)

    ground.clock.advance(119)
    registering = ground.health("lines")
    ground.clock.advance(20)
    checking = ground.health("lines")
    ground.clock.advance(2)

    assert registering == {INITIAL: 4}
    assert checking == {("initial", "Elb.InitialHealthChecking"): 4}
    assert ground.health("lines") == {("healthy", None): 4}


def test_a_check_by_connection_passes_whatever_the_server_answers(ground: Ground) -> None:
    network(ground)
    ground.autoscaling.suspend_processes(**BLUE, ScalingProcesses=["ReplaceUnhealthy"])
    ground.clock.advance(300)

    ground.sandbox.make_unhealthy(ground.ids("web-blue")[0])
    ground.clock.advance(300)

    assert ground.health("lines") == {("healthy", None): 4}
    assert ground.health("web-blue")["healthy", None] == 3


def test_a_lattice_target_group_lists_its_targets(ground: Ground) -> None:
    """Shapes and durations: TargetSummary and HealthCheckConfig in botocore's model of VPC Lattice."""
    lattice = ground.sandbox.session.client("vpc-lattice")
    made = lattice.create_target_group(name="mesh", type="INSTANCE", config={"port": 8080, "protocol": "HTTP"})
    ground.autoscaling.attach_traffic_sources(
        **BLUE, TrafficSources=[{"Identifier": made["arn"], "Type": "vpc-lattice"}]
    )
    list_targets = partial(lattice.list_targets, targetGroupIdentifier=made["id"])

    before = {each["status"] for each in list_targets()["items"]}
    ground.clock.advance(2 + 4 * 30)
    healthy = list_targets()["items"]
    instance = ground.ids("web-blue")[0]
    enter(ground, [instance])
    drained = list_targets(targets=[{"id": instance}])["items"][0]["status"]
    ground.clock.advance(59)
    entering = state(ground, instance)
    ground.clock.advance(1)

    assert (before, {(each["status"], each["port"]) for each in healthy}) == ({"INITIAL"}, {("HEALTHY", 8080)})
    assert (drained, entering, state(ground, instance)) == ("DRAINING", "EnteringStandby", "Standby")
