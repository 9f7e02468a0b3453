"""A drill on the fakes: its blockers, what a dead driver leaves, its end, and when the schedule starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.action import EndInstance
from phoenix.core.blocker import Blocker
from phoenix.core.drill import Drill, DrillTerms, Ending
from phoenix.core.model import Outcome, Slot
from phoenix.core.routine import Routine
from phoenix.core.window import Calendar, Window
from phoenix.engine.control import pause
from phoenix.engine.drill import DrillRequest, NotDrilled, plan_drill, run_drill
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import advance, tick
from phoenix.errors import Blocked, Interrupted, PermanentError
from phoenix.stores.codec import decode_record, encode_record
from tests.builders import NOON
from tests.engine.builders import BLUE, GREEN, LIVE_IMAGE, Bench, a_bench
from tests.fakes import FakeImages

TERMS = DrillTerms(most=1, floor=75, timeout=timedelta(minutes=30))
TWO = replace(TERMS, most=2, floor=50)
MINUTE = timedelta(minutes=1)
AT_NOON = Calendar((Window("0 12 * * *", timedelta(hours=1)),))


class Dead(BaseException):
    """The driver is gone; no code may catch this."""


def drilling(terms: DrillTerms = TERMS) -> Bench:
    """A group that nothing is due for, and whose policy allows drills."""
    bench = a_bench(drill=terms)
    bench.group = replace(bench.group, images=FakeImages(LIVE_IMAGE))
    tick(bench.group)
    bench.forget_writes()
    return bench


def last(bench: Bench) -> Drill:
    return bench.record.drills[-1]


def ended(bench: Bench) -> list[str]:
    return [action.instance for action in bench.fleet.applied if isinstance(action, EndInstance)]


def objections(bench: Bench, **request: object) -> set[str]:
    plan = plan_drill(bench.group, DrillRequest(**request))  # type: ignore[arg-type]
    return {each.name for each in plan.objections}


def test_it_ends_what_it_has_recorded_and_is_over_when_the_group_is_whole() -> None:
    bench = drilling()
    intents: list[tuple[str, ...]] = []
    bench.fleet.before_write = lambda _: intents.append(last(bench).victims)

    drilled = run_drill(bench.group, DrillRequest(reason="game day")).drill

    assert intents == [tuple(ended(bench))], "the intent is saved before the first call"
    assert drilled.ending is Ending.WHOLE
    assert [name for name, at in drilled.milestones if at is None] == []
    assert bench.record.drills == (drilled,)
    assert bench.store.lease_of("web") is None
    assert bench.inbox.subjects == ["phoenix web: a drill has begun", "phoenix web: whole again after a drill"]


def test_the_same_seed_chooses_the_same_instances_and_another_may_not() -> None:
    bench = drilling()

    def chosen(seed: str) -> tuple[str, ...]:
        drill = plan_drill(bench.group, DrillRequest(seed=seed)).drill
        assert drill is not None
        return drill.victims

    assert chosen("tuesday") == chosen("tuesday")
    assert len({chosen(f"seed {number}") for number in range(20)}) > 1


def test_a_zone_is_ended_whole_or_not_at_all() -> None:
    bench = drilling(TWO)
    zones = [i.zone for i in bench.fleet.state[BLUE].instances]
    full = max(zones, key=zones.count)

    plan = plan_drill(bench.group, DrillRequest(zone=full))

    assert plan.drill is not None
    assert len(plan.drill.victims) == zones.count(full) == 2
    bench.group = replace(bench.group, drill=TERMS)
    assert objections(bench, zone=full) == {"most", "floor"}
    assert objections(bench, zone="eu-west-1z") == {"nothing-to-end"}


def _sick(bench: Bench) -> None:
    bench.router.sick.add(bench.fleet.state[BLUE].instances[0].id)


def _suspended(bench: Bench) -> None:
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], suspended=frozenset({Routine.LAUNCHES}))


def _protected(bench: Bench) -> None:
    state = bench.fleet.state[BLUE]
    bench.fleet.state[BLUE] = replace(state, instances=tuple(replace(i, protected=True) for i in state.instances))


def _closed(bench: Bench) -> None:
    night = Calendar((Window("0 2 * * *", timedelta(hours=1)),))
    bench.group = replace(bench.group, drill=replace(TERMS, calendar=night))


IN_THE_WAY: list[tuple[Callable[[Bench], object], str]] = [
    (_sick, "unhealthy"),
    (_suspended, "suspended"),
    (_protected, "nothing-to-end"),
    (_closed, "window"),
    (lambda bench: bench.gate.blockers.append(Blocker("alarm", "web-5xx", "It rings.")), "alarm"),
    (lambda bench: pause(bench.group, "incident"), "paused"),
    (lambda bench: setattr(bench, "group", replace(bench.group, drill=replace(TERMS, floor=100))), "floor"),
    (lambda bench: setattr(bench, "group", replace(bench.group, awaited=("other",))), "other-groups"),
]


@pytest.mark.parametrize(("disturb", "name"), IN_THE_WAY, ids=[name for _, name in IN_THE_WAY])
def test_nothing_is_ended_while_something_is_in_the_way(disturb: Callable[[Bench], object], name: str) -> None:
    bench = drilling()
    disturb(bench)

    with pytest.raises(NotDrilled):
        run_drill(bench.group, DrillRequest())

    assert name in objections(bench)
    assert ended(bench) == []
    assert bench.record.drills == ()


def test_nothing_is_ended_during_a_rotation_nor_while_its_reserve_is_lacking() -> None:
    bench = a_bench(drill=TERMS)
    bench.baking()
    assert "in-flight" in objections(bench)

    rotate(bench.group, RotateRequest())
    assert objections(bench) == set(), "hot, and whole"
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], instances=())
    assert "reserve" in objections(bench)


def test_a_policy_without_the_section_allows_nothing() -> None:
    bench = a_bench()

    with pytest.raises(Blocked, match="no drill section") as refused:
        run_drill(bench.group, DrillRequest())

    assert refused.value.hint == "write there: drill: {most: 1, floor: 75%}"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_driver_that_dies_around_a_call_leaves_no_more_victims_than_it_chose(number: int, moment: str) -> None:
    bench = drilling(TWO)
    count = [0]

    def die(_: object) -> None:
        count[0] += 1
        if (count[0], moment) == (number, "before") or (count[0], moment) == (number + 1, "after"):
            raise Dead
        if (count[0], moment) == (2, "after"):  # there is no third call to die before, but a save
            bench.store.before_save = dies

    def dies(_: object) -> None:
        raise Dead

    bench.fleet.before_write = die
    with pytest.raises(Dead):
        run_drill(bench.group, DrillRequest())
    chosen = last(bench).victims
    assert last(bench).ended_at is None
    bench.fleet.before_write = lambda _: None
    bench.store.before_save = None
    bench.clock.at += MINUTE * 1.5

    for _ in range(3):
        tick(bench.group)
        bench.clock.at += MINUTE

    assert set(ended(bench)) == set(chosen)
    assert len(chosen) == 2
    assert last(bench).ending is Ending.WHOLE


def died_before_the_first_call(terms: DrillTerms = TERMS) -> Bench:
    bench = drilling(terms)

    def die(_: object) -> None:
        raise Dead

    bench.fleet.before_write = die
    with pytest.raises(Dead):
        run_drill(bench.group, DrillRequest())
    bench.fleet.before_write = lambda _: None
    bench.clock.at += MINUTE * 1.5
    return bench


LATER: list[tuple[Callable[[Bench], object], str]] = [
    (lambda bench: setattr(bench.clock, "at", bench.clock.at + MINUTE), "not begun within 2m"),
    (lambda bench: bench.gate.blockers.append(Blocker("alarm", "web-5xx", "It rings.")), "It rings."),
    (lambda bench: bench.router.sick.update(i.id for i in bench.fleet.state[BLUE].instances), "the floor is 3"),
    (lambda bench: pause(bench.group, "incident"), "paused by tester: incident"),
]


@pytest.mark.parametrize(("disturb", "why"), LATER, ids=["late", "alarm", "floor", "paused"])
def test_an_intent_is_not_acted_upon_once_something_has_come_in_the_way(
    disturb: Callable[[Bench], object], why: str
) -> None:
    bench = died_before_the_first_call()
    disturb(bench)

    tick(bench.group)

    assert ended(bench) == []
    assert last(bench).ending is Ending.STOPPED
    assert why in last(bench).sentence


def test_a_group_that_is_not_whole_in_time_has_failed() -> None:
    bench = drilling()
    bench.fleet.boots = False

    drilled = run_drill(bench.group, DrillRequest()).drill

    assert drilled.ending is Ending.FAILED
    assert drilled.over_at is not None
    assert drilled.over_at - drilled.ask.at >= TERMS.timeout
    assert drilled.sentence.endswith("not whole within 30m: 3 of 4 healthy")
    assert bench.inbox.subjects[-1] == "phoenix web: a drill has failed, a person must look"


def test_a_refused_call_fails_the_drill_and_says_why() -> None:
    bench = drilling()

    def refuse(_: object) -> None:
        raise PermanentError("not authorized to perform TerminateInstances")

    bench.fleet.before_write = refuse
    drilled = run_drill(bench.group, DrillRequest(hard=True)).drill

    assert (drilled.ending, drilled.ended_at) == (Ending.FAILED, None)
    assert "not authorized" in drilled.sentence


def test_an_interrupted_command_leaves_the_measuring_to_the_next_tick_and_abort_ends_it() -> None:
    bench = drilling()
    bench.fleet.boots = False
    bench.clock.when(MINUTE, lambda: setattr(bench.clock, "stopping", True))

    with pytest.raises(Interrupted):
        run_drill(bench.group, DrillRequest())

    bench.clock.stopping = False
    report = tick(bench.group)
    assert (report.outcome, last(bench).in_flight) == (Outcome.IN_PROGRESS, True)
    assert "drill" in objections(bench)

    told = abort(bench.group, "lunch")
    assert told.sentence.endswith("stopped by tester: lunch")
    assert len(ended(bench)) == 1


def test_no_rotation_starts_during_a_drill_and_a_rollback_ends_it() -> None:
    bench = a_bench(drill=TERMS)
    bench.rotated()
    bench.fleet.boots = False
    run_drill(bench.group, DrillRequest(wait=False))

    with pytest.raises(Blocked, match="blocked by drill"):
        rotate(bench.group, RotateRequest(force=True))
    rollback(bench.group, RollbackRequest())

    assert bench.percent == {0}
    assert last(bench).ending is Ending.STOPPED


def test_the_schedule_starts_one_drill_in_each_opening() -> None:
    bench = drilling()
    bench.group = replace(bench.group, drill=replace(TERMS, calendar=AT_NOON, scheduled=True))

    for _ in range(30):
        tick(bench.group)
        bench.clock.at += timedelta(minutes=2)

    assert len(ended(bench)) == 1
    assert last(bench).ask.reason == "scheduled"
    assert last(bench).seed == f"{NOON:%Y%m%dT%H%M%SZ}"

    bench.clock.at = NOON + timedelta(days=1, minutes=3)
    advance(bench.group)
    assert len(ended(bench)) == 2


def test_a_group_is_due_when_its_next_drill_is_and_sooner_where_something_was_in_the_way() -> None:
    terms = replace(TERMS, calendar=AT_NOON, scheduled=True)

    assert terms.next_start(NOON, NOON + MINUTE) == NOON + timedelta(days=1)
    assert terms.next_start(None, NOON + MINUTE) == NOON + 6 * MINUTE
    assert terms.next_start(None, NOON - MINUTE) == NOON
    assert replace(terms, scheduled=False).next_start(None, NOON) is None


def test_a_record_keeps_its_drills_and_one_without_any_is_still_read() -> None:
    bench = drilling()
    run_drill(bench.group, DrillRequest())

    assert decode_record(encode_record(bench.record), "memory") == bench.record
    old = encode_record(replace(bench.record, drills=())).replace('"drills":[]', '"old_base":null')
    assert "drills" not in old
    assert decode_record(old, "memory").drills == ()


def test_the_slot_that_is_drilled_is_the_live_one() -> None:
    bench = a_bench(drill=TERMS)
    bench.rotated()
    blue = {i.id for i in bench.fleet.state[Slot.BLUE].instances}

    drilled = run_drill(bench.group, DrillRequest()).drill

    assert drilled.slot is GREEN
    assert not blue & set(drilled.victims)
