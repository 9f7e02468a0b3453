"""What an operator's word does to the record, to the letter: what it is not about must not change with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import OnFailure, Outcome
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask, Event
from phoenix.core.terms import Step
from phoenix.engine.control import pause, promote, release_image, resume, retry, retry_image
from phoenix.engine.lease import claim, give_back
from phoenix.engine.report import Report
from phoenix.engine.request import RotateRequest
from phoenix.engine.tick import tick
from phoenix.errors import Blocked, LostRecord
from tests.builders import changed
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.engine.test_control import a_canary, a_setback
from tests.fakes import NEW_IMAGE, OLD_IMAGE, an_image
from tests.fakes_store import MemoryStore

LATER = timedelta(minutes=10)
MANUAL = (Step(100, 100, 5, None), *CANARY[1:])


def growing(**terms: Any) -> Bench:
    """In its first step, its instances still booting, without a driver."""
    bench = a_bench(terms=terms)
    bench.fleet.boots = False
    for _ in range(3):
        tick(bench.group)
    assert bench.rotation.growth.since is not None
    return bench


def told(before: Rotation, bench: Bench, name: str, text: str, **changes: Any) -> Rotation:
    """The rotation before, with one more line in its story and these changes."""
    who, _, reason = text.removeprefix("by ").partition(": ")
    event = Event(bench.clock.now(), name, text, by=who, reason=reason or None)
    return changed(before, events=(*before.events, event), **changes)


def test_a_pause_stops_the_rotation_and_new_starts_and_is_told_in_its_story() -> None:
    bench = a_canary()
    before, was = bench.record, bench.rotation

    report = pause(bench.group, "lunch")

    ask = Ask(bench.clock.now(), "tester", "lunch")
    paused = told(was, bench, "paused", "by tester: lunch", paused=ask, waiting_for="paused by tester")
    assert bench.record == replace(before, version=before.version + 1, paused=ask, rotation=paused)
    assert report.sentence == f"web is paused: {was.waiting_for}"


def test_a_pause_at_rest_says_what_it_holds_up_and_a_resume_what_may_start_again() -> None:
    bench = a_bench()

    said = [pause(bench.group, None).sentence, resume(bench.group).sentence]

    assert said == [
        "web is paused: no rotation will start until it is resumed",
        "web is resumed: rotations may start again",
    ]
    assert bench.record.paused is None


def test_after_a_pause_every_clock_that_was_running_starts_that_much_later() -> None:
    bench = growing()
    was = bench.rotation
    assert was.growth.since is not None
    assert was.growth.progress_at is not None
    pause(bench.group, None)
    paused = bench.rotation
    bench.clock.at += LATER

    report = resume(bench.group)

    assert bench.rotation == told(
        paused, bench, "resumed", "by tester", paused=None, waiting_for="resumed; the next tick goes on",
        deadline=was.deadline + LATER, grown_since=was.growth.since + LATER, progress_at=was.growth.progress_at + LATER,
        short_since=None,
    )  # fmt: skip
    assert (bench.record.paused, report.sentence) == (None, f"web goes on with {was.id}")


def test_what_was_held_is_due_at_once_when_it_is_resumed() -> None:
    bench = a_canary()
    bench.store.save(replace(bench.record, rotation=changed(bench.rotation, held="no right to do that")))
    give_back(bench.group, claim(bench.group))
    assert bench.store.due(bench.clock.now() + timedelta(days=1)) == []

    resume(bench.group)

    assert bench.store.due(bench.clock.now()) == ["web"]
    assert bench.store.lease_of("web") is None


def test_a_shift_that_was_refused_half_way_goes_on_where_it_stood_when_it_is_resumed() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)
    shifted, *others = bench.router.weights
    bench.router.weights = {shifted: {BLUE: 95, GREEN: 5}} | {arn: {BLUE: 100, GREEN: 0} for arn in others}

    resume(bench.group)
    tick(bench.group)

    assert bench.rotation.held is None
    assert bench.percent == {5}


def test_a_candidate_held_while_it_grew_gets_all_of_its_time_again() -> None:
    bench = growing(on_failure=OnFailure.PAUSE)
    bench.clock.at += timedelta(minutes=16)
    tick(bench.group)
    assert bench.rotation.held is not None
    bench.clock.at += LATER

    resume(bench.group)

    now = bench.clock.now()
    assert (bench.rotation.growth.since, bench.rotation.growth.progress_at) == (now, now)
    assert bench.rotation.held is None
    assert bench.rotation.outcome is Outcome.IN_PROGRESS


def test_a_candidate_held_after_it_had_proved_itself_does_not_begin_to_grow_again() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)
    grown = bench.rotation.growth.since
    assert grown is not None
    since = bench.rotation.looked_at
    bench.clock.at += LATER

    resume(bench.group)

    assert since is not None
    assert bench.rotation.growth.since == grown + (bench.clock.now() - since)
    assert (bench.rotation.weight, bench.rotation.clocks.shifted_at, bench.rotation.clocks.baking_since) == (
        70,
        None,
        None,
    )


def test_one_held_while_it_closed_remembers_that_it_had_succeeded() -> None:
    bench = a_canary()
    closing = bench.clock.now()
    bench.store.save(replace(bench.record, rotation=changed(bench.rotation, closing_since=closing, held="no right")))
    bench.clock.at += LATER

    resume(bench.group)

    assert (bench.rotation.clocks.closing_since, bench.rotation.succeeded_at) == (None, closing)


def test_after_a_hold_the_weight_is_read_where_it_is_now_also_on_a_rule_that_is_new() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)
    bench.router.weights["arn:rule/new"] = {BLUE: 20, GREEN: 80}
    bench.router.sticky["arn:rule/new"] = 0

    resume(bench.group)

    assert bench.rotation.weight == 80


def test_a_cause_from_before_the_hold_is_forgotten_on_the_way_forward() -> None:
    bench = growing(on_failure=OnFailure.PAUSE)
    bench.clock.at += timedelta(minutes=16)
    tick(bench.group)
    assert bench.rotation.cause is not None

    resume(bench.group)

    assert bench.rotation.cause is None


def test_a_promotion_names_who_asked_and_is_told_in_the_story() -> None:
    bench = a_canary()
    was = bench.rotation

    promote(bench.group)

    ask = Ask(bench.clock.now(), "tester")
    waiting = "promoted; the next tick goes on"
    assert bench.rotation == told(was, bench, "promoted", "by tester", promoted=ask, waiting_for=waiting)


def test_promoting_a_paused_rotation_in_full_says_both_and_the_clocks_stood_still() -> None:
    bench = a_canary()
    was = bench.rotation
    assert was.clocks.baking_since is not None
    pause(bench.group, None)
    bench.clock.at += LATER

    report = promote(bench.group, full=True)

    assert report.sentence == "all bakes that are left are skipped, and the pause is over; gates still count"
    assert (bench.rotation.deadline, bench.rotation.paused) == (was.deadline + LATER, None)
    assert (bench.rotation.clocks.baking_since, bench.rotation.promoted_to_end) == (
        was.clocks.baking_since + LATER,
        True,
    )


@pytest.mark.parametrize("paused_for", [timedelta(0), LATER])
def test_the_time_that_a_manual_bake_took_is_added_to_the_deadline_once(paused_for: timedelta) -> None:
    bench = a_canary(MANUAL)
    was = bench.rotation
    assert was.clocks.baking_since is not None
    if paused_for:
        pause(bench.group, None)
        bench.clock.at += paused_for
    bench.clock.at += LATER

    promote(bench.group)

    assert bench.rotation.deadline == was.deadline + (bench.clock.now() - was.clocks.baking_since)


def test_promoting_a_timed_bake_leaves_the_deadline_alone() -> None:
    bench = a_canary()
    deadline = bench.rotation.deadline
    bench.clock.at += LATER

    promote(bench.group)

    assert bench.rotation.deadline == deadline


def test_releasing_an_image_leaves_the_others_on_the_tags_and_slots_without_it_alone() -> None:
    bench = a_setback()
    bench.fleet.state[BLUE] = replace(bench.fleet.state[BLUE], tags={tags.QUARANTINE: f"ami-older {NEW_IMAGE}"})
    bench.fleet.state[GREEN] = replace(bench.fleet.state[GREEN], tags={tags.QUARANTINE: "ami-older"})

    release_image(bench.group, NEW_IMAGE)

    assert [bench.fleet.state[slot].tags[tags.QUARANTINE] for slot in (BLUE, GREEN)] == ["ami-older", "ami-older"]
    assert bench.writes == ["WriteTags"]


def test_a_retry_goes_to_the_image_that_failed_even_when_a_newer_one_has_appeared() -> None:
    bench = a_setback()
    bench.images.images.append(an_image("ami-newest", created_at=bench.clock.now()))
    seen: list[Report] = []

    report = retry(bench.group, RotateRequest(), seen.append)

    assert report.outcome is Outcome.SUCCEEDED
    assert bench.rotation.new.image == NEW_IMAGE
    assert [state.tags.get(tags.QUARANTINE, "none") for state in bench.fleet.state.values()] == ["none", "none"]
    assert seen


def test_a_retry_may_go_to_an_image_that_is_older_than_the_live_one() -> None:
    bench = a_setback()
    bench.images.images[-1] = an_image(OLD_IMAGE, created_at=bench.clock.now())

    assert retry(bench.group, RotateRequest()).outcome is Outcome.SUCCEEDED


def test_what_cannot_be_retried_says_why() -> None:
    fresh, running = a_bench(), a_canary()

    with pytest.raises(Blocked, match="nothing to retry: the last rotation of web was not rolled back"):
        retry_image(fresh.group)
    with pytest.raises(Blocked, match="web is being rotated: step 1 of 2"):
        retry_image(running.group)


def test_a_lost_record_names_the_group_and_the_rotation() -> None:
    bench = a_canary()
    forgetful = replace(bench.group, store=MemoryStore(bench.store.location))

    with pytest.raises(LostRecord, match=f"'?web'?.*{bench.rotation.id}|{bench.rotation.id}.*web"):
        pause(forgetful, "lunch")


def test_what_was_said_shows_how_the_rotation_stands_and_who_drives_it() -> None:
    bench = a_canary()
    lease = bench.seized_by("elsewhere/7")

    report = pause(bench.group, "lunch")

    assert (report.outcome, report.exit_status, report.lease) == (Outcome.IN_PROGRESS, 0, lease)
    assert report.record == bench.record


def test_what_is_said_to_a_held_rotation_is_done_all_the_same() -> None:
    bench = a_canary()
    bench.send(70)
    tick(bench.group)

    report = promote(bench.group)

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 0)


def test_what_is_said_after_a_rotation_is_not_about_that_rotation() -> None:
    bench = a_bench()
    bench.rotated()

    assert pause(bench.group, None).outcome is Outcome.NONE
