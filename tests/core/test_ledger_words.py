"""What the ledger says of somebody else's change, for each kind of it, and what it forgets when it is forgiven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.decide import decide
from phoenix.core.ledger import (
    SCHEDULES,
    carried_out,
    forgiven,
    healed,
    in_words,
    lost_stickiness,
    opened,
    our_references,
    quarrel,
)
from phoenix.core.model import Route, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.temporary import Entry, Temporary
from tests.builders import NOON, a_record, a_rotation, a_slot, after, an_observation, some_terms, why_held
from tests.core.slots import BLUE, GREEN, blue, decided, green
from tests.core.test_ledger import UNTIL_PROMOTED, events

RULE = "arn:aws:elasticloadbalancing:rule/api"
NAMED = Route(RULE, "rule /api", {BLUE: 100, GREEN: 0})
SEEN = an_observation(a_slot(tags={tags.GROUP: "web"}), a_slot(GREEN, 0), routes=(NAMED,))

DIFFERS = {
    "web-blue has min 4 max 4, not min 2 max 8": Entry(Temporary.CAPACITY, BLUE, "2 8", NOON, "2 8"),
    "web-green: scheduled actions are running, not suspended": Entry(
        Temporary.SCHEDULES, GREEN, "running", NOON, "suspended"
    ),
    "web-blue has lost the tags phoenix:store, phoenix:rotation": Entry(
        Temporary.TAGS, BLUE, "none", NOON, "phoenix:group phoenix:store phoenix:rotation"
    ),
    "web-blue has other tags": Entry(Temporary.TAGS, BLUE, "none", NOON, ""),
    "api does not name web-green any more": Entry(Temporary.REFERENCE, RULE, "none", NOON, "named"),
}
IN_WORDS = {
    "web-blue: min 4 max 4 are a rotation's, min 2 max 8 were there before": Entry(
        Temporary.CAPACITY, BLUE, "2 8", NOON
    ),
    "web-green: scheduled actions are running, they were suspended": Entry(
        Temporary.SCHEDULES, GREEN, "suspended", NOON
    ),
    "rule /api: stickiness is 0 s, it was 60 s": Entry(Temporary.STICKINESS, RULE, "60", NOON),
    "rule /api: names web-green, it did not before": Entry(Temporary.REFERENCE, RULE, "none", NOON),
    "arn:gone: stickiness is none s, it was 60 s": Entry(Temporary.STICKINESS, "arn:gone", "60", NOON),
}


@pytest.mark.parametrize(("words", "entry"), DIFFERS.items(), ids=list(DIFFERS))
def test_what_is_put_back_is_told_by_what_it_is_and_what_it_should_be(words: str, entry: Entry) -> None:
    before = a_rotation(ledger=(entry,))
    after = a_rotation(ledger=(replace(entry, mended=1),))

    assert list(healed(before, after, SEEN)) == [f"{words}; put back"]


@pytest.mark.parametrize(("words", "entry"), IN_WORDS.items(), ids=list(IN_WORDS))
def test_what_is_to_be_taken_back_is_told_for_a_person(words: str, entry: Entry) -> None:
    assert in_words(entry, a_rotation(ledger=(entry,)), SEEN) == words


@pytest.mark.parametrize(("mended", "quarrels"), [(1, False), (2, False), (3, True)])
def test_a_quarrel_is_the_third_time_and_says_what_to_type(mended: int, quarrels: bool) -> None:
    entry = Entry(Temporary.CAPACITY, BLUE, "2 8", NOON, "2 8", mended - 1)

    told = quarrel(a_rotation(ledger=(entry,)), a_rotation(ledger=(replace(entry, mended=mended),)), SEEN)

    assert (told is not None) is quarrels
    assert told is None or told == (
        "web-blue has min 4 max 4, not min 2 max 8, and phoenix has put it back 2 times: somebody else keeps changing "
        "it. CloudTrail knows who: aws cloudtrail lookup-events --lookup-attributes "
        "AttributeKey=ResourceName,AttributeValue=web-blue. When that has stopped: phoenix resume --group web"
    )


def test_a_quarrel_over_a_route_is_looked_up_by_the_group_it_should_name() -> None:
    entry = Entry(Temporary.REFERENCE, RULE, "none", NOON, "named", 2)

    told = quarrel(a_rotation(ledger=(entry,)), a_rotation(ledger=(replace(entry, mended=3),)), SEEN)

    assert "AttributeValue=web-green" in (told or "")


def test_what_is_forgiven_is_found_and_counted_anew() -> None:
    entry = Entry(Temporary.CAPACITY, BLUE, "2 8", NOON, "4 8", 2)

    assert forgiven(a_rotation(ledger=(entry,))).ledger == (Entry(Temporary.CAPACITY, BLUE, "2 8", NOON),)


@pytest.mark.parametrize(("seconds", "lost"), [(0, {RULE: 60}), (60, {})])
def test_stickiness_is_lost_where_there_is_none_now(seconds: int, lost: dict[str, int]) -> None:
    entry = Entry(Temporary.STICKINESS, RULE, "60", NOON)
    seen = replace(SEEN, routes=(replace(NAMED, sticky_seconds=seconds), Route("arn:other", ":80", {})))

    assert lost_stickiness((entry,), seen) == lost


def test_only_references_of_our_own_making_are_ours() -> None:
    entry = Entry(Temporary.REFERENCE, RULE, "none", NOON)
    owners = replace(NAMED, arn="arn:owners")

    assert our_references((entry,), GREEN, replace(SEEN, routes=(NAMED, owners))) == {RULE}
    assert our_references((entry,), GREEN, replace(SEEN, routes=(replace(NAMED, weights={BLUE: 1}),))) == frozenset()


def test_schedules_are_suspended_by_the_one_name_that_aws_has_for_them() -> None:
    suspended: Any = replace(SEEN, slots={**SEEN.slots, GREEN: a_slot(GREEN, 0, suspended=frozenset({SCHEDULES}))})
    entry = Entry(Temporary.SCHEDULES, GREEN, "running", NOON)

    assert in_words(entry, a_rotation(), suspended) == "web-green: scheduled actions are suspended, they were running"
    assert set(suspended.slots) == set(Slot)


# --- somebody who is faster than every look ---------------------------------------------------------------------------

UNDONE: dict[str, dict[str, Any]] = {
    "web-blue has min 1 max 8, not min 4 max 8": {"blue": {"min": 1}},
    "web-blue has min 4 max 5, not min 4 max 8": {"blue": {"max": 5}},
    "web-green has min 0 max 4, not min 4 max 8": {"green": {"min": 0, "max": 4, "desired": 0}},
    "web-green launches template version 1, not 2": {"green": {"template_version": "1"}},
    "web-green: scheduled actions are running, not suspended": {"green": {"suspended": frozenset()}},
}


def undone(changes: dict[str, Any], minutes: list[float], **rotation: Any) -> list[Rotation]:
    """What each look makes of a rotation in which somebody has undone, right after the look before, what it did."""
    one = opened(a_rotation(terms=some_terms(UNTIL_PROMOTED), deadline=after(99_999), **rotation), an_observation())
    looks = []
    for at in minutes:
        there = blue(one, **changes.get("blue", {})), green(one, **changes.get("green", {}))
        seen = an_observation(*there, at=after(at))
        decision = decide(a_record(one), seen)
        one = carried_out(decided(decision.record), seen, decision.actions)
        looks.append(one)
    return looks


@pytest.mark.parametrize(("told", "changes"), UNDONE.items(), ids=list(UNDONE))
def test_each_number_that_somebody_undoes_after_every_tick_is_put_back_twice_and_then_held(
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
    one = opened(a_rotation(terms=some_terms(UNTIL_PROMOTED)), an_observation())
    for at in range(9):
        seen = an_observation(blue(one, healthy=4 + at, min=4, max=20), green(one), at=after(at))
        decision = decide(a_record(one), seen)
        one = carried_out(decided(decision.record), seen, decision.actions)

    assert (one.held, events(one, "healed")) == (None, [])
