"""What an operator may say while a rotation is in flight; each says a sentence and ends with 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.model import Cause, Judgement, OnFailure, Outcome
from phoenix.core.terms import Step
from phoenix.engine.control import pause, promote, release_image, resume, retry, retry_image
from phoenix.engine.group import Group
from phoenix.engine.report import NotStarted, Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, LostRecord, StateConflict
from tests.builders import changed
from tests.engine.builders import CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE
from tests.fakes_store import MemoryStore

HOUR = timedelta(hours=1)
MANUAL = (Step(100, 100, 5, None), *CANARY[1:])
SAY: dict[str, Callable[[Group], Report]] = {"resume": resume, "promote": promote}


def a_canary(steps: tuple[Step, ...] = CANARY) -> Bench:
    """A minute into the first bake, without a driver."""
    bench = a_bench(terms={"steps": steps})
    bench.baking()
    return bench


def a_setback() -> Bench:
    """The newer image was bad, and was rolled back from."""
    bench = a_bench()
    bench.gate.judgement, bench.gate.reason = Judgement.FAIL, "no answer"
    assert rotate(bench.group, RotateRequest()).exit_status == 3
    bench.gate.judgement = Judgement.PASS
    bench.forget_writes()
    return bench


# --- pause and resume -------------------------------------------------------------------------------------------------


@pytest.mark.edge(51)
def test_a_pause_stops_steps_and_clocks_until_it_is_resumed() -> None:
    bench = a_canary()
    deadline, baking = bench.rotation.deadline, bench.rotation.clocks.baking_since
    assert baking is not None
    pause(bench.group, "lunch")
    bench.clock.at += 3 * HOUR

    tick(bench.group)
    assert (bench.rotation.step, bench.percent) == (1, {5})

    resume(bench.group)
    assert bench.rotation.deadline == deadline + 3 * HOUR
    assert bench.rotation.clocks.baking_since == baking + 3 * HOUR
    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_a_failing_gate_rolls_back_even_while_paused() -> None:
    bench = a_canary()
    pause(bench.group, "lunch")
    bench.gate.judgement = Judgement.FAIL

    tick(bench.group)

    assert bench.rotation.back is not None
    assert bench.percent == {0}


def test_a_paused_group_starts_nothing_and_says_by_whom() -> None:
    bench = a_bench()
    pause(bench.group, "lunch")

    with pytest.raises(NotStarted) as blocked:
        rotate(bench.group, RotateRequest())

    assert blocked.value.exit_status == 5
    assert [b.name for b in blocked.value.plan.in_the_way] == ["paused"]
    resume(bench.group)
    assert bench.rotated().outcome is Outcome.SUCCEEDED


def test_pausing_twice_keeps_the_first_and_says_so() -> None:
    bench = a_canary()
    pause(bench.group, "lunch")
    since = bench.record.paused
    bench.clock.at += HOUR

    report = pause(bench.group, "again")

    assert bench.record.paused == since
    assert report.sentence == "web is paused already, by tester since 12:01:05"


def test_a_way_back_is_never_paused() -> None:
    bench = a_canary()
    rollback(bench.group, RollbackRequest(wait=False))

    report = pause(bench.group, "lunch")

    assert (bench.record.paused, report.sentence) == (None, "web is being rolled back; that is never paused")


@pytest.mark.parametrize("say", SAY.values(), ids=list(SAY))
def test_with_nothing_to_act_on_it_is_0_and_a_sentence_and_no_write(say: Callable[[Group], Report]) -> None:
    bench = a_bench()

    report = say(bench.group)

    assert (report.exit_status, report.outcome) == (0, Outcome.NONE)
    assert report.sentence.startswith("nothing to")
    assert (bench.store.saved, bench.writes) == ([], [])


@pytest.mark.edge(48)
def test_after_a_hold_the_strangers_weight_counts_as_seen_and_the_steps_own_is_set_again() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)
    assert bench.rotation.outcome is Outcome.HELD

    report = resume(bench.group)
    assert (report.outcome, bench.rotation.weight) == (Outcome.IN_PROGRESS, 70)

    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED
    assert [s.percent for s in bench.router.shifts] == [5, 5, 100]


def test_a_hold_does_not_run_into_the_deadline() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)
    bench.clock.at += 9 * HOUR

    resume(bench.group)

    assert bench.rotation.deadline > bench.clock.now()
    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_resuming_a_way_back_does_not_forget_why_it_goes_back() -> None:
    bench = a_canary()
    rollback(bench.group, RollbackRequest(wait=False))
    assert bench.rotation.back is not None
    back = replace(bench.rotation.back, cause=Cause.ENVIRONMENT)
    going = changed(bench.rotation, back=back, held="no right to do that")
    bench.store.save(replace(bench.record, rotation=going))

    resume(bench.group)

    assert (bench.rotation.held, bench.rotation.cause) == (None, Cause.ENVIRONMENT)


def test_resuming_what_a_gate_has_paused_asks_the_gate_again() -> None:
    bench = a_bench(terms={"steps": CANARY, "on_failure": OnFailure.PAUSE})
    bench.baking()
    bench.gate.judgement = Judgement.FAIL
    tick(bench.group)
    assert bench.rotation.held is not None

    resume(bench.group)
    tick(bench.group)
    assert bench.rotation.held is not None
    bench.gate.judgement = Judgement.PASS
    resume(bench.group)
    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


# --- promote ----------------------------------------------------------------------------------------------------------


def test_promote_skips_this_bake_only() -> None:
    bench = a_canary()

    report = promote(bench.group)
    tick(bench.group)

    assert report.sentence == "the bake of step 1 is skipped; gates still count"
    assert (bench.rotation.step, bench.percent, bench.rotation.clocks.promoted) == (2, {100}, None)


def test_promote_does_not_skip_the_gates() -> None:
    bench = a_canary()
    bench.gate.judgement, bench.gate.reason = Judgement.WAIT, "no data yet"

    promote(bench.group)
    tick(bench.group)

    assert (bench.rotation.step, bench.percent) == (1, {5})


def test_promote_also_ends_a_pause() -> None:
    bench = a_canary()
    pause(bench.group, "lunch")

    promote(bench.group)
    tick(bench.group)

    assert (bench.record.paused, bench.rotation.step) == (None, 2)


def test_promoting_in_full_skips_every_bake_that_is_left_but_the_data_plane_still_settles() -> None:
    bench = a_canary()
    began = bench.clock.now()

    promote(bench.group, full=True)
    rotate(bench.group, RotateRequest())

    assert bench.rotation.outcome is Outcome.SUCCEEDED
    assert timedelta(minutes=1) <= bench.clock.now() - began < timedelta(minutes=2)


def test_a_manual_bake_waits_beyond_the_deadline_and_what_follows_has_its_time() -> None:
    bench = a_canary(MANUAL)
    bench.clock.at += 24 * HOUR
    tick(bench.group)
    assert bench.rotation.step == 1

    promote(bench.group)

    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_what_is_held_has_to_be_resumed_before_it_can_be_promoted() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)

    assert promote(bench.group).sentence.endswith("resume it first")
    assert bench.rotation.clocks.promoted is None


def test_a_rotation_whose_record_is_lost_cannot_be_paused() -> None:
    bench = a_canary()
    forgetful = replace(bench.group, store=MemoryStore(bench.store.location))

    with pytest.raises(LostRecord):
        pause(forgetful, "lunch")


def test_where_nothing_bakes_there_is_nothing_to_promote() -> None:
    bench = a_bench()
    bench.fleet.boots = False
    tick(bench.group)

    assert promote(bench.group).sentence.startswith("nothing to promote: step 1 of 1")
    assert bench.rotation.clocks.promoted is None


# --- conflicts --------------------------------------------------------------------------------------------------------


def test_a_driver_that_saves_at_the_same_moment_does_not_lose_the_operators_word() -> None:
    bench = a_canary()
    bench.is_outrun(account="1")

    pause(bench.group, "lunch")

    assert bench.record.paused is not None
    assert bench.record.account == "1"


def test_a_store_that_never_lets_one_through_is_reported() -> None:
    bench = a_canary()

    def interfere(record: object) -> None:
        bench.store.begin_with(replace(bench.record, version=bench.record.version + 1))
        bench.store.before_save = interfere

    bench.store.before_save = interfere

    with pytest.raises(StateConflict):
        pause(bench.group, "lunch")


# --- quarantine and retry ---------------------------------------------------------------------------------------------


@pytest.mark.edge(28)
def test_a_bad_image_is_5_by_name_and_by_choice_until_it_is_released() -> None:
    bench = a_setback()
    for request in (RotateRequest(), RotateRequest(image=NEW_IMAGE)):
        with pytest.raises(NotStarted, match="quarantine"):
            rotate(bench.group, request)

    assert "may be used" in release_image(bench.group, NEW_IMAGE).sentence
    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_releasing_what_is_not_quarantined_changes_nothing() -> None:
    bench = a_bench()

    assert release_image(bench.group, NEW_IMAGE).sentence == f"{NEW_IMAGE} is not quarantined for web"
    assert bench.store.saved == []


def test_retry_goes_to_the_same_image_once_more_and_a_success_ends_its_quarantine() -> None:
    bench = a_setback()

    report = retry(bench.group, RotateRequest())

    assert report.outcome is Outcome.SUCCEEDED
    assert bench.record.quarantine == ()
    assert bench.rotation.new.number == 3


def test_a_retry_that_fails_again_keeps_the_quarantine() -> None:
    bench = a_setback()
    bench.gate.judgement = Judgement.FAIL

    assert retry(bench.group, RotateRequest()).exit_status == 3
    assert [q.image for q in bench.record.quarantine] == [NEW_IMAGE]


def test_retry_needs_a_rotation_that_was_rolled_back() -> None:
    fresh, running = a_bench(), a_canary()

    for group in (fresh.group, running.group):
        with pytest.raises(Blocked) as blocked:
            retry_image(group)
        assert blocked.value.exit_status == 5


def test_what_ran_out_of_time_and_was_held_gets_that_time_again_when_it_is_resumed() -> None:
    bench = a_bench(terms={"on_failure": OnFailure.PAUSE})
    bench.router.all_sick_in = GREEN
    rotate(bench.group, RotateRequest())
    assert bench.rotation.held is not None

    resume(bench.group)
    bench.router.all_sick_in = None

    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED
