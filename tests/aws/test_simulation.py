"""What IAM's simulator is asked: each right with its conditions met, for the role behind a session."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.aws.rights import ALL, IS_MANAGED, OUR_TAGS, Condition, Right
from phoenix.aws.simulation import principal_of, refused
from tests.answers import ScriptedAws

ROLE = "arn:aws:iam::123456789012:role/phoenix"
GROUP = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web"


def asked(*rights: Right) -> list[dict[str, Any]]:
    aws = ScriptedAws(simulate_principal_policy={"EvaluationResults": []})
    refused(aws, ROLE, rights)
    return [parameters for _, parameters in aws.asked]


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/phoenix/oncall", ROLE),
        ("arn:aws-cn:sts::123456789012:assumed-role/x/y@z", "arn:aws-cn:iam::123456789012:role/x"),
        ("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann"),
    ],
)
def test_the_role_behind_a_session_is_asked_about(caller: str, principal: str) -> None:
    assert principal_of(caller) == principal


def test_rights_on_one_resource_under_one_condition_are_one_question() -> None:
    rights = [Right(f"autoscaling:{name}", "Change", ALL, (GROUP,), (IS_MANAGED,)) for name in ("B", "A")]

    (question,) = asked(*rights)

    assert question["ActionNames"] == ["autoscaling:A", "autoscaling:B"]
    assert question["ResourceArns"] == [GROUP]
    assert question["ContextEntries"] == [
        {"ContextKeyName": IS_MANAGED.key, "ContextKeyType": "string", "ContextKeyValues": ["true"]}
    ]


def test_a_list_of_keys_is_given_as_a_list_and_counts_as_present() -> None:
    (question,) = asked(Right("autoscaling:CreateOrUpdateTags", "Tag", ALL, (GROUP,), OUR_TAGS))

    (entry,) = question["ContextEntries"]
    assert (entry["ContextKeyName"], entry["ContextKeyType"]) == ("aws:TagKeys", "stringList")
    assert entry["ContextKeyValues"] == list(OUR_TAGS[0].values)


def test_a_key_that_must_be_absent_is_left_out_and_one_that_must_be_there_is_given() -> None:
    absent, present = Condition("Null", "ec2:A", ("true",)), Condition("Null", "ec2:B", ("false",))

    (question,) = asked(Right("ec2:RunInstances", "Launch", ALL, ("*",), (absent, present)))

    assert [entry["ContextKeyName"] for entry in question["ContextEntries"]] == ["ec2:B"]


def test_a_right_on_something_that_is_not_known_is_not_asked_about() -> None:
    assert asked(Right("iam:PassRole", "Pass", ALL, ("arn:aws:iam::1:role/${instance_role}",))) == []


def test_only_what_is_not_allowed_is_returned_with_its_resource() -> None:
    answers = [
        {"EvalActionName": "a:Read", "EvalResourceName": "*", "EvalDecision": "implicitDeny"},
        {"EvalActionName": "a:Write", "EvalResourceName": GROUP, "EvalDecision": "explicitDeny"},
        {"EvalActionName": "a:Other", "EvalResourceName": GROUP, "EvalDecision": "allowed"},
    ]
    aws = ScriptedAws(simulate_principal_policy={"EvaluationResults": answers})

    assert refused(aws, ROLE, [Right("a:Read", "Read", ALL)]) == ["a:Read", f"a:Write on {GROUP}"]
