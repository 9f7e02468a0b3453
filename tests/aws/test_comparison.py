"""Two descriptions, compared member by member."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.aws.comparison import Member, Severity, differences

TABLE = {
    "Name": Member(Severity.APART, "its identity"),
    "Grace": Member(Severity.WARNS, "slow boots", "--grace", 300),
    "Types": Member(Severity.BLOCKS, "replacement", "--types", default=(), canonical=sorted),
    "Rebalance": Member(Severity.WARNS, "spot", "--rebalance", default=False),
    "Policy": Member(Severity.WARNS, "order", "--policy"),
}


def found(live: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The members that differ."""
    return [difference.key for difference in differences(TABLE, live, other)]


def option(live: dict[str, Any], other: dict[str, Any]) -> str | None:
    """The words that mend the one difference."""
    (difference,) = differences(TABLE, live, other)
    return difference.option


def test_what_is_meant_to_differ_is_no_difference() -> None:
    assert found({"Name": "web-blue"}, {"Name": "web-green"}) == []


@pytest.mark.parametrize("nothing", [{}, {"Grace": None}, {"Grace": 300}])
def test_what_is_not_shown_is_the_default(nothing: dict[str, Any]) -> None:
    assert found({"Grace": 300}, nothing) == []


def test_two_spellings_of_one_value_are_no_difference() -> None:
    assert found({"Types": ["ELB", "EC2"]}, {"Types": ["EC2", "ELB"]}) == []


def test_a_member_that_is_not_in_the_table_is_compared_as_well() -> None:
    (difference,) = differences(TABLE, {"Tomorrow": 1}, {"Tomorrow": 2})

    assert (difference.key, difference.member.severity, difference.option) == ("Tomorrow", Severity.WARNS, None)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ({"Grace": 60}, "--grace 60"),
        ({"Rebalance": True}, "--rebalance"),
        ({"Types": ["EC2", "ELB"]}, "--types EC2 ELB"),
        ({"Policy": {"Min": 90}}, "--policy '{\"Min\":90}'"),
    ],
)
def test_a_value_is_written_as_the_aws_cli_takes_it(live: dict[str, Any], words: str) -> None:
    assert option(live, {}) == words


def test_what_is_switched_off_is_written_as_no() -> None:
    assert option({}, {"Rebalance": True}) == "--no-rebalance"


def test_what_the_live_one_does_not_have_is_cleared_by_its_default() -> None:
    assert option({}, {"Grace": 20}) == "--grace 300"
