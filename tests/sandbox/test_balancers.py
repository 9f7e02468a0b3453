"""Listeners, rules, alarms: where AWS says no, and what it shows."""

from __future__ import annotations

from typing import Any

import pytest

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
