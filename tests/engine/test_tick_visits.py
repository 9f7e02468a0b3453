"""What one visit of `tick` comes to, by what it finds: leftovers, a lost record, word of a rollback, a rival."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.blocker import Blocker
from phoenix.core.model import Outcome
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Freeze, Window
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.tick import advance, tick
from phoenix.errors import LeaseLost, PhoenixError, StateConflict
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import OLD_IMAGE, FakeImages, an_image
from tests.fakes_store import MemoryStore

UNCHANGED = FakeImages(an_image(OLD_IMAGE))
AT_ONE = Window("0 13 * * *", timedelta(hours=1))


def at_rest(**changes: Any) -> Bench:
    bench = a_bench(**changes)
    bench.rotated()
    bench.forget_writes()
    return bench


def next_due(bench: Bench) -> timedelta | None:
    """How long after now the store names the group as due; None when it does not for two days."""
    for minutes in range(48 * 60):
        if "web" in bench.store.due(bench.clock.now() + timedelta(minutes=minutes)):
            return timedelta(minutes=minutes)
    return None


def test_what_a_lost_rotation_has_left_is_taken_back_before_anything_starts() -> None:
    bench = at_rest(images=FakeImages(an_image()))
    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], min=4, tags={tags.CAPACITY: "2 12"})
    bench.store.save(replace(bench.record, retained=None, hot_until=None))

    report = tick(bench.group)

    assert report.sentence.startswith("repaired: ")
    assert (report.exit_status, bench.fleet.state[GREEN].min) == (0, 2)


def test_a_record_that_was_lost_is_repaired_without_waiting() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    slept = len(bench.clock.slept)

    report = tick(replace(bench.group, store=MemoryStore(bench.store.location)))

    assert report.sentence.startswith("repaired: rotation web-2-")
    assert (bench.percent, len(bench.clock.slept)) == ({0}, slept)


@pytest.mark.parametrize("visit", [tick, advance])
def test_word_of_a_rollback_without_this_store_is_heeded_and_followed_to_its_end(visit: Any) -> None:
    bench = at_rest()
    rollback(replace(bench.group, store=MemoryStore("memory:laptop"), by="oncall"), RollbackRequest())

    for _ in range(4):
        assert visit(bench.group).exit_status == 0
        bench.clock.at += timedelta(minutes=1)

    assert (bench.rotation.outcome, bench.rotation.reason) == (Outcome.ROLLED_BACK, "rolled back without the store")


def test_a_blocker_for_a_person_is_said_with_what_is_due() -> None:
    bench = a_bench()
    bench.fleet.blockers += [Blocker("quota", "web-blue", "Full."), Blocker("subnet", "web-blue", "Gone.")]

    report = tick(bench.group)

    assert report.sentence == "due: new image (9h46m old); blocked by quota, subnet"
    assert (report.outcome, report.exit_status, report.seen is not None) == (Outcome.NONE, 0, True)


def test_what_was_wished_for_is_not_said_next_to_what_has_to_be_mended() -> None:
    bench = a_bench(calendar=Calendar((AT_ONE,)))
    bench.fleet.blockers.append(Blocker("quota", "web-blue", "Full."))

    assert tick(bench.group).sentence.endswith("; blocked by quota")


def test_what_only_the_calendar_holds_up_is_due_when_it_opens() -> None:
    bench = a_bench(calendar=Calendar((AT_ONE,)))

    report = tick(bench.group)

    due = next_due(bench)
    assert (report.sentence, report.outcome) == ("", Outcome.NONE)
    assert due is not None
    assert timedelta(hours=1) <= due <= timedelta(hours=1, minutes=1)


def test_a_freeze_that_ends_after_all_openings_in_sight_is_not_due() -> None:
    bench = a_bench(calendar=Calendar((Window("0 2 30 2 *", timedelta(hours=1)),)))

    tick(bench.group)

    assert next_due(bench) is None


def test_a_blocker_for_a_person_as_well_is_not_due_with_the_calendar() -> None:
    bench = a_bench(calendar=Calendar((), (Freeze(date(2026, 11, 18), date(2026, 11, 18), "peak"),)))
    bench.fleet.blockers.append(Blocker("quota", "web-blue", "Full."))

    tick(bench.group)

    assert next_due(bench) is None


@pytest.mark.parametrize("rival", [LeaseLost("web", "elsewhere/7"), StateConflict("web", 3)])
def test_a_rival_in_the_middle_makes_the_group_busy_and_no_error(rival: PhoenixError) -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.fleet.fail_once = rival

    report = tick(bench.group)

    assert report.sentence == f"busy: {rival.message}"
    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)


def test_a_group_that_was_never_rotated_is_remembered_with_its_live_generation() -> None:
    bench = a_bench(images=UNCHANGED)

    report = tick(bench.group)

    assert (report.outcome, report.sentence, report.seen is not None) == (Outcome.NONE, "", True)
    assert bench.record.live is not None
    assert (bench.record.live.number, bench.record.live.image) == (1, OLD_IMAGE)


@pytest.mark.parametrize(("limit", "due"), [(None, None), (timedelta(days=3, hours=12), timedelta(hours=2))])
def test_the_next_look_is_when_the_oldest_instance_grows_too_old(limit: timedelta | None, due: Any) -> None:
    bench = a_bench(images=UNCHANGED, rotate_when=RotateWhen(max_instance_lifetime=limit))

    tick(bench.group)

    found = next_due(bench)
    assert (found is None) == (due is None)
    assert found is None or abs(found - due) <= timedelta(minutes=15)


def test_a_rotation_that_rests_is_left_and_the_report_tells_where_it_stands() -> None:
    bench = a_bench(terms={"steps": CANARY})

    report = advance(bench.group)

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert report.sentence.startswith("step 1 of 2: baking at 5 %")
    assert (report.record, report.seen is not None) == (bench.record, True)


def test_a_tick_that_ends_a_rotation_leaves_the_hot_one_for_the_next() -> None:
    bench = a_bench()
    bench.baking()
    bench.clock.at += timedelta(hours=1)

    report = tick(bench.group)

    assert report.outcome is Outcome.SUCCEEDED
    assert bench.record.hot_until == bench.clock.now() + timedelta(hours=1)
    assert bench.fleet.state[BLUE].desired == 4


def test_two_ticks_that_undo_each_other_do_not_go_on_for_ever() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.clock.at += timedelta(minutes=20)
    bench.router.shift = lambda action, *_: bench.router.shifts.append(action)  # type: ignore[method-assign]

    tick(bench.group)

    assert len(bench.router.shifts) < 10
    assert bench.clock.now() == NOON + timedelta(minutes=21, seconds=5)
