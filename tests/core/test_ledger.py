"""The ledger: written before the change, with what was there; and what somebody else changes meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core import tags
from phoenix.core.action import RemoveTags, SetCapacity, SetSchedules, WriteTags
from phoenix.core.decide import decide
from phoenix.core.ledger import MOST_MENDS, in_words, opened, schedules_ran, watched
from phoenix.core.model import Observation, Route, Slot, SlotState, Step
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import Entry, Temporary
from tests.builders import (
    NOON,
    a_record,
    a_rotation,
    a_route,
    a_slot,
    after,
    an_entry,
    an_observation,
    some_terms,
    tags_of,
    why_held,
)
from tests.core.slots import BACK, BLUE, CLOSING, GREEN, QUIET, SHIFTED, blue, decided, green

LONG_AGO = after(-10)
UNTIL_PROMOTED = (Step(100, 100, 100, bake=None),)
ONLY_BLUE = Route("arn:rule/:443", ":443", {BLUE: 1}, sticky_seconds=3600)


def had(rotation: Rotation) -> dict[tuple[str, str], str]:
    return {(entry.kind, entry.where): entry.had for entry in rotation.ledger}


# --- what is written down ---------------------------------------------------------------------------------------------


@pytest.mark.edge(6)
def test_everything_temporary_is_in_the_record_that_is_saved_before_the_first_action() -> None:
    rotation = a_rotation(terms=some_terms(suspend_stickiness=True))
    seen = an_observation(a_slot(min=2, max=8), routes=(ONLY_BLUE,))

    decision = decide(a_record(rotation), seen)

    assert decision.actions
    assert had(decided(decision.record)) == {
        (Temporary.CAPACITY, BLUE): "2 8",
        (Temporary.CAPACITY, GREEN): "0 0",
        (Temporary.TAGS, BLUE): "none",
        (Temporary.TAGS, GREEN): "none",
        (Temporary.SCHEDULES, GREEN): "running",
        (Temporary.STICKINESS, ONLY_BLUE.arn): "3600",
        (Temporary.REFERENCE, ONLY_BLUE.arn): "none",
    }


def test_what_was_written_down_once_is_not_overwritten_by_what_phoenix_made_of_it() -> None:
    first = opened(a_rotation(), an_observation(a_slot(min=2, max=8), routes=(ONLY_BLUE,)))
    named = an_observation(a_slot(min=4, max=8), green(first, min=4), at=after(1))

    assert opened(first, named).ledger == first.ledger


def test_a_route_that_appears_later_is_written_down_before_it_is_changed() -> None:
    first = opened(a_rotation(), an_observation())
    late = replace(ONLY_BLUE, arn="arn:rule/late")

    ledger = opened(first, an_observation(routes=(a_route(), late), at=after(5))).ledger

    assert ledger[-1] == Entry(Temporary.REFERENCE, "arn:rule/late", "none", after(5))


def test_nothing_is_added_once_only_the_clean_up_is_left() -> None:
    assert opened(a_rotation(**CLOSING), an_observation(routes=(ONLY_BLUE,))).ledger == ()


@pytest.mark.edge(6)
def test_schedules_that_the_owner_had_suspended_are_nothing_to_take_back() -> None:
    quiet = opened(a_rotation(), an_observation(a_slot(suspended=QUIET)))
    back = opened(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=a_slot(GREEN, 4, suspended=QUIET)))

    assert not schedules_ran(quiet)
    assert not schedules_ran(back)
    assert schedules_ran(opened(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=a_slot(GREEN, 4))))


def test_a_slot_that_somebody_has_emptied_already_says_nothing_about_schedules() -> None:
    emptied = a_slot(GREEN, healthy=0, suspended=QUIET)

    assert schedules_ran(opened(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=emptied))) is None


def test_a_rollback_before_any_success_has_no_schedules_to_take_back() -> None:
    assert not schedules_ran(opened(a_rotation(**BACK), an_observation()))


@pytest.mark.edge(44)
def test_what_no_other_tag_tells_is_on_the_slot_before_anything_changes() -> None:
    rotation = opened(a_rotation(terms=some_terms(suspend_stickiness=True)), an_observation(routes=(ONLY_BLUE,)))

    written = tags_of(rotation)

    assert written[GREEN][tags.LEDGER] == "stickiness:443:3600 reference:443:none"
    assert tags.LEDGER not in written[BLUE]


routes = st.integers(0, 40).map(lambda n: f"arn:aws:listener-rule/app/web/50dc/f2f7/{n:016x}")
entries = st.one_of(
    st.builds(an_entry, st.just(Temporary.STICKINESS), routes, st.integers(1, 604_800).map(str)),
    st.builds(an_entry, st.just(Temporary.REFERENCE), routes, st.just("none")),
    st.just(an_entry(had="suspended")),
)


@given(st.lists(entries, max_size=20, unique_by=lambda e: (e.kind, e.where)))
def test_the_tag_reads_back_as_it_was_written_as_far_as_it_fits(written: list[Entry]) -> None:
    there = [Route(e.where, "", {}) for e in written if e.kind is not Temporary.SCHEDULES]

    value = tags.write_ledger(written)
    found = tags.read_ledger({tags.LEDGER: value}, GREEN, there, NOON)

    assert len(value) <= tags.MOST_LETTERS
    assert found == tuple(written[: len(found)])
    assert len(found) == min(len(written), len(value.split()))


@given(st.text(max_size=60))
def test_a_tag_that_makes_no_sense_tells_of_nothing(value: str) -> None:
    found = tags.read_ledger({tags.LEDGER: value}, GREEN, (ONLY_BLUE,), NOON)

    assert all(entry.kind is Temporary.SCHEDULES for entry in found)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (an_entry(), "web-green: scheduled actions are suspended, they were running"),
        (an_entry(Temporary.CAPACITY, BLUE, "2 8"), "web-blue: min 4 max 8 are a rotation's, min 2 max 8 were there"),
        (an_entry(Temporary.STICKINESS, "arn:rule/:443", "60"), ":443: stickiness is 0 s, it was 60 s"),
        (an_entry(Temporary.REFERENCE, "arn:rule/:443", "none"), ":443: names web-green, it did not before"),
        (an_entry(Temporary.TAGS, BLUE, "none"), None),
        (an_entry(Temporary.CAPACITY, BLUE, "4 8"), None),
    ],
)
def test_each_entry_is_told_in_words_while_it_differs_from_before(entry: Entry, words: str | None) -> None:
    rotation = a_rotation()

    told = in_words(entry, rotation, an_observation(blue(rotation), green(rotation)))

    assert told is None if words is None else told is not None and told.startswith(words)


# --- somebody else ----------------------------------------------------------------------------------------------------


def in_place(**changes: Any) -> Rotation:
    """A rotation whose first step rests, everything of it found in place ten minutes ago."""
    rotation = opened(a_rotation(**{**SHIFTED, "proved_at": NOON, "shifted_at": NOON, **changes}), an_observation())
    settled = an_observation(blue(rotation), green(rotation), 100, at=LONG_AGO)
    return watched(rotation, settled, ())


def looked(
    rotation: Rotation, blue_slot: SlotState, green_slot: SlotState | None = None, **changes: Any
) -> Observation:
    return an_observation(blue_slot, green_slot or green(rotation), 100, **{"at": after(1), **changes})


def events(rotation: Rotation, name: str) -> list[str]:
    return [event.text for event in rotation.events if event.name == name]


def test_capacity_that_somebody_has_changed_is_put_back_and_told() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, min=1, max=3)))

    assert decision.actions == (SetCapacity(BLUE, 4, 8),)
    assert events(decided(decision.record), "healed") == ["web-blue has min 1 max 3, not min 4 max 8; put back"]


def quarrelled(times: int, every: float = 2) -> Rotation:
    """Somebody changes the live slot's minimum so many times, every so many minutes, and phoenix answers."""
    rotation = in_place(deadline=after(99_999), terms=some_terms(UNTIL_PROMOTED))
    for number in range(times):
        for at, least in ((every * number + 1, 1), (every * number + 1, 4), (every * (number + 1), 4)):
            if rotation.held is None:
                seen = looked(rotation, blue(rotation, min=least), at=after(at))
                rotation = decided(decide(a_record(rotation), seen).record)
    return rotation


