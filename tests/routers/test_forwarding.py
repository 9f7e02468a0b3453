"""Action lists with another share in them, and everything else as it was."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.action import SetWeights
from phoenix.core.model import Route, Slot
from phoenix.routers.forwarding import MOST_WEIGHT, Pair, Rule, differs, is_at, rewritten, split

BLUE, GREEN = Slot.BLUE, Slot.GREEN
ARNS = {BLUE: ("tg/blue",), GREEN: ("tg/green",)}
PAIR = Pair(ARNS)


def forward(weights: dict[str, int], **config: Any) -> dict[str, Any]:
    """A forward action as AWS describes it."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    action = {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups} | config}
    return action | ({"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {})


def a_rule(*actions: dict[str, Any], arn: str = "arn:x:listener-rule/app/web/1/2/3") -> Rule:
    """A rule with all traffic on blue unless the test says otherwise."""
    return Rule(arn, ":443", False, list(actions) or [forward({"tg/blue": 100, "tg/green": 0})])


def shifted(rule: Rule, percent: int, pair: Pair = PAIR, **options: Any) -> Rule:
    """The rule with that share on green."""
    return Rule(rule.arn, rule.name, False, rewritten(rule, pair, SetWeights(GREEN, percent, **options)))


def test_without_others_weights_are_per_cent() -> None:
    rule = a_rule(forward({"tg/blue": 1, "tg/green": 0}))

    assert shifted(rule, 5).target_groups == {"tg/blue": 95, "tg/green": 5}


@pytest.mark.edge(31)
def test_a_third_target_group_keeps_its_share() -> None:
    rule = a_rule(forward({"tg/blue": 90, "tg/green": 0, "tg/legacy": 10}))

    assert shifted(rule, 5).target_groups == {"tg/blue": 171, "tg/green": 9, "tg/legacy": 20}


@given(
    total=st.integers(1, 2 * MOST_WEIGHT),
    percent=st.integers(0, 100),
    others=st.lists(st.integers(0, MOST_WEIGHT), min_size=1, max_size=3),
)
def test_shares_survive_every_split_as_well_as_whole_numbers_can(total: int, percent: int, others: list[int]) -> None:
    mine, rest, kept = split(total, percent, others)

    assert all(0 <= weight <= MOST_WEIGHT for weight in (mine, rest, *kept))
    assert (mine > 0, rest > 0) == (percent > 0, percent < 100)
    assert [weight > 0 for weight in kept] == [other > 0 for other in others]
    if any(others):
        before, after = Fraction(total, total + sum(others)), Fraction(mine + rest, mine + rest + sum(kept))
        assert abs(before - after) < Fraction(1, 200)


@pytest.mark.parametrize("others", [[10], [1, 1], [333]])
def test_splits_do_not_grow_weights_for_ever(others: list[int]) -> None:
    total, kept = 90, others
    for percent in (5, 33, 50, 77, 100, 0) * 5:
        mine, rest, kept = split(total, percent, kept)
        total = mine + rest

    assert max(total, *kept) <= 2 * MOST_WEIGHT
    assert abs(Fraction(total, total + sum(kept)) - Fraction(90, 90 + sum(others))) < Fraction(1, 50)


@pytest.mark.edge(36)
def test_authentication_in_front_of_the_forward_survives() -> None:
    cognito = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolArn": "arn:pool"}}
    rule = a_rule(cognito, forward({"tg/blue": 100, "tg/green": 0}))

    assert shifted(rule, 50).actions[0] == cognito


@pytest.mark.edge(36)
def test_the_secret_of_an_identity_provider_is_kept_although_aws_does_not_show_it() -> None:
    oidc = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"ClientId": "web"}}
    rule = a_rule(oidc, forward({"tg/blue": 100, "tg/green": 0}))

    config = shifted(rule, 50).actions[0]["AuthenticateOidcConfig"]

    assert config == {"ClientId": "web", "UseExistingClientSecret": True}


