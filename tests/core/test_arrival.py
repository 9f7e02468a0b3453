"""Does the share of the requests that arrive fit the weight?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from phoenix.core.arrival import BURST, CHANCE, Arrived, Finding, judge, minutes_of, tolerated

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minutes(share: float, total: float = 6000, count: int = 3) -> list[Arrived]:
    return [Arrived(total * share, total * (1 - share))] * count


@pytest.mark.parametrize(
    ("percent", "share", "finding"),
    [
        (10, 0.10, Finding.FOLLOWED),
        (10, 0.12, Finding.FOLLOWED),
        (10, 0.0, Finding.TOO_LITTLE),
        (10, 0.5, Finding.TOO_MUCH),
        (50, 0.5, Finding.FOLLOWED),
        (50, 0.1, Finding.TOO_LITTLE),
        (95, 0.95, Finding.FOLLOWED),
        (95, 0.05, Finding.TOO_LITTLE),
        (100, 1.0, Finding.FOLLOWED),
        (100, 0.995, Finding.FOLLOWED),
        (100, 0.9, Finding.TOO_LITTLE),
        (100, 0.0, Finding.TOO_LITTLE),
        (0, 0.0, Finding.FOLLOWED),
        (0, 0.05, Finding.TOO_MUCH),
    ],
)
def test_what_arrives_is_compared_with_the_weight(percent: int, share: float, finding: Finding) -> None:
    assert judge(minutes(share), percent) is finding


def test_one_of_two_listeners_that_does_not_follow_is_found_with_enough_requests() -> None:
    assert judge(minutes(0.05, count=2), 10) is Finding.UNTOLD
    assert judge(minutes(0.05, count=10), 10) is Finding.TOO_LITTLE


@pytest.mark.parametrize("percent", [0, 10, 100])
def test_a_few_requests_tell_nothing(percent: int) -> None:
    assert judge([Arrived(0, 3)] * 4, percent) in (Finding.UNTOLD, Finding.TOO_LITTLE if percent == 100 else None)
    assert judge([], percent) is Finding.UNTOLD


def test_twelve_requests_of_which_a_half_arrive_at_an_empty_group_are_too_few() -> None:
    assert judge([Arrived(1.5, 1.5)] * 4, 100) is Finding.UNTOLD


def test_a_data_plane_that_was_slow_has_followed() -> None:
    slow = [Arrived(0, 6000), Arrived(0, 6000), Arrived(600, 5400)]

    assert not judge(slow, 10).is_off


def test_minutes_that_differ_widely_count_for_less() -> None:
    even, uneven = [Arrived(20, 980)] * 4, [Arrived(0, 1000), Arrived(76, 924), Arrived(0, 1000), Arrived(4, 996)]

    assert judge(even, 10) is Finding.TOO_LITTLE
    assert judge(uneven, 10) is Finding.UNTOLD


def test_more_than_the_weight_is_no_finding_where_requests_may_ask_for_the_candidate() -> None:
    assert judge(minutes(0.5), 10, more_may_ask=True) is Finding.UNTOLD
    assert judge(minutes(0.0), 10, more_may_ask=True) is Finding.TOO_LITTLE
    assert judge(minutes(0.9), 100, more_may_ask=True) is Finding.TOO_LITTLE


def test_a_minute_without_requests_of_one_side_is_a_minute() -> None:
    found = minutes_of({NOON: 10}, {NOON: 90, NOON + MINUTE: 80})

    assert found == (Arrived(10, 90), Arrived(0, 80))


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
@pytest.mark.parametrize("total", [50, 1000, 20_000])
def test_a_good_shift_in_bursts_is_never_found_off(percent: int, total: int) -> None:
    dice = Random(f"{percent} {total}")
    burst = int(BURST)

    def one_minute() -> Arrived:
        draws = total // burst
        mean, spread = draws * percent / 100, (draws * percent / 100 * (1 - percent / 100)) ** 0.5
        new = min(max(round(dice.gauss(mean, spread)), 0), draws) * burst
        return Arrived(new, draws * burst - new)

    found = [judge([one_minute() for _ in range(dice.randint(1, 6))], percent) for _ in range(2000)]

    assert not any(each.is_off for each in found)


@pytest.mark.parametrize("percent", [2, 10, 40])
def test_the_bound_is_no_less_than_the_exact_chance(percent: int) -> None:
    """At the edge of the tolerated shares, the exact chance of all findings stays below the one that is said."""
    low, _ = tolerated(percent)
    draws = 400
    chance, total = (1 - low) ** draws, 0.0
    for arrived in range(draws):
        finding = judge([Arrived(arrived * BURST, (draws - arrived) * BURST)], percent)
        total += chance if finding is Finding.TOO_LITTLE else 0.0
        chance *= (draws - arrived) / (arrived + 1) * low / (1 - low)

    assert total <= CHANCE