def test_what_somebody_keeps_changing_is_put_back_twice_and_then_held_with_what_to_type() -> None:
    assert quarrelled(MOST_MENDS).held is None

    held = why_held(quarrelled(MOST_MENDS + 1))

    assert held.startswith("web-blue has min 1 max 8, not min 4 max 8, and phoenix has put it back 2 times")
    assert "AttributeValue=web-blue" in held
    assert held.endswith("phoenix resume --group web")


def test_what_happens_once_a_day_is_no_quarrel() -> None:
    assert quarrelled(5, every=24 * 60).held is None


def test_holding_changes_nothing_and_whoever_resumes_it_begins_anew() -> None:
    rotation = quarrelled(MOST_MENDS + 1)
    resumed = replace(rotation, held=None)

    assert decide(a_record(rotation), looked(rotation, blue(rotation, min=1), at=after(9))).actions == ()
    again = decide(a_record(resumed), looked(resumed, blue(resumed, min=1), at=after(5.5)))
    assert again.actions == (SetCapacity(BLUE, 4, 8),)
    assert decided(again.record).held is None


def test_an_old_answer_right_after_a_change_of_our_own_is_nobody_elses_doing() -> None:
    rotation = in_place()
    fresh = replace(rotation, ledger=tuple(replace(entry, since=NOON) for entry in rotation.ledger))

    decision = decide(a_record(fresh), looked(fresh, blue(fresh, min=2), at=after(seconds=20)))

    assert decision.actions == (SetCapacity(BLUE, 4, 8),)
    assert events(decided(decision.record), "healed") == []


