"""Looking at a group: writes nothing, and knows a group that it has no record of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import Cause, Judgement, Outcome
from phoenix.core.record import GroupRecord, Quarantined, Setback
from phoenix.core.story import Ask
from phoenix.core.trigger import LiveInstance
from phoenix.engine.look import look, refuse_outdated, sight_of
from phoenix.engine.tick import tick
from phoenix.errors import ForeignStore
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
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


def test_a_live_group_without_instances_has_an_unknown_image() -> None:
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


def overtaken() -> Bench:
    """This store knows of generation 2; another one has rotated to 3 since, and says so on the tags."""
    bench = a_bench()
    bench.rotated()
    note = "web-3-else 2 3 2026-11-18T20:00:00Z"
    changed = {tags.STORE: "memory:other", tags.ROTATION: note}
    for slot, state in bench.fleet.state.items():
        bench.fleet.state[slot] = replace(state, tags={**state.tags, **changed})
    return bench


def running(*images: str) -> Bench:
    bench = a_bench()
    bench.fleet.live_instances = lambda slot: [  # type: ignore[method-assign]
        LiveInstance(f"i-{number}", image, NOON) for number, image in enumerate(images)
    ]
    return bench


def test_a_look_reads_the_routes_it_knows_and_does_not_search() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    searches = bench.router.searches

    report = look(bench.group)

    assert bench.router.searches == searches
    assert report.seen is not None
    assert report.rollback_ready.ready


def test_what_stands_in_for_a_record_is_searched_for() -> None:
    bench = a_bench()

    sight_of(bench.group)

    assert bench.router.searches == 1


def test_the_verdicts_that_are_shown_are_those_of_this_moment() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.gate.judgement, bench.gate.reason = Judgement.WAIT, "no data yet"

    shown = look(bench.group).record.rotation

    assert shown is not None
    assert [(v.judgement, v.reason) for v in shown.verdicts] == [(Judgement.WAIT, "no data yet")]


def test_where_no_gate_was_asked_the_record_is_shown_as_it_is() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.group = replace(bench.group, gates=())
    before = bench.rotation

    assert look(bench.group).record.rotation == before


def test_at_rest_nothing_is_made_up() -> None:
    bench = a_bench()
    bench.rotated()

    assert look(bench.group).record == bench.record


def test_a_record_that_another_store_has_overtaken_is_not_believed() -> None:
    bench = overtaken()

    record = sight_of(bench.group).record

    assert record.rotation is None
    assert record.version == bench.record.version


def test_who_has_been_overtaken_must_not_act_and_hears_by_whom() -> None:
    bench = overtaken()
    seen = sight_of(bench.group).seen

    with pytest.raises(ForeignStore) as foreign:
        refuse_outdated(bench.group, bench.record, seen)

    assert all(word in foreign.value.message for word in ("web", "memory:other", "memory:test"))


def test_a_record_that_was_not_overtaken_may_act() -> None:
    bench = a_bench()
    bench.rotated()

    refuse_outdated(bench.group, bench.record, sight_of(bench.group).seen)


@pytest.mark.parametrize("known", [3, 9])
def test_all_that_was_said_of_a_group_survives_the_adoption(known: int) -> None:
    bench = a_bench()
    bench.rotated()
    setback = Setback(2, NOON + timedelta(hours=4))
    forgetful = MemoryStore("memory:other")
    forgetful.save(GroupRecord("web", setback=setback, highest_number=known))

    record = sight_of(replace(bench.group, store=forgetful)).record

    assert (record.setback, record.highest_number, record.live is not None) == (setback, known, True)


def test_the_image_that_most_of_the_group_runs_is_taken_for_its_image() -> None:
    live = sight_of(running("ami-a", "ami-c", "ami-c").group).record.live
    tie = sight_of(running("ami-b", "ami-a").group).record.live

    assert live is not None and tie is not None  # noqa: PT018
    assert (live.image, tie.image) == ("ami-c", "ami-a")


def test_no_slot_is_asked_for_images_where_it_cannot_be_told_which_one_is_live() -> None:
    bench = a_bench()
    bench.send(50)
    asked: list[Any] = []
    bench.fleet.live_instances = lambda slot: asked.append(slot) or []  # type: ignore[func-returns-value,method-assign]

    sight_of(bench.group)

    assert asked == []


def test_the_live_slot_is_the_one_whose_instances_are_asked_for() -> None:
    bench = a_bench()
    bench.send(100)
    bench.fleet.state = {BLUE: replace(bench.fleet.state[GREEN], slot=BLUE), GREEN: bench.fleet.state[BLUE]}
    asked: list[Any] = []
    bench.fleet.live_instances = lambda slot: asked.append(slot) or []  # type: ignore[func-returns-value,method-assign]

    sight_of(bench.group)

    assert asked == [GREEN]


def test_a_live_generation_that_the_tags_name_needs_no_question() -> None:
    bench = a_bench()
    note = {tags.GENERATION: f"7 {OLD_IMAGE} 1"}
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], tags=note)
    asked: list[Any] = []
    bench.fleet.live_instances = lambda slot: asked.append(slot) or []  # type: ignore[func-returns-value,method-assign]

    live = sight_of(bench.group).record.live

    assert live is not None
    assert (live.number, live.image, asked) == (7, OLD_IMAGE, [])
