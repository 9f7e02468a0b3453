"""The ledger: written before the change, with what was there; and what is told and taken back of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core import tags
from phoenix.core.action import RemoveTags
from phoenix.core.decide import decide
from phoenix.core.ledger import describe, lost_stickiness, open_entries, our_references
from phoenix.core.model import UNTIMED, Route, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import (
    CapacityEntry,
    Entry,
    FailoverEntry,
    Ledger,
    OptInEntry,
    ReferenceEntry,
    SchedulesEntry,
    StickinessEntry,
    TagsEntry,
    Upkeep,
    place,
)
from phoenix.core.terms import Capacity
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
)
from tests.core.slots import BACK, BLUE, CLOSING, GREEN, QUIET, blue, decided, green

ONLY_BLUE = Route("arn:rule/:443", ":443", {BLUE: 1}, sticky_seconds=3600)


def had(rotation: Rotation) -> dict[tuple[type[Entry], str], object]:
    return {
        place(entry): None if isinstance(entry, ReferenceEntry | OptInEntry) else entry.had for entry in rotation.ledger
    }


# --- what is written down ---------------------------------------------------------------------------------------------


@pytest.mark.edge(6)
def test_everything_temporary_is_in_the_record_that_is_saved_before_the_first_action() -> None:
    rotation = a_rotation(terms=some_terms(suspend_stickiness=True))
    seen = an_observation(a_slot(min=2, max=8), routes=(ONLY_BLUE,))

    decision = decide(a_record(rotation), seen)

    assert decision.actions
    assert had(decided(decision.record)) == {
        (CapacityEntry, BLUE): Capacity(2, 8),
        (CapacityEntry, GREEN): Capacity(0, 0),
        (TagsEntry, BLUE): (),
        (TagsEntry, GREEN): (),
        (SchedulesEntry, GREEN): True,
        (StickinessEntry, ONLY_BLUE.arn): 3600,
        (ReferenceEntry, ONLY_BLUE.arn): None,
    }


def test_what_was_written_down_once_is_not_overwritten_by_what_phoenix_made_of_it() -> None:
    first = open_entries(a_rotation(), an_observation(a_slot(min=2, max=8), routes=(ONLY_BLUE,)))
    named = an_observation(a_slot(min=4, max=8), green(first, min=4), at=after(1))

    assert open_entries(first, named).ledger == first.ledger


def test_a_route_that_appears_later_is_written_down_before_it_is_changed() -> None:
    first = open_entries(a_rotation(), an_observation())
    late = replace(ONLY_BLUE, arn="arn:rule/late")

    ledger = open_entries(first, an_observation(routes=(a_route(), late), at=after(5))).ledger

    assert list(ledger)[-1] == ReferenceEntry("arn:rule/late", Upkeep(after(5)))


def test_nothing_is_added_once_only_the_clean_up_is_left() -> None:
    assert not open_entries(a_rotation(**CLOSING), an_observation(routes=(ONLY_BLUE,))).ledger


@pytest.mark.edge(6)
def test_schedules_that_the_owner_had_suspended_are_nothing_to_take_back() -> None:
    quiet = open_entries(a_rotation(), an_observation(a_slot(suspended=QUIET)))
    back = open_entries(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=a_slot(GREEN, 4, suspended=QUIET)))

    assert not quiet.ledger.schedules_ran
    assert not back.ledger.schedules_ran
    again = open_entries(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=a_slot(GREEN, 4)))
    assert again.ledger.schedules_ran


def test_a_slot_that_is_empty_already_says_nothing_about_schedules() -> None:
    emptied = a_slot(GREEN, healthy=0, suspended=QUIET)

    back = open_entries(a_rotation(**BACK, succeeded_at=NOON), an_observation(green=emptied))

    assert back.ledger.schedules_ran is None


def test_a_rollback_before_any_success_has_no_schedules_to_take_back() -> None:
    assert not open_entries(a_rotation(**BACK), an_observation()).ledger.schedules_ran


@pytest.mark.edge(44)
def test_what_no_other_tag_tells_is_on_the_slot_before_anything_changes() -> None:
    rotation = open_entries(a_rotation(terms=some_terms(suspend_stickiness=True)), an_observation(routes=(ONLY_BLUE,)))

    written = tags_of(rotation)

    assert written[GREEN][tags.LEDGER] == "stickiness:443:3600 reference:443:none"
    assert tags.LEDGER not in written[BLUE]


routes = st.integers(0, 40).map(lambda n: f"arn:aws:listener-rule/app/web/50dc/f2f7/{n:016x}")
KEPT: Upkeep[Any] = Upkeep(NOON)
entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(StickinessEntry, routes, st.integers(1, 604_800), st.just(KEPT)),
    st.builds(ReferenceEntry, routes, st.just(KEPT)),
    st.just(an_entry(had=False)),
)


@given(st.lists(entries, max_size=20, unique_by=place))
def test_the_tag_reads_back_as_it_was_written_as_far_as_it_fits(written: list[Entry]) -> None:
    there = [Route(e.route, "", {}) for e in written if isinstance(e, StickinessEntry | ReferenceEntry)]

    value = tags.write_ledger(written)
    found = tags.read_ledger({tags.LEDGER: value}, GREEN, there, NOON)

    assert len(value) <= tags.MOST_LETTERS
    assert found == tuple(written[: len(found)])
    assert len(found) == min(len(written), len(value.split()))


@given(st.text(max_size=60))
def test_a_tag_that_makes_no_sense_tells_of_nothing(value: str) -> None:
    assert tags.read_ledger({tags.LEDGER: value}, GREEN, (ONLY_BLUE,), NOON) == ()


# --- what is taken back -----------------------------------------------------------------------------------------------

RULE = "arn:aws:elasticloadbalancing:rule/api"
NAMED = Route(RULE, "rule /api", {BLUE: 100, GREEN: 0})
SEEN = an_observation(
    a_slot(tags={tags.GROUP: "web", tags.FAILOVER: "1/off"}), a_slot(GREEN, 0, suspended=QUIET), routes=(NAMED,)
)
IN_WORDS: dict[str, Entry] = {
    "web-blue: min 4 max 4 are a rotation's, min 2 max 8 were there before": CapacityEntry(BLUE, Capacity(2, 8), KEPT),
    "web-green: scheduled actions are suspended, they were running": SchedulesEntry(GREEN, True, KEPT),
    "web-blue: scheduled actions are running, they were suspended": SchedulesEntry(BLUE, False, KEPT),
    "web-blue: DNS failover is off, it was 1/off": FailoverEntry(BLUE, "1/off", KEPT),
    "rule /api: stickiness is 0 s, it was 60 s": StickinessEntry(RULE, 60, KEPT),
    "rule /api: stickiness is 0 s, it was on, without an end": StickinessEntry(RULE, UNTIMED, KEPT),
    "arn:gone: the route is gone, its stickiness was 60 s": StickinessEntry("arn:gone", 60, KEPT),
    "rule /api: names web-green, it did not before": ReferenceEntry(RULE, KEPT),
}
AS_IT_WAS: tuple[Entry, ...] = (
    CapacityEntry(BLUE, Capacity(4, 4), KEPT),
    SchedulesEntry(GREEN, False, KEPT),
    TagsEntry(BLUE, (), KEPT),
    FailoverEntry(GREEN, "1/off", KEPT),
    StickinessEntry(RULE, 0, KEPT),
    ReferenceEntry("arn:gone", KEPT),
)


@pytest.mark.parametrize(("words", "entry"), IN_WORDS.items(), ids=list(IN_WORDS))
def test_each_entry_is_described_while_it_differs_from_before(words: str, entry: Entry) -> None:
    assert describe(entry, a_rotation(), SEEN) == words


@pytest.mark.parametrize("entry", AS_IT_WAS, ids=lambda entry: type(entry).__name__)
def test_an_entry_that_is_as_before_needs_no_words(entry: Entry) -> None:
    assert describe(entry, a_rotation(), SEEN) is None


@pytest.mark.parametrize(("seconds", "lost"), [(0, {RULE: 60}), (60, {})])
def test_stickiness_is_lost_where_there_is_none_now(seconds: int, lost: dict[str, int]) -> None:
    ledger = Ledger([StickinessEntry(RULE, 60, KEPT)])
    seen = replace(SEEN, routes=(replace(NAMED, sticky_seconds=seconds), Route("arn:other", ":80", {})))

    assert lost_stickiness(ledger, seen) == lost


def test_only_references_of_our_own_making_are_ours() -> None:
    ledger = Ledger([ReferenceEntry(RULE, KEPT)])
    owners = replace(NAMED, arn="arn:owners")

    assert our_references(ledger, GREEN, replace(SEEN, routes=(NAMED, owners))) == {RULE}
    assert our_references(ledger, GREEN, replace(SEEN, routes=(replace(NAMED, weights={BLUE: 1}),))) == frozenset()


# --- the end ----------------------------------------------------------------------------------------------------------


def test_the_end_empties_the_ledger_in_the_record_and_on_the_tags() -> None:
    rotation = a_rotation(**CLOSING, ledger=Ledger([an_entry(had=False)]))
    live = green(rotation, min=2, max=8)
    hot = blue(rotation, min=4, max=4, suspended=QUIET)

    closing = decide(a_record(rotation), an_observation(hot, live, 100))
    assert closing.actions == (RemoveTags({GREEN: (tags.LEDGER,)}),)
    ended = decide(closing.record, an_observation(hot, replace(live, tags={}), 100, at=after(1)))

    assert not decided(ended.record).in_flight
    assert not decided(ended.record).ledger


slots = st.sampled_from(list(Slot))


@given(st.integers(0, 6), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())
def test_no_terminal_outcome_leaves_anything_in_the_ledger(
    least: int, most: int, suspended: bool, tagged: bool, back: bool
) -> None:
    rotation = a_rotation(**{**CLOSING, "weight": 0 if back else 100}, back=BACK["back"] if back else None)
    rotation = replace(rotation, ledger=Ledger([an_entry()]))
    quiet, notes = (QUIET if suspended else frozenset()), (tags_of(rotation) if tagged else {BLUE: {}, GREEN: {}})
    live = a_slot(BLUE, 4, min=least, max=most, suspended=quiet, tags=notes[BLUE])
    seen = an_observation(live, green(rotation, min=least, tags=notes[GREEN]), 0 if back else 100, at=after(60))

    ended = decided(decide(a_record(rotation), seen).record)

    assert ended.in_flight or not ended.ledger
