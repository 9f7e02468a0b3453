"""`repair`: undo what an interrupted, a lost or a foreign rotation has left, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.model import Cause, Outcome
from phoenix.engine.group import Group
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.report import Report
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, ForeignStore, PermanentError
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes_store import MemoryStore


def interrupted() -> Bench:
    """A minute into the first bake, without a driver."""
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


def test_a_lost_rotation_is_told_with_its_weight_and_where_it_goes_back_to() -> None:
    bench = interrupted()

    text = find_repairs(with_store(bench, "memory:test")).texts[0]

    assert text == (
        f"rotation {bench.rotation.id} was in flight and its record is lost: generation 2 has 5 %; "
        "it is rolled back to generation 1"
    )


def test_the_way_back_of_a_lost_rotation_says_who_asked_and_why() -> None:
    bench = interrupted()
    forgetful = replace(with_store(bench, "memory:test"), by="oncall")

    report = repair(forgetful, find_repairs(forgetful))

    rotation = report.record.rotation
    assert rotation is not None
    assert rotation.back is not None
    assert (rotation.back.ask.by, rotation.back.reason, rotation.reason) == (
        "oncall",
        "its record was lost",
        "its record was lost",
    )


def test_all_that_was_repaired_is_in_the_sentence() -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    found = find_repairs(forgetful)

    report = repair(forgetful, found)

    assert report.sentence == f"repaired: {'; '.join(found.texts)}"
    assert (report.exit_status, report.seen is not None) == (0, True)


def test_what_needs_no_repair_still_shows_how_the_group_stands() -> None:
    bench = a_bench()

    report = repair(bench.group, find_repairs(bench.group))

    assert (report.seen is not None, report.outcome, report.exit_status) == (True, Outcome.NONE, 0)


def test_a_rotation_in_flight_has_nothing_to_repair_and_the_outcome_says_so() -> None:
    bench = interrupted()
    found = find_repairs(bench.group)

    report = repair(bench.group, found)

    assert (found.texts, report.outcome) == ((), Outcome.NONE)
    assert report.sentence == f"nothing to repair: {bench.rotation.id} is in flight, and the next tick goes on with it"


@pytest.mark.parametrize("wait", [True, False])
def test_the_watch_of_a_repair_is_told_unless_the_command_does_not_wait(wait: bool) -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    seen: list[Report] = []

    report = repair(forgetful, find_repairs(forgetful), seen.append, wait=wait)

    assert bool(seen) is wait
    assert (report.outcome, report.seen is not None) == (
        Outcome.ROLLED_BACK if wait else Outcome.IN_PROGRESS,
        True,
    )


def test_a_repair_that_aws_refuses_is_held_and_ends_with_1() -> None:
    bench = interrupted()
    forgetful = with_store(bench, "memory:test")
    found = find_repairs(forgetful)

    def refuse(*_: object) -> None:
        raise PermanentError("no right to do that")

    bench.router.shift = refuse  # type: ignore[assignment,method-assign]

    report = repair(forgetful, found)

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert forgetful.store.lease_of("web") is None
