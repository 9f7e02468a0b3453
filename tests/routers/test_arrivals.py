"""The requests that a load balancer has counted: which call asks for them, and how its answer is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from phoenix.core.model import Slot
from phoenix.errors import AccessDenied
from phoenix.routers import arrivals
from tests.account import Account

BLUE, GREEN = Slot.BLUE, Slot.GREEN


def minutes_before(account: Account, count: int) -> tuple[datetime, datetime]:
    until = (account.clock.now() - timedelta(minutes=3)).replace(second=0, microsecond=0)
    return until - timedelta(minutes=count), until


def test_one_call_asks_for_all_target_groups_under_their_load_balancer(account: Account) -> None:
    router, target_groups = account.router(), account.target_groups()
    routes = [route.arn for route in router.find(target_groups)]
    account.sandbox.calls.clear()

    found = router.count_requests(target_groups, routes, *minutes_before(account, 4))

    (call,) = account.sandbox.calls
    dimensions = [
        {each["Name"]: each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]}
        for query in call.params["MetricDataQueries"]
    ]
    assert call.operation == "GetMetricData"
    assert [set(each) for each in dimensions] == [{"TargetGroup", "LoadBalancer"}] * 2
    assert all(each["LoadBalancer"].startswith("app/") for each in dimensions)
    assert all(each["TargetGroup"].startswith("targetgroup/") for each in dimensions)
    assert len(found[BLUE]) == 4
    assert {at.tzinfo for at in found[BLUE]} == {UTC}


def test_nothing_is_asked_where_there_is_no_minute(account: Account) -> None:
    router, target_groups = account.router(), account.target_groups()
    since, _ = minutes_before(account, 1)
    account.sandbox.calls.clear()

    found = router.count_requests(target_groups, ["arn:aws:x:listener-rule/app/web/1/2/3"], since, since)

    assert found == {BLUE: {}, GREEN: {}}
    assert not account.sandbox.calls


def test_a_missing_right_is_told_as_one(account: Account) -> None:
    router, target_groups = account.router(), account.target_groups()
    routes = [route.arn for route in router.find(target_groups)]
    account.aws.refusals["cloudwatch:GetMetricData"] = "AccessDenied"

    with pytest.raises(AccessDenied):
        router.count_requests(target_groups, routes, *minutes_before(account, 1))


def test_the_load_balancer_is_read_off_its_rules() -> None:
    rules = [
        "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/50dc/f2f7/9683",
        "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/50dc/f2f7/9684",
        "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/api/60ab/0a1b",
    ]

    assert arrivals.balancers_of(rules) == ("app/web/50dc", "app/api/60ab")
