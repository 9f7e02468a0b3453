"""A group that is due and blocked for longer than a day says so, once a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.engine.tick import tick
from tests.builders import NOON
from tests.engine.builders import Bench, a_bench

DAY = timedelta(days=1)


def blocked(name: str = "quota") -> Bench:
    bench = a_bench()
    bench.fleet.blockers.append(Blocker(name, "web-blue", "There is no room."))
    return bench


def tick_for(bench: Bench, span: timedelta, every: timedelta = timedelta(minutes=30)) -> None:
    until = bench.clock.at + span
    while bench.clock.at < until:
        tick(bench.group)
        bench.clock.at += every


def test_a_day_of_standing_still_is_told_and_then_once_a_day() -> None:
    bench = blocked()

    tick_for(bench, 3 * DAY + timedelta(hours=1))

    assert bench.inbox.subjects == [f"phoenix web: blocked for {d}d by quota" for d in (1, 2, 3)]
    assert bench.inbox.texts == ["There is no room."] * 3
    assert len(set(bench.inbox.ids)) == 3


def test_a_day_with_something_else_in_the_way_every_hour_is_a_day_all_the_same() -> None:
    bench = blocked()
    tick_for(bench, timedelta(hours=20))
    bench.fleet.blockers[:] = [Blocker("subnet", "web-blue", "It is full.")]

    tick_for(bench, timedelta(hours=5))

    assert bench.inbox.subjects == ["phoenix web: blocked for 1d by subnet"]


@pytest.mark.parametrize("name", ["window", "freeze"])
def test_a_blocker_that_a_person_wished_for_never_counts(name: str) -> None:
    bench = blocked(name)

    tick_for(bench, 2 * DAY)

    assert (bench.inbox.subjects, bench.store.saved) == ([], [])


def test_it_is_written_only_when_something_is_new() -> None:
    bench = blocked()
    tick_for(bench, timedelta(hours=1))
    saved = len(bench.store.saved)

    tick_for(bench, timedelta(hours=20))

    assert len(bench.store.saved) == saved
    assert bench.record.blocked is not None
    assert bench.record.blocked.since == NOON


def test_a_group_that_is_due_no_more_is_forgotten() -> None:
    bench = blocked()
    tick(bench.group)
    bench.images.images[:] = [image for image in bench.images.images if image.id == bench.fleet.versions[1][1]]

    tick(bench.group)

    assert bench.record.blocked is None


def test_once_nothing_is_in_the_way_it_starts_and_the_count_begins_anew() -> None:
    bench = blocked()
    tick_for(bench, timedelta(hours=23))
    bench.fleet.blockers.clear()

    tick(bench.group)

    assert (bench.record.blocked, bench.rotation.in_flight) == (None, True)
