"""CreateRule: what AWS takes besides the actions, and since when the data plane follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Ground, refusal

HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["always"]}}


def a_rule(ground: Ground, *conditions: dict[str, Any], priority: int = 77) -> dict[str, Any]:
    """Parameters of a rule that sends these requests to green."""
    return {
        "ListenerArn": ground.listeners()[0]["ListenerArn"],
        "Priority": priority,
        "Conditions": list(conditions or (HEADER,)),
        "Actions": [ground.forward({"web-green": 1})],
    }


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


@pytest.mark.parametrize(
    "conditions",
    [
        (header("Host", "example.com"),),
        (header("X" * 41, "always"),),
        (header("X-Canary", *"abcdef"),),
        (header("X-Canary", "*a*", "*b*", "*c*", "*d*"),),
        (header("X-Canary", "v" * 129),),
        tuple({"Field": "source-ip", "SourceIpConfig": {"Values": [block]}} for block in ("10.0.0.0/8", "11.0.0.0/8")),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.300/8"]}},),
        ({"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}},),
    ],
    ids=[
        "host",
        "long name",
        "six values",
        "eight wildcards",
        "long value",
        "two sources",
        "no block",
        "both notations",
    ],
)
def test_conditions_that_aws_refuses_are_refused(ground: Ground, conditions: tuple[dict[str, Any], ...]) -> None:
    code, _ = refusal(ground.elbv2.create_rule, **a_rule(ground, *conditions))

    assert code == "ValidationError"


def test_a_rule_rewrites_with_one_transform_of_each_kind(ground: Ground) -> None:
    rewrite = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a/", "Replace": "/"}]}}

    code, _ = refusal(ground.elbv2.create_rule, **a_rule(ground), Transforms=[rewrite, rewrite])
    made = ground.elbv2.create_rule(**a_rule(ground), Transforms=[rewrite])["Rules"][0]["RuleArn"]
    ground.elbv2.modify_rule(RuleArn=made, Actions=[ground.forward({"web-green": 1})])

    assert code == "ValidationError"
    assert ground.elbv2.describe_rules(RuleArns=[made])["Rules"][0]["Transforms"] == [rewrite]


def test_a_priority_is_taken_once(ground: Ground) -> None:
    ground.elbv2.create_rule(**a_rule(ground))

    code, _ = refusal(ground.elbv2.create_rule, **a_rule(ground))

    assert code == "PriorityInUse"


def test_priorities_end_at_fifty_thousand(ground: Ground) -> None:
    code, _ = refusal(ground.elbv2.create_rule, **a_rule(ground, priority=50_001))

    assert code == "ValidationError"


def test_a_load_balancer_has_a_quota_of_rules(ground: Ground) -> None:
    ground.sandbox.world.rules_a_balancer = 1

    code, _ = refusal(ground.elbv2.create_rule, **a_rule(ground))

    assert code == "TooManyRules"


def test_requests_follow_a_new_rule_and_its_removal_seconds_later(ground: Ground) -> None:
    made = ground.elbv2.create_rule(**a_rule(ground))["Rules"][0]["RuleArn"]
    seen = [ground.sandbox.serving()["web-green"].asked_for]
    ground.clock.advance(60)
    seen.append(ground.sandbox.serving()["web-green"].asked_for)
    ground.elbv2.delete_rule(RuleArn=made)
    seen.append(ground.sandbox.serving()["web-green"].asked_for)
    ground.clock.advance(60)
    seen.append(ground.sandbox.serving()["web-green"].asked_for)

    assert seen == [False, True, True, False]
    assert ground.sandbox.serving()["web-green"].highest_share == 0
