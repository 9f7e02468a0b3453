"""The ledger after a decision: another writer's change is put back twice, for each kind of it, and then held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.action import Action, SetFailover, SetRole, SetSchedules, SetWeights, WriteTags
from phoenix.core.decide import decide
from phoenix.core.ledger import open_entries
from phoenix.core.model import Observation, Role, Route, SlotState
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.temporary import (
    CapacityEntry,
    Entry,
    FailoverEntry,
    Ledger,
    ReferenceEntry,
    SchedulesEntry,
    Sizing,
    TagsEntry,
    Upkeep,
)
from phoenix.core.terms import Capacity, Step
from phoenix.core.upkeep import MOST_MENDS, check_ledger, record_taken, watch
from tests.builders import (
    NOON,
    OWNER,
    a_record,
    a_rotation,
    a_slot,
    after,
    an_observation,
    some_terms,
    tags_of,
    why_held,
)
from tests.core.slots import BACK, BLUE, GREEN, SHIFTED, blue, decided, green

LONG_AGO = after(-10)
UNTIL_PROMOTED = (Step(100, 100, 100, bake=None),)


def in_place(**changes: Any) -> Rotation:
    """A rotation whose first step rests, everything of it found in place ten minutes ago."""
    rotation = open_entries(
        a_rotation(**{**SHIFTED, "proved_at": NOON, "shifted_at": NOON, **changes}), an_observation()
    )
    settled = an_observation(blue(rotation), green(rotation), 100, at=LONG_AGO)
    return watch(rotation, settled, ())


def with_upkeep(ledger: Ledger, **changes: Any) -> Ledger:
    entries: list[Any] = list(ledger)
    return Ledger(replace(entry, upkeep=replace(entry.upkeep, **changes)) for entry in entries)


def looked(
    rotation: Rotation, blue_slot: SlotState, green_slot: SlotState | None = None, **changes: Any
) -> Observation:
    return an_observation(blue_slot, green_slot or green(rotation), 100, **{"at": after(1), **changes})


def events(rotation: Rotation, name: str) -> list[str]:
    return [event.text for event in rotation.events if event.name == name]


def test_capacity_that_another_writer_has_changed_is_put_back_and_told() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, min=1, max=3)))

    assert decision.actions == (SetRole(BLUE, Role.PINNED, 4, OWNER),)
    assert events(decided(decision.record), "healed") == ["web-blue has min 1 max 3, not min 4 max 8; put back"]


def in_conflict(times: int, every: float = 2) -> Rotation:
    """Another writer changes the live slot's minimum `times` times, `every` few minutes, and phoenix answers."""
    rotation = in_place(deadline=after(99_999), terms=some_terms(UNTIL_PROMOTED))
    for number in range(times):
        for at, least in ((every * number + 1, 1), (every * number + 1, 4), (every * (number + 1), 4)):
            if rotation.held is None:
                seen = looked(rotation, blue(rotation, min=least), at=after(at))
                rotation = decided(decide(a_record(rotation), seen).record)
    return rotation


def test_what_another_writer_keeps_changing_is_put_back_twice_and_then_held_with_what_to_type() -> None:
    assert in_conflict(MOST_MENDS).held is None

    held = why_held(in_conflict(MOST_MENDS + 1))

    assert held.startswith("web-blue has min 1 max 8, not min 4 max 8, and phoenix has put it back 2 times")
    assert held.endswith("phoenix resume --group web")


def test_what_happens_once_a_day_is_no_conflict() -> None:
    assert in_conflict(5, every=24 * 60).held is None


def test_holding_changes_nothing_and_a_resume_begins_anew() -> None:
    rotation = in_conflict(MOST_MENDS + 1)
    resumed = replace(rotation, held=None)

    assert decide(a_record(rotation), looked(rotation, blue(rotation, min=1), at=after(9))).actions == ()
    again = decide(a_record(resumed), looked(resumed, blue(resumed, min=1), at=after(5.5)))
    assert again.actions == (SetRole(BLUE, Role.PINNED, 4, OWNER),)
    assert decided(again.record).held is None


def test_an_old_answer_right_after_a_change_of_our_own_is_no_foreign_change() -> None:
    rotation = in_place()
    fresh = replace(rotation, ledger=with_upkeep(rotation.ledger, since=NOON))

    decision = decide(a_record(fresh), looked(fresh, blue(fresh, min=2), at=after(seconds=20)))

    assert decision.actions == (SetRole(BLUE, Role.PINNED, 4, OWNER),)
    assert events(decided(decision.record), "healed") == []


def test_a_need_that_grows_is_no_foreign_change() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, healthy=6, min=4)))

    assert SetRole(BLUE, Role.PINNED, 6, OWNER) in decision.actions
    assert events(decided(decision.record), "healed") == []


