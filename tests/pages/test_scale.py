"""Places in a picture: round times, steps, and lines with gaps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.pages.scale import Scale, line_path, step_path, ticks
from tests.builders import NOON, after


def a_scale(length: timedelta) -> Scale:
    return Scale(NOON, NOON + length, 0, 100)


@pytest.mark.parametrize("seconds", [1, 40, 600, 7_200, 86_400, 40 * 86_400])
def test_there_are_a_few_ticks_and_no_more(seconds: int) -> None:
    found = ticks(a_scale(timedelta(seconds=seconds)))

    assert len(found) <= 10
    assert len({tick.label for tick in found}) == len(found)
    assert [tick.place for tick in found] == sorted(tick.place for tick in found)


def test_ticks_are_round_times() -> None:
    assert [tick.label for tick in ticks(a_scale(timedelta(minutes=4)))][:3] == ["12:00:00", "12:00:30", "12:01:00"]


def test_a_step_path_keeps_each_value_until_the_next() -> None:
    scale, lane = a_scale(timedelta(minutes=10)), (0.0, 10.0, 10.0)

    assert step_path(scale, [(NOON, 0), (after(5), 10)], after(10), lane) == "M0.0 10.0H50.0V0.0H100.0"


def test_measurements_far_apart_are_not_joined() -> None:
    scale, lane = a_scale(timedelta(minutes=10)), (0.0, 10.0, 10.0)
    points = [(after(minute), 1.0) for minute in (0, 1, 2, 9)]

    assert line_path(scale, points, lane).count("M") == 2


def test_no_points_are_no_path() -> None:
    scale = a_scale(timedelta(minutes=1))

    assert step_path(scale, [], after(1), (0, 1, 1)) == line_path(scale, [], (0, 1, 1)) == ""
