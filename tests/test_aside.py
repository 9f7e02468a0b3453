"""Work aside: done side by side, bounded in time, and nothing that the end of the process waits for."""

from __future__ import annotations

import threading

import pytest

from phoenix.aside import each, start


def test_each_item_has_its_answer() -> None:
    assert each(str, range(5), at_a_time=2, seconds=60) == {number: str(number) for number in range(5)}


def test_as_many_as_allowed_are_worked_on_at_a_time() -> None:
    barrier = threading.Barrier(4)

    answers = each(lambda _: barrier.wait(timeout=30), range(4), at_a_time=4, seconds=60)

    assert sorted(answers.values()) == [0, 1, 2, 3]


def test_what_hangs_is_left_out_when_the_time_is_over_and_nothing_new_is_begun() -> None:
    released, begun = threading.Event(), []

    def hang(item: int) -> int:
        begun.append(item)
        released.wait()
        return item

    answers = each(hang, range(3), at_a_time=1, seconds=0)
    released.set()

    assert answers == {}
    assert len(begun) <= 1


def test_an_error_is_raised_where_the_answers_are_wanted() -> None:
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 // number, [0], at_a_time=1, seconds=60)


def test_the_threads_do_not_keep_a_program_from_ending() -> None:
    assert start(lambda: threading.current_thread().daemon, "aside").result() is True
