"""Two series are compared as published, and what those tests take for granted is not."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phoenix.gates.metrics_judge import Comparison, Finding, Rule, compare
from phoenix.gates.metrics_rates import Counts, compare_rates
from tools.analysis_series import walk

WORSE, NOT_WORSE, TOO_FEW = Finding.WORSE, Finding.NOT_WORSE, Finding.TOO_FEW
# Hollander and Wolfe (1973), p. 69: permeability of the human chorioamnion at term, and at 12 to 26 weeks.
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLIER = [1.15, 0.88, 0.90, 0.74, 1.21]
# R's airquality: ozone in May and in August, of example(wilcox.test).
MAY = [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37]
AUGUST = [39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85]
# The first example of scipy.stats.mannwhitneyu: ages at the diagnosis of diabetes.
MALES, FEMALES = [19, 22, 16, 29, 24], [20, 11, 17, 12]
# Kayenta's ClassifierSuite (spinnaker/kayenta), to a thousandth: alike, above and below.
ALIKE = [
    *(9.777, 10.587, 7.838, 9.324, 8.377, 8.936, 8.271, 9.748, 11.624, 9.275, 8.154, 10.562, 13.498, 11.054, 6.954),
    *(12.521, 9.022, 4.923, 11.251, 11.598, 8.435, 11.110, 10.701, 8.921, 10.086, 11.421, 9.379, 7.798, 10.623, 11.910),
]
CONTROL = [
    *(11.145, 9.962, 7.069, 7.301, 9.794, 9.604, 6.187, 12.346, 10.372, 8.609, 9.913, 10.361, 14.207, 10.946, 10.216),
    *(11.740, 10.908, 12.823, 8.102, 8.498, 12.113, 13.272, 10.115, 6.946, 6.211, 10.160, 8.346, 8.384, 7.002, 10.756),
]
ABOVE = [
    *(20.878, 21.786, 19.708, 15.860, 19.510, 19.392, 22.927, 17.157, 18.655, 23.423, 24.056, 22.627, 21.979, 21.659),
    *(20.068, 22.120, 16.440, 21.560, 21.000, 17.779, 17.806, 18.537, 20.556, 19.553, 21.771, 21.810, 20.962, 20.978),
    *(19.106, 16.977),
]
FEW = Rule(alpha=0.05, least_points=1)
VALUES = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=25)


def test_hollander_and_wolfes_example_has_rs_w_p_shift_and_interval() -> None:
    """wilcox.test(x, y, alternative = "g"): W = 35, p-value = 0.1272; conf.int = TRUE: 0.305, -0.15 to 0.76."""
    found = compare(AT_TERM, EARLIER, FEW)

    assert found.u == 35
    assert found.p == pytest.approx(0.1272, abs=5e-5)
    assert (found.shift, found.low, found.high) == pytest.approx((0.305, -0.15, 0.76))


def test_rs_ozone_with_ties_has_its_w_and_p() -> None:
    """wilcox.test(Ozone ~ Month, subset = Month %in% c(5, 8)): W = 127.5, p-value = 0.0001208."""
    assert compare(MAY, AUGUST).u == 127.5
    assert 2 * compare(AUGUST, MAY).p == pytest.approx(0.0001208, abs=5e-8)


def test_scipys_example_has_its_u_and_exact_p() -> None:
    found = compare(MALES, FEMALES, FEW)

    assert found.u == 17
    assert 2 * found.p == pytest.approx(0.1111, abs=5e-5)


def test_complete_separation_of_five_and_five_is_one_in_252() -> None:
    assert compare([6, 7, 8, 9, 10], [1, 2, 3, 4, 5], FEW).p == pytest.approx(1 / 252)


@pytest.mark.parametrize(
    ("candidate", "baseline", "finding"),
    [
        ([], [1.0] * 20, TOO_FEW),
        ([1.0] * 20, [], TOO_FEW),
        ([9.0], [1.0] * 20, TOO_FEW),
        ([math.nan, math.inf] * 20, [1.0] * 20, TOO_FEW),
        ([5.0] * 20, [5.0] * 20, NOT_WORSE),
        ([0.0] * 20, [5.0] * 20, NOT_WORSE),
        ([5.0] * 20, [4.0] * 20, WORSE),
        ([1.7e308] * 20, [-1.7e308] * 20, WORSE),
        ([5.0] * 20, [4.0] * 100_000, WORSE),
    ],
)
def test_odd_series_have_a_finding(candidate: list[float], baseline: list[float], finding: Finding) -> None:
    assert compare(candidate, baseline).finding is finding


def test_of_what_is_lower_less_is_worse() -> None:
    candidate, baseline = [90.0 + n for n in range(12)], [200.0 + n for n in range(12)]

    assert compare(candidate, baseline, Rule(worse="lower", alpha=0.1)).finding is not NOT_WORSE
    assert compare(candidate, baseline).finding is NOT_WORSE


def test_what_is_tolerated_is_not_worse() -> None:
    dice = np.random.default_rng(1)
    baseline, candidate = list(100 + dice.standard_normal(30)), list(105 + dice.standard_normal(30))

    assert compare(candidate, baseline).finding is WORSE
    assert compare(candidate, baseline, Rule(tolerate=0.1)).finding is NOT_WORSE


@settings(max_examples=40, deadline=None)
@given(VALUES, VALUES)
def test_for_any_series_the_two_directions_mirror_each_other(candidate: list[float], baseline: list[float]) -> None:
    here, there = compare(candidate, baseline, FEW), compare(baseline, candidate, FEW)
    lower = compare(baseline, candidate, Rule("lower", 0.05, least_points=1))

    assert here.u + there.u == len(candidate) * len(baseline)
    assert here.p == pytest.approx(lower.p)
    assert here.low <= here.shift <= here.high
    assert 0 <= here.p <= here.adjusted_p <= 1


def false_alarms(follows: float, minutes: int, pairs: int = 400) -> tuple[int, int]:
    """Of the judge, and of plain Mann-Whitney."""
    dice = np.random.default_rng(7)
    found: list[Comparison] = [
        compare(list(walk(dice, minutes, follows)), list(walk(dice, minutes, follows))) for _ in range(pairs)
    ]
    return sum(each.finding is WORSE for each in found), sum(each.p <= 0.02 for each in found)


@pytest.mark.parametrize(("follows", "minutes"), [(0.0, 12), (0.6, 20)])
def test_two_in_a_hundred_good_candidates_at_most_fail_even_where_minutes_follow(follows: float, minutes: int) -> None:
    judge, plain = false_alarms(follows, minutes)

    assert judge <= 400 * 0.02 + 3 * (400 * 0.02 * 0.98) ** 0.5
    assert plain > 40 or not follows


def test_rare_errors_are_found_by_their_number() -> None:
    candidate = Counts([0, 1, 0, 2, 0, 1, 1, 0, 1, 0], [50] * 10)
    baseline = Counts([0, 1, 0, 1, 0, 0, 1, 0, 1, 0], [950] * 10)

    found = compare_rates(candidate, baseline)

    assert found.finding is WORSE
    assert found.ratio == pytest.approx((6 / 500) / (4 / 9500))
    assert found.low < found.shift < found.high


def test_rates_of_two_sizes_are_compared_exactly() -> None:
    """Given 10 errors of which half are expected there, 9 or more on one side: 11 of 1024."""
    steady = Counts([0.9] * 10, [100] * 10)

    assert compare_rates(steady, Counts([0.1] * 10, [100] * 10)).adjusted_p == pytest.approx(11 / 1024)


def test_one_burst_is_not_many_errors() -> None:
    burst = Counts([0] * 14 + [60], [300] * 15)
    steady = Counts([4] * 15, [300] * 15)
    quiet = Counts([1, 0, 2, 1, 0] * 3, [300] * 15)

    assert compare_rates(burst, quiet).finding is not WORSE
    assert compare_rates(steady, quiet).finding is WORSE


def test_minutes_without_requests_say_nothing() -> None:
    assert compare_rates(Counts([0] * 20, [0] * 20), Counts([1] * 20, [10] * 20)).finding is TOO_FEW
    assert compare_rates(Counts([0] * 20, [9] * 20), Counts([0] * 20, [10] * 20)).finding is NOT_WORSE


def test_of_successes_fewer_are_worse() -> None:
    few, many = Counts([2] * 15, [100] * 15), Counts([9] * 15, [100] * 15)

    assert compare_rates(few, many, Rule(worse="lower")).finding is WORSE
    assert compare_rates(many, few, Rule(worse="lower")).finding is NOT_WORSE


def test_what_is_no_number_is_missing_and_what_is_too_large_for_one_as_well() -> None:
    whole = compare(MAY, AUGUST)

    assert compare([*MAY, None, float("nan"), 10**400], AUGUST) == whole
    assert compare_rates(Counts([None, 10**400], [5, 5]), Counts([1, 1], [5, 5])).finding is Finding.TOO_FEW


@pytest.mark.parametrize("size", [1e150, 1e300])
def test_counts_of_any_size_are_judged(size: float) -> None:
    found = compare_rates(Counts([size / 10] * 12, [size] * 12), Counts([size / 10] * 12, [size] * 12))

    assert found.finding is Finding.NOT_WORSE
    assert found.shift == 0
    assert found.low <= 0 <= found.high


def test_counts_without_what_they_are_a_share_of_are_refused() -> None:
    with pytest.raises(ValueError, match="2 counts of 1 minutes"):
        compare_rates(Counts([1, 2], [5]), Counts([1], [5]))


@pytest.mark.parametrize(
    ("candidate", "baseline", "worse", "finding"),
    [
        (ALIKE, CONTROL, "higher", NOT_WORSE),
        (ALIKE, CONTROL, "lower", NOT_WORSE),
        (ABOVE, CONTROL, "higher", WORSE),
        (ABOVE, CONTROL, "lower", NOT_WORSE),
        (ALIKE, ABOVE, "lower", WORSE),
        (ALIKE, ABOVE, "higher", NOT_WORSE),
    ],
)
def test_kayentas_own_cases_are_found_as_it_finds_them(
    candidate: list[float], baseline: list[float], worse: Literal["higher", "lower"], finding: Finding
) -> None:
    assert compare(candidate, baseline, Rule(worse=worse, alpha=0.05)).finding is finding
