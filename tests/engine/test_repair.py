"""`repair`: undo what an interrupted, a lost or a foreign rotation has left, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.model import Cause, Outcome
from phoenix.engine.group import Group
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, ForeignStore
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes_store import MemoryStore


def interrupted() -> Bench:
    """A minute into the first bake, and nobody drives."""
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.forget_writes()
    return bench


def with_store(bench: Bench, location: str) -> Group:
    """The same group with a store that is empty."""
    return replace(bench.group, store=MemoryStore(location))


@pytest.mark.edge(24)
def test_a_group_in_order_needs_no_repair_and_no_write() -> None:
    bench = a_bench()

    report = repair(bench.group, find_repairs(bench.group))

    assert (report.outcome, report.sentence) == (
        Outcome.NONE,
        "nothing to repair: web has nothing temporary left on it",
    )
    assert (bench.writes, bench.store.saved) == ([], [])


def test_a_rotation_in_flight_is_not_broken_and_not_repaired() -> None:
    bench = interrupted()

    report = repair(bench.group, find_repairs(bench.group))

    assert "is in flight, and the next tick goes on with it" in report.sentence
    assert bench.writes == []


def test_looking_for_repairs_lists_what_is_temporary_and_writes_nothing() -> None:
    bench = interrupted()

    lost, suspended = find_repairs(with_store(bench, "memory:test")).texts

    assert lost.endswith("its record is lost: generation 2 has 5 %; it is rolled back to generation 1")
    assert suspended == "web-green: scheduled actions are suspended, they were running"
    assert bench.writes == []


@pytest.mark.edge(46)
def test_a_rotation_whose_record_is_lost_goes_back_and_leaves_nothing_temporary() -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")

    report = repair(forgetful, find_repairs(forgetful))

    assert (report.exit_status, bench.percent) == (0, {0})
    blue = bench.fleet.state[BLUE]
    assert (blue.min, blue.max, blue.desired) == (2, 12, 4)
    assert bench.fleet.state[GREEN].desired == 0
    assert tags.CAPACITY not in blue.tags
    assert report.record.rotation is not None
    assert report.record.rotation.cause is Cause.ENVIRONMENT


@pytest.mark.edge(46)
def test_cron_repairs_without_waiting_and_its_next_passes_go_on() -> None:
    bench = interrupted()
    forgetful, slept = with_store(bench, "memory:test"), len(bench.clock.slept)

    report = tick(forgetful)
    assert (report.exit_status, bench.percent, len(bench.clock.slept)) == (0, {0}, slept)
    for _ in range(3):
        bench.clock.at += timedelta(minutes=1)
        tick(forgetful)

    assert (bench.fleet.state[BLUE].min, bench.fleet.state[GREEN].desired) == (2, 0)


def test_what_another_store_has_in_flight_is_taken_over_only_when_told_to() -> None:
    bench = interrupted()
    other = with_store(bench, "memory:other")

    with pytest.raises(ForeignStore):
        find_repairs(other)
    assert repair(other, find_repairs(other, adopt=True)).outcome is Outcome.ROLLED_BACK


@pytest.mark.edge(44)
def test_the_store_that_was_passed_by_hears_of_it_with_its_next_tick() -> None:
    bench = interrupted()
    other = with_store(bench, "memory:other")
    repair(other, find_repairs(other, adopt=True))

    for _ in range(3):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=1)

    assert bench.rotation.outcome is Outcome.ROLLED_BACK
    assert all(tags.HOLD not in state.tags for state in bench.fleet.state.values())


@pytest.mark.edge(2)
def test_a_pin_that_leaked_is_released() -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], min=4, max=12, tags={tags.CAPACITY: "2 12"})

    report = repair(bench.group, find_repairs(bench.group))

    assert report.sentence.startswith("repaired: web-blue: min 4 max 12 are a rotation's")
    assert (bench.fleet.state[BLUE].min, bench.fleet.state[BLUE].tags) == (2, {})


def test_what_a_person_has_looked_at_for_minutes_is_looked_at_again_and_undone() -> None:
    bench = interrupted()
    group = with_store(bench, "memory:test")
    found = find_repairs(group)
    bench.clock.at += timedelta(minutes=5)

    assert repair(group, found).outcome is Outcome.ROLLED_BACK


def test_what_has_changed_since_it_was_shown_is_not_undone() -> None:
    bench = interrupted()
    group = with_store(bench, "memory:test")
    found = find_repairs(group)
    bench.clock.at += timedelta(minutes=5)
    bench.send(40)

    with pytest.raises(Blocked, match="has changed since it was shown"):
        repair(group, found)

    assert bench.writes == []
