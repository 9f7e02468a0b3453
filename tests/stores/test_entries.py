"""The ledger in a record: the words that every version has written, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix.core.ledger import NOTES
from phoenix.core.model import Slot
from phoenix.core.temporary import (
    CapacityEntry,
    Entry,
    FailoverEntry,
    Ledger,
    ReferenceEntry,
    SchedulesEntry,
    Sizing,
    StickinessEntry,
    TagsEntry,
    Upkeep,
    place,
)
from phoenix.core.terms import Capacity
from phoenix.stores.entries import Kind, SpelledEntry, read, spell
from tests.builders import NOON

RULE = "arn:aws:elasticloadbalancing:listener-rule/app/web/50dc/f2f7/9683"
OWNERS, PINNED = Capacity(2, 8), Sizing(Capacity(4, 8), "$Latest")
SPELLED: dict[str, Entry] = {
    "capacity blue '2 8' '4 8 $Latest' ''": CapacityEntry(Slot.BLUE, OWNERS, Upkeep(NOON, PINNED)),
    "capacity blue '2 8' '' '4 8 $Latest'": CapacityEntry(Slot.BLUE, OWNERS, Upkeep(NOON, None, PINNED)),
    "capacity blue '2 8' '2 8' ''": CapacityEntry(Slot.BLUE, OWNERS, Upkeep(NOON, Sizing(OWNERS, None))),
    "schedules green 'running' 'suspended' ''": SchedulesEntry(Slot.GREEN, True, Upkeep(NOON, False, None, 2)),
    "schedules green 'suspended' '' 'running'": SchedulesEntry(Slot.GREEN, False, Upkeep(NOON, None, True)),
    "tags blue 'none' 'phoenix:group' ''": TagsEntry(Slot.BLUE, (), Upkeep(NOON, ("phoenix:group",))),
    "tags blue 'phoenix:group phoenix:store' 'none' ''": TagsEntry(
        Slot.BLUE, ("phoenix:group", "phoenix:store"), Upkeep(NOON, ())
    ),
    "failover blue '1/off 2/50' 'suspended' ''": FailoverEntry(Slot.BLUE, "1/off 2/50", Upkeep(NOON, True)),
    "failover blue '1/off' 'running' ''": FailoverEntry(Slot.BLUE, "1/off", Upkeep(NOON, False)),
    f"stickiness {RULE} '3600' '0' ''": StickinessEntry(RULE, 3600, Upkeep(NOON, 0)),
    f"reference {RULE} 'none' 'named' ''": ReferenceEntry(RULE, Upkeep(NOON, True)),
    f"reference {RULE} 'none' 'none' ''": ReferenceEntry(RULE, Upkeep(NOON, False)),
}

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
slots, arns, flags, counts = st.sampled_from(list(Slot)), st.text(min_size=1), st.booleans(), st.integers(0, 10**9)
capacities = st.builds(Capacity, counts, counts)
sizings = st.builds(Sizing, capacities, st.sampled_from([None, "1", "$Latest"]))
keys = st.lists(st.sampled_from(NOTES), unique=True).map(tuple)


def upkeeps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Upkeep[Any]]:
    return st.builds(Upkeep, times, st.none() | values, st.none() | values, counts)


entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(CapacityEntry, slots, capacities, upkeeps(sizings)),
    st.builds(SchedulesEntry, slots, flags, upkeeps(flags)),
    st.builds(TagsEntry, slots, keys, upkeeps(keys)),
    st.builds(FailoverEntry, slots, st.text(), upkeeps(flags)),
    st.builds(StickinessEntry, arns, counts, upkeeps(counts)),
    st.builds(ReferenceEntry, arns, upkeeps(flags)),
)
ledgers = st.lists(entries, unique_by=place, max_size=8).map(Ledger)


@pytest.mark.parametrize(("words", "entry"), SPELLED.items(), ids=list(SPELLED))
def test_each_entry_is_spelled_as_in_every_version_and_read_back(words: str, entry: Entry) -> None:
    (spelled,) = spell(Ledger([entry]))

    assert f"{spelled.kind} {spelled.where} {spelled.had!r} {spelled.made!r} {spelled.asked!r}" == words
    assert (spelled.since, spelled.mended) == (NOON, entry.upkeep.mended)
    assert read([spelled]) == Ledger([entry])


@given(ledgers)
def test_any_ledger_comes_back_through_json_as_it_was(ledger: Ledger) -> None:
    written = msgspec.json.encode(spell(ledger))

    assert read(msgspec.json.decode(written, type=list[SpelledEntry])) == ledger


def test_the_stickiness_of_a_missing_route_may_be_written_as_none() -> None:
    written = SpelledEntry(Kind.STICKINESS, RULE, "60", NOON, made="none")

    assert read([written]) == Ledger([StickinessEntry(RULE, 60, Upkeep(NOON))])


@pytest.mark.parametrize(
    ("kind", "where", "had"),
    [("capacity", "blue", "2"), ("capacity", "red", "2 8"), ("schedules", "blue", "on"), ("stickiness", RULE, "long")],
)
def test_an_entry_that_makes_no_sense_is_refused(kind: str, where: str, had: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read([SpelledEntry(Kind(kind), where, had, NOON)])