def test_a_death_between_the_record_and_the_call_is_no_foreign_change() -> None:
    rotation = open_entries(a_rotation(), an_observation())
    for minute in range(5):
        rotation = decided(decide(a_record(rotation), an_observation(a_slot(min=2), at=after(minute))).record)

    assert rotation.held is None
    assert events(rotation, "healed") == []


@pytest.mark.edge(44)
def test_tags_that_another_writer_has_removed_are_written_again() -> None:
    rotation = in_place()
    kept = {key: value for key, value in tags_of(rotation)[BLUE].items() if key != tags.CAPACITY}

    decision = decide(a_record(rotation), looked(rotation, blue(rotation, tags=kept)))

    assert decision.actions == (WriteTags({BLUE: {tags.CAPACITY: "2 8"}}),)
    assert events(decided(decision.record), "healed") == ["web-blue has lost the tags phoenix:capacity; put back"]


def test_schedules_that_another_writer_resumes_on_the_candidate_are_suspended_again() -> None:
    rotation = in_place()

    decision = decide(a_record(rotation), looked(rotation, blue(rotation), green(rotation, suspended=frozenset())))

    assert decision.actions == (SetSchedules(GREEN, running=False),)
    assert events(decided(decision.record), "healed") == [
        "web-green: scheduled actions are running, not suspended; put back"
    ]


def test_the_way_back_never_waits_for_a_person_before_the_traffic_is_where_it_belongs() -> None:
    worn = with_upkeep(in_place().ledger, mended=MOST_MENDS)
    rotation = replace(in_place(**BACK), ledger=worn)
    small = blue(rotation, healthy=2, min=1, max=3)

    decision = decide(a_record(rotation), looked(rotation, small))

    assert decided(decision.record).held is None
    assert SetRole(BLUE, Role.PINNED, 4, OWNER) in decision.actions


def test_what_an_earlier_version_has_found_in_place_is_no_foreign_change() -> None:
    rotation = in_place()
    without = [
        replace(entry, upkeep=replace(entry.upkeep, made=replace(entry.upkeep.made, version=None)))
        for entry in rotation.ledger
        if isinstance(entry, CapacityEntry) and entry.upkeep.made is not None
    ]
    older = replace(rotation, ledger=Ledger(without))

    decision = decide(a_record(older), looked(older, blue(older, healthy=6, min=4)))

    assert SetRole(BLUE, Role.PINNED, 6, OWNER) in decision.actions
    assert events(decided(decision.record), "healed") == []


# --- in words ---------------------------------------------------------------------------------------------------------

RULE = "arn:aws:elasticloadbalancing:rule/api"
NAMED = Route(RULE, "rule /api", {BLUE: 100})
TOLD = {slot: f"The log of web-{slot} tells." for slot in (BLUE, GREEN)}
SEEN = an_observation(
    a_slot(tags={tags.GROUP: "web"}, writer_words=TOLD[BLUE]),
    a_slot(GREEN, 0, writer_words=TOLD[GREEN]),
    routes=(NAMED,),
    at=after(1),
)
STORED = (tags.GROUP, tags.STORE, tags.ROTATION)
BOUNDS = "web-blue has min 4 max 4, not min 2 max 8"
REFERENCE = "api does not name web-green any more"

DIFFERS: dict[str, tuple[Entry, Action]] = {
    BOUNDS: (
        CapacityEntry(BLUE, Capacity(2, 8), Upkeep(NOON, Sizing(Capacity(2, 8), "1"))),
        SetRole(BLUE, Role.PINNED, 2, OWNER),
    ),
    "web-green: scheduled actions are running, not suspended": (
        SchedulesEntry(GREEN, True, Upkeep(NOON, False)),
        SetSchedules(GREEN, running=False),
    ),
    "web-blue has lost the tags phoenix:store, phoenix:rotation": (
        TagsEntry(BLUE, (), Upkeep(NOON, STORED)),
        WriteTags({BLUE: {tags.STORE: "here"}}),
    ),
    "web-blue has other tags": (TagsEntry(BLUE, (), Upkeep(NOON, ())), WriteTags({BLUE: {tags.STORE: "here"}})),
    "web-blue has lost the tag phoenix:failover": (
        FailoverEntry(BLUE, "1/off", Upkeep(NOON, True)),
        SetFailover(BLUE, "off/off"),
    ),
    REFERENCE: (ReferenceEntry(RULE, Upkeep(NOON, True)), SetWeights(GREEN, 0)),
}


def worn(entry: Entry, mended: int) -> Rotation:
    return a_rotation(ledger=with_upkeep(Ledger([entry]), mended=mended))


@pytest.mark.parametrize(("words", "case"), DIFFERS.items(), ids=list(DIFFERS))
def test_each_change_that_is_put_back_is_told_by_what_it_is_and_what_it_should_be(
    words: str, case: tuple[Entry, Action]
) -> None:
    entry, action = case

    assert check_ledger(worn(entry, 0), SEEN, (action,)).healed == (f"{words}; put back",)


