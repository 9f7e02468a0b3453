"""The wall clock: aware, in UTC, and woken by a request to stop."""

from __future__ import annotations

from datetime import UTC

from phoenix.engine.clock import WallClock


def test_the_time_is_aware_and_never_goes_back() -> None:
    clock = WallClock()
    before = clock.now()

    assert before.tzinfo is UTC
    assert clock.now() >= before


def test_a_clock_that_was_stopped_sleeps_no_more() -> None:
    clock = WallClock()
    assert not clock.stopping

    clock.stop()
    clock.sleep(3600)

    assert clock.stopping


def test_a_time_that_is_over_already_is_not_slept() -> None:
    WallClock().sleep(-5)
