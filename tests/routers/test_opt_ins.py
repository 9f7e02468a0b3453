"""Rules of phoenix's own on an Application Load Balancer: where they go, and what stands in their way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.action import SetOptIns
from phoenix.core.model import Slot
from phoenix.core.opt_in import OptIn, OptInKind, OptIns
from phoenix.errors import PermanentError
from phoenix.routers.alb import AlbRouter
from phoenix.routers.opt_in_rules import condition_of
from tests.account import Account

GREEN = Slot.GREEN
HEADER = OptIn(OptInKind.HEADER, "X-Canary", ("always",))
SOURCE = OptIn(OptInKind.SOURCE, "", ("10.0.0.0/8",))
WANTED = SetOptIns(GREEN, (HEADER,), "web-2-7k3f")


def router(account: Account, *opt_ins: OptIn) -> AlbRouter:
    made = account.router()
    made._opt_ins = opt_ins
    return made


def routes(account: Account) -> list[str]:
    return [route.arn for route in account.router().find(account.target_groups())]


def ask(account: Account, wanted: SetOptIns = WANTED) -> OptIns:
    return account.router().read_opt_ins(wanted, account.target_groups(), routes(account))


def make(account: Account, wanted: SetOptIns = WANTED) -> None:
    account.router().set_opt_ins(wanted, account.target_groups(), routes(account))


def rules(account: Account) -> list[dict[str, Any]]:
    """All rules of all listeners, by the console."""
    client = account.client("elbv2")
    listeners = sorted({account_listener(arn) for arn in routes(account)})
    return [rule for arn in listeners for rule in client.describe_rules(ListenerArn=arn)["Rules"]]


def account_listener(rule: str) -> str:
    return rule.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]


def blockers(account: Account, *opt_ins: OptIn) -> list[str]:
    found = router(account, *opt_ins).find_blockers(account.slots(), Slot.BLUE)
    return [blocker.name for blocker in found if not blocker.warning]


def test_each_rule_of_the_owner_gets_one_of_ours_right_ahead_of_it(account: Account) -> None:
    theirs = {rule["RuleArn"]: rule for rule in rules(account)}
    make(account)

    made = [rule for rule in rules(account) if rule["RuleArn"] not in theirs]
    assert len(made) == len(routes(account))
    assert ask(account).are_in_place
    for rule in made:
        conditions = [c for c in rule["Conditions"] if c["Field"] != "http-header"]
        shadowed = next(
            t for t in theirs.values() if [c["Field"] for c in t["Conditions"]] == [c["Field"] for c in conditions]
        )
        assert shadowed["IsDefault"] or int(rule["Priority"]) < int(shadowed["Priority"])


def test_making_them_again_makes_none_twice(account: Account) -> None:
    make(account)
    before = [rule["RuleArn"] for rule in rules(account)]
    make(account)

    assert [rule["RuleArn"] for rule in rules(account)] == before


def test_a_rule_of_ours_is_no_route_of_the_owner(account: Account) -> None:
    before = routes(account)
    make(account)

    assert routes(account) == before


def test_a_rule_that_looks_like_ours_without_our_tag_stays(account: Account) -> None:
    green = account.target_groups()[GREEN][0]
    listener = account_listener(routes(account)[0])
    condition = condition_of(replace(HEADER, values=("sometimes",)))
    made = account.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=77,
        Conditions=[condition],
        Actions=[{"Type": "forward", "TargetGroupArn": green}],
    )["Rules"][0]["RuleArn"]

    make(account, SetOptIns(GREEN))

    assert made in [rule["RuleArn"] for rule in rules(account)]


def test_none_wanted_takes_all_of_ours_away_and_nothing_else(account: Account) -> None:
    before = [(rule["RuleArn"], rule["Priority"]) for rule in rules(account)]
    make(account)
    make(account, SetOptIns(GREEN))

    assert [(rule["RuleArn"], rule["Priority"]) for rule in rules(account)] == before


def test_a_changed_wish_replaces_what_was_made_for_the_one_before(account: Account) -> None:
    make(account)
    make(account, SetOptIns(GREEN, (SOURCE,), "web-2-7k3f"))

    assert ask(account, SetOptIns(GREEN, (SOURCE,))).are_in_place
    assert ask(account).stray


COGNITO = {
    "Type": "authenticate-cognito",
    "Order": 1,
    "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a",
        "UserPoolClientId": "client",
        "UserPoolDomain": "login",
    },
}
OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://login.example.com",
        "AuthorizationEndpoint": "https://login.example.com/authorize",
        "TokenEndpoint": "https://login.example.com/token",
        "UserInfoEndpoint": "https://login.example.com/user",
        "ClientId": "client",
        "ClientSecret": "known to the owner alone",
    },
}


def authenticate(account: Account, how: dict[str, Any]) -> None:
    """The owner has every request to the rule with a path authenticated, by the console."""
    rule = next(rule for rule in rules(account) if not rule["IsDefault"] and "X-Canary" not in str(rule["Conditions"]))
    kept = [{**action, "Order": 2} for action in rule["Actions"]]
    account.client("elbv2").modify_rule(RuleArn=rule["RuleArn"], Actions=[how, *kept])


def unauthenticated(account: Account) -> list[str]:
    """The rules of ours with the path that let requests past the owner's authentication."""
    ours = (rule for rule in rules(account) if "X-Canary" in str(rule["Conditions"]) and len(rule["Conditions"]) > 1)
    return [rule["RuleArn"] for rule in ours if len(rule["Actions"]) == 1]


