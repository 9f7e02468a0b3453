"""What one group of a pair says of itself, said of the other."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.fleets.pair_twins import Twins

BLUE_ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-blue/73e2"
GREEN_ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-green/9f01"
LABEL = "app/web/50dc/targetgroup/web-blue/73e2"


def twins(live: str = "web-blue", other: str = "web-green") -> Twins:
    return Twins(
        {"AutoScalingGroupName": live, "TargetGroupARNs": [BLUE_ARN]},
        {"AutoScalingGroupName": other, "TargetGroupARNs": [GREEN_ARN]},
    )


@pytest.mark.parametrize(
    ("value", "carried"),
    [
        ("web-blue", "web-green"),
        (LABEL, "app/web/50dc/targetgroup/web-green/9f01"),
        ("cpu-blue", "cpu-green"),
        ("bluebird", "bluebird"),
        ({"Dimensions": [{"Value": "web-blue"}, {"Value": 3}]}, {"Dimensions": [{"Value": "web-green"}, {"Value": 3}]}),
    ],
)
def test_a_setting_is_carried_over_with_all_that_names_the_group(value: Any, carried: Any) -> None:
    assert twins().carried_over(value) == carried


def test_names_of_which_one_begins_with_the_other_are_told_apart() -> None:
    pair = twins("web", "web-next")

    assert (pair.carried_over("web"), pair.carried_over("web-next")) == ("web-next", "web-next")
    assert (pair.names_the_other("web"), pair.names_the_other("web-next")) == (False, True)
    assert (pair.swapped.names_the_other("web-next"), pair.swapped.names_the_other("web")) == (False, True)


def test_one_that_names_the_live_target_group_word_for_word_is_not_alike() -> None:
    assert not twins().alike({"ResourceLabel": LABEL}, {"ResourceLabel": LABEL})
    assert twins().alike({"ResourceLabel": LABEL}, {"ResourceLabel": twins().carried_over(LABEL)})


def test_what_names_neither_group_has_to_be_the_same() -> None:
    assert twins().alike({"TargetValue": 60.0}, {"TargetValue": 60.0})
    assert not twins().alike({"TargetValue": 60.0}, {"TargetValue": 50.0})


def test_numbers_in_names_stand_for_too_much_to_be_replaced() -> None:
    assert twins("web-1", "web-2").carried_over("tier-1") == "tier-1"
