"""Who changed a resource, by CloudTrail; its answers, limits and delay are the sandbox's, as AWS documents them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.aws.session import Aws
from phoenix.aws.trail import CloudTrail
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.sandbox.desk import Call

PATIENCE = 15 * 60
BY_NAME = {"AttributeKey": "EventName", "AttributeValue": "ModifyRule"}


@pytest.fixture(name="box")
def a_box() -> Iterator[Sandbox]:
    with Sandbox(clock=ManualClock()) as box:
        yield box


def trail(box: Sandbox) -> CloudTrail:
    assert isinstance(box.clock, ManualClock)
    return CloudTrail(Aws(session=box.session, threads=1), box.clock)


def a_rule(box: Sandbox) -> dict[str, Any]:
    """The default rule of the first listener."""
    elbv2 = box.session.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    return {"listener": listener, "rule": next(rule["RuleArn"] for rule in rules if rule["IsDefault"])}


def advance(box: Sandbox, seconds: float) -> None:
    assert isinstance(box.clock, ManualClock)
    box.clock.advance(seconds)


def test_the_default_rules_change_is_found_by_its_listener(box: Sandbox) -> None:
    found, since = a_rule(box), box.clock.now()
    listener = found["listener"]
    box.session.client("elbv2").modify_listener(
        ListenerArn=listener["ListenerArn"], DefaultActions=listener["DefaultActions"]
    )
    advance(box, PATIENCE)

    trace = trail(box).who_changed(found["rule"], since)

    (change,) = trace.changes
    assert (change.event, change.by, change.at, trace.note) == ("ModifyListener", "user/sandbox", since, "")
    assert change.agent.startswith("Boto3/")


def test_a_change_that_cloudtrail_does_not_tell_of_yet_says_so_with_the_command(box: Sandbox) -> None:
    found, since = a_rule(box), box.clock.now()
    listener = found["listener"]
    box.session.client("elbv2").modify_listener(
        ListenerArn=listener["ListenerArn"], DefaultActions=listener["DefaultActions"]
    )
    advance(box, PATIENCE - 1)

    trace = trail(box).who_changed(found["rule"], since)

    assert (trace.changes, trace.note) == ((), "not in CloudTrail yet (it takes up to 15 minutes); ask again with")
    assert "AttributeKey=EventName,AttributeValue=ModifyRule" in trace.command
    assert f"--start-time {since:%Y-%m-%dT%H:%M:%SZ}" in trace.command


def test_an_auto_scaling_group_is_looked_up_by_name_and_phoenixs_own_calls_are_left_out(box: Sandbox) -> None:
    since = box.clock.now()
    box.session.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web-blue", DesiredCapacity=5)
    ours = Aws(session=box.session)
    ours.call("autoscaling", "set_desired_capacity", AutoScalingGroupName="web-blue", DesiredCapacity=4)
    advance(box, PATIENCE)

    assert [change.event for change in trail(box).who_changed("web-blue", since).changes] == ["SetDesiredCapacity"]


def test_a_change_before_fifty_newer_ones_is_not_said_to_be_missing_from_the_history(box: Sandbox) -> None:
    since = box.clock.now()
    scaling, ours = box.session.client("autoscaling"), Aws(session=box.session)
    scaling.set_desired_capacity(AutoScalingGroupName="web-blue", DesiredCapacity=5)
    for number in range(50):
        desired = 4 + number % 2
        ours.call("autoscaling", "set_desired_capacity", AutoScalingGroupName="web-blue", DesiredCapacity=desired)
    advance(box, PATIENCE)

    trace = trail(box).who_changed("web-blue", since)

    assert (trace.changes, trace.note) == ((), "not among the newest 50 events of CloudTrail; the older ones")


def test_what_came_before_or_failed_is_no_change(box: Sandbox) -> None:
    scaling = box.session.client("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="web-blue", DesiredCapacity=5)
    advance(box, 60)
    since = box.clock.now()
    with pytest.raises(ClientError):
        scaling.set_desired_capacity(AutoScalingGroupName="web-blue", DesiredCapacity=500)
    advance(box, PATIENCE)

    assert trail(box).who_changed("web-blue", since).changes == ()


def test_several_rules_share_their_lookups(box: Sandbox) -> None:
    rule, since = a_rule(box)["rule"], box.clock.now()
    asked = trail(box)
    box.calls.clear()

    for _ in range(3):
        asked.who_changed(rule, since)

    assert [call.operation for call in box.calls] == ["LookupEvents", "LookupEvents"]


def test_without_the_right_the_command_is_printed(box: Sandbox) -> None:
    def refuse(call: Call, when: str) -> None:
        if when == "before" and call.operation == "LookupEvents":
            words: Any = {
                "Code": "AccessDeniedException",
                "Message": "not authorized to perform: cloudtrail:LookupEvents",
            }
            raise ClientError({"Error": words}, call.operation)

    box.desk.hooks.append(refuse)

    trace = trail(box).who_changed("web-blue", box.clock.now() - timedelta(hours=1))

    assert trace.changes == ()
    assert trace.note == "cloudtrail:LookupEvents is denied; ask with"
    assert "aws cloudtrail lookup-events" in trace.command


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "A"}] * 2},
            "InvalidLookupAttributesException",
        ),
        ({"StartTime": 2_000_000_000, "EndTime": 1_000_000_000}, "InvalidTimeRangeException"),
    ],
)
def test_the_history_refuses_what_aws_refuses(box: Sandbox, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        box.session.client("cloudtrail").lookup_events(**asked)


def test_a_third_lookup_within_a_second_is_throttled(box: Sandbox) -> None:
    """API_LookupEvents: two per second, per account, per Region."""
    from botocore.config import Config

    client = box.session.client("cloudtrail", config=Config(retries={"total_max_attempts": 1}))
    client.lookup_events()
    client.lookup_events()

    with pytest.raises(ClientError, match="ThrottlingException"):
        client.lookup_events()