def test_an_authentication_that_the_owner_adds_since_is_added_to_ours(account: Account) -> None:
    make(account)
    authenticate(account, COGNITO)
    assert ask(account).stray
    make(account)

    assert unauthenticated(account) == []
    assert ask(account).are_in_place


def test_no_rule_of_ours_lets_requests_past_an_authentication_that_it_cannot_copy(account: Account) -> None:
    make(account)
    authenticate(account, OIDC)

    with pytest.raises(PermanentError, match="OIDC"):
        make(account)
    assert unauthenticated(account) == []


def rewrites(prefix: str) -> list[dict[str, Any]]:
    """Transforms that take a prefix off the path."""
    return [
        {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": f"^/{prefix}/(.*)$", "Replace": "/$1"}]}}
    ]


def test_requests_that_ask_are_rewritten_like_those_of_the_rule_behind(account: Account) -> None:
    rule = next(rule for rule in rules(account) if not rule["IsDefault"])
    for prefix in ("api", "v2"):
        account.client("elbv2").modify_rule(RuleArn=rule["RuleArn"], Transforms=rewrites(prefix))
        make(account)
        found = [each.get("Transforms") for each in rules(account) if len(each["Conditions"]) > 1]

        assert found == [rewrites(prefix)]
        assert ask(account).are_in_place


def test_nothing_stands_in_the_way_of_a_header(account: Account) -> None:
    assert blockers(account, HEADER) == []


def test_a_full_gap_stands_in_the_way(account: Account) -> None:
    rule = next(rule for rule in rules(account) if not rule["IsDefault"])
    account.client("elbv2").set_rule_priorities(RulePriorities=[{"RuleArn": rule["RuleArn"], "Priority": 1}])

    assert "no-free-priority" in blockers(account, HEADER)


def test_more_values_than_a_rule_takes_stand_in_the_way(account: Account) -> None:
    five = replace(HEADER, values=tuple(f"value-{number}" for number in range(5)))

    assert "opt-in-conditions" in blockers(account, five)


def test_the_marks_of_more_listeners_than_one_call_takes_are_all_read(account: Account) -> None:
    client, blue = account.client("elbv2"), account.target_groups()[Slot.BLUE][0]
    first = client.describe_listeners(ListenerArns=[account_listener(routes(account)[0])])["Listeners"][0]
    for port in range(9001, 9023):
        made = client.create_listener(
            LoadBalancerArn=first["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            Tags=[{"Key": "phoenix:managed", "Value": "true"}],
        )["Listeners"][0]["ListenerArn"]
        client.create_rule(
            ListenerArn=made,
            Priority=100,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": blue}],
        )

    found = router(account, HEADER).find_blockers(account.slots(), Slot.BLUE)

    assert [b.text for b in found if b.name == "listener-unmarked" and ":listener/" in (b.remedy or "")] == []


def test_a_load_balancer_without_room_for_a_rule_stands_in_the_way(account: Account) -> None:
    account.sandbox.world.rules_a_balancer = 1

    assert "too-many-rules" in blockers(account, HEADER)


@pytest.mark.parametrize(
    ("opt_in", "condition"),
    [
        (HEADER, {"HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["always"]}}),
        (
            OptIn(OptInKind.COOKIE, "canary", ("1",)),
            {"HttpHeaderConfig": {"HttpHeaderName": "Cookie", "Values": ["*canary=1*"]}},
        ),
        (
            OptIn(OptInKind.QUERY, "canary", ("1",)),
            {"QueryStringConfig": {"Values": [{"Key": "canary", "Value": "1"}]}},
        ),
        (SOURCE, {"SourceIpConfig": {"Values": ["10.0.0.0/8"]}}),
    ],
)
def test_each_way_to_ask_is_a_condition_of_aws(opt_in: OptIn, condition: dict[str, Any]) -> None:
    found = dict(condition_of(opt_in))
    del found["Field"]

    assert found == condition
