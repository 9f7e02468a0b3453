"""Spans and counts as an operator reads them."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.explain import ago, clock_time, counted
from tests.builders import NOON

SPANS = {
    "0s": {"seconds": 0},
    "59s": {"seconds": 59},
    "5m48s": {"minutes": 5, "seconds": 48},
    "1h": {"hours": 1, "seconds": 30},
    "2h3m": {"hours": 2, "minutes": 3, "seconds": 59},
    "7d 2h": {"days": 7, "hours": 2, "minutes": 59},
    "3d": {"days": 3},
}


@pytest.mark.parametrize(("text", "span"), SPANS.items(), ids=list(SPANS))
def test_a_span_is_told_in_its_two_largest_units(text: str, span: dict[str, int]) -> None:
    assert ago(timedelta(**span)) == text


@given(st.timedeltas(max_value=timedelta(0)))
def test_a_span_that_has_not_begun_reads_as_nothing(span: timedelta) -> None:
    assert ago(span) == "0s"


def test_one_is_not_several() -> None:
    assert (counted(1, "instance"), counted(0, "instance"), counted(3, "step")) == (
        "1 instance",
        "0 instances",
        "3 steps",
    )


def test_the_time_is_told_in_utc_wherever_it_was_read() -> None:
    assert clock_time(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "12:00:00"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"days": 1, "minutes": 5}, "1d"),
        ({"days": 1, "hours": 1}, "1d 1h"),
        ({"hours": 1}, "1h"),
        ({"minutes": 1}, "1m"),
        ({"seconds": 1}, "1s"),
        ({"hours": 23, "minutes": 59}, "23h59m"),
        ({"minutes": 1, "seconds": 1}, "1m1s"),
    ],
)
def test_a_span_turns_over_at_each_unit(span: dict[str, int], text: str) -> None:
    assert ago(timedelta(**span)) == text