@pytest.mark.parametrize(("mended", "conflicts"), [(0, False), (1, False), (2, True)])
def test_a_conflict_is_the_third_time_and_says_what_to_type(mended: int, conflicts: bool) -> None:
    entry, action = DIFFERS[BOUNDS]

    told = check_ledger(worn(entry, mended), SEEN, (action,)).conflict

    assert (told is not None) is conflicts
    assert told is None or told == (
        "web-blue has min 4 max 4, not min 2 max 8, and phoenix has put it back 2 times: another writer keeps changing "
        f"it. {TOLD[BLUE]} When that has stopped: phoenix resume --group web"
    )


def test_a_conflict_over_a_route_is_looked_up_by_the_group_it_should_name() -> None:
    entry, action = DIFFERS[REFERENCE]

    assert TOLD[GREEN] in (check_ledger(worn(entry, 2), SEEN, (action,)).conflict or "")


def test_after_a_conflict_everything_is_found_and_counted_anew() -> None:
    entry, action = DIFFERS[BOUNDS]

    checked = check_ledger(worn(entry, 2), SEEN, (action,))

    assert checked.healed == ()
    assert checked.rotation.ledger == Ledger([CapacityEntry(BLUE, Capacity(2, 8), Upkeep(NOON))])


# --- a writer who is faster than every look ---------------------------------------------------------------------------

UNDONE: dict[str, dict[str, Any]] = {
    "web-blue has min 1 max 8, not min 4 max 8": {"blue": {"min": 1}},
    "web-blue has min 4 max 5, not min 4 max 8": {"blue": {"max": 5}},
    "web-green has min 0 max 4, not min 4 max 8": {"green": {"min": 0, "max": 4, "desired": 0}},
    "web-green launches template version 1, not 2": {"green": {"template_version": "1"}},
    "web-green launches no pinned template version, not 2": {"green": {"template_version": None}},
    "web-green: scheduled actions are running, not suspended": {"green": {"suspended": frozenset()}},
}


def undone(changes: dict[str, Any], minutes: list[float], **rotation: Any) -> list[Rotation]:
    """What each look makes of a rotation whose changes another writer undoes right after each look."""
    one = open_entries(
        a_rotation(terms=some_terms(UNTIL_PROMOTED), deadline=after(99_999), **rotation), an_observation()
    )
    looks = []
    for at in minutes:
        there = blue(one, **changes.get("blue", {})), green(one, **changes.get("green", {}))
        seen = an_observation(*there, at=after(at))
        decision = decide(a_record(one), seen)
        one = record_taken(decided(decision.record), seen, decision.actions)
        looks.append(one)
    return looks


@pytest.mark.parametrize(("told", "changes"), UNDONE.items(), ids=list(UNDONE))
def test_each_number_that_another_writer_undoes_after_every_tick_is_put_back_twice_and_then_held(
    told: str, changes: dict[str, Any]
) -> None:
    *going, last = undone(changes, [0, 1, 2, 3])

    assert all(rotation.held is None for rotation in going)
    assert events(going[-1], "healed") == [f"{told}; put back"] * 2
    assert why_held(last).startswith(f"{told}, and phoenix has put it back at least 2 times")
    assert why_held(last).endswith("phoenix resume --group web")


@pytest.mark.parametrize(("told", "changes"), UNDONE.items(), ids=list(UNDONE))
def test_the_way_back_puts_it_back_for_as_long_as_it_takes(told: str, changes: dict[str, Any]) -> None:
    looks = undone(changes, [n * 0.6 for n in range(20)], back=Ask(NOON, "ann"))

    assert [look.held for look in looks] == [None] * 20
    assert told not in str([events(look, "healed") for look in looks])


def test_what_is_asked_for_again_within_half_a_minute_may_be_an_old_answer() -> None:
    looks = undone({"blue": {"min": 1}}, [n / 12 for n in range(7)])

    assert events(looks[-1], "healed") == []


def test_what_could_not_be_put_back_was_not_undone_once_more() -> None:
    (*_, one) = undone({"blue": {"min": 1}}, [0, 1])
    for at in range(2, 9):
        one = decided(decide(a_record(one), an_observation(blue(one, min=1), green(one), at=after(at))).record)

    assert (one.held, len(events(one, "healed"))) == (None, 2)


def test_a_need_that_grows_with_every_look_is_asked_for_anew() -> None:
    one = open_entries(a_rotation(terms=some_terms(UNTIL_PROMOTED)), an_observation())
    for at in range(9):
        seen = an_observation(blue(one, healthy=4 + at, min=4, max=20), green(one), at=after(at))
        decision = decide(a_record(one), seen)
        one = record_taken(decided(decision.record), seen, decision.actions)

    assert (one.held, events(one, "healed")) == (None, [])
