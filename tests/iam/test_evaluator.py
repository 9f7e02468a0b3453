"""The evaluator itself, on rules that the IAM user guide states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.evaluator import Context, Request, covers_arn, evaluate

GROUP = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:3f1c:autoScalingGroupName/web-blue"


def a_document(*statements: dict[str, Any]) -> dict[str, Any]:
    plain = {"Effect": "Allow", "Action": "a:Do", "Resource": "*"}
    return {"Statement": [plain | {"Sid": f"S{number}"} | each for number, each in enumerate(statements)]}


def holds(operator: str, wanted: Any, context: Context) -> bool:
    document = a_document({"Condition": {operator: {"k": wanted}}})
    return evaluate(document, Request("a:Do", context=context)).allowed


def test_what_no_statement_is_about_is_denied() -> None:
    assert not evaluate(a_document(), Request("a:Do")).allowed


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    document = a_document({}, {"Effect": "Deny"})

    answer = evaluate(document, Request("a:Do"))

    assert (answer.allowed, answer.by) == (False, "S1")


@pytest.mark.parametrize(("pattern", "fits"), [("a:D*", True), ("A:do", True), ("a:?o", True), ("a:Don", False)])
def test_actions_have_wildcards_and_no_case(pattern: str, fits: bool) -> None:
    assert evaluate(a_document({"Action": pattern}), Request("a:Do")).allowed is fits


def test_not_action_is_about_every_other_action() -> None:
    document = a_document({"NotAction": ["a:Do"]})
    del document["Statement"][0]["Action"]

    assert [evaluate(document, Request(a)).allowed for a in ("a:Do", "a:Undo")] == [False, True]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/web-*", True),
        ("arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-green", False),
        ("arn:aws:autoscaling:*", False),
        ("*", True),
    ],
)
def test_a_wildcard_reaches_to_the_next_colon_of_an_arn(pattern: str, fits: bool) -> None:
    assert covers_arn(pattern, GROUP) is fits


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "expected"),
    [
        ("StringEquals", ["x", "y"], {"k": "y"}, True),
        ("StringEquals", "x", {"K": "x"}, True),
        ("StringEquals", "x", {"k": "X"}, False),
        ("StringEquals", "x", {}, False),
        ("StringEqualsIfExists", "x", {}, True),
        ("StringEqualsIgnoreCase", "x", {"k": "X"}, True),
        ("StringNotEquals", "x", {"k": "y"}, True),
        ("StringNotEquals", "x", {}, True),
        ("StringLike", "x*", {"k": "xyz"}, True),
        ("Bool", "true", {"k": "true"}, True),
        ("Bool", "false", {}, False),
        ("Null", "true", {}, True),
        ("Null", "false", {"k": "x"}, True),
        ("Null", "false", {}, False),
        ("ForAllValues:StringEquals", ["x", "y"], {"k": ("x", "y")}, True),
        ("ForAllValues:StringEquals", ["x"], {"k": ("x", "y")}, False),
        ("ForAllValues:StringEquals", ["x"], {}, True),
        ("ForAnyValue:StringEquals", ["x"], {"k": ("y", "x")}, True),
        ("ForAnyValue:StringEquals", ["x"], {}, False),
        ("ForAnyValue:StringNotEquals", ["x"], {"k": ("x", "y")}, True),
        ("ForAnyValue:StringNotEquals", ["x"], {"k": ("x",)}, False),
    ],
)
def test_conditions_hold_as_iam_says(operator: str, wanted: Any, context: Context, expected: bool) -> None:
    assert holds(operator, wanted, context) is expected


def test_all_keys_of_a_condition_have_to_hold() -> None:
    document = a_document({"Condition": {"StringEquals": {"k": "x", "l": "y"}, "Bool": {"m": "true"}}})

    assert evaluate(document, Request("a:Do", context={"k": "x", "l": "y", "m": "true"})).allowed
    assert not evaluate(document, Request("a:Do", context={"k": "x", "l": "y", "m": "false"})).allowed


@pytest.mark.parametrize("operator", ["DateGreaterThan", "ForMost:StringEquals", "StringNotLike"])
def test_an_operator_that_is_not_understood_is_an_error(operator: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        holds(operator, "x", {"k": "x"})


def test_an_element_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(ValueError, match="NotResource"):
        evaluate(a_document({"NotResource": "*"}), Request("a:Do"))
