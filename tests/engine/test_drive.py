"""Ticks until nothing is due: how long the driver waits, what it survives, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.drive import PATIENCE, drive
from phoenix.engine.lease import claim
from phoenix.engine.report import Report, watch_nothing
from phoenix.errors import Interrupted, LeaseHeld, LeaseLost, Throttled
from tests.engine.builders import a_bench


def test_a_drive_ends_with_the_rotation_and_tells_after_each_tick() -> None:
    bench = a_bench()
    bench.baking()
    told: list[Report] = []

    report = drive(bench.group, claim(bench.group), told.append)

    assert report.outcome is Outcome.SUCCEEDED
    assert told[-1] == report
    assert {r.lease.owner for r in told if r.lease} == {"here/1"}


def test_a_drive_polls_while_aws_is_busy_and_less_often_in_a_quiet_bake() -> None:
    bench = a_bench()
    bench.fleet.boots = False
    bench.clock.when(timedelta(minutes=1), bench.fleet.settle)

    bench.rotated()

    assert bench.clock.slept[0] == bench.group.poll_seconds
    assert max(bench.clock.slept) == 2 * bench.group.poll_seconds


@pytest.mark.edge(51)
def test_a_driver_never_sleeps_beyond_the_next_known_event() -> None:
    bench = a_bench(poll_seconds=1000.0)

    bench.rotated()

    growing, settling, baking = bench.clock.slept
    assert (growing, settling, settling + baking) == (1000, 60, 300)


def test_the_lease_is_renewed_with_each_tick() -> None:
    bench = a_bench()
    leases: list[object] = []

    def watch(report: Report) -> None:
        leases.append(report.lease and report.lease.until - report.at)

    bench.baking()
    drive(bench.group, claim(bench.group), watch)

    assert set(leases) == {timedelta(seconds=60)}


def test_a_transient_error_is_the_next_ticks_business() -> None:
    bench = a_bench()
    bench.baking()
    bench.fleet.fail_once = Throttled("slow down")

    assert drive(bench.group, claim(bench.group), watch_nothing).outcome is Outcome.SUCCEEDED


def test_nothing_but_transient_errors_end_the_drive_in_the_end_and_leave_the_rotation() -> None:
    bench = a_bench()
    bench.baking()
    began = bench.clock.now()
    bench.fleet.error = Throttled("slow down")

    with pytest.raises(Throttled):
        drive(bench.group, claim(bench.group), watch_nothing)

    assert bench.clock.now() - began >= PATIENCE
    assert bench.rotation.in_flight


def test_a_conflict_is_tried_again_without_a_wait() -> None:
    bench = a_bench()
    bench.baking()
    bench.is_outrun()
    slept = len(bench.clock.slept)

    calls: list[int] = []
    drive(bench.group, claim(bench.group), lambda report: calls.append(len(bench.clock.slept)))

    assert calls[0] == slept


def test_a_conflict_that_never_ends_ends_the_drive_when_it_is_told_to_stop() -> None:
    bench = a_bench()
    bench.baking()
    bench.clock.stopping = True
    bench.is_outrun()

    with pytest.raises(Interrupted):
        drive(bench.group, claim(bench.group), watch_nothing)


def test_a_signal_ends_between_two_ticks_and_says_how_to_go_on() -> None:
    bench = a_bench()
    bench.baking()
    bench.clock.when(timedelta(minutes=2), lambda: setattr(bench.clock, "stopping", True))

    with pytest.raises(Interrupted, match="baking at 100 %") as stopped:
        drive(bench.group, claim(bench.group), watch_nothing)

    assert stopped.value.exit_status == 130
    assert "phoenix rotate --group web" in (stopped.value.hint or "")
    assert bench.rotation.in_flight


@pytest.mark.edge(45)
def test_a_driver_whose_lease_was_taken_stops_without_another_write() -> None:
    bench = a_bench()
    bench.baking()
    bench.forget_writes()
    bench.clock.when(timedelta(minutes=1), bench.seized_by)

    with pytest.raises(LeaseLost, match="elsewhere/7"):
        drive(bench.group, claim(bench.group), watch_nothing)

    assert bench.writes == []


def test_a_driver_that_was_superseded_by_a_drive_that_is_over_does_not_keep_the_lease() -> None:
    bench = a_bench()
    bench.baking()
    lease = claim(bench.group)
    bench.clock.when(timedelta(minutes=1), lambda: bench.store.release(bench.seized_by()))

    with pytest.raises(LeaseLost):
        drive(bench.group, lease, watch_nothing)
    bench.store.release(lease)

    assert bench.store.lease_of("web") is None
    assert bench.store.due(bench.clock.now() + timedelta(minutes=2)) == ["web"]


def test_a_record_that_is_gone_ends_the_drive() -> None:
    bench = a_bench()

    with pytest.raises(LeaseLost):
        drive(bench.group, claim(bench.group), watch_nothing)


def test_a_held_rotation_is_not_waited_for() -> None:
    bench = a_bench()
    bench.baking()
    bench.send(70)

    report = drive(bench.group, claim(bench.group), watch_nothing)

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)


def test_a_lease_that_another_driver_has_cannot_be_claimed_but_taken() -> None:
    bench = a_bench()
    bench.seized_by()

    with pytest.raises(LeaseHeld) as held:
        claim(bench.group)
    assert held.value.exit_status == 4
    assert claim(bench.group, force=True).owner == "here/1"
