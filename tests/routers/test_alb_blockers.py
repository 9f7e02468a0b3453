"""Everything about listeners, rules and target groups that stands in the way of a start."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.action import SetWeights
from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot
from phoenix.routers.none import NoRouter
from tests.account import Account, Opener

BLUE, GREEN = Slot.BLUE, Slot.GREEN
STICKY = {"Enabled": True, "DurationSeconds": 3600}


def blockers(account: Account, stickiness: str = "refuse") -> list[Blocker]:
    """All of them, with blue live."""
    return list(account.router(stickiness).find_blockers(account.slots(), BLUE))


def names(found: list[Blocker]) -> list[str]:
    """Names only."""
    return [blocker.name for blocker in found]


def rewrite(account: Account, weights: dict[str, int], **config: Any) -> str:
    """Give the rule for /api/* these weights by target group name; returns its ARN."""
    client = account.client("elbv2")
    groups = [
        {
            "TargetGroupArn": client.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"],
            "Weight": weight,
        }
        for name, weight in weights.items()
    ]
    rule = account.router().find(account.target_groups())[-1].arn
    client.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups} | config}])
    return rule


@pytest.mark.parametrize("group", ["web", "internal"])
def test_nothing_is_said_against_a_pair_at_rest(open_account: Opener, group: str) -> None:
    assert blockers(open_account(group)) == []


def test_a_slot_without_a_target_group_stands_in_the_way(account: Account) -> None:
    slots = account.slots()
    bare = slots | {GREEN: replace(slots[GREEN], target_groups=())}

    (blocker,) = account.router().find_blockers(bare, BLUE)

    assert (blocker.name, "web-green" in str(blocker.remedy)) == ("no-target-group", True)


def test_routes_that_disagree_stand_in_the_way(account: Account) -> None:
    rewrite(account, {"web-blue": 50, "web-green": 50})

    (blocker,) = blockers(account)

    assert blocker.name == "weights-differ"
    assert ":443 100 %, :80 100 %, rule /api/* 50 %" in blocker.text


def test_weight_on_both_slots_stands_in_the_way(account: Account) -> None:
    router = account.router()
    target_groups = account.target_groups()
    router.shift(SetWeights(GREEN, 20), target_groups, [r.arn for r in router.find(target_groups)])

    (blocker,) = blockers(account)

    assert (blocker.name, "blue has 80 %, green 20 %" in blocker.text) == ("weight-on-both-slots", True)


def test_weights_that_are_not_where_the_record_says_stand_in_the_way(account: Account) -> None:
    router = account.router()
    target_groups = account.target_groups()
    router.shift(SetWeights(GREEN, 100), target_groups, [r.arn for r in router.find(target_groups)])

    (blocker,) = blockers(account)

    assert (blocker.name, "green has all of the traffic" in blocker.text) == ("weights-elsewhere", True)
    assert str(blocker.remedy).count("aws elbv2 modify-") == 3


def test_the_command_that_mends_weights_really_does(account: Account) -> None:
    rule = rewrite(account, {"web-blue": 50, "web-green": 50})
    words = shlex.split(str(blockers(account)[0].remedy))

    assert words[:5] == ["aws", "elbv2", "modify-rule", "--rule-arn", rule]
    assert '"Weight":100' in words[-1]


def test_a_rule_with_one_slot_only_is_worth_a_warning(account: Account) -> None:
    rewrite(account, {"web-blue": 1})

    assert [(b.name, b.warning) for b in blockers(account)] == [("one-slot-only", True)]


def test_a_pair_without_traffic_beside_another_group_stands_in_the_way(open_account: Opener) -> None:
    account = open_account("internal")
    rewrite(account, {"internal-blue": 0, "internal-green": 0, "internal-legacy": 1})

    assert names(blockers(account)) == ["no-traffic"]


def test_a_pair_that_nothing_routes_to_stands_in_the_way(open_account: Opener) -> None:
    account = open_account("internal")
    rewrite(account, {"internal-legacy": 1})

    (blocker,) = blockers(account)

    assert (blocker.name, "internal-blue nor internal-green" in blocker.text) == ("not-routed", True)


@pytest.mark.edge(34)
def test_long_group_stickiness_stands_in_the_way_unless_the_policy_suspends_it(account: Account) -> None:
    rewrite(account, {"web-blue": 1, "web-green": 0}, TargetGroupStickinessConfig=STICKY)

    (blocker,) = blockers(account)

    assert (blocker.name, "3600 s" in blocker.text) == ("group-stickiness", True)
    assert blockers(account, "suspend") == []


def test_a_minute_of_group_stickiness_is_tolerated(account: Account) -> None:
    minute = STICKY | {"DurationSeconds": 60}
    rewrite(account, {"web-blue": 1, "web-green": 0}, TargetGroupStickinessConfig=minute)

    assert blockers(account) == []


@pytest.mark.edge(34)
def test_sticky_targets_forbid_to_suspend_the_stickiness_of_the_group(account: Account) -> None:
    rewrite(account, {"web-blue": 1, "web-green": 0}, TargetGroupStickinessConfig=STICKY)
    account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=account.target_groups()[BLUE][0], Attributes=[{"Key": "stickiness.enabled", "Value": "true"}]
    )

    assert names(blockers(account, "suspend")) == ["target-stickiness"]


@pytest.mark.parametrize(
    ("name", "value", "blocker"),
    [("port", 9090, "target-groups-differ"), ("protocol", "TCP", "not-an-application-load-balancer")],
)
def test_target_groups_have_to_agree(account: Account, name: str, value: Any, blocker: str) -> None:
    group = account.sandbox.world.elbv2().target_groups[account.target_groups()[GREEN][0]]
    assert hasattr(group, name)
    setattr(group, name, value)

    assert blocker in names(blockers(account))


def test_other_health_checks_are_worth_a_warning(account: Account) -> None:
    green = account.target_groups()[GREEN][0]
    account.client("elbv2").modify_target_group(TargetGroupArn=green, HealthCheckPath="/ping")

    assert [(b.name, b.warning) for b in blockers(account)] == [("health-checks-differ", True)]


@pytest.mark.parametrize(
    "weights", [{"internal-blue": 0, "internal-green": 0, "internal-legacy": 1}, {"internal-legacy": 1}]
)
def test_whatever_stands_in_the_way_comes_with_a_command(open_account: Opener, weights: dict[str, int]) -> None:
    account = open_account("internal")
    rewrite(account, weights)

    assert all(str(blocker.remedy).startswith("aws elbv2 ") for blocker in blockers(account))


def test_looking_for_blockers_changes_nothing(account: Account) -> None:
    blockers(account)

    assert account.writes() == []


def test_a_policy_without_traffic_must_not_overlook_a_load_balancer(account: Account) -> None:
    router = account.make(NoRouter)

    found = router.find_blockers(account.slots(), BLUE)

    assert [blocker.name for blocker in found] == ["unwatched-target-group"] * 2


def test_without_a_load_balancer_there_is_nothing_to_see_or_to_move(open_account: Opener) -> None:
    account = open_account("workers")
    router = account.make(NoRouter)
    account.sandbox.calls.clear()

    assert router.find({}) == router.shift(SetWeights(GREEN, 100), {}, ()) == ()
    assert router.observe({}, (), frozenset(Slot)).health == {}
    assert account.operations() == []
    assert router.find_blockers(account.slots(), BLUE) == []
