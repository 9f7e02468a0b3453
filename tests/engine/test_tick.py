"""`tick`: one pass for cron; silent when there is nothing to say, and never in a hurry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.blocker import Blocker
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Cause, Outcome
from phoenix.core.record import Setback
from phoenix.core.terms import Step
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Window
from phoenix.engine.control import pause
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import advance, tick
from phoenix.errors import Throttled
from tests.builders import NOON
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.fakes import BAKED_AT, OLD_IMAGE, FakeImages, an_image

HOUR = timedelta(hours=1)


def at_rest() -> Bench:
    """Generation 2 is live, and nothing is due."""
    bench = a_bench()
    bench.rotated()
    bench.forget_writes()
    return bench


def until_done(bench: Bench) -> int:
    """Cron, once a minute; returns how many passes it took."""
    for passes in range(1, 100):
        tick(bench.group)
        if not bench.rotation.in_flight:
            return passes
        bench.clock.at += timedelta(minutes=1)
    raise AssertionError("never ended")


def test_it_starts_what_is_due_and_later_passes_bring_it_to_its_end() -> None:
    bench = a_bench()

    report = tick(bench.group)
    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)

    assert until_done(bench) >= 5
    assert bench.rotation.outcome is Outcome.SUCCEEDED
    assert bench.store.lease_of("web") is None


def test_it_never_sleeps() -> None:
    bench = a_bench()

    tick(bench.group)

    assert bench.clock.slept == []


@pytest.mark.parametrize("bench", [at_rest(), a_bench(images=FakeImages(an_image(OLD_IMAGE)))], ids=["rotated", "new"])
def test_it_is_silent_and_writes_nothing_when_nothing_is_due(bench: Bench) -> None:
    report = tick(bench.group)

    assert (report.sentence, report.outcome, report.exit_status) == ("", Outcome.NONE, 0)
    assert bench.writes == []


def test_the_pass_in_which_a_rotation_ends_says_so() -> None:
    bench = a_bench()
    bench.baking()
    bench.clock.at += HOUR

    report = tick(bench.group)

    assert (report.outcome, report.sentence) == (
        Outcome.SUCCEEDED,
        "generation 2 has all traffic; nothing temporary is left",
    )


@pytest.mark.edge(45)
def test_a_group_that_another_driver_has_is_busy_and_0() -> None:
    bench = a_bench()
    bench.baking()
    bench.seized_by()
    bench.forget_writes()

    report = tick(bench.group)

    assert (report.exit_status, bench.writes) == (0, [])
    assert report.sentence.startswith("busy: web is being driven by elsewhere/7")


def test_a_rotation_that_was_rolled_back_is_0_for_cron() -> None:
    bench = a_bench()
    bench.router.all_sick_in = GREEN
    tick(bench.group)

    until_done(bench)

    assert bench.rotation.outcome is Outcome.ROLLED_BACK
    assert tick(bench.group).exit_status == 0


def test_a_blocker_that_a_person_must_mend_is_said_and_one_that_is_meant_is_not() -> None:
    bench = a_bench()
    bench.fleet.blockers.append(Blocker("instance-refresh", "web-blue", "One is running."))
    assert tick(bench.group).sentence.endswith("blocked by instance-refresh")

    closed = a_bench(calendar=Calendar((Window("0 2 * * *", HOUR),)))
    assert (tick(closed.group).sentence, closed.writes, closed.store.saved) == ("", [], [])


@pytest.mark.parametrize(("bake", "starts"), [(timedelta(minutes=50), True), (timedelta(minutes=59), False)])
def test_it_starts_only_what_can_end_before_the_window_closes(bake: timedelta, starts: bool) -> None:
    opened = Calendar((Window("0 12 * * *", HOUR),))
    bench = a_bench(calendar=opened, terms={"steps": (Step(100, 100, 100, bake),)})

    tick(bench.group)

    assert bool(bench.store.saved) is starts
    if not starts:
        assert rotate(bench.group, RotateRequest(wait=False)).outcome is Outcome.IN_PROGRESS


def test_what_is_in_flight_goes_on_in_a_closed_window() -> None:
    bench = a_bench(calendar=Calendar((Window("0 12 * * *", timedelta(minutes=10)),)))
    tick(bench.group)
    bench.clock.at = NOON + HOUR

    until_done(bench)
    assert bench.rotation.outcome is Outcome.SUCCEEDED


@pytest.mark.edge(28)
def test_what_the_environment_prevented_is_tried_again_after_an_hour_and_by_hand_at_once() -> None:
    bench = a_bench()
    bench.fleet.failure = LaunchFailure(NOON + HOUR, permanent=True, blames_image=False, words="vCPU limit exceeded")
    rotate(bench.group, RotateRequest())
    assert bench.rotation.cause is Cause.ENVIRONMENT
    assert bench.record.setback == Setback(1, bench.clock.now() + HOUR)
    bench.fleet.failure = None
    bench.forget_writes()

    assert (tick(bench.group).sentence, bench.writes) == ("", [])
    bench.clock.at += HOUR
    assert tick(bench.group).outcome is Outcome.IN_PROGRESS


def test_a_paused_group_is_left_alone() -> None:
    bench = a_bench()
    pause(bench.group, "lunch")

    assert (tick(bench.group).sentence, bench.writes) == ("", [])


def test_the_hot_generation_follows_and_goes_cold_once_its_time_is_over() -> None:
    bench = at_rest()
    bench.fleet._change(GREEN, desired=6)
    bench.fleet._reconcile(GREEN)

    tick(bench.group)
    assert bench.fleet.state[BLUE].desired == 6
    bench.clock.at += 2 * HOUR
    tick(bench.group)

    assert (bench.fleet.state[BLUE].desired, bench.record.hot_until) == (0, None)
    assert "phoenix:capacity" not in bench.fleet.state[BLUE].tags


def test_trouble_with_aws_is_this_groups_error() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.fleet.error = Throttled("slow down")

    with pytest.raises(Throttled):
        tick(bench.group)
    assert bench.store.lease_of("web") is None


@pytest.mark.edge(17)
def test_weights_that_an_iac_re_apply_has_sent_to_an_empty_slot_come_back() -> None:
    bench = at_rest()
    bench.clock.at += 2 * HOUR
    tick(bench.group)
    bench.send(0)

    tick(bench.group)

    assert bench.percent == {100}


# --- when a driver has to look again ----------------------------------------------------------------------------------


def due_in(bench: Bench) -> timedelta | None:
    """How long after now the group is due; None when it is not."""
    for minutes in range(0, 60 * 24 * 30, 1):
        if bench.store.due(bench.clock.at + timedelta(minutes=minutes)):
            return timedelta(minutes=minutes)
    return None


def test_what_is_in_flight_is_due_within_a_minute() -> None:
    bench = a_bench(terms={"steps": CANARY})

    tick(bench.group)

    assert due_in(bench) in (timedelta(0), timedelta(minutes=1))


def test_a_group_with_nothing_to_do_is_not_due_until_something_new_comes() -> None:
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)))

    tick(bench.group)

    assert due_in(bench) is None


def test_a_generation_is_due_when_its_oldest_instance_grows_too_old() -> None:
    when = RotateWhen(max_instance_lifetime=timedelta(days=7))
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)), rotate_when=when)

    tick(bench.group)

    found = due_in(bench)
    assert found is not None
    assert timedelta(0) <= BAKED_AT - timedelta(days=3) + timedelta(days=7) - (NOON + found) + HOUR <= HOUR


def test_what_only_the_calendar_stops_is_due_when_that_opens() -> None:
    bench = a_bench(calendar=Calendar((Window("0 14 * * *", HOUR),)))

    tick(bench.group)

    assert due_in(bench) in (2 * HOUR, 2 * HOUR + timedelta(minutes=1))


def test_a_tick_that_failed_is_followed_by_another_one_in_a_minute() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.fleet.error = Throttled("slow down")
    with pytest.raises(Throttled):
        tick(bench.group)

    assert due_in(bench) == timedelta(minutes=1)


def test_a_start_that_failed_is_tried_again_in_a_minute() -> None:
    bench = a_bench()
    bench.fleet.error = Throttled("slow down")
    with pytest.raises(Throttled):
        tick(bench.group)

    assert due_in(bench) == timedelta(minutes=1)


def test_who_lives_in_a_group_is_noted_once_and_again_when_it_changes() -> None:
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)))

    tick(bench.group)
    tick(bench.group)

    assert [record.live.image for record in bench.store.saved if record.live] == [OLD_IMAGE]
    bench.fleet.versions[1] = ("baseline", "ami-by-hand")
    tick(bench.group)
    assert bench.record.live is not None
    assert bench.record.live.image == "ami-by-hand"


def test_a_note_that_is_a_day_old_is_made_afresh() -> None:
    bench = a_bench(images=FakeImages(an_image(OLD_IMAGE)))
    for _ in range(3):
        tick(bench.group)
        bench.clock.at += timedelta(hours=20)

    assert [record.noted_at for record in bench.store.saved] == [NOON, NOON + timedelta(hours=40)]


# --- advance ----------------------------------------------------------------------------------------------------------


def test_advance_stays_with_what_moves_and_leaves_what_rests() -> None:
    bench = a_bench(terms={"steps": CANARY, "healthy_for": timedelta(seconds=40)})

    report = advance(bench.group)

    assert bench.rotation.clocks.baking_since is not None
    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert bench.store.lease_of("web") is None


def test_advance_stays_to_the_end_where_nothing_rests_for_more_than_a_minute() -> None:
    bench = a_bench(terms={"steps": (Step(100, 100, 100, timedelta(seconds=50)),), "propagation": timedelta(0)})

    assert advance(bench.group).outcome is Outcome.SUCCEEDED


def test_advance_that_has_to_stop_gives_the_group_back_at_once() -> None:
    bench = a_bench(terms={"healthy_for": HOUR})
    bench.clock.when(timedelta(seconds=30), lambda: setattr(bench.clock, "stopping", True))

    report = advance(bench.group)

    assert (report.outcome, bench.store.lease_of("web"), due_in(bench)) == (Outcome.IN_PROGRESS, None, timedelta(0))


def test_a_second_advance_finds_the_lease_taken_and_changes_nothing() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    bench.seized_by()
    bench.forget_writes()

    report = advance(bench.group)

    assert (report.sentence[:5], bench.writes) == ("busy:", [])


def test_a_pass_that_waits_for_a_window_says_nothing_and_has_no_outcome() -> None:
    closed = a_bench(calendar=Calendar((Window("0 2 * * *", HOUR),)))

    report = tick(closed.group)

    assert (report.outcome, report.sentence, report.record.rotation) == (Outcome.NONE, "", None)


def test_a_pass_that_starts_something_gives_its_lease_back_when_it_ends() -> None:
    bench = a_bench()

    report = tick(bench.group)

    assert report.record.in_flight is not None
    assert bench.store.lease_of("web") is None
    assert bench.store.due(bench.clock.at + HOUR) == ["web"]
