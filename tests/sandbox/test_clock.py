"""Clocks, and sandboxes that are opened one after the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from phoenix.sandbox import ManualClock, ScaledClock, serve
from phoenix.sandbox.clock import A_WEDNESDAY_NIGHT

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def test_a_manual_clock_moves_only_when_told_or_slept_on() -> None:
    clock = ManualClock(NOON)

    clock.advance(60)
    clock.sleep(30)

    assert clock.now() == NOON.replace(minute=1, second=30)


def test_a_manual_clock_never_goes_backwards() -> None:
    with pytest.raises(ValueError, match="does not go backwards"):
        ManualClock(NOON).advance(-1)


def test_a_scaled_clock_runs_faster_and_sleeps_shorter() -> None:
    real = [100.0]
    slept: list[float] = []
    clock = ScaledClock(60, NOON, monotonic=lambda: real[0], sleep=slept.append)

    clock.sleep(30)
    real[0] += 2

    assert slept == [0.5]
    assert clock.now() == NOON.replace(minute=2)


def test_a_clock_needs_a_speed() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(0)


def test_stopping_twice_is_harmless_and_the_next_one_may_start() -> None:
    for _ in range(2):
        server = serve(clock=ManualClock(), groups=(), web_servers=False)
        server.stop()
        server.stop()


def test_a_fast_clock_knows_what_a_wall_clock_shows() -> None:
    ticks = iter([0.0, 10.0])
    clock = ScaledClock(30, A_WEDNESDAY_NIGHT, monotonic=lambda: next(ticks))

    virtual = clock.now()

    assert virtual == A_WEDNESDAY_NIGHT + timedelta(minutes=5)
    assert clock.on_the_wall(virtual) == A_WEDNESDAY_NIGHT + timedelta(seconds=10)
    assert clock.on_the_wall(A_WEDNESDAY_NIGHT - timedelta(hours=1)) == A_WEDNESDAY_NIGHT - timedelta(hours=1)
