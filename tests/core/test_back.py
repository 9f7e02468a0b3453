"""Turning round: what is forgotten, what is kept, and the promise that status makes about a rollback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.back import heed_hold, last_good, last_good_image, reopen, turn_back
from phoenix.core.clocks import Growth, StepClocks
from phoenix.core.model import Cause, Observation, Outcome, Slot, SlotState
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.story import Ask, WayBack
from phoenix.core.terms import Capacity
from tests.builders import (
    NOON,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_observation,
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

    assert turned.back == WayBack(ONCALL, Cause.OPERATOR, "INC-1", now=True)
    assert (turned.growth, turned.clocks) == (Growth(), StepClocks())
    assert (turned.held, turned.paused) == (None, None)
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
    assert (record.rotation.back.ask.by, record.rotation.cause) == ("oncall", Cause.OPERATOR)


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


# --- where to go with nothing retained --------------------------------------------------------------------------------


def quarantined(image: str) -> Quarantined:
    return Quarantined(image, NOON, Cause.IMAGE, "web-42-test", "bad")


def test_the_last_good_generation_is_the_newest_earlier_one_that_was_not_rolled_back_from() -> None:
    known = (a_generation(39, image="ami-39"), a_generation(40, image="ami-40"), a_generation(41))

    found = last_good(a_record(known=known, quarantine=(quarantined("ami-40"),)))

    assert found == known[0]


def test_a_generation_without_a_template_version_cannot_be_launched_again() -> None:
    known = (a_generation(40, image="ami-40", template_version=None), a_generation(41))

    assert last_good(a_record(known=known)) is None


def test_the_last_good_image_is_found_in_the_history_once_the_record_knows_no_generation() -> None:
    failed = a_rotation(new=a_generation(43, image="ami-43"), old=a_generation(41))
    earlier = a_rotation(new=a_generation(41), old=a_generation(40, image="ami-40"), succeeded_at=NOON)

    assert last_good_image(a_record(), (failed, earlier)) == "ami-40"


def test_no_image_is_good_that_is_live_quarantined_or_not_known() -> None:
    past = (a_rotation(old=a_generation(41)), a_rotation(old=a_generation(40, image="unknown")))

    assert last_good_image(a_record(quarantine=(quarantined("ami-9"),)), past) is None


def test_where_it_cannot_be_told_who_is_live_an_earlier_generation_is_good_all_the_same() -> None:
    earlier = a_generation(40, template_version="1")

    assert last_good(a_success(live=None, known=(earlier,))) == earlier
    assert last_good(a_success(live=earlier, known=(earlier,))) is None
