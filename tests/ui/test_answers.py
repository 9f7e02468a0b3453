from __future__ import annotations

import pytest

from phoenix.errors import PhoenixError
from phoenix.sandbox import ManualClock
from phoenix.ui.answers import MOST, Answers


class Aws:
    """Counts what it is asked; refuses if told to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.asked, self.refuses = 0, refuses

    def __call__(self) -> int:
        self.asked += 1
        if self.refuses:
            raise PhoenixError("no")
        return self.asked


def test_an_answer_is_kept_for_its_time_and_no_longer() -> None:
    clock, aws = ManualClock(), Aws()
    answers = Answers(clock.elapsed, 10)

    assert [answers.of("web", aws), answers.of("web", aws)] == [1, 1]
    clock.advance(10)
    assert answers.of("web", aws) == 2


def test_a_refusal_is_kept_too() -> None:
    aws = Aws(refuses=True)
    answers = Answers(ManualClock().elapsed, 10)

    for _ in range(3):
        with pytest.raises(PhoenixError):
            answers.of("web", aws)

    assert aws.asked == 1


def test_of_many_answers_the_oldest_go() -> None:
    answers, first = Answers(ManualClock().elapsed, 10), Aws()
    answers.of("first", first)
    for number in range(MOST):
        answers.of(number, Aws())

    assert answers.of("first", first) == 2