def test_a_single_target_group_in_short_becomes_a_pair_with_the_other_at_nothing() -> None:
    rule = a_rule({"Type": "forward", "TargetGroupArn": "tg/blue"})

    changed = shifted(rule, 0)

    assert changed.target_groups == {"tg/blue": 1, "tg/green": 0}
    assert "TargetGroupArn" not in changed.actions[0]
    assert differs(rule, changed.actions)


@pytest.mark.edge(16)
def test_a_target_group_that_nothing_names_is_added_at_its_weight() -> None:
    assert shifted(a_rule(forward({"tg/blue": 7})), 25).target_groups == {"tg/blue": 75, "tg/green": 25}


def test_a_single_target_group_has_all_the_traffic_whatever_its_weight() -> None:
    assert a_rule(forward({"tg/blue": 0})).route(PAIR).percent(BLUE) == 100


def test_what_is_there_already_is_not_rewritten() -> None:
    rule = a_rule(forward({"tg/blue": 1, "tg/green": 1}))

    assert not differs(rule, shifted(rule, 50).actions)


def test_a_pair_without_any_weight_beside_others_is_left_alone() -> None:
    rule = a_rule(forward({"tg/blue": 0, "tg/green": 0, "tg/maintenance": 1}))

    assert not differs(rule, shifted(rule, 50).actions)


def test_a_rule_that_does_not_forward_names_no_target_group() -> None:
    rule = a_rule({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}})

    assert (rule.target_groups, rule.sticky_seconds) == ({}, 0)


@pytest.mark.edge(34)
def test_stickiness_is_kept_suspended_or_restored_as_asked() -> None:
    rule = a_rule(
        forward(
            {"tg/blue": 100, "tg/green": 0},
            TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 600},
        )
    )

    suspended = shifted(rule, 50, suspend_stickiness=True)

    assert (shifted(rule, 50).sticky_seconds, suspended.sticky_seconds) == (600, 0)
    assert shifted(suspended, 50, restore_stickiness={rule.arn: 900}).sticky_seconds == 900


def test_suspending_stickiness_alone_is_worth_a_write() -> None:
    sticky = {"Enabled": True, "DurationSeconds": 600}
    rule = a_rule(forward({"tg/blue": 50, "tg/green": 50}, TargetGroupStickinessConfig=sticky))

    assert differs(rule, shifted(rule, 50, suspend_stickiness=True).actions)


@pytest.mark.parametrize(
    ("weights", "percent", "expected"),
    [
        ({BLUE: 999, GREEN: 1}, 0, False),
        ({BLUE: 999, GREEN: 0}, 0, True),
        ({BLUE: 1, GREEN: 999}, 100, False),
        ({BLUE: 2, GREEN: 1}, 33, True),
        ({BLUE: 0, GREEN: 0}, 0, False),
    ],
)
def test_none_and_all_of_the_traffic_are_meant_exactly(weights: dict[Slot, int], percent: int, expected: bool) -> None:
    assert is_at(Route("arn", "r", weights), GREEN, percent) is expected


def test_the_listener_of_a_default_rule_is_told_by_its_arn() -> None:
    rule = a_rule(arn="arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/50dc/f2f7/9683")

    assert rule.listener == "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/web/50dc/f2f7"


def test_counterparts_among_several_target_groups_are_told_by_other_rules() -> None:
    arns = {BLUE: ("tg/blue-a", "tg/blue-b"), GREEN: ("tg/green-a", "tg/green-b")}
    whole, half = a_rule(forward({"tg/blue-a": 1, "tg/green-a": 0})), a_rule(forward({"tg/blue-b": 1}))

    assert Pair(arns, [whole, half]).missing_in(half) == "tg/green-b"
    assert Pair(arns, [half]).missing_in(half) is None


def test_what_takes_a_slot_out_of_some_rules_does_not_bring_it_back_into_others() -> None:
    left = a_rule(forward({"tg/blue": 100}))

    assert shifted(left, 0, unrefer=frozenset({"arn:x:another"})).target_groups == left.target_groups
    assert shifted(left, 0).target_groups == {"tg/blue": 100, "tg/green": 0}
