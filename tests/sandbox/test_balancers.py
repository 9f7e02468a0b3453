"""Listeners, rules, alarms: where AWS says no, and what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.conftest import Ground, refusal


def default_rule(ground: Ground) -> Any:
    return next(rule for rule in ground.rules() if rule["IsDefault"])


def path_rule(ground: Ground, balancer: str = "web") -> Any:
    return next(rule for rule in ground.rules(balancer) if not rule["IsDefault"])


def test_web_has_two_listeners_and_a_rule_all_on_the_pair(ground: Ground) -> None:
    forwards = [rule["Actions"][0]["ForwardConfig"]["TargetGroups"] for rule in ground.rules()]

    assert sorted(each["Port"] for each in ground.listeners()) == [80, 443]
    assert [[each["Weight"] for each in groups] for groups in forwards] == [[100, 0]] * 3


@pytest.mark.parametrize("weight", [-1, 1000])
def test_weights_outside_the_range_are_refused(ground: Ground, weight: int) -> None:
    action = ground.forward({"web-blue": 100, "web-green": weight})

    code, _ = refusal(ground.elbv2.modify_rule, RuleArn=path_rule(ground)["RuleArn"], Actions=[action])

    assert code == "ValidationError"


def test_an_action_names_at_most_five_target_groups(ground: Ground) -> None:
    vpc = ground.elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    names = [f"extra-{number}" for number in range(6)]
    for name in names:
        ground.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    modify, rule = ground.elbv2.modify_rule, path_rule(ground)["RuleArn"]

    modify(RuleArn=rule, Actions=[ground.forward(dict.fromkeys(names[:5], 1))])

    assert refusal(modify, RuleArn=rule, Actions=[ground.forward(dict.fromkeys(names, 1))])[0] == "TooManyTargetGroups"


def stick(ground: Ground, name: str) -> tuple[str, str] | None:
    """Let the group's targets keep their clients; the refusal, where there is one."""
    attributes = [{"Key": "stickiness.enabled", "Value": "true"}]
    arn = ground.target_group(name)
    try:
        ground.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def test_sticky_targets_are_refused_behind_a_rule_whose_groups_are_not(ground: Ground) -> None:
    code, words = stick(ground, "web-blue") or ("", "")

    assert code == "InvalidConfigurationRequest"
    assert words.startswith("This target group appears behind a rule with group stickiness disabled")


