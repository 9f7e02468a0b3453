"""What failed is tried again, with the pauses and the end that its caller says, and no real clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from phoenix.again import after, again


class Flaky:
    """Fails that many times, then answers with how often it was asked."""

    def __init__(self, failures: int, error: type[Exception] = LookupError) -> None:
        self.asked = 0
        self._failures, self._error = failures, error

    def __call__(self) -> int:
        self.asked += 1
        if self.asked <= self._failures:
            raise self._error(self.asked)
        return self.asked


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_it_is_asked_until_it_answers(failures: int) -> None:
    assert again(Flaky(failures), LookupError, give_up=after(5)) == failures + 1


def test_the_last_error_is_raised_after_the_last_attempt() -> None:
    asked = Flaky(9)

    with pytest.raises(LookupError, match="3"):
        again(asked, LookupError, give_up=after(3))
    assert asked.asked == 3


def test_another_error_is_not_tried_again() -> None:
    asked = Flaky(9, ZeroDivisionError)

    with pytest.raises(ZeroDivisionError):
        again(asked, LookupError, give_up=after(3))
    assert asked.asked == 1


def test_a_child_of_the_error_is_tried_again_and_told_to_who_decides() -> None:
    told: list[object] = []

    def give_up(error: LookupError, made: int) -> bool:
        told.append((type(error), made))
        return False

    again(Flaky(2, KeyError), LookupError, give_up=give_up)

    assert told == [(KeyError, 1), (KeyError, 2)]


def test_pauses_are_slept_with_the_sleep_that_is_given_and_none_is_no_sleep() -> None:
    slept: list[float] = []
    pauses = iter((0.5, 0.0, 2.0))

    again(Flaky(3), LookupError, give_up=after(9), pause=lambda _: next(pauses), sleep=slept.append)

    assert slept == [0.5, 2.0]


def test_what_does_not_fail_loads_no_library() -> None:
    code = (
        "import sys; from phoenix.again import after, again; again(int, ValueError, give_up=after(2)); "
        "sys.exit('tenacity' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
