"""`rotate`: start what is due and drive it, or go on with what is in flight."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.model import Cause, Judgement, Outcome, Phase
from phoenix.core.terms import Capacity
from phoenix.engine.report import NotStarted
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.errors import Blocked, LeaseHeld, LeaseLost, StateConflict, Throttled
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import NEW_IMAGE, OLD_IMAGE, FakeImages, an_image


def a_bench_on_the_newest_image() -> Bench:
    return a_bench(images=FakeImages(an_image(OLD_IMAGE)))


@pytest.mark.edge(40)
def test_a_rotation_grows_shifts_and_cleans_up_and_ends_with_0() -> None:
    bench = a_bench()

    report = bench.rotated()

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert bench.percent == {100}
    green = bench.fleet.state[GREEN]
    assert (green.min, green.max, green.desired) == (2, 12, 4)
    assert bench.record.live is not None
    assert bench.record.live.image == NEW_IMAGE
    assert bench.store.lease_of("web") is None


@pytest.mark.edge(24)
def test_with_nothing_due_it_is_0_and_outcome_none_and_no_write() -> None:
    bench = a_bench_on_the_newest_image()

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.NONE, 0)
    assert report.sentence.startswith("Nothing to do: web is on generation 1")
    assert (bench.writes, bench.store.saved, bench.store.lease_of("web")) == ([], [], None)


@pytest.mark.edge(24)
def test_a_second_rotate_finds_nothing_to_do() -> None:
    bench = a_bench()
    bench.rotated()
    bench.forget_writes()

    assert bench.rotated().outcome is Outcome.NONE
    assert bench.writes == []


def test_a_blocker_is_5_names_itself_and_nothing_was_changed() -> None:
    bench = a_bench()
    bench.fleet.blockers.append(Blocker("instance-refresh", "web-blue", "One is running."))

    with pytest.raises(NotStarted, match="instance-refresh") as blocked:
        rotate(bench.group, RotateRequest())

    assert blocked.value.exit_status == 5
    assert (bench.writes, bench.store.saved, bench.store.lease_of("web")) == ([], [], None)


def test_a_warning_does_not_stand_in_the_way() -> None:
    bench = a_bench()
    bench.fleet.blockers.append(Blocker("drift", "web-blue", "IaC will undo this.", warning=True))

    assert bench.rotated().outcome is Outcome.SUCCEEDED


@pytest.mark.edge(45)
def test_a_group_that_another_driver_has_is_4_and_says_which_and_since_when() -> None:
    bench = a_bench()
    bench.seized_by("elsewhere/7")

    with pytest.raises(LeaseHeld, match=r"elsewhere/7 since 2026-11-18 12:00:00") as held:
        rotate(bench.group, RotateRequest())

    assert held.value.exit_status == 4
    assert bench.store.saved == []


@pytest.mark.edge(45)
def test_of_two_that_start_at_once_the_one_that_saves_second_changes_nothing() -> None:
    bench, other = a_bench(), a_bench()
    other.rotated()
    bench.store.before_save = lambda record: bench.store.begin_with(other.record)

    with pytest.raises(StateConflict):
        rotate(bench.group, RotateRequest())

    assert bench.writes == []


@pytest.mark.edge(46)
@pytest.mark.edge(47)
def test_one_in_flight_without_a_driver_is_gone_on_with_to_the_same_end() -> None:
    bench, undisturbed = a_bench(), a_bench()
    bench.baking()
    undisturbed.rotated()

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert sorted(bench.writes) == sorted(undisturbed.writes)
    assert bench.writes.count("MakeTemplateVersion") == 1


@pytest.mark.edge(27)
def test_one_in_flight_to_another_image_than_asked_for_is_5() -> None:
    bench = a_bench()
    bench.baking()

    with pytest.raises(Blocked, match="not to ami-else") as blocked:
        rotate(bench.group, RotateRequest(image="ami-else"))

    assert blocked.value.exit_status == 5
    assert rotate(bench.group, RotateRequest(image=NEW_IMAGE)).outcome is Outcome.SUCCEEDED


@pytest.mark.edge(27)
def test_an_image_that_appears_meanwhile_waits_for_the_next_rotation() -> None:
    bench = a_bench()
    bench.baking()
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))

    assert rotate(bench.group, RotateRequest()).record.live.image == NEW_IMAGE  # type: ignore[union-attr]


def test_one_in_flight_that_another_driver_has_is_4() -> None:
    bench = a_bench()
    bench.baking()
    bench.seized_by()

    with pytest.raises(LeaseHeld):
        rotate(bench.group, RotateRequest())


def test_a_failed_rotation_ends_with_the_old_generation_back_and_3() -> None:
    bench = a_bench()
    bench.router.all_sick_in = GREEN

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert bench.rotation.cause is Cause.IMAGE
    assert bench.percent == {0}
    assert [(shift.percent, bool(shift.unrefer)) for shift in bench.router.shifts] == [(0, True)]


@pytest.mark.edge(42)
def test_a_rotation_that_a_rollback_pre_empts_ends_with_3_and_says_who_did_it() -> None:
    bench = a_bench(terms={"steps": CANARY})
    other = replace(bench.group, driver="phone/9", by="oncall")
    bench.clock.when(timedelta(minutes=2), lambda: rollback(other, RollbackRequest(wait=False)))

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert report.sentence == "pre-empted: oncall is rolling back to generation 1"


def test_a_lease_that_was_lost_to_no_rollback_is_4() -> None:
    bench = a_bench()
    bench.clock.when(timedelta(minutes=1), bench.seized_by)

    with pytest.raises(LeaseLost) as lost:
        rotate(bench.group, RotateRequest())

    assert lost.value.exit_status == 4


def test_weights_that_another_writer_changed_are_1_and_say_what_changed() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.clock.when(timedelta(minutes=2), lambda: bench.send(70))

    report = rotate(bench.group, RotateRequest())

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert "sends 70 %" in report.sentence
    assert "resume" in report.sentence


@pytest.mark.edge(31)
def test_weights_that_change_between_the_look_and_the_write_are_not_overwritten() -> None:
    bench = a_bench()
    searched = bench.router.find

    def find(target_groups: object) -> object:
        if bench.writes:
            bench.send(30)
        return searched(target_groups)  # type: ignore[arg-type]

    bench.router.find = find  # type: ignore[method-assign]

    assert rotate(bench.group, RotateRequest()).outcome is Outcome.HELD
    assert bench.percent == {30}


def test_without_waiting_it_is_one_tick_0_and_in_progress() -> None:
    bench = a_bench()

    report = rotate(bench.group, RotateRequest(wait=False))

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert bench.clock.slept == []
    assert bench.rotation.phase is not Phase.DONE
    assert bench.store.lease_of("web") is None


def test_a_throttled_first_tick_does_not_end_the_command() -> None:
    bench = a_bench()
    standard = bench.fleet.before_write
    failures = [Throttled("slow down")]

    def once(action: object) -> None:
        if failures:
            raise failures.pop()
        standard(action)

    bench.fleet.before_write = once

    assert rotate(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_the_stickiness_that_was_suspended_is_back_at_the_end() -> None:
    bench = a_bench(terms={"suspend_stickiness": True})
    bench.router.sticky["arn:rule/443"] = 3600

    bench.rotated()

    assert bench.router.sticky == {"arn:rule/443": 3600, "arn:rule/api": 0}


@pytest.mark.edge(3)
def test_the_policys_numbers_count_before_those_that_are_found() -> None:
    bench = a_bench(terms={"capacity": Capacity(3, 30)})

    bench.rotated()

    assert (bench.fleet.state[GREEN].min, bench.fleet.state[GREEN].max) == (3, 30)


@pytest.mark.edge(52)
def test_a_gate_that_never_decides_ends_at_the_deadline_and_does_not_blame_the_image() -> None:
    bench = a_bench(terms={"rotation_timeout": timedelta(minutes=10), "launch_timeout": timedelta(minutes=15)})
    bench.gate.judgement, bench.gate.reason = Judgement.WAIT, "no data yet"

    report = rotate(bench.group, RotateRequest())

    assert (report.exit_status, bench.rotation.cause) == (3, Cause.ENVIRONMENT)
    assert bench.record.quarantine == ()
    assert bench.fleet.state[BLUE].desired == 4


def test_why_something_was_ignored_is_kept_for_the_next_person() -> None:
    bench = a_bench()

    rotate(bench.group, RotateRequest(ignore=frozenset({"window"}), reason="hotfix 123"))

    assert bench.rotation.origin.trigger.endswith('; ignoring window: "hotfix 123"')
