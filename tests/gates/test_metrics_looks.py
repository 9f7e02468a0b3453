"""All looks of a bake together take no more than the allowed chance, however many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from phoenix.gates.metrics_looks import END, LIMIT, Progress, compared_steps, kept, turn_of, window
from tests.builders import a_rotation, after, some_terms

STEPS = (Step(100, 100, 10, timedelta(minutes=15)), Step(100, 0, 100, timedelta(minutes=5)))
EXTEND = timedelta(minutes=30)


def a_bake(**changes: object) -> Rotation:
    return a_rotation(STEPS, step=1, weight=10, baking_since=after(0), **changes)


def spent_by(minutes: list[float]) -> float:
    """The chance that looks at these minutes take together."""
    progress, total = Progress(1, after(0)), 0.0
    for minute in minutes:
        turn = turn_of(progress, a_bake(), after(minute), EXTEND)
        total += turn.share
        if turn.is_early:
            progress = replace(progress, early=progress.early + turn.share)
        elif not progress.ended:
            progress = replace(progress, ended=True)
        else:
            progress = replace(progress, late=progress.late + turn.share)
    return total


@pytest.mark.parametrize(
    "minutes", [[15], [15, 45], list(range(46)), [minute / 2 for minute in range(91)], [14.99, 15, 44.9, 45]]
)
def test_however_often_it_looks_the_whole_chance_is_not_overdrawn(minutes: list[float]) -> None:
    assert END <= spent_by(minutes) <= 1 + 1e-9


def test_early_looks_take_little_and_a_missed_one_loses_nothing() -> None:
    often, once = spent_by([3, 6, 9, 12]), spent_by([12])

    assert often == pytest.approx(once)
    assert spent_by([3]) < once / 50


def test_a_bake_that_a_person_ends_is_judged_at_once() -> None:
    promoted = replace(a_bake(), clocks=replace(a_bake().clocks, promoted=Ask(after(5), "ann", "enough")))

    turn = turn_of(Progress(1, after(0)), promoted, after(6), EXTEND)

    assert (turn.share, turn.is_end, turn.is_limit) == (END, True, True)
    assert turn_of(Progress(1, after(0), ended=True), promoted, after(6), EXTEND).share == LIMIT


def test_the_memo_keeps_all_of_it_and_another_form_is_none() -> None:
    progress = Progress(2, after(1), after(3), 0.1, True, 0.05, reason="so far, so good")

    assert kept(progress.memo()) == progress
    assert [kept(memo) for memo in ("", "[]", "{}", "[1, 2]")] == [None] * 4


def test_the_window_is_of_whole_minutes_that_are_published() -> None:
    since, until = window(Progress(1, after(0, seconds=2)), after(9, seconds=50))

    assert (since.second, until.second) == (0, 0)
    assert since >= after(1, seconds=2)
    assert after(9, seconds=50) - until >= timedelta(minutes=2)


def test_only_bakes_in_which_both_serve_are_compared() -> None:
    assert compared_steps(some_terms(STEPS)) == STEPS[:1]
