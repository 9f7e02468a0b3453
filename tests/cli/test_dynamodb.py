"""Commands whose store is a DynamoDB table."""

from __future__ import annotations

import pytest

from phoenix.aws.session import Aws
from phoenix.core import tags
from tests.cli.conftest import Terminal
from tests.stores.dynamo import a_table


@pytest.fixture
def operator(phoenix: Terminal) -> Terminal:
    """A person whose store is in DynamoDB, and whose rotation has gone as far as its tags on the groups."""
    phoenix.store = f"dynamodb://{a_table(Aws(session=phoenix.sandbox.session))}"
    assert phoenix("rotate web -q --no-wait").status == 0
    phoenix.clock.sleep(5)
    phoenix("tick -q")
    return phoenix


def test_a_rotation_goes_on_with_the_next_tick_and_comes_back_with_a_rollback(operator: Terminal) -> None:
    assert operator("status web -o json").document["rotation"]["step"] == 1

    assert operator("rollback web -q -o json").document["outcome"] == "rolled_back"

    assert operator("status web -o json").document["rotation"]["outcome"] == "rolled_back"
    assert len(operator("history web -o json").document["rotations"]) == 1


@pytest.mark.parametrize("other", ["sqlite:///{folder}/other.db", "dynamodb"])
def test_two_stores_for_one_group_are_noticed_and_refused(operator: Terminal, other: str) -> None:
    ours = operator.store or ""
    another = f"dynamodb://{a_table(Aws(session=operator.sandbox.session))}"
    operator.store = another if other == "dynamodb" else other.format(folder=operator.folder)

    refused = operator("rotate web -q -o json")

    assert (refused.status, refused.document["error"]["code"]) == (4, "foreign_store")
    assert ours.removeprefix("dynamodb://") in refused.document["error"]["message"]
    assert operator.writes == []


def test_a_rollback_works_without_the_table_and_leaves_word_for_who_finds_it_again(operator: Terminal) -> None:
    kept, operator.store = operator.store, "dynamodb://taken-away"

    assert operator("rollback web -q").status == 0
    groups = operator.sandbox.session.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert any(tag["Key"] == tags.HOLD for group in groups for tag in group["Tags"])

    operator.store = kept
    operator("tick -q")
    assert operator("status web -o json").document["rotation"]["outcome"] == "rolled_back"


def test_a_table_that_is_not_there_is_named_with_the_command_that_makes_it(operator: Terminal) -> None:
    operator.store = "dynamodb://taken-away"

    answer = operator("status web")

    assert answer.status == 1
    assert "aws dynamodb create-table --region eu-west-1" in answer.err
