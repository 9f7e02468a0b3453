"""A group without a record: weights say who is live, instances what it is, tags which number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.adopt import adopt, generation_in, live_slot
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.model import Observation, Outcome, Slot
from phoenix.core.temporary import Ledger, ReferenceEntry, SchedulesEntry, Upkeep
from phoenix.core.terms import Capacity
from tests.builders import (
    NEW_IMAGE,
    OLD_IMAGE,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_observation,
    tags_of,
)
from tests.core.slots import QUIET

BLUE, GREEN = Slot.BLUE, Slot.GREEN
TAGS = tags_of(a_rotation())


def left_behind(weight: int, old: int = 4, new: int = 4, *, noted: bool = True) -> Observation:
    """What a rotation from 41 to 42 has left on the groups; `noted`: the owner's numbers are still on the old one."""
    kept: Mapping[str, str] = {k: v for k, v in TAGS[BLUE].items() if noted or k != tags.CAPACITY}
    quiet = QUIET if weight == 100 else frozenset()
    return an_observation(
        a_slot(healthy=old, tags=kept, suspended=quiet), a_slot(GREEN, new, "2", tags=TAGS[GREEN]), weight
    )


@pytest.mark.parametrize(("weight", "live"), [(0, BLUE), (100, GREEN), (5, None)])
def test_the_slot_with_all_traffic_is_live(weight: int, live: Slot | None) -> None:
    assert live_slot(an_observation(weight=weight)) is live


@pytest.mark.edge(35)
def test_routes_that_differ_leave_it_open_who_is_live() -> None:
    assert live_slot(an_observation(routes=(a_route(0), a_route(100, ":80")))) is None


def test_without_a_load_balancer_capacity_says_who_is_live() -> None:
    assert live_slot(an_observation(routes=())) is BLUE
    assert live_slot(an_observation(a_slot(healthy=0), routes=())) is None
    assert live_slot(an_observation(green=a_slot(GREEN, 1), routes=())) is None


@pytest.mark.edge(22)
@pytest.mark.parametrize(("version", "expected"), [("57", "57"), (None, None)])
def test_a_slot_without_tags_is_known_by_its_template_version_if_that_is_a_number(
    version: str | None, expected: str | None
) -> None:
    state = a_slot(version=version)

    assert generation_in(state, number=1) == Generation(1, BLUE, UNKNOWN_IMAGE, template_version=expected)
    assert generation_in(state) is None


def test_a_group_that_phoenix_never_touched_is_on_generation_1() -> None:
    record = adopt("web", an_observation())

    assert record.live == Generation(1, BLUE, UNKNOWN_IMAGE, template_version="1")
    assert (record.rotation, record.retained, record.version) == (None, None, 0)
    assert record.slots == {BLUE: "web-blue", GREEN: "web-green"}
    assert record.routes == {"arn:rule/:443": ":443"}


def test_where_neither_or_both_are_live_no_slot_is_adopted() -> None:
    assert adopt("web", an_observation(weight=50)).live is None


@pytest.mark.edge(44)
def test_a_finished_rotation_on_the_tags_can_be_rolled_back() -> None:
    record = adopt("web", left_behind(100))

    assert record.live == Generation(42, GREEN, NEW_IMAGE, template_version="2")
    assert record.retained == Generation(41, BLUE, OLD_IMAGE, template_version="1")
    assert record.hot_until == after(60)
    rotation = record.rotation
    assert rotation is not None
    assert (rotation.outcome, rotation.need, rotation.capacity) == (Outcome.SUCCEEDED, 4, Capacity(2, 8))


def test_a_cold_generation_on_the_tags_is_retained_and_not_hot() -> None:
    record = adopt("web", left_behind(100, old=0))

    assert record.retained is not None
    assert record.hot_until is None


@pytest.mark.edge(44)
@pytest.mark.parametrize("weight", [0, 50])
def test_a_rotation_in_flight_on_the_tags_is_in_flight(weight: int) -> None:
    record = adopt("web", left_behind(weight))

    rotation = record.in_flight
    assert rotation is not None
    assert (rotation.weight, rotation.id, rotation.deadline) == (weight, "web-42-test", after(120))
    assert rotation.started_at == after(120) - timedelta(hours=2)
    assert (record.retained, record.highest_number) == (None, 42)


def test_a_rotation_that_came_back_is_over() -> None:
    record = adopt("web", left_behind(0, new=0, noted=False))

    assert record.in_flight is None
    assert record.rotation is not None
    assert record.rotation.outcome is Outcome.ROLLED_BACK
    assert record.live == Generation(41, BLUE, OLD_IMAGE, template_version="1")


