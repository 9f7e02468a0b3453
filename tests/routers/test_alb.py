"""The load balancer on a sandbox: how few calls, what is written, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.action import SetWeights
from phoenix.core.model import Slot, TargetState
from phoenix.errors import ForeignWeights, Throttled, TransientError
from phoenix.routers.alb import AlbRouter
from phoenix.routers.listeners import Health
from phoenix.routers.listeners import merged as _merged
from phoenix.sandbox.targets import DESCRIPTIONS
from tests.account import Account, Opener

BLUE, GREEN = Slot.BLUE, Slot.GREEN


def routes_of(account: Account, router: AlbRouter) -> list[str]:
    """ARNs of everything that carries the pair; calls so far are forgotten."""
    found = [route.arn for route in router.find(account.target_groups())]
    account.sandbox.calls.clear()
    return found


def the_actions(account: Account, rule: str) -> Any:
    """The actions of a rule, as AWS describes them."""
    return account.client("elbv2").describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]


@pytest.mark.edge(35)
def test_listeners_and_rules_are_found_and_named_for_people(account: Account) -> None:
    names = [route.name for route in account.router().find(account.target_groups())]

    assert names == [":443", ":80", "rule /api/*"]


def test_rules_of_others_on_the_same_load_balancer_are_left_out(open_account: Opener) -> None:
    account = open_account("internal")

    (route,) = account.router().find(account.target_groups())

    assert (route.name, route.weights) == ("rule /internal/*", {BLUE: 90, GREEN: 0})


def test_a_look_costs_one_call_for_all_rules_and_one_for_each_slot(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)

    router.observe(target_groups, routes, frozenset(Slot))

    assert sorted(account.operations()) == ["DescribeRules", "DescribeTargetHealth", "DescribeTargetHealth"]


def test_known_rules_are_read_in_one_call_even_by_a_router_that_has_found_no_listener_yet(account: Account) -> None:
    target_groups, routes = account.target_groups(), routes_of(account, account.router())

    seen = account.router().observe(target_groups, routes, frozenset())

    assert account.operations() == ["DescribeRules"]
    assert {route.arn for route in seen.routes} == set(routes)
    assert [route.name.partition(" ")[0] for route in seen.routes] == ["listener", "listener", "rule"]


def test_a_shift_is_one_read_one_write_for_each_route_and_one_read_back(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)

    router.shift(SetWeights(GREEN, 100), target_groups, routes)

    assert account.operations()[0] == account.operations()[-1] == "DescribeRules"
    assert sorted(account.operations()[1:-1]) == ["ModifyListener", "ModifyListener", "ModifyRule"]


@pytest.mark.edge(24)
def test_weights_that_are_there_already_are_not_written(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)

    router.shift(SetWeights(BLUE, 100), target_groups, routes)

    assert account.writes() == []


def test_only_routes_that_differ_are_written(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    router.shift(SetWeights(GREEN, 50), target_groups, routes[:1])
    account.sandbox.calls.clear()

    router.shift(SetWeights(GREEN, 50), target_groups, routes)

    assert len(account.writes()) == len(routes) - 1


def test_one_foreign_weight_keeps_every_route_from_being_raised(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    router.shift(SetWeights(GREEN, 30), target_groups, routes[-1:])
    account.sandbox.calls.clear()

    with pytest.raises(ForeignWeights, match="30 %, not 0 or 5"):
        router.shift(SetWeights(GREEN, 5, only_from=frozenset({0, 5})), target_groups, routes)

    assert account.writes() == []


def test_a_rule_that_no_longer_names_the_pair_stops_a_raise_but_not_the_way_back(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    refusing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    account.client("elbv2").modify_rule(RuleArn=routes[-1], Actions=[refusing])

    with pytest.raises(ForeignWeights):
        router.shift(SetWeights(GREEN, 5, only_from=frozenset({0})), target_groups, routes)

    assert router.shift(SetWeights(GREEN, 0), target_groups, routes)[-1].weights == {}


def test_a_rule_that_is_gone_makes_the_router_search_again(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    account.client("elbv2").delete_rule(RuleArn=routes[-1])

    seen = router.observe(target_groups, routes, frozenset())

    assert [route.name for route in seen.routes] == [":443", ":80"]


def test_a_third_target_group_keeps_its_share_in_aws(open_account: Opener) -> None:
    account = open_account("internal")
    router = account.router()
    target_groups, (rule,) = account.target_groups(), routes_of(account, router)

    router.shift(SetWeights(GREEN, 100), target_groups, [rule])

    groups = the_actions(account, rule)[0]["ForwardConfig"]["TargetGroups"]
    assert [group["Weight"] for group in groups] == [0, 90, 10]


@pytest.mark.edge(16)
def test_a_slot_that_nothing_names_is_added_at_weight_0(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    alone = {"Type": "forward", "TargetGroupArn": target_groups[BLUE][0]}
    account.client("elbv2").modify_rule(RuleArn=routes[-1], Actions=[alone])

    added = router.shift(SetWeights(GREEN, 0, only_from=frozenset({0})), target_groups, routes)

    assert added[-1].weights == {BLUE: 1, GREEN: 0}


def test_a_throttled_read_writes_nothing(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    account.aws.refusals["elasticloadbalancing:DescribeRules"] = "Throttling"

    with pytest.raises(Throttled):
        router.shift(SetWeights(GREEN, 100), target_groups, routes)

    assert account.writes() == []


class Forgetful(AlbRouter):
    """Writes nothing, as if AWS had accepted it and shown the old weights ever since."""

    def _write(self, rule: Any, actions: Any) -> None:
        return


@pytest.mark.edge(32)
def test_weights_that_never_show_are_an_error_after_a_few_looks(account: Account) -> None:
    router = account.make(Forgetful)
    target_groups, routes = account.target_groups(), routes_of(account, router)
    before = account.clock.now()

    with pytest.raises(TransientError, match="still shows other weights"):
        router.shift(SetWeights(GREEN, 100), target_groups, routes)

    assert account.operations().count("DescribeRules") == 7
    assert 0 < (account.clock.now() - before).total_seconds() < 10


def test_an_instance_is_as_healthy_as_in_the_worst_of_its_target_groups() -> None:
    well, leaving = Health(TargetState.HEALTHY), Health(TargetState.DRAINING, "it leaves")
    one = {"i-1": well, "i-2": well, "i-3": well}
    other = {"i-1": well, "i-2": leaving}

    assert _merged([one, other]) == {"i-1": well, "i-2": leaving}


def words_of(account: Account, reason: str, description: str) -> str:
    """What the first live target is said to lack, as AWS gives reason and description."""
    target = next(iter(account.sandbox.world.targets.of(account.target_groups()[BLUE][0])))
    target.become("unhealthy", reason)
    DESCRIPTIONS.setdefault(reason, description)
    router = account.router()
    found = router.observe(account.target_groups(), routes_of(account, router), frozenset({BLUE}))
    return found.words[BLUE][target.instance_id]


@pytest.mark.parametrize(
    ("reason", "description", "words"),
    [
        (
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
            "Target.ResponseCodeMismatch, 503 on /healthz:8080",
        ),
        ("Target.Timeout", "Request timed out", "Target.Timeout, timed out on /healthz:8080"),
        (
            "Target.FailedHealthChecks",
            "Health checks failed",
            "Target.FailedHealthChecks, Health checks failed on /healthz:8080",
        ),
        ("Elb.InitialHealthChecking", "Initial health checks in progress", "Initial health checks in progress"),
        ("Target.InvalidState", "Target is\nin the stopped\u202e state", "Target is in the stopped state"),
    ],
)
def test_why_a_target_is_not_healthy_is_told_in_few_words(
    account: Account, reason: str, description: str, words: str
) -> None:
    assert words_of(account, reason, description) == words


def test_a_healthy_target_needs_no_words(account: Account) -> None:
    router = account.router()

    assert router.observe(account.target_groups(), routes_of(account, router), frozenset(Slot)).words[BLUE] == {}


def test_an_unhealthy_target_is_seen_as_such(account: Account) -> None:
    router = account.router()
    target_groups, routes = account.target_groups(), routes_of(account, router)
    sick = account.slots()[BLUE].instances[0].id
    account.sandbox.make_unhealthy(sick)
    account.clock.advance(7)

    health = router.observe(target_groups, routes, frozenset({BLUE})).health[BLUE]

    assert {i for i, state in health.items() if state is TargetState.UNHEALTHY} == {sick}