def test_a_second_group_beside_sticky_targets_needs_group_stickiness(ground: Ground) -> None:
    rule, alone = path_rule(ground)["RuleArn"], ground.forward({"web-blue": 1})
    ground.elbv2.modify_rule(RuleArn=rule, Actions=[alone])
    for listener in ground.listeners():
        ground.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[alone])
    assert stick(ground, "web-blue") is None
    both = ground.forward({"web-blue": 1, "web-green": 0})
    listener = ground.listeners()[0]["ListenerArn"]
    condition = [{"Field": "path-pattern", "Values": ["/new"]}]

    said = [
        refusal(ground.elbv2.modify_rule, RuleArn=rule, Actions=[both]),
        refusal(ground.elbv2.modify_listener, ListenerArn=listener, DefaultActions=[both]),
        refusal(ground.elbv2.create_rule, ListenerArn=listener, Priority=5, Conditions=condition, Actions=[both]),
    ]

    assert {code for code, _ in said} == {"InvalidConfigurationRequest"}
    assert all(words.startswith("You must enable group stickiness on a rule") for _, words in said)
    both["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    ground.elbv2.modify_rule(RuleArn=rule, Actions=[both])


@pytest.mark.parametrize("seconds", [0, 604_801])
def test_group_stickiness_lasts_a_second_to_a_week(ground: Ground, seconds: int) -> None:
    action = ground.forward({"web-blue": 1, "web-green": 0})
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": seconds}

    code, _ = refusal(ground.elbv2.modify_rule, RuleArn=path_rule(ground)["RuleArn"], Actions=[action])

    assert code == "ValidationError"


def test_a_target_group_has_one_load_balancer(ground: Ground) -> None:
    ground.sandbox.seed("internal")
    other = ground.elbv2.describe_load_balancers(Names=["shared"])["LoadBalancers"][0]["LoadBalancerArn"]
    action = ground.forward({"web-blue": 1})

    code, words = refusal(
        ground.elbv2.create_listener, LoadBalancerArn=other, Protocol="HTTP", Port=81, DefaultActions=[action]
    )

    assert code == "TargetGroupAssociationLimit"
    assert words.startswith("The following target groups cannot be associated with more than one load balancer")


def test_groups_of_one_action_speak_one_protocol_version(ground: Ground) -> None:
    ground.sandbox.world.elbv2().target_groups[ground.target_group("web-green")].protocol_version = "GRPC"
    action = ground.forward({"web-blue": 100, "web-green": 0})

    code, _ = refusal(ground.elbv2.modify_rule, RuleArn=path_rule(ground)["RuleArn"], Actions=[action])

    assert code == "IncompatibleProtocols"


def test_an_action_without_its_config_is_refused(ground: Ground) -> None:
    actions = [{"Type": "authenticate-oidc", "Order": 1}, ground.forward({"web-blue": 1}) | {"Order": 2}]

    code, _ = refusal(ground.elbv2.modify_rule, RuleArn=path_rule(ground)["RuleArn"], Actions=actions)

    assert code == "InvalidLoadBalancerAction"


def test_a_load_balancer_has_at_most_a_hundred_target_groups(ground: Ground) -> None:
    vpc = ground.elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    listener = ground.listeners()[0]["ListenerArn"]

    def add(number: int) -> dict[str, Any]:
        ground.elbv2.create_target_group(Name=f"t{number}", Protocol="HTTP", Port=80, VpcId=vpc)
        condition = {"Field": "path-pattern", "Values": [f"/{number}"]}
        action = ground.forward({f"t{number}": 1})
        return {"ListenerArn": listener, "Priority": 100 + number, "Conditions": [condition], "Actions": [action]}

    for number in range(98):
        ground.elbv2.create_rule(**add(number))

    assert refusal(ground.elbv2.create_rule, **add(98))[0] == "TooManyUniqueTargetGroupsPerLoadBalancer"


def test_thresholds_of_dns_failover_are_off_or_a_number(ground: Ground) -> None:
    key = "target_group_health.dns_failover.minimum_healthy_targets.count"
    arn = ground.target_group("web-blue")
    found = ground.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {each["Key"]: each["Value"] for each in found}[key] == "1"

    modify = ground.elbv2.modify_target_group_attributes
    modify(TargetGroupArn=arn, Attributes=[{"Key": key, "Value": "off"}])

    assert refusal(modify, TargetGroupArn=arn, Attributes=[{"Key": key, "Value": "0"}])[0] == "ValidationError"


def test_a_default_rule_changes_only_through_its_listener(ground: Ground) -> None:
    rule, action = default_rule(ground), ground.forward({"web-blue": 95, "web-green": 5})
    assert refusal(ground.elbv2.modify_rule, RuleArn=rule["RuleArn"], Actions=[action])[0] == "OperationNotPermitted"

    for listener in ground.listeners():
        ground.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])

    again = ground.elbv2.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]
    assert [each["Weight"] for each in again["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [95, 5]


def test_a_single_target_group_is_shown_in_both_notations(ground: Ground) -> None:
    arn, blue = path_rule(ground)["RuleArn"], ground.target_group("web-blue")

    ground.elbv2.modify_rule(RuleArn=arn, Actions=[{"Type": "forward", "TargetGroupArn": blue}])

    action = ground.elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]
    assert action["TargetGroupArn"] == blue
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": blue, "Weight": 1}]


def test_target_groups_name_only_the_load_balancers_that_use_them(ground: Ground) -> None:
    ground.sandbox.seed("internal")
    rule = next(each for each in ground.rules("shared") if each["Priority"] == "20")
    assert len(rule["Actions"][0]["ForwardConfig"]["TargetGroups"]) == 3

    ground.elbv2.delete_rule(RuleArn=rule["RuleArn"])

    found = ground.elbv2.describe_target_groups(Names=["internal-blue", "web-blue"])["TargetGroups"]
    assert [len(each["LoadBalancerArns"]) for each in found] == [0, 1]


def test_alarm_states_have_times_and_a_history(ground: Ground) -> None:
    ground.clock.advance(60)
    ground.sandbox.set_alarm("web-p99", "ALARM", "slow")
    ground.clock.advance(60)
    ground.cloudwatch.set_alarm_state(AlarmName="web-p99", StateValue="ALARM", StateReason="still slow")

    alarm = ground.cloudwatch.describe_alarms(AlarmNames=["web-p99"], AlarmTypes=["MetricAlarm"])["MetricAlarms"][0]
    history = ground.cloudwatch.describe_alarm_history(AlarmName="web-p99")["AlarmHistoryItems"]
    assert (alarm["StateUpdatedTimestamp"] - alarm["StateTransitionedTimestamp"]).total_seconds() == 60
    assert alarm["StateReason"] == "still slow"
    assert [each["HistorySummary"] for each in history] == ["Alarm updated from OK to ALARM"]


# --- zones and quotas of targets --------------------------------------------------------------------------------------


def enable(ground: Ground, *zones: str) -> None:
    """Let the load balancer be in these zones only."""
    subnets = {each["AvailabilityZone"][-1]: each["SubnetId"] for each in ground.ec2.describe_subnets()["Subnets"]}
    arn = ground.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    ground.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[subnets[zone] for zone in zones])


