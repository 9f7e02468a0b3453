"""Everything that AWS shows of the two slots' target groups, compared."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot
from phoenix.routers.target_comparison import TARGET_GROUP, judge_together
from tests.account import Account
from tests.remedies import run_remedy


def a_target_group(name: str, **changes: Any) -> dict[str, Any]:
    """A target group as AWS describes it."""
    arn = f"arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/{name}/73e2"
    return {"TargetGroupArn": arn, "TargetGroupName": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1"} | changes


def judged(live: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, bool]]:
    """Names and whether they are warnings."""
    said = judge_together(a_target_group("web-blue", **live), a_target_group("web-green", **other))
    return [(blocker.name, blocker.warning) for blocker in said]


def found(account: Account) -> list[Blocker]:
    return list(account.router().find_blockers(account.slots(), Slot.BLUE))


def test_each_member_that_aws_shows_of_a_target_group_has_a_decision() -> None:
    shape: Any = get_session().get_service_model("elbv2").shape_for("TargetGroup")

    assert set(shape.members) - set(TARGET_GROUP) == set()


@pytest.mark.parametrize(
    ("live", "other", "said"),
    [
        ({}, {}, []),
        ({"TargetType": "instance"}, {"TargetType": "ip"}, [("target-groups-differ", False)]),
        ({"IpAddressType": "ipv4"}, {"IpAddressType": "ipv6"}, [("target-groups-differ", False)]),
        ({"ProtocolVersion": "HTTP1"}, {"ProtocolVersion": "GRPC"}, [("target-groups-differ", False)]),
        ({"Matcher": {"HttpCode": "200"}}, {"Matcher": {"HttpCode": "200-499"}}, [("health-checks-differ", True)]),
        ({"HealthCheckTimeoutSeconds": 2}, {"HealthCheckTimeoutSeconds": 9}, [("health-checks-differ", True)]),
        ({"SomethingNew": 1}, {}, [("health-checks-differ", True)]),
    ],
)
def test_what_cannot_be_changed_stands_in_the_way_and_the_rest_is_a_warning(
    live: dict[str, Any], other: dict[str, Any], said: list[tuple[str, bool]]
) -> None:
    assert judged(live, other) == said


def test_a_matcher_that_differs_is_named_with_both_values() -> None:
    (blocker,) = judge_together(
        a_target_group("web-blue", Matcher={"HttpCode": "200"}),
        a_target_group("web-green", Matcher={"HttpCode": "200-499"}),
    )

    assert 'Matcher is {"HttpCode":"200"} and {"HttpCode":"200-499"}' in blocker.text


@pytest.mark.parametrize(
    "change",
    [
        {"Matcher": {"HttpCode": "200-499"}},
        {"HealthCheckTimeoutSeconds": 4, "HealthCheckPath": "/ping"},
        {"HealthyThresholdCount": 5, "UnhealthyThresholdCount": 3},
    ],
)
def test_health_checks_are_made_alike_by_the_command_as_printed(account: Account, change: dict[str, Any]) -> None:
    green = account.target_groups()[Slot.GREEN][0]
    account.client("elbv2").modify_target_group(TargetGroupArn=green, **change)

    (blocker,) = found(account)
    run_remedy(account.sandbox.session, blocker.remedy)

    assert (blocker.name, blocker.warning) == ("health-checks-differ", True)
    assert found(account) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deregistration_delay.timeout_seconds", "300"),
        ("slow_start.duration_seconds", "60"),
        ("load_balancing.algorithm.type", "least_outstanding_requests"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "3"),
    ],
)
@pytest.mark.parametrize("changed", list(Slot))
def test_attributes_are_made_alike_by_the_command_as_printed(
    account: Account, changed: Slot, key: str, value: str
) -> None:
    arn = account.target_groups()[changed][0]
    account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}]
    )

    (blocker,) = found(account)
    run_remedy(account.sandbox.session, blocker.remedy)

    assert (blocker.name, blocker.warning, key in blocker.text) == ("target-attributes-differ", True, True)
    assert found(account) == []
