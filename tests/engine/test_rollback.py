"""`rollback` and `abort`: the promise to the person on call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.core.record import GroupRecord
from phoenix.engine.control import pause
from phoenix.engine.group import Group
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import AccessDenied, Blocked, StateConflict, Throttled, Unreachable
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import an_image
from tests.fakes_store import MemoryStore

ASKED = RollbackRequest(reason="INC-1")


def a_success() -> Bench:
    """Generation 2 is live, 1 is hot."""
    bench = a_bench()
    bench.rotated()
    bench.forget_writes()
    return bench


def without_store(bench: Bench) -> Group:
    """The same group for a person who has neither its store nor its policy."""
    return replace(bench.group, store=MemoryStore(), images=None, driver="phone/9")


@pytest.mark.edge(40)
@pytest.mark.edge(42)
def test_after_a_success_the_first_write_moves_the_traffic() -> None:
    bench = a_success()
    first: list[set[int]] = []
    bench.fleet.before_write = lambda action: first.append(bench.percent)

    report = rollback(bench.group, ASKED)

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert first[0] == {0}
    blue = bench.fleet.state[BLUE]
    assert (blue.min, blue.max, blue.desired) == (2, 12, 4)


def test_the_generation_it_left_goes_cold_and_nothing_is_retained() -> None:
    bench = a_success()

    rollback(bench.group, ASKED)

    assert bench.fleet.state[GREEN].desired == 0
    assert (bench.record.retained, bench.record.hot_until) == (None, None)
    assert bench.record.live is not None
    assert bench.record.live.number == 1


def test_it_quarantines_the_image_as_the_operators_wish() -> None:
    bench = a_success()

    rollback(bench.group, ASKED)

    assert [(q.cause, q.reason) for q in bench.record.quarantine] == [(Cause.OPERATOR, "INC-1")]


@pytest.mark.edge(24)
def test_a_second_call_writes_nothing_and_never_goes_forward() -> None:
    bench = a_success()
    rollback(bench.group, ASKED)
    bench.forget_writes()
    saved = len(bench.store.saved)

    report = rollback(bench.group, ASKED)

    assert (report.outcome, report.exit_status, bench.writes) == (Outcome.NONE, 0, [])
    assert len(bench.store.saved) == saved
    assert report.sentence.startswith("Nothing to do: web is already back on 1.")
    assert "by tester" in report.sentence


@pytest.mark.edge(42)
def test_with_nothing_to_go_back_to_it_is_5() -> None:
    bench = a_bench()

    with pytest.raises(Blocked, match="nothing is retained") as blocked:
        rollback(bench.group, ASKED)

    assert blocked.value.exit_status == 5
    assert (bench.writes, bench.store.saved) == ([], [])


@pytest.mark.edge(42)
def test_a_rotation_in_flight_is_pre_empted_whichever_driver_has_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.seized_by("elsewhere/7")

    report = rollback(bench.group, ASKED)

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert bench.percent == {0}
    assert bench.fleet.state[GREEN].desired == 0


def test_a_driver_that_saves_at_the_same_moment_does_not_stop_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.is_outrun()

    assert rollback(bench.group, ASKED).outcome is Outcome.ROLLED_BACK


@pytest.mark.parametrize("broken", ["fleet", "router"])
def test_an_aws_that_is_slow_to_answer_is_asked_again(broken: str) -> None:
    bench = a_success()
    adapter = getattr(bench, broken)
    adapter.error = Throttled("slow down")
    bench.clock.when(timedelta(seconds=20), lambda: setattr(adapter, "error", None))

    assert rollback(bench.group, ASKED).exit_status == 0


def test_it_ignores_a_pause() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    pause(bench.group, "lunch")

    assert rollback(bench.group, ASKED).outcome is Outcome.ROLLED_BACK


@pytest.mark.edge(44)
def test_it_works_without_the_store_and_without_the_policy_after_a_success() -> None:
    bench = a_success()

    report = rollback(without_store(bench), ASKED)

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert bench.percent == {0}
    assert type(bench.router.shifts[0]).__name__ == "SetWeights"
    assert bench.fleet.state[BLUE].max == 12


@pytest.mark.edge(44)
def test_it_works_without_the_store_in_the_middle_of_a_rotation() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    report = rollback(without_store(bench), ASKED)

    assert report.outcome is Outcome.ROLLED_BACK
    assert (bench.percent, bench.fleet.state[GREEN].desired) == ({0}, 0)
    blue = bench.fleet.state[BLUE]
    assert (blue.min, blue.max) == (2, 12)


@pytest.mark.edge(43)
def test_a_cold_generation_grows_and_is_proved_before_it_gets_traffic() -> None:
    bench = a_success()
    bench.clock.at += timedelta(hours=2)
    tick(bench.group)
    assert bench.fleet.state[BLUE].desired == 0
    weight_then: list[set[int]] = []
    bench.fleet.before_write = lambda action: weight_then.append(bench.percent)

    assert rollback(bench.group, ASKED).outcome is Outcome.ROLLED_BACK
    assert weight_then[0] == {100}
    assert bench.fleet.state[BLUE].desired == 4


def test_now_never_sends_traffic_to_an_unhealthy_slot() -> None:
    bench = a_success()
    bench.router.all_sick_in = BLUE
    bench.clock.when(timedelta(minutes=3), lambda: setattr(bench.clock, "stopping", True))

    report = rollback(bench.group, replace(ASKED, now=True, wait=False))

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert bench.percent == {100}


def test_now_shifts_onto_a_generation_that_is_not_whole() -> None:
    bench = a_success()
    bench.router.sick = {i.id for i in bench.fleet.state[BLUE].instances[1:]}

    rollback(bench.group, replace(ASKED, now=True, wait=False))

    assert bench.percent == {0}


def test_a_damaged_generation_gets_no_traffic_without_now() -> None:
    bench = a_success()
    bench.router.sick = {i.id for i in bench.fleet.state[BLUE].instances[1:]}

    rollback(bench.group, replace(ASKED, wait=False))

    assert bench.percent == {100}


def test_only_the_old_generations_health_is_asked_where_that_is_enough() -> None:
    bench = a_success()
    bench.router.asked.clear()

    rollback(bench.group, replace(ASKED, wait=False))

    assert bench.router.asked[0] == frozenset({BLUE})
    assert bench.router.searches <= 2


@pytest.mark.edge(35)
def test_a_rule_that_was_added_since_is_taken_back_too() -> None:
    bench = a_success()
    bench.router.weights["arn:rule/new"] = {BLUE: 0, GREEN: 100}
    bench.router.sticky["arn:rule/new"] = 0

    rollback(bench.group, ASKED)

    assert bench.percent == {0}


def test_a_second_call_goes_on_with_the_way_back_and_takes_over() -> None:
    bench = a_success()
    rollback(bench.group, replace(ASKED, wait=False))
    bench.seized_by()

    report = rollback(bench.group, RollbackRequest(reason="again"))

    assert report.outcome is Outcome.ROLLED_BACK
    assert bench.rotation.reason == "INC-1"


def test_a_way_back_that_was_held_is_tried_again_by_the_next_call() -> None:
    bench = a_success()
    errors = [AccessDenied("no right to do that")]
    shift = bench.router.shift

    def refuse_once(*args: object) -> object:
        if errors:
            raise errors.pop()
        return shift(*args)  # type: ignore[arg-type]

    bench.router.shift = refuse_once  # type: ignore[assignment]

    assert rollback(bench.group, ASKED).outcome is Outcome.HELD
    assert rollback(bench.group, ASKED).outcome is Outcome.ROLLED_BACK


def test_abort_rolls_back_what_is_in_flight() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()

    report = abort(bench.group, None)

    assert (report.outcome, report.exit_status, bench.rotation.reason) == (Outcome.ROLLED_BACK, 0, "aborted")


@pytest.mark.parametrize("bench", [a_bench(), a_success()], ids=["never rotated", "at rest"])
def test_abort_with_nothing_in_flight_is_0_and_a_sentence(bench: Bench) -> None:
    report = abort(bench.group, None)

    assert (report.outcome, report.exit_status, bench.writes) == (Outcome.NONE, 0, [])
    assert report.sentence == "nothing to abort: no rotation of web is in flight"


def test_a_conflict_that_lasts_as_long_as_patience_is_reported() -> None:
    bench = a_success()

    def interfere(record: GroupRecord) -> None:
        bench.store.before_save = interfere
        bench.clock.at += timedelta(minutes=1)
        kept = bench.store.load("web")
        assert kept is not None
        bench.store.begin_with(replace(kept, version=kept.version + 1))

    bench.store.before_save = interfere

    with pytest.raises(StateConflict):
        rollback(bench.group, ASKED)
    assert bench.writes == []


@pytest.mark.edge(45)
def test_of_two_who_type_it_at_once_both_see_it_end() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    other = replace(bench.group, driver="phone/9")
    bench.clock.when(timedelta(seconds=5), lambda: rollback(other, RollbackRequest()))

    report = rollback(bench.group, ASKED)

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert bench.rotation.reason == "INC-1"


def test_a_record_that_another_store_has_outrun_is_left_out_and_the_tags_are_believed() -> None:
    bench = a_success()
    other = replace(bench.group, store=MemoryStore("memory:other"), driver="phone/9")
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))
    assert rotate(other, RotateRequest()).outcome is Outcome.SUCCEEDED
    assert bench.percent == {0}

    report = rollback(bench.group, ASKED)

    assert (report.outcome, bench.percent) == (Outcome.ROLLED_BACK, {100})


def test_an_address_that_does_not_answer_ends_a_rollback_at_once() -> None:
    bench = a_success()
    bench.fleet.fail_once = Unreachable("could not connect")
    began = bench.clock.now()

    with pytest.raises(Unreachable):
        rollback(bench.group, ASKED)

    assert bench.clock.now() == began
    assert bench.writes == []
