"""Everything about listeners, rules and target groups that stands in the way of a start."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.action import SetWeights
from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot
from phoenix.routers.forwarding import listener_of
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


def in_the_way(account: Account, stickiness: str = "refuse") -> list[str]:
    """Names of those that are not mere warnings."""
    return names([blocker for blocker in blockers(account, stickiness) if not blocker.warning])


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


def route_all(account: Account, weights: dict[str, int], **config: Any) -> None:
    """Give every listener and rule of the pair these weights by target group name."""
    arns = {arn.split("/")[1]: arn for groups in account.target_groups().values() for arn in groups}
    groups = [{"TargetGroupArn": arns[name], "Weight": weight} for name, weight in weights.items()]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups} | config}]
    for route in account.router().find(account.target_groups()):
        if ":listener-rule/" in route.arn and not route.name.startswith(":"):
            account.client("elbv2").modify_rule(RuleArn=route.arn, Actions=actions)
        else:
            account.client("elbv2").modify_listener(ListenerArn=listener_of(route.arn), DefaultActions=actions)


def stick_targets(account: Account, slot: Slot = BLUE) -> None:
    """Let the slot's targets keep their clients."""
    account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=account.target_groups()[slot][0], Attributes=[{"Key": "stickiness.enabled", "Value": "true"}]
    )


def run_aws(account: Account, remedy: str) -> None:
    """Carry out `aws elbv2 …` commands as they are printed."""
    for line in remedy.replace("\\\n", "").splitlines():
        _, service, operation, *words = shlex.split(line)
        parameters = {
            "".join(part.capitalize() for part in key[2:].split("-")): json.loads(value) if value[0] in "[{" else value
            for key, value in zip(words[::2], words[1::2], strict=True)
        }
        getattr(account.client(service), operation.replace("-", "_"))(**parameters)


@pytest.mark.edge(34)
def test_sticky_targets_forbid_to_suspend_the_stickiness_of_the_group(account: Account) -> None:
    route_all(account, {"web-blue": 1, "web-green": 0}, TargetGroupStickinessConfig=STICKY)
    stick_targets(account)

    assert in_the_way(account, "suspend") == ["target-stickiness"]


@pytest.mark.parametrize("slot", [BLUE, GREEN])
def test_sticky_targets_need_group_stickiness_before_a_second_group_joins_the_rule(
    account: Account, slot: Slot
) -> None:
    route_all(account, {"web-blue": 1})
    stick_targets(account, slot)

    found = [b for b in blockers(account) if not b.warning]

    assert [(b.name, "in :443, :80, rule /api/*" in b.text) for b in found] == [("target-stickiness", True)]
    run_aws(account, str(found[0].remedy))
    assert in_the_way(account) == []


def test_sticky_targets_behind_a_sticky_rule_are_no_blocker(account: Account) -> None:
    brief = {"Enabled": True, "DurationSeconds": 60}
    route_all(account, {"web-blue": 1, "web-green": 0}, TargetGroupStickinessConfig=brief)
    stick_targets(account)

    assert in_the_way(account) == []


@pytest.mark.parametrize("kind", ["jwt-validation", "an-action-of-next-year"])
def test_an_action_that_cannot_be_written_back_stands_in_the_way(account: Account, kind: str) -> None:
    account.aws.show_action({"Type": kind, "Order": 1})

    found = blockers(account)

    assert {(b.name, kind in b.text) for b in found} == {("unknown-action", True)}
    assert "rule /api/*" in [b.where for b in found]


def test_an_action_that_is_shown_whole_is_no_blocker(account: Account) -> None:
    config = {"JwksEndpoint": "https://id.example/keys", "Issuer": "https://id.example"}
    account.aws.show_action({"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": config})

    assert blockers(account) == []


def test_a_target_group_of_another_load_balancer_cannot_join_a_rule(account: Account) -> None:
    route_all(account, {"web-blue": 1})
    account.sandbox.seed("internal")
    client = account.client("elbv2")
    other = client.describe_load_balancers(Names=["shared"])["LoadBalancers"][0]["LoadBalancerArn"]
    green = account.target_groups()[GREEN][0]
    action = {"Type": "forward", "TargetGroupArn": green}
    client.create_listener(LoadBalancerArn=other, Protocol="HTTP", Port=81, DefaultActions=[action])

    found = {b.name for b in blockers(account) if not b.warning}

    assert "target-group-elsewhere" in found


def test_a_full_load_balancer_has_no_room_for_the_second_group(account: Account) -> None:
    route_all(account, {"web-blue": 1})
    client = account.client("elbv2")
    described = client.describe_target_groups(Names=["web-blue"])["TargetGroups"][0]
    listener = client.describe_listeners(LoadBalancerArn=described["LoadBalancerArns"][0])["Listeners"][0]
    for number in range(99):
        made = client.create_target_group(Name=f"t{number}", Protocol="HTTP", Port=80, VpcId=described["VpcId"])
        client.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=100 + number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{number}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}],
        )

    assert [b.name for b in blockers(account) if not b.warning] == ["load-balancer-full"]


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
