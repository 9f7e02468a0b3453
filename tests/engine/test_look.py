"""Looking at a group: writes nothing, and knows a group that it has no record of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.story import Ask
from phoenix.engine.look import look, sight_of
from phoenix.engine.tick import tick
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE
from tests.fakes_store import MemoryStore


def test_a_look_writes_neither_aws_nor_store_nor_lease() -> None:
    bench = a_bench()

    report = look(bench.group)

    assert (bench.writes, bench.store.saved, bench.store.lease_of("web")) == ([], [], None)
    assert (report.outcome, report.exit_status) == (Outcome.NONE, 0)
    assert report.sentence == "web has not been rotated yet"


def test_a_group_without_a_record_is_known_by_the_image_that_most_of_it_runs() -> None:
    live = sight_of(a_bench().group).record.live

    assert live is not None
    assert (live.number, live.slot, live.image) == (1, BLUE, OLD_IMAGE)


def test_a_live_group_without_instances_has_an_image_that_nobody_knows() -> None:
    bench = a_bench()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], instances=())

    live = sight_of(bench.group).record.live

    assert live is not None
    assert live.image == "unknown"


@pytest.mark.edge(44)
def test_the_image_on_the_tags_is_believed_before_anybody_is_asked() -> None:
    bench = a_bench()
    bench.rotated()
    stranger = replace(bench.group, store=MemoryStore())

    record = sight_of(stranger).record

    assert record.live is not None
    assert (record.live.number, record.live.slot, record.live.image) == (2, GREEN, NEW_IMAGE)
    assert record.retained is not None


def test_a_rotation_in_flight_is_shown_with_fresh_verdicts_and_who_drives_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    before = bench.baking()
    lease = bench.seized_by("elsewhere/7")
    bench.gate.reason = "something new"

    report = look(bench.group)

    assert report.lease == lease
    assert report.record.rotation is not None
    assert report.record.rotation.looked_at == bench.clock.now()
    assert bench.record == before


@pytest.mark.edge(43)
def test_whether_a_cold_generation_could_be_launched_again_is_asked_when_a_person_looks() -> None:
    bench = a_bench()
    bench.rotated()
    bench.clock.at += timedelta(hours=2)
    tick(bench.group)
    bench.fleet.gone = {OLD_IMAGE}

    closely, in_passing = look(bench.group), look(bench.group, closely=False)

    assert (closely.rollback_ready.ready, in_passing.rollback_ready.ready) == (False, True)
    assert closely.rollback_ready.why == f"1 has 0 of 4 healthy and cannot grow: {OLD_IMAGE} is gone."
    assert closely.rollback_ready.remedy == "restore it"


def test_nothing_is_asked_while_the_shift_comes_first() -> None:
    bench = a_bench()
    bench.rotated()
    bench.fleet.gone = {OLD_IMAGE}

    assert look(bench.group).rollback_ready.at_once


def test_what_was_said_of_a_group_before_it_had_a_live_slot_is_not_forgotten() -> None:
    bench = a_bench()
    paused = Ask(NOON, "oncall")
    entry = Quarantined(NEW_IMAGE, NOON, Cause.OPERATOR, "web-2", "bad")
    bench.store.save(GroupRecord("web", paused=paused, quarantine=(entry,), highest_number=7))

    record = sight_of(bench.group).record

    assert record.live is not None
    assert (record.version, record.paused, record.quarantine, record.highest_number) == (1, paused, (entry,), 7)
