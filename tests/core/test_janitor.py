"""What has outlived its rotation: only what phoenix itself has noted is touched."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.action import RemoveTags, SetRole, SetSchedules, SetWeights
from phoenix.core.decide import decide
from phoenix.core.janitor import leftovers
from phoenix.core.model import Role, Route, Slot, SlotState
from phoenix.core.temporary import ReferenceEntry, Upkeep
from tests.builders import (
    NOON,
    OWNER,
    a_generation,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_observation,
    tags_of,
)
from tests.core.slots import QUIET

BLUE, GREEN = Slot.BLUE, Slot.GREEN
NOTE = {tags.CAPACITY: "2 8"}
CANDIDATE = tags_of(a_rotation())[GREEN]


def actions(
    blue: SlotState | None = None, green: SlotState | None = None, weight: int = 0, **record: Any
) -> list[object]:
    return [found.action for found in leftovers(a_record(**record), an_observation(blue, green, weight))]


@pytest.mark.edge(24)
def test_a_group_at_rest_has_nothing_left_on_it() -> None:
    assert actions() == []


def test_a_rotation_in_flight_keeps_what_it_needs() -> None:
    assert actions(a_slot(tags=NOTE), rotation=a_rotation()) == []
    assert actions(a_slot(tags=NOTE), live=None) == []


@pytest.mark.edge(2)
@pytest.mark.edge(46)
def test_a_pin_that_leaked_is_released_to_the_owners_numbers_and_its_note_goes() -> None:
    assert actions(a_slot(tags=NOTE)) == [SetRole(BLUE, Role.LIVE, 4, OWNER), RemoveTags({BLUE: (tags.CAPACITY,)})]


@pytest.mark.edge(4)
def test_releasing_a_pin_never_cuts_into_what_runs() -> None:
    assert actions(a_slot(healthy=12, tags=NOTE))[0] == SetRole(BLUE, Role.LIVE, 12, OWNER)


def test_a_number_without_a_note_is_the_owners() -> None:
    assert actions(a_slot(min=4, max=4)) == []


@pytest.mark.edge(46)
def test_a_candidate_that_was_given_up_is_emptied() -> None:
    stray = a_slot(GREEN, 4, "2", tags=CANDIDATE)

    assert actions(green=stray) == [SetRole(GREEN, Role.COLD, 0)]
    assert actions(green=stray, weight=5) == []
    assert actions(green=a_slot(GREEN, 4, "2")) == []


def test_the_retained_generation_is_not_a_leftover_while_it_is_hot() -> None:
    kept = a_slot(GREEN, 4, "2", tags={**CANDIDATE, **NOTE})

    assert actions(green=kept, retained=a_generation(42), hot_until=after(9)) == []


def test_word_for_another_store_stays_until_that_one_has_heard_it() -> None:
    ours = {tags.HOLD: "web-42 oncall", tags.STORE: "sqlite:///test"}
    ended = a_rotation(ended_at=NOON)

    assert actions(a_slot(tags=ours), rotation=ended) == [RemoveTags({BLUE: (tags.HOLD,)})]
    assert actions(a_slot(tags={**ours, tags.STORE: "elsewhere"}), rotation=ended) == []


@pytest.mark.edge(17)
def test_weight_that_an_iac_re_apply_put_on_an_empty_slot_is_put_back_at_rest() -> None:
    decision = decide(a_record(), an_observation(weight=100))

    assert decision.actions == (SetWeights(BLUE, 100),)
    assert "sends 100 % to web-green, where nothing is healthy; all of it goes back to web-blue" in decision.reason


def test_weight_on_a_healthy_slot_or_from_an_empty_one_is_left_alone_at_rest() -> None:
    assert actions(green=a_slot(GREEN, 1), weight=100) == []
    assert actions(blue=a_slot(healthy=0), weight=100) == []


# --- what only the ledger's tag tells ---------------------------------------------------------------------------------

LIVE_NOW: dict[str, Any] = {"live": a_generation(42), "retained": a_generation(41), "hot_until": after(9)}


def interrupted(note: str = "", **live: Any) -> list[object]:
    """Generation 42 has all traffic, its rotation was lost before the clean-up, and 41 is still pinned."""
    pinned = a_slot(min=4, max=8, tags=tags_of(a_rotation())[BLUE])
    noted = {**CANDIDATE, **({tags.LEDGER: note} if note else {})}
    return actions(pinned, a_slot(GREEN, 4, "2", tags=noted, **live), 100, **LIVE_NOW)


@pytest.mark.edge(6)
def test_schedules_that_a_lost_rotation_has_left_suspended_on_the_live_slot_run_again() -> None:
    assert interrupted(suspended=QUIET) == [SetSchedules(GREEN, running=True)]
    assert interrupted() == []


@pytest.mark.edge(6)
def test_schedules_that_the_owner_had_suspended_before_stay_as_they_were() -> None:
    noted = interrupted("schedules:suspended", suspended=QUIET)

    assert noted == [RemoveTags({GREEN: (tags.LEDGER,)})]
    assert actions(green=a_slot(GREEN, 4, "2", tags=CANDIDATE, suspended=QUIET), weight=100, **LIVE_NOW) == []


@pytest.mark.edge(34)
def test_stickiness_that_a_lost_rotation_has_suspended_comes_back() -> None:
    found = interrupted("stickiness:443:3600")

    assert found == [
        SetWeights(GREEN, 100, restore_stickiness={"arn:rule/:443": 3600}),
        RemoveTags({GREEN: (tags.LEDGER,)}),
    ]


def referred(share: int, **record: Any) -> list[object]:
    """A candidate that was given up, on a route that had not named it before."""
    note = tags.write_ledger([ReferenceEntry("arn:rule/:443", Upkeep(NOON))])
    green = a_slot(GREEN, healthy=0, tags={**CANDIDATE, tags.LEDGER: note})
    routes = (Route("arn:rule/:443", ":443", {BLUE: 100 - share, GREEN: share}),)
    return [f.action for f in leftovers(a_record(**record), an_observation(green=green, routes=routes))]


def test_a_reference_that_a_lost_rotation_has_added_is_taken_back_unless_it_is_used() -> None:
    unrefer = SetWeights(GREEN, 0, unrefer=frozenset({"arn:rule/:443"}))

    assert unrefer in referred(0)
    assert unrefer not in referred(5)
    assert unrefer not in referred(0, retained=a_generation(42))
