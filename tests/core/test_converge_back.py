"""The way back and the clean-up: no traffic to an empty slot, nothing temporary left, the owner's numbers kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from phoenix.core import tags
from phoenix.core.action import (
    RemoveTags,
    SetRole,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.model import Cause, Role
from phoenix.core.temporary import Ledger, StickinessEntry, Upkeep
from phoenix.core.terms import Capacity
from tests.builders import (
    NEW_IMAGE,
    NOON,
    OWNER,
    a_generation,
    a_rotation,
    a_slot,
    after,
    an_entry,
    an_observation,
    some_instances,
    some_terms,
    tags_of,
)
from tests.core.slots import BACK, BLUE, CLOSING, GREEN, QUIET, blue, goes_back, green, kinds, missing

# --- the way back -----------------------------------------------------------------------------------------------------


@pytest.mark.edge(40)
def test_where_the_old_generation_carries_the_need_the_first_write_is_the_shift() -> None:
    rotation = a_rotation(**BACK, terms=some_terms(suspend_stickiness=True))

    actions = missing(rotation, an_observation(blue(rotation), green(rotation), 100))

    assert actions == (SetWeights(GREEN, 0, suspend_stickiness=True),)


@pytest.mark.edge(41)
@pytest.mark.edge(43)
def test_a_shrunk_generation_grows_first_and_gets_no_traffic_meanwhile() -> None:
    rotation = a_rotation(**BACK)
    seen = an_observation(a_slot(healthy=1, version="7", min=1, max=1), green(rotation), 100)

    own = tags.write_generation(rotation.old)
    noted = WriteTags({BLUE: {tags.CAPACITY: "2 8", tags.GENERATION: own}})
    assert missing(rotation, seen) == (noted, SetRole(BLUE, Role.PINNED, 4, OWNER, version="1"))


def test_a_generation_that_was_launched_again_is_watched_before_it_gets_traffic() -> None:
    terms = some_terms(healthy_for=timedelta(seconds=30))
    fresh = a_rotation(**{**BACK, "grown_since": NOON}, terms=terms, ready_since=NOON)
    seen = an_observation(weight=100)

    assert not goes_back(fresh, seen)
    assert goes_back(fresh, an_observation(weight=100, at=after(seconds=30)))
    assert goes_back(a_rotation(**BACK, terms=terms), seen)


def test_traffic_never_goes_back_to_an_unhealthy_slot_not_even_now() -> None:
    unhealthy = a_slot(instances=some_instances(4, target=None))

    assert not goes_back(a_rotation(**BACK, back_now=True), an_observation(unhealthy, weight=100))


def test_now_shifts_before_the_capacity_is_proven_and_grows_afterwards() -> None:
    rotation = a_rotation(**BACK, back_now=True)
    seen = an_observation(a_slot(healthy=1, min=1, max=1), green(rotation), 100)

    assert kinds(missing(rotation, seen)) == ["SetWeights", "WriteTags", "SetRole"]


def test_a_damaged_old_generation_is_better_than_a_worse_new_one() -> None:
    three = a_slot(instances=some_instances(3))
    rotation = a_rotation(**BACK)

    assert goes_back(rotation, an_observation(three, a_slot(GREEN, 2, "2"), 100))
    assert not goes_back(rotation, an_observation(three, a_slot(GREEN, 4, "2"), 100))


# --- closing ----------------------------------------------------------------------------------------------------------


def test_after_a_success_the_new_slot_gets_the_owners_numbers_and_the_old_one_stays_hot() -> None:
    rotation = a_rotation(**CLOSING, ledger=Ledger([an_entry()]))
    seen = an_observation(blue(rotation), green(rotation), 100)

    assert missing(rotation, seen) == (
        SetRole(GREEN, Role.LIVE, 4, OWNER),
        SetSchedules(GREEN, running=True),
        SetSchedules(BLUE, running=False),
        SetRole(BLUE, Role.RETAINED, 4),
    )


def test_schedules_that_its_owner_had_suspended_on_the_live_slot_stay_suspended_on_the_next_one() -> None:
    rotation = a_rotation(**CLOSING)

    actions = missing(rotation, an_observation(blue(rotation, suspended=QUIET), green(rotation), 100))

    assert not any(isinstance(action, SetSchedules) for action in actions)


@pytest.mark.edge(4)
def test_the_owners_maximum_never_cuts_into_what_is_running() -> None:
    rotation = a_rotation(**CLOSING, need=12)
    grown = green(rotation, 12, max=12)

    actions = missing(rotation, an_observation(blue(rotation, 12, min=12, max=12), grown, 100))

    assert actions[0] == SetRole(GREEN, Role.LIVE, 12, OWNER)


def test_a_rotation_without_a_hot_generation_empties_the_old_slot_and_drops_its_note() -> None:
    rotation = a_rotation(**CLOSING, terms=some_terms(hot_for=timedelta(0)))

    actions = missing(rotation, an_observation(blue(rotation), green(rotation), 100))

    assert SetRole(BLUE, Role.COLD, 0) in actions
    assert RemoveTags({BLUE: (tags.CAPACITY,)}) in actions


@pytest.mark.edge(6)
def test_schedules_that_its_owner_suspended_on_the_old_slot_stay_suspended_after_a_rollback() -> None:
    rotation = a_rotation(**{**CLOSING, "weight": 0}, back=BACK["back"])
    quiet = blue(rotation, suspended=QUIET)

    actions = missing(rotation, an_observation(quiet, green(rotation)))

    assert not any(isinstance(action, SetSchedules) for action in actions)
    assert SetRole(GREEN, Role.COLD, 0) in actions


def test_schedules_suspended_while_it_was_retained_run_again_once_it_is_live() -> None:
    rotation = a_rotation(
        **{**CLOSING, "weight": 0}, back=BACK["back"], succeeded_at=NOON, ledger=Ledger([an_entry(slot=BLUE)])
    )

    actions = missing(rotation, an_observation(blue(rotation, suspended=QUIET), green(rotation)))

    assert SetSchedules(BLUE, running=True) in actions


@pytest.mark.edge(34)
def test_stickiness_that_was_suspended_comes_back_where_it_was() -> None:
    arn = "arn:rule/:443"
    sticky = StickinessEntry(arn, 3600, Upkeep(NOON))
    rotation = a_rotation(**CLOSING, ledger=Ledger([sticky, replace(sticky, route="arn:rule/gone")]))

    first = missing(rotation, an_observation(blue(rotation), green(rotation), 100))[0]

    assert first == SetWeights(GREEN, 100, restore_stickiness={arn: 3600})


@pytest.mark.edge(46)
def test_a_clean_up_that_is_complete_does_nothing_more() -> None:
    rotation = a_rotation(**CLOSING, capacity=Capacity(2, 8))
    hot = blue(rotation, min=4, max=4, suspended=QUIET)
    live = green(rotation, min=2, max=8, suspended=frozenset())

    assert missing(rotation, an_observation(hot, live, 100)) == ()


def test_weights_that_moved_since_they_settled_stop_the_clean_up_and_on_the_way_back_are_set_again() -> None:
    onward = a_rotation(**CLOSING)
    back = a_rotation(**{**CLOSING, "weight": 0}, back=BACK["back"])

    assert missing(onward, an_observation(blue(onward), green(onward), 70)) == ()
    assert missing(back, an_observation(blue(back), green(back), 70)) == (SetWeights(GREEN, 0),)


def test_a_rotation_turned_back_before_it_had_made_anything_leaves_the_other_slot_as_it_was() -> None:
    fresh = a_rotation(**{**CLOSING, "weight": 0}, back=BACK["back"], new=a_generation(42, template_version=None))
    kept_hot = a_slot(GREEN, 4, "9")

    actions = missing(fresh, an_observation(blue(fresh), kept_hot))

    assert [a for a in actions if isinstance(a, SetRole)] == [SetRole(BLUE, Role.LIVE, 4, OWNER)]


@pytest.mark.edge(28)
def test_the_quarantine_is_noted_on_the_group_itself_and_taken_off_by_a_success() -> None:
    back = a_rotation(**{**CLOSING, "weight": 0}, back=BACK["back"], cause=Cause.IMAGE)
    onward = a_rotation(**CLOSING)
    noted = green(onward, tags={**tags_of(onward)[GREEN], tags.QUARANTINE: tags.write_quarantine((NEW_IMAGE,))})

    written = missing(back, an_observation(blue(back), green(back)))
    assert WriteTags({BLUE: {tags.QUARANTINE: tags.write_quarantine((NEW_IMAGE,))}}) in written
    cleared = missing(onward, an_observation(blue(onward), noted, 100))
    assert WriteTags({GREEN: {tags.QUARANTINE: tags.write_quarantine(())}}) in cleared
