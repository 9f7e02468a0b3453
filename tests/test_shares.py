"""Tests of tests/shares.py."""

from __future__ import annotations

from tests.shares import deal


def test_tests_are_dealt_in_turn() -> None:
    assert deal(["a.py::1", "b.py::1", "a.py::2", "c.py::1"], 2, lambda _: False) == [[0, 2], [1, 3]]


def test_a_file_that_tells_once_stays_with_one_worker_and_the_next_goes_to_another() -> None:
    tests = ["a.py::1", "a.py::2", "x.py::1", "b.py::1", "a.py::3", "b.py::2", "x.py::2"]

    assert deal(tests, 2, lambda file: file in ("a.py", "b.py")) == [[0, 1, 2, 4], [3, 5, 6]]


def test_no_test_is_lost_whatever_the_workers() -> None:
    tests = [f"{file}.py::{number}" for number in range(7) for file in "abc"]

    for workers in (1, 2, 3, 30):
        shares = deal(tests, workers, lambda file: file == "b.py")
        assert sorted(position for share in shares for position in share) == list(range(21))
