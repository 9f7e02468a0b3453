"""Per cent in instances: every rounding must err on the side of those who serve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.capacity import Extremes, enough, extremes, share, to_carry
from phoenix.core.terms import Step
from tests.builders import ALL_AT_ONCE, ROLLING

percents = st.integers(0, 100)


@pytest.mark.parametrize(("need", "percent", "expected"), [(4, 50, 2), (3, 50, 2), (1, 1, 1), (7, 0, 0), (0, 100, 0)])
def test_a_share_rounds_up(need: int, percent: int, expected: int) -> None:
    assert share(need, percent) == expected


def test_one_instance_is_not_given_the_traffic_of_one_and_a_half() -> None:
    assert to_carry(2, percent=50, weight=67, floor_percent=100) == 2


@given(st.integers(1, 200), percents, percents, percents)
def test_what_carries_traffic_is_never_below_its_share_of_the_floor(
    need: int, percent: int, weight: int, floor: int
) -> None:
    instances = to_carry(need, percent, weight, floor)

    assert share(need, percent) <= instances <= need
    assert instances * 100 >= share(need, floor) * weight


@pytest.mark.edge(21)
def test_a_budget_for_sick_instances_rounds_down_and_never_reaches_everybody() -> None:
    assert [enough(4, 0), enough(4, 25), enough(3, 25), enough(40, 3), enough(4, 100)] == [4, 3, 3, 39, 1]


def test_zero_is_enough_only_where_zero_is_wanted() -> None:
    assert enough(0, 50) == 0
    assert enough(1, 99) == 1


def test_blue_green_doubles_at_its_peak_and_never_serves_with_less() -> None:
    assert extremes(4, ALL_AT_ONCE) == Extremes(worst=4, peak=8)


def test_rolling_is_as_big_as_a_step_adds_to_what_the_step_before_has_left() -> None:
    assert extremes(4, ROLLING) == Extremes(worst=4, peak=6)


def test_instances_without_weight_do_not_count_as_serving() -> None:
    assert extremes(4, (Step(100, 25, 0),)) == Extremes(worst=1, peak=8)
