"""However many groups there are: each managed policy within IAM's limit, and every right and denial still there."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from phoenix.aws.iam import MOST_LETTERS_MANAGED, letters, split

names = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
actions = st.lists(names.map("autoscaling:{}".format), min_size=1, max_size=12, unique=True)
resources = st.lists(
    st.builds("arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/{}-{}".format,
              names, st.integers(0, 999)),
    min_size=1, max_size=120, unique=True,
)  # fmt: skip
statements = st.builds(
    lambda effect, action, resource, tagged: (
        {"Effect": effect, "Action": action, "Resource": resource}
        | ({"Condition": {"StringEquals": {"aws:ResourceTag/phoenix:managed": ["true"]}}} if tagged else {})
    ),
    st.sampled_from(["Allow", "Deny"]),
    actions,
    resources,
    st.booleans(),
)
documents = st.lists(statements, min_size=1, max_size=12).map(
    lambda found: {
        "Version": "2012-10-17",
        "Statement": [{"Sid": f"Part{chr(65 + number)}", **each} for number, each in enumerate(found)],
    }
)


def pairs(document: dict[str, Any]) -> set[tuple[str, ...]]:
    """Each effect of an action on a resource under its condition."""
    return {
        (statement["Effect"], action, resource, str(statement.get("Condition")))
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@settings(max_examples=30, deadline=None)
@given(documents)
def test_every_part_fits_and_together_they_say_the_same(document: dict[str, Any]) -> None:
    parts = split(document)

    assert max(letters(part) for part in parts) <= MOST_LETTERS_MANAGED
    assert set().union(*(pairs(part) for part in parts)) == pairs(document)


@settings(max_examples=30, deadline=None)
@given(documents)
def test_no_name_comes_twice_within_a_part(document: dict[str, Any]) -> None:
    for part in split(document):
        found = [statement["Sid"] for statement in part["Statement"]]
        assert len(found) == len(set(found))


@settings(max_examples=30, deadline=None)
@given(documents)
def test_no_part_could_have_been_left_out_of_the_fullest(document: dict[str, Any]) -> None:
    sizes = sorted(letters(part) for part in split(document))

    # First fit: two parts that would fit into one would have been one.
    assert len(sizes) < 2 or sizes[0] + sizes[1] > MOST_LETTERS_MANAGED
