"""Several people and schedules at one group: leases, and what an operator may say while a rotation is in flight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.engine.control import pause, promote, release_image, resume, retry
from phoenix.engine.report import NotStarted, Report, Watch
from phoenix.engine.request import RotateRequest
from phoenix.engine.rollback import abort
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, Interrupted, LeaseHeld
from tests.rotation.conftest import Opener
from tests.rotation.stage import LEASE_SECONDS, NEW_NAME, OLD_NAME, Stage, a_policy

SLOW = {"kind": "canary", "steps": [{"weight": 20, "bake": "10m"}], "bake": "10m"}
MANUAL = {"kind": "canary", "steps": [{"weight": 20, "bake": "until_promoted"}], "bake": "30s"}


def once(words: str, act: Callable[[], object]) -> Watch:
    """A watch that acts once, when the driver first says these words."""
    done: list[object] = []

    def watch(report: Report) -> None:
        if words in report.sentence and not done:
            done.append(True)
            act()

    return watch


@pytest.fixture
def baking(open_stage: Opener) -> Stage:
    """A canary that rests on its first step, driven by ticks."""
    stage = open_stage(policy=a_policy(strategy=SLOW))
    stage.tick_until(lambda report: "baking at 20 %" in report.sentence)
    stage.mark()
    return stage


def test_nothing_due_makes_no_mutating_call(stage: Stage) -> None:
    stage.rotate()
    stage.mark()

    report = stage.rotate()

    assert stage.writes() == []
    assert (report.outcome, report.exit_status) == (Outcome.NONE, 0)
    assert report.sentence.startswith("Nothing to do: web is on generation 2")


def test_a_group_that_another_driver_has_is_left_to_it(stage: Stage) -> None:
    stage.rotate(wait=False)
    stage.group.store.claim("web", "elsewhere/77", stage.clock.now(), timedelta(seconds=LEASE_SECONDS))
    stage.mark()

    with pytest.raises(LeaseHeld, match="elsewhere/77") as held:
        stage.rotate()

    assert (held.value.exit_status, stage.writes(), stage.tick().exit_status) == (4, [], 0)


def test_a_lease_that_has_run_out_is_taken_over(stage: Stage) -> None:
    stage.rotate(wait=False)
    stage.group.store.claim("web", "elsewhere/77", stage.clock.now(), timedelta(seconds=LEASE_SECONDS))
    stage.clock.advance(LEASE_SECONDS + 1)

    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_ticks_of_another_driver_in_between_change_nothing(stage: Stage) -> None:
    other = stage.driver("there/2")
    reports: list[Report] = []

    report = stage.rotate(watch=lambda _: reports.append(tick(other)))

    assert (report.outcome, {each.exit_status for each in reports}) == (Outcome.SUCCEEDED, {0})
    assert len(stage.versions()) == 2
    assert stage.writes().count("UpdateAutoScalingGroup") == 4


def test_no_wait_leaves_the_rest_to_any_later_tick(stage: Stage) -> None:
    report = stage.rotate(wait=False)

    stage.tick_until(lambda _: stage.record.in_flight is None)

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert stage.rotation.outcome is Outcome.SUCCEEDED


def test_another_image_has_to_wait_for_the_one_in_flight(baking: Stage) -> None:
    newer = baking.box.bake_image("web-2026.11.19-77d0aa")

    with pytest.raises(Blocked, match="is being rotated to"):
        baking.rotate(image=newer)

    assert baking.writes() == []


def test_an_image_that_appears_in_the_middle_waits_for_the_next_rotation(baking: Stage) -> None:
    baking.box.bake_image("web-2026.11.19-77d0aa")

    report = baking.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert baking.images("green") == {NEW_NAME: 4}


def test_an_interrupted_driver_stops_between_two_ticks_and_says_how_to_go_on(stage: Stage) -> None:
    with pytest.raises(Interrupted, match="stays where it is") as stopped:
        stage.rotate(once("baking", stage.clock.stop))

    assert stopped.value.exit_status == 130
    assert "phoenix rotate --group web" in (stopped.value.hint or "")
    assert stage.record.in_flight is not None
    assert stage.group.store.lease_of("web") is None


# --- pause, resume, promote -------------------------------------------------------------------------------------------


def test_a_paused_rotation_stands_still_however_long_it_takes(baking: Stage) -> None:
    pause(baking.group, "looking at a graph")

    for _ in range(10):
        baking.clock.advance(1800)
        baking.tick()

    assert (baking.writes(), baking.share("green")) == ([], (0.2, 0.2))
    assert "paused by ann" in (baking.rotation.waiting_for or "")


def test_resume_goes_on_with_what_was_left_of_the_bake(baking: Stage) -> None:
    baking.clock.advance(300)
    baking.tick()
    pause(baking.group, None)
    baking.clock.advance(4 * 3600)

    resume(baking.group)
    baking.clock.advance(200)
    baking.tick()

    assert baking.share("green") == (0.2, 0.2)
    assert baking.rotate().outcome is Outcome.SUCCEEDED


def test_a_paused_rotation_still_goes_back_when_a_gate_fails(open_stage: Opener) -> None:
    alarms = [{"kind": "alarm", "alarms": ["web-5xx"]}]
    stage = open_stage(policy=a_policy(strategy=SLOW, gates=alarms))
    stage.tick_until(lambda report: "baking at 20 %" in report.sentence)
    pause(stage.group, None)
    stage.box.set_alarm("web-5xx", "ALARM")

    stage.tick_until(lambda _: stage.record.in_flight is None)

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert stage.share("blue") == (1.0, 1.0)


def test_a_paused_group_starts_nothing(stage: Stage) -> None:
    pause(stage.group, "peak")

    with pytest.raises(NotStarted, match="paused") as refused:
        stage.rotate()

    assert (stage.tick().exit_status, refused.value.exit_status, stage.writes()) == (0, 5, [])
    resume(stage.group)
    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_a_manual_bake_waits_for_days_and_ends_when_it_is_promoted(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=MANUAL))
    stage.tick_until(lambda report: "until promoted" in report.sentence)
    for _ in range(5):
        stage.clock.advance(86400)
        stage.tick()

    promote(stage.group)

    assert stage.rotate().outcome is Outcome.SUCCEEDED
    assert stage.images("green") == {NEW_NAME: 4}


def test_promote_skips_the_bake_but_not_its_gates(baking: Stage) -> None:
    for each in baking.instances("green"):
        baking.box.make_unhealthy(each["InstanceId"])
    baking.clock.advance(12)

    promote(baking.group)
    baking.tick_until(lambda _: baking.record.in_flight is None)

    assert baking.rotation.outcome is Outcome.ROLLED_BACK
    assert baking.share("blue") == (1.0, 1.0)


def test_promoting_to_the_end_skips_every_bake(baking: Stage) -> None:
    before = baking.clock.now()

    promote(baking.group, full=True)
    report = baking.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert report.at - before < timedelta(minutes=5)


def test_an_operator_may_pause_while_a_driver_saves(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=SLOW))
    other = stage.driver("there/2", "bob")

    def hesitate() -> None:
        pause(other, None)
        stage.clock.advance(7200)
        resume(other)

    report = stage.rotate(once("baking", hesitate))

    assert report.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("act", [resume, promote, lambda group: abort(group, None)])
def test_with_nothing_to_act_on_there_is_a_sentence_and_no_error(stage: Stage, act: Callable[..., Report]) -> None:
    stage.rotate()
    stage.mark()

    report = act(stage.group)

    assert (report.exit_status, stage.writes()) == (0, [])
    assert report.sentence.startswith("nothing to")


# --- abort, retry -----------------------------------------------------------------------------------------------------


def test_abort_brings_the_old_generation_back(baking: Stage) -> None:
    report = abort(baking.group, "wrong day")
    baking.clock.advance(120)

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert baking.share("blue") == (1.0, 1.0)
    assert baking.images("blue") == {OLD_NAME: 4}
    assert [(q.cause, q.reason) for q in baking.record.quarantine] == [(Cause.OPERATOR, "wrong day")]


def test_a_driver_whose_rotation_is_aborted_ends_with_exit_status_three(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy=SLOW))
    other = stage.driver("there/2", "bob")

    report = stage.rotate(once("baking", lambda: abort(other, "wrong day")))

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)


def test_retry_goes_to_the_quarantined_image_once_more_and_frees_it(baking: Stage) -> None:
    abort(baking.group, "wrong day")

    report = retry(baking.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert baking.images("green") == {NEW_NAME: 4}
    assert baking.record.quarantine == ()


def test_a_released_image_may_be_rotated_to_again(baking: Stage) -> None:
    abort(baking.group, "wrong day")

    release_image(baking.group, baking.rotation.new.image)

    assert baking.rotate().outcome is Outcome.SUCCEEDED


# --- strangers --------------------------------------------------------------------------------------------------------


def test_weights_that_another_writer_has_changed_hold_the_rotation(baking: Stage) -> None:
    baking.shift_by_hand("green", 35)

    report = baking.rotate()

    assert (report.outcome, report.exit_status, baking.writes()) == (Outcome.HELD, 1, [])
    assert "sends 35 % to generation 2, not 20 %" in report.sentence


def test_resume_accepts_the_weights_that_a_stranger_has_set(baking: Stage) -> None:
    baking.shift_by_hand("green", 35)
    baking.rotate()

    resume(baking.group)

    assert baking.rotate().outcome is Outcome.SUCCEEDED
    assert baking.share("green") == (1.0, 1.0)


def test_weight_on_an_empty_slot_is_put_back_at_once(stage: Stage) -> None:
    stage.rotate(wait=False)
    stage.shift_by_hand("green", 100)

    stage.tick()
    stage.clock.advance(6)

    assert stage.share("blue") == (1.0, 1.0)
    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_a_rotation_held_by_a_right_that_is_missing_goes_on_after_resume(stage: Stage) -> None:
    other = stage.driver("there/2", "bob")
    stage.rotate(wait=False)
    stage.deny("SuspendProcesses", "ModifyListener")

    held = rotate(other, RotateRequest())
    stage.box.stop_intercepting()
    resume(other)

    assert (held.outcome, held.exit_status) == (Outcome.HELD, 1)
    assert rotate(other, RotateRequest()).outcome is Outcome.SUCCEEDED
