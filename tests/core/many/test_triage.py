"""Which of many groups may need a driver; "nothing" is said only where it is sure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.many.triage import UNKNOWN_SIGNS, Member, Need, Signs, need_of
from phoenix.core.model import Cause
from phoenix.core.record import GroupRecord, NotedSnowflakes, Quarantined, Setback
from phoenix.core.story import Ask
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Window
from tests.builders import NEW_IMAGE, NOON, OLD_IMAGE, a_generation, a_record, a_rotation, after

OPEN = Calendar()
WEEK = timedelta(days=7)
CLOSED = Calendar((Window("0 2 * * *", timedelta(hours=1)),))
NEW = Signs(image=NEW_IMAGE)
SAME = Signs(image=OLD_IMAGE)


def idle(**facts: Any) -> GroupRecord:
    return a_record(live=a_generation(41, since=after(-60)), **{"noted_at": NOON, **facts})


def need(record: GroupRecord | None, signs: Signs = SAME, calendar: Calendar = OPEN, **when: Any) -> Need:
    return need_of(Member("web", rotate_when=RotateWhen(**when), calendar=calendar), record, signs, NOON)


def test_an_idle_group_on_the_chosen_image_needs_no_driver() -> None:
    assert need(idle(), max_instance_lifetime=WEEK, tainted=True) is Need.NOTHING


@pytest.mark.parametrize(
    ("record", "signs", "when"),
    [
        (None, SAME, {}),
        (a_record(live=None), SAME, {}),
        (idle(), NEW, {}),
        (idle(), Signs(), {}),
        (idle(), SAME, {"drift": True}),
        (idle(), SAME, {"template": True}),
        (idle(), Signs(OLD_IMAGE, tainted=True), {"tainted": True}),
        (idle(), Signs(OLD_IMAGE, tainted=None), {"tainted": True}),
        (idle(noted_at=after(-1441)), SAME, {}),
        (idle(noted_at=None), SAME, {}),
        (idle(), SAME, {"max_instance_lifetime": timedelta(minutes=59)}),
        (a_record(), SAME, {"max_instance_lifetime": WEEK}),
    ],
    ids=[
        "new",
        "unclear",
        "image",
        "not known",
        "drift",
        "template",
        "taint",
        "taint not known",
        "old note",
        "note of old",
        "age",
        "age not known",
    ],
)
def test_whatever_may_be_a_reason_is_worth_a_look_of_its_own(
    record: GroupRecord | None, signs: Signs, when: dict[str, Any]
) -> None:
    assert need(record, signs, **when) is Need.START
    news = signs.tainted is True
    assert need(record, signs, CLOSED, **when) is (Need.START if news else Need.NOTHING)


@pytest.mark.parametrize(
    "record",
    [
        idle(paused=Ask(NOON, "ann"), hot_until=after(30)),
        idle(setback=Setback(1, after(30))),
        idle(quarantine=(Quarantined(NEW_IMAGE, NOON, Cause.IMAGE, "web-42", "sick"),)),
        a_record(a_rotation(held="another writer has changed the weights")),
    ],
    ids=["paused", "setback", "quarantine", "held"],
)
def test_a_group_that_waits_for_a_person_or_a_time_needs_no_driver(record: GroupRecord) -> None:
    assert need(record, NEW) is Need.NOTHING


@pytest.mark.parametrize(
    ("record", "signs"),
    [
        (a_record(a_rotation()), SAME),
        (a_record(a_rotation(paused=Ask(NOON, "ann"))), SAME),
        (a_record(a_rotation(held="x")), Signs(OLD_IMAGE, marked=True)),
        (idle(hot_until=after(-1)), SAME),
        (idle(), Signs(OLD_IMAGE, marked=True)),
        (idle(paused=Ask(NOON, "ann")), Signs(OLD_IMAGE, moved=True)),
    ],
    ids=["in flight", "paused in flight", "word for a held one", "no longer hot", "left over", "weight moved"],
)
def test_what_is_under_way_or_left_over_is_gone_on_with_whatever_the_calendar_says(
    record: GroupRecord, signs: Signs
) -> None:
    assert need(record, signs, CLOSED) is Need.UPKEEP


def test_a_taint_that_has_come_or_gone_is_looked_at_once_so_that_it_is_told_of() -> None:
    known = idle(snowflakes=NotedSnowflakes(NOON, tainted=("i-1",)))

    assert need(idle(), Signs(OLD_IMAGE, tainted=True)) is Need.START
    assert need(known, Signs(OLD_IMAGE, tainted=True)) is Need.NOTHING
    assert need(known, SAME) is Need.START
    assert need(idle(), Signs(OLD_IMAGE, tainted=None)) is Need.NOTHING


def test_a_new_image_is_no_reason_where_the_policy_does_not_say_so() -> None:
    assert need(idle(), NEW, new_image=False) is Need.NOTHING


@pytest.mark.parametrize("signs", [UNKNOWN_SIGNS, Signs(OLD_IMAGE, marked=None), Signs(OLD_IMAGE, moved=None)])
def test_what_aws_does_not_say_is_worth_a_look_even_while_the_calendar_is_closed(signs: Signs) -> None:
    assert need(idle(), signs, CLOSED, new_image=False) is Need.START
    assert need(idle(paused=Ask(NOON, "ann")), signs) is Need.NOTHING


def test_a_held_rotation_may_have_word_where_aws_does_not_say() -> None:
    assert need(a_record(a_rotation(held="x")), UNKNOWN_SIGNS) is Need.UPKEEP


def test_a_record_of_a_rotation_is_no_note_and_does_not_grow_old() -> None:
    ended = a_rotation(ended_at=after(-3000))

    assert need(idle(rotation=ended, noted_at=None)) is Need.NOTHING
