"""Turning round: what is forgotten, what is kept, and the promise that status makes about a rollback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.back import heed_hold, reopen, rollback_readiness, turn_back
from phoenix.core.model import Capacity, Cause, Observation, Outcome, Slot, SlotState
from phoenix.core.record import Ask, GroupRecord
from tests.builders import (
    NOON,
    ROLLING,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_observation,
    some_instances,
    some_terms,
)

GREEN = Slot.GREEN
ONCALL = Ask(after(9), "oncall", "INC-1")
LIVE = a_slot(GREEN, 6, "2", min=3, max=12)


def a_success(**changes: Any) -> GroupRecord:
    """42 lives in green with six, 41 is retained in blue, hot."""
    rotation = a_rotation(ended_at=NOON, outcome=Outcome.SUCCEEDED, succeeded_at=NOON, exposed_at=after(-9))
    standard = {"live": a_generation(42), "retained": a_generation(41), "hot_until": after(60)}
    return a_record(rotation, **{**standard, **changes})


@pytest.mark.edge(42)
def test_turning_back_starts_all_clocks_anew_and_lifts_what_it_was_held_or_paused_for() -> None:
    running = a_rotation(proved_at=NOON, shifted_at=NOON, baking_since=NOON, held="x", paused=ONCALL, promoted=ONCALL)

    turned = turn_back(running, an_observation(at=after(9)), ONCALL, Cause.OPERATOR, now=True)

    assert turned.back == ONCALL
    assert turned.back_now
    clocks = (turned.grown_since, turned.ready_since, turned.proved_at, turned.shifted_at, turned.baking_since)
    assert set(clocks) == {None}
    assert (turned.held, turned.paused, turned.promoted, turned.reason) == (None, None, None, "INC-1")
    assert turned.current.new_weight == 0


def test_a_rollback_without_a_reason_names_who_asked() -> None:
    turned = turn_back(a_rotation(), an_observation(), Ask(NOON, "oncall"), Cause.OPERATOR)

    assert (turned.reason, turned.events[-1].name) == ("rolled back by oncall", "rollback")


def test_a_failure_is_told_as_one() -> None:
    assert turn_back(a_rotation(), an_observation(), ONCALL, Cause.IMAGE).events[-1].name == "FAIL"


@pytest.mark.edge(3)
def test_a_reopened_rotation_needs_what_lives_now_and_keeps_the_owners_numbers_of_now() -> None:
    record = a_success()
    assert record.rotation is not None

    opened = reopen(record, record.rotation, an_observation(green=LIVE, weight=100))

    assert opened.in_flight
    assert (opened.need, opened.capacity, opened.weight) == (6, Capacity(3, 12), 100)
    assert opened.exposed_at == after(-9)


def test_a_reopened_rotation_never_takes_zeros_for_the_owners_numbers() -> None:
    record = a_success()
    assert record.rotation is not None

    opened = reopen(record, record.rotation, an_observation())

    assert (opened.need, opened.capacity) == (1, Capacity(2, 8))


# --- a rollback that this store knows nothing of ----------------------------------------------------------------------


WORD = {slot: {tags.HOLD: "web-42-test oncall"} for slot in Slot}


def told(blue: SlotState | None = None, green: SlotState | None = None, weight: int = 0) -> Observation:
    """What is seen after a rollback that could not reach the store: word of it on both groups."""
    blue, green = blue or a_slot(), green or a_slot(Slot.GREEN, healthy=0)
    blue, green = (replace(s, tags={**s.tags, **WORD[s.slot]}) for s in (blue, green))
    return an_observation(blue, green, weight)


@pytest.mark.edge(44)
def test_word_of_a_rollback_turns_the_rotation_that_was_still_going_forward() -> None:
    record = heed_hold(a_record(a_rotation(weight=5, intended_weight=5)), told())

    assert record.rotation is not None
    assert record.rotation.back is not None
    assert (record.rotation.back.by, record.rotation.cause) == ("oncall", Cause.OPERATOR)


@pytest.mark.edge(44)
def test_word_of_a_rollback_after_a_success_reopens_it() -> None:
    record = heed_hold(a_success(), told())

    assert record.in_flight is not None
    assert record.in_flight.back is not None


def test_word_of_another_rotation_or_of_one_that_is_back_already_changes_nothing() -> None:
    other = a_record(a_rotation(id="web-43-else"))
    back = a_record(a_rotation(back=Ask(NOON, "tester")))

    assert heed_hold(other, told()) == other
    assert heed_hold(back, told()) == back
    assert heed_hold(a_success(), an_observation()) == a_success()


# --- would a rollback work? -------------------------------------------------------------------------------------------


def test_with_nothing_retained_it_would_not() -> None:
    found = rollback_readiness(a_record(), an_observation())

    assert (found.ready, found.why) == (False, "nothing is retained")


@pytest.mark.edge(43)
@pytest.mark.parametrize(
    ("healthy", "hot_until", "at_once"), [(6, after(60), True), (5, after(60), False), (6, None, False)]
)
def test_weights_move_first_only_where_the_retained_one_is_hot_and_whole(
    healthy: int, hot_until: object, at_once: bool
) -> None:
    seen = an_observation(a_slot(healthy=healthy), LIVE, 100)

    found = rollback_readiness(a_success(hot_until=hot_until), seen)

    assert (found.ready, found.at_once) == (True, at_once)
    assert f"41 has {healthy} of 6 healthy" in found.why


def test_without_its_template_version_a_cold_generation_cannot_come_back() -> None:
    record = a_success(retained=a_generation(41, template_version=None), hot_until=None)

    assert not rollback_readiness(record, an_observation(a_slot(healthy=0), LIVE, 100)).ready


def test_in_flight_the_old_generation_carries_the_need_or_says_what_it_lacks() -> None:
    whole = rollback_readiness(a_record(a_rotation()), an_observation())
    hurt = rollback_readiness(a_record(a_rotation()), an_observation(a_slot(instances=some_instances(3))))

    assert (whole.at_once, whole.why) == (True, "41 has 4 of 4 healthy, weights move first")
    assert (hurt.ready, hurt.at_once, hurt.why) == (True, False, "41 has only 3 of 4 healthy")


def test_a_rolling_rotation_grows_first() -> None:
    found = rollback_readiness(a_record(a_rotation(ROLLING)), an_observation(a_slot(healthy=2)))

    assert (found.ready, found.at_once) == (True, False)
    assert found.why == "41 has 2 of 4 healthy: it grows first"


def test_without_a_load_balancer_it_says_that_it_grows_first() -> None:
    rotation = a_rotation(terms=some_terms(has_traffic=False))

    found = rollback_readiness(a_record(rotation), an_observation(a_slot(healthy=2), routes=()))

    assert found.why == "41 has 2 of 4; no load balancer: it grows first"


def test_on_the_way_back_there_is_nothing_more_to_ask_for() -> None:
    found = rollback_readiness(a_record(a_rotation(back=ONCALL)), an_observation())

    assert (found.ready, found.why) == (True, "rolling back to 41 already")