def test_a_need_that_grows_is_nobodys_meddling() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, healthy=6, min=4)))

    assert SetCapacity(BLUE, 6, 8) in decision.actions
    assert events(decided(decision.record), "healed") == []


def test_a_death_between_the_record_and_the_call_is_nobodys_meddling() -> None:
    rotation = opened(a_rotation(), an_observation())
    for minute in range(5):
        rotation = decided(decide(a_record(rotation), an_observation(a_slot(min=2), at=after(minute))).record)

    assert rotation.held is None
    assert events(rotation, "healed") == []


@pytest.mark.edge(44)
def test_tags_that_somebody_has_removed_are_written_again() -> None:
    rotation = in_place()
    kept = {key: value for key, value in tags_of(rotation)[BLUE].items() if key != tags.CAPACITY}

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, tags=kept)))

    assert decision.actions == (WriteTags({BLUE: {tags.CAPACITY: "2 8"}}),)
    assert events(decided(decision.record), "healed") == ["web-blue has lost the tags phoenix:capacity; put back"]


def test_schedules_that_somebody_resumes_on_the_candidate_are_suspended_again() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation), green(rotation, suspended=frozenset())))

    assert decision.actions == (SetSchedules(GREEN, running=False),)
    assert events(decided(decision.record), "healed") == [
        "web-green: scheduled actions are running, not suspended; put back"
    ]


def test_the_way_back_never_waits_for_a_person_before_the_traffic_is_where_it_belongs() -> None:
    worn = tuple(replace(entry, mended=MOST_MENDS) for entry in in_place().ledger)
    rotation = replace(in_place(**BACK), ledger=worn)
    small = blue(rotation, healthy=2, min=1, max=3)

    decision = decide(a_record(rotation), looked(rotation, small))

    assert decided(decision.record).held is None
    assert SetCapacity(BLUE, 4, 8) in decision.actions


# --- the end ----------------------------------------------------------------------------------------------------------


def test_the_end_empties_the_ledger_in_the_record_and_on_the_tags() -> None:
    rotation = a_rotation(**CLOSING, ledger=(an_entry(had="suspended"),))
    live = green(rotation, min=2, max=8)
    hot = blue(rotation, min=4, max=4, suspended=QUIET)

    closing = decide(a_record(rotation), an_observation(hot, live, 100))
    assert closing.actions == (RemoveTags({GREEN: (tags.LEDGER,)}),)
    ended = decide(closing.record, an_observation(hot, replace(live, tags={}), 100, at=after(1)))

    assert not decided(ended.record).in_flight
    assert decided(ended.record).ledger == ()


slots = st.sampled_from(list(Slot))


@given(st.integers(0, 6), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())
def test_no_terminal_outcome_leaves_anything_in_the_ledger(
    least: int, most: int, suspended: bool, tagged: bool, back: bool
) -> None:
    rotation = a_rotation(**{**CLOSING, "weight": 0 if back else 100}, back=BACK["back"] if back else None)
    rotation = replace(rotation, ledger=(an_entry(),))
    quiet, notes = (QUIET if suspended else frozenset()), (tags_of(rotation) if tagged else {BLUE: {}, GREEN: {}})
    live = a_slot(BLUE, 4, min=least, max=most, suspended=quiet, tags=notes[BLUE])
    seen = an_observation(live, green(rotation, min=least, tags=notes[GREEN]), 0 if back else 100, at=after(60))

    ended = decided(decide(a_record(rotation), seen).record)

    assert ended.in_flight or ended.ledger == ()


def test_what_an_earlier_version_has_found_in_place_is_nobodys_doing() -> None:
    rotation = in_place()
    older = replace(rotation, ledger=tuple(replace(e, made=" ".join(e.made.split()[:2])) for e in rotation.ledger[:2]))

    decision = decide(a_record(older), looked(older, blue(older, healthy=6, min=4)))

    assert SetCapacity(BLUE, 6, 8) in decision.actions
    assert events(decided(decision.record), "healed") == []
