"""What a rollback says: where it went, why it did not, and what is known to go back to instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core.generation import Generation
from phoenix.core.model import Cause, Outcome
from phoenix.core.record import GroupRecord
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import abort, rollback
from phoenix.errors import Blocked, LeaseLost
from tests.builders import changed
from tests.engine.builders import BLUE, CANARY, GREEN, Bench, a_bench
from tests.engine.test_rollback import ASKED, a_success
from tests.fakes import NEW_IMAGE, OLD_IMAGE

OLDER = Generation(0, GREEN, "ami-older", template_version="1")


def forgotten(bench: Bench, *known: Generation) -> Bench:
    """Nothing is retained any more; these generations are known."""
    bench.store.save(replace(bench.record, retained=None, hot_until=None, known=known))
    return bench


def in_a_bake() -> Bench:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking()
    return bench


def refusal(bench: Bench) -> Blocked:
    with pytest.raises(Blocked) as blocked:
        rollback(bench.group, ASKED)
    return blocked.value


# --- nothing to go back to --------------------------------------------------------------------------------------------


def test_the_last_good_generation_is_named_with_the_command_that_goes_there() -> None:
    bench = a_success()
    forgotten(bench, *bench.record.known)

    refused = refusal(bench)

    assert refused.message == (
        f"nothing to go back to: web is on generation 2 ({NEW_IMAGE}) and nothing is retained; "
        f"the last good image was {OLD_IMAGE}, of generation 1"
    )
    assert refused.hint == "phoenix rollback --group web --to 1"


def test_without_a_known_generation_the_history_names_an_image() -> None:
    refused = refusal(forgotten(a_success()))

    assert refused.message.endswith(f"; the last good image was {OLD_IMAGE}")
    assert refused.hint == f"phoenix rotate --group web --image {OLD_IMAGE} --force"


def test_where_nothing_is_known_the_images_are_where_to_look() -> None:
    refused = refusal(a_bench())

    assert refused.message == (
        "nothing to go back to: web is on generation 1 (ami-0b7e19c2d4a85f361) and nothing is retained; "
        "no image before it is known"
    )
    assert refused.hint == "phoenix images --group web"


def test_where_no_slot_is_live_it_does_not_pretend_to_know() -> None:
    bench = a_bench()
    bench.send(50)

    assert "web is on what is there and nothing is retained" in refusal(bench).message


# --- back already -----------------------------------------------------------------------------------------------------


def test_who_is_back_already_hears_when_by_whom_and_why() -> None:
    bench = a_success()
    rollback(replace(bench.group, by="oncall"), ASKED)
    ended = bench.rotation.ended_at
    assert ended is not None
    bench.clock.at += timedelta(minutes=7)

    report = rollback(bench.group, RollbackRequest())

    assert report.sentence == (
        f'Nothing to do: web is already back on 1. Rolled back {ended:%H:%M:%S} UTC, 7m ago, by oncall: "INC-1".'
    )
    assert (report.outcome, report.exit_status, report.seen is not None) == (Outcome.NONE, 0, True)


def test_what_was_turned_back_before_it_had_made_anything_goes_back_no_further() -> None:
    bench = a_success()
    retained = bench.record.retained
    rotation = changed(bench.rotation, outcome=Outcome.ROLLED_BACK, reason="no capacity")
    bench.store.save(replace(bench.record, rotation=rotation))

    report = rollback(bench.group, RollbackRequest())

    assert (report.outcome, bench.record.retained, bench.writes) == (Outcome.NONE, retained, [])
    assert 'by phoenix: "no capacity"' in report.sentence


# --- on its way -------------------------------------------------------------------------------------------------------


def test_the_intent_is_in_the_record_before_aws_is_asked_anything() -> None:
    bench = in_a_bake()
    saved: list[GroupRecord] = []
    observe = bench.fleet.observe
    bench.fleet.observe = lambda rotation: saved.append(bench.record) or observe(rotation)  # type: ignore[func-returns-value,method-assign]

    rollback(replace(bench.group, by="oncall"), ASKED)

    rotation = saved[0].rotation
    assert rotation is not None
    assert rotation.back is not None
    assert (rotation.back.ask.by, rotation.reason, rotation.cause) == ("oncall", "INC-1", Cause.OPERATOR)
    assert (rotation.phase.value, rotation.waiting_for) == ("rolling_back", "rolling back to 1")


@pytest.mark.parametrize("situation", [a_success, in_a_bake])
def test_without_waiting_it_shows_what_was_seen_and_is_0(situation: Callable[[], Bench]) -> None:
    bench = situation()

    report = rollback(bench.group, replace(ASKED, wait=False))

    assert (report.outcome, report.exit_status) == (Outcome.IN_PROGRESS, 0)
    assert (report.seen is not None, report.record) == (True, bench.record)


@pytest.mark.parametrize("situation", [a_success, in_a_bake])
def test_its_watch_is_told_of_every_tick(situation: Callable[[], Bench]) -> None:
    bench, seen = situation(), list[Report]()

    rollback(bench.group, ASKED, seen.append)

    assert seen[-1].outcome is Outcome.ROLLED_BACK
    assert len(seen) > 1


@pytest.mark.parametrize(("reason", "told"), [("INC-2", "INC-2"), (None, "aborted")])
def test_an_abort_gives_a_reason_and_is_watched(reason: str | None, told: str) -> None:
    bench, seen = in_a_bake(), list[Report]()

    report = abort(bench.group, reason, seen.append)

    assert (bench.rotation.reason, report.outcome, bool(seen)) == (told, Outcome.ROLLED_BACK, True)


def test_now_says_what_it_leaves_of_the_capacity_before_it_acts_and_again_at_the_end() -> None:
    bench, said = a_success(), list[str]()
    bench.router.sick = {i.id for i in bench.fleet.state[BLUE].instances[1:]}

    report = rollback(
        bench.group, replace(ASKED, now=True, wait=False), say=lambda text: said.append(f"{text} {bench.percent}")
    )

    told = "--now: traffic goes to generation 1 with 1 of 4 healthy: 25 % of the capacity"
    assert said == [f"{told} {{100}}"]
    assert report.sentence.startswith(f"{told}; ")
    assert [event.text for event in bench.rotation.events if event.name == "now"] == [told]


def test_now_that_changes_nothing_says_nothing() -> None:
    bench, said = a_success(), list[str]()

    report = rollback(bench.group, replace(ASKED, now=True, wait=False), say=said.append)

    assert (said, "--now" in report.sentence) == ([], False)


def test_the_new_generation_is_asked_about_where_the_old_one_has_only_some_healthy() -> None:
    bench = a_success()
    bench.router.sick = {i.id for i in bench.fleet.state[BLUE].instances[2:]}
    bench.router.asked.clear()

    rollback(bench.group, replace(ASKED, wait=False))

    assert bench.router.asked[:2] == [frozenset({BLUE}), frozenset({BLUE, GREEN})]


def test_a_driver_that_lost_the_lease_without_a_rollback_says_so() -> None:
    bench = a_success()

    def seize() -> None:
        bench.seized_by()
        bench.store.load = lambda group: None  # type: ignore[method-assign]

    bench.clock.when(timedelta(seconds=3), seize)

    with pytest.raises(LeaseLost):
        rollback(bench.group, ASKED)


def test_a_driver_that_lost_the_lease_to_the_same_way_back_shows_how_it_ended() -> None:
    bench = in_a_bake()
    other = replace(bench.group, driver="phone/9")
    bench.clock.when(timedelta(seconds=5), lambda: rollback(other, RollbackRequest()))

    report = rollback(bench.group, ASKED)

    assert report.seen is not None
    assert report.record == bench.record


def test_the_lease_is_given_back_at_its_end() -> None:
    bench = a_success()

    rollback(bench.group, ASKED)

    assert bench.store.lease_of("web") is None