def test_a_rotation_of_which_one_generation_is_not_known_is_not_guessed() -> None:
    only_rotation = {tags.ROTATION: TAGS[BLUE][tags.ROTATION]}

    record = adopt("web", an_observation(a_slot(tags=only_rotation)))

    assert (record.rotation, record.highest_number) == (None, 42)


@pytest.mark.edge(46)
def test_a_rotation_with_all_traffic_whose_pins_are_still_there_has_only_to_be_cleaned_up() -> None:
    seen = left_behind(100)
    pinned = a_slot(min=4, max=8, tags=TAGS[BLUE])
    rotation = adopt("web", an_observation(pinned, seen.slots[GREEN], 100)).in_flight

    assert rotation is not None
    assert (rotation.clocks.closing_since, rotation.back, rotation.outcome) == (seen.at, None, Outcome.IN_PROGRESS)
    assert rotation.ledger == Ledger([SchedulesEntry(GREEN, True, Upkeep(seen.at))])


@pytest.mark.edge(46)
def test_what_a_lost_rotation_has_changed_is_read_off_the_tags() -> None:
    seen = left_behind(50)
    noted = a_slot(GREEN, 4, "2", tags={**TAGS[GREEN], tags.LEDGER: "reference:443:none"})
    rotation = adopt("web", an_observation(seen.slots[BLUE], noted, 50)).in_flight

    assert rotation is not None
    assert rotation.ledger == Ledger(
        [ReferenceEntry("arn:rule/:443", Upkeep(seen.at)), SchedulesEntry(GREEN, True, Upkeep(seen.at))]
    )


def test_a_rotation_that_had_been_cleaned_up_has_an_empty_ledger() -> None:
    finished = adopt("web", left_behind(100, noted=False)).rotation

    assert finished is not None
    assert not finished.ledger


def test_what_lives_without_a_tag_never_gets_the_number_of_another_generation() -> None:
    beside_42 = adopt("web", an_observation(a_slot(), a_slot(GREEN, 0, "2", tags=TAGS[GREEN])))
    after_41_elsewhere = adopt("web", an_observation(), number=42)

    assert [record.live and record.live.number for record in (beside_42, after_41_elsewhere)] == [43, 42]


@pytest.mark.parametrize("seen", [left_behind(100), left_behind(0, new=0, noted=False)], ids=["forward", "back"])
def test_when_a_rotation_on_the_tags_ended_and_who_asked_for_it_is_not_known_and_no_time_moves(
    seen: Observation,
) -> None:
    first, later = (adopt("web", replace(seen, at=seen.at + timedelta(minutes=m))).rotation for m in (0, 5))

    assert first is not None
    assert later is not None
    assert (first.origin.by, first.known_end, first.in_flight) == ("", None, False)
    assert (first.started_at, first.ended_at) == (later.started_at, later.ended_at)


def test_no_slot_is_live_by_the_weight_of_a_target_group_that_both_slots_register_with() -> None:
    shared = ("arn:tg/web",)
    seen = an_observation(a_slot(target_groups=shared), a_slot(GREEN, 0, target_groups=shared), weight=100)

    assert live_slot(seen) is None


@pytest.mark.parametrize(
    "before", [{}, {tags.GENERATION: "40 ami-0000000000000000c 7"}], ids=["never used", "40 was there"]
)
def test_a_rotation_whose_candidate_has_no_tag_yet_is_in_flight_and_has_nothing_to_let_go(
    before: dict[str, str],
) -> None:
    green = {k: v for k, v in TAGS[GREEN].items() if k != tags.GENERATION} | before
    seen = an_observation(a_slot(max=8, tags=TAGS[BLUE]), a_slot(GREEN, 0, "7", tags=green))

    rotation = adopt("web", seen).in_flight

    assert rotation is not None
    assert (rotation.old.number, rotation.new.number, rotation.new.slot) == (41, 42, GREEN)
    assert (rotation.new.template_version, rotation.new.image) == (None, UNKNOWN_IMAGE)


def test_a_live_slot_without_its_tag_is_the_old_generation_of_the_note_while_it_is_pinned() -> None:
    blue = {k: v for k, v in TAGS[BLUE].items() if k != tags.GENERATION}

    rotation = adopt("web", an_observation(a_slot(max=8, tags=blue), a_slot(GREEN, 0, "2", tags=TAGS[GREEN]))).in_flight

    assert rotation is not None
    assert (rotation.old.number, rotation.old.slot, rotation.old.template_version) == (41, BLUE, "1")


def test_a_note_without_a_pin_is_of_a_rotation_that_is_over() -> None:
    blue = {k: v for k, v in TAGS[BLUE].items() if k != tags.CAPACITY}
    green = {k: v for k, v in TAGS[GREEN].items() if k != tags.GENERATION}

    assert adopt("web", an_observation(a_slot(tags=blue), a_slot(GREEN, 0, "2", tags=green))).rotation is None