def test_targets_in_a_zone_that_is_not_enabled_are_unused_until_it_is(ground: Ground) -> None:
    enable(ground, "a", "b")
    ground.clock.advance(3600)

    described = ground.elbv2.describe_target_health(TargetGroupArn=ground.target_group("web-blue"))
    words = {each["TargetHealth"].get("Description") for each in described["TargetHealthDescriptions"]}
    assert words == {None, "Target is in an Availability Zone that is not enabled for the load balancer"}
    assert ground.health("web-blue") == {("healthy", None): 3, ("unused", "Target.NotInUse"): 1}

    enable(ground, "a", "b", "c")
    ground.clock.advance(60)
    assert ground.health("web-blue") == {("healthy", None): 4}


def test_new_targets_in_a_zone_that_is_not_enabled_never_become_healthy(ground: Ground) -> None:
    enable(ground, "a", "b")

    ground.grow_green(ground.newest())
    ground.clock.advance(3600)

    assert ground.health()["unused", "Target.NotInUse"] == 1


def test_a_target_more_than_the_load_balancer_takes_is_refused_and_an_instance_left_out(ground: Ground) -> None:
    ground.sandbox.world.quotas["L-7E6692B2"] = 6
    ground.grow_green(ground.newest())

    targets = [{"Id": "10.0.0.1"}]
    code, words = refusal(ground.elbv2.register_targets, TargetGroupArn=ground.target_group(), Targets=targets)

    assert code == "TooManyTargets"
    assert words.startswith("The maximum number of targets per load balancer '6' has been reached on load balancer")
    assert (len(ground.ids()), sum(ground.health().values())) == (4, 2)


def test_a_target_more_than_its_group_takes_is_refused(ground: Ground) -> None:
    ground.sandbox.world.quotas["L-A0D0B863"] = 4
    target_group = ground.target_group("web-blue")

    assert refusal(ground.elbv2.register_targets, TargetGroupArn=target_group, Targets=[{"Id": "10.0.0.1"}])[0] == (
        "TooManyTargets"
    )


def test_a_rule_that_would_bring_too_many_targets_is_refused(ground: Ground) -> None:
    vpc = ground.elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = ground.elbv2.create_target_group(Name="more", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
    targets = [{"Id": f"10.0.0.{number}"} for number in range(3)]
    ground.elbv2.register_targets(TargetGroupArn=made["TargetGroupArn"], Targets=targets)
    ground.sandbox.world.quotas["L-7E6692B2"] = 6
    action = ground.forward({"web-blue": 100, "more": 0})

    assert refusal(ground.elbv2.modify_rule, RuleArn=path_rule(ground)["RuleArn"], Actions=[action])[0] == (
        "TooManyTargets"
    )


def test_quotas_are_told_and_raised(ground: Ground) -> None:
    client = ground.sandbox.session.client("service-quotas")
    of_targets = {"ServiceCode": "elasticloadbalancing", "QuotaCode": "L-7E6692B2"}

    client.request_service_quota_increase(**of_targets, DesiredValue=1500)

    assert client.get_service_quota(**of_targets)["Quota"]["Value"] == 1500
    assert refusal(client.request_service_quota_increase, **of_targets, DesiredValue=1500)[0] == (
        "IllegalArgumentException"
    )
    unknown = of_targets | {"QuotaCode": "L-00000000"}
    assert refusal(client.get_service_quota, **unknown)[0] == "NoSuchResourceException"
