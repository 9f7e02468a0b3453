"""What comes next for a group at rest, and who has to act."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.many.limits import Breaker, Limits, Rules
from phoenix.core.model import Cause
from phoenix.core.outlook import DueFacts, Outlook, Timetable, Turn, outlook
from phoenix.core.record import GroupRecord, Quarantined, Setback, Standstill
from phoenix.core.story import Ask
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Freeze, Window
from tests.builders import NOON, a_generation, a_record, a_rotation, after

NEW = "ami-new"
DUE = DueFacts(("new image (5m old)",), NEW)
NIGHTS = Calendar(windows=(Window("0 2 * * *", timedelta(hours=4)),))


def ahead(facts: DueFacts = DUE, record: GroupRecord | None = None, **table: Any) -> Outlook:
    times = Timetable(**{"rotate_when": RotateWhen(), **table})
    return outlook(record or a_record(live=a_generation()), times, facts, NOON)


def test_what_is_due_and_waits_for_nothing_starts_with_the_next_tick() -> None:
    found = ahead()

    assert (found.due, found.short, found.turn, found.at) == (True, "next tick", Turn.PHOENIX, NOON)
    assert found.sentence.startswith("due: new image (5m old); the next tick starts it")


def test_a_closed_window_says_when_it_opens() -> None:
    found = ahead(calendar=NIGHTS)

    opens = NOON.replace(hour=2, minute=0) + timedelta(days=1)
    assert (found.at, found.turn) == (opens, Turn.PHOENIX)
    assert f"waits for the window until {opens:%a %Y-%m-%d} 02:00 UTC" in found.sentence
    assert found.short == f"window {opens:%a} 02:00"


def test_a_freeze_says_until_when_and_why() -> None:
    freeze = Freeze(NOON.date(), NOON.date(), "summit")

    found = ahead(calendar=Calendar(freezes=(freeze,)))

    assert found.at == freeze.ends_at
    assert "frozen until" in found.sentence
    assert "summit" in found.sentence


def test_the_limit_of_rotations_in_flight_names_those_in_flight() -> None:
    other = replace(a_record(a_rotation()), group="api")

    found = ahead(rules=Rules(Limits(in_flight=1)), records={"api": other})

    assert (found.short, found.at) == ("room", None)
    assert "waits for room: 1 rotation in flight, 1 allowed: api" in found.sentence


def test_an_open_breaker_needs_a_person() -> None:
    back = replace(a_rotation(), ended_at=NOON)
    failed = [a_record(replace(back, group=name)) for name in ("api", "db")]
    records = {str(n): replace(record, group=str(n)) for n, record in enumerate(failed)}

    found = ahead(rules=Rules(breaker=Breaker(0, timedelta(hours=1))), records=records)

    assert (found.short, found.turn) == ("breaker", Turn.PERSON)


@pytest.mark.parametrize(
    ("changes", "short", "words"),
    [
        ({"paused": Ask(NOON, "ada", "stocktaking")}, "paused", "paused by ada since 2026"),
        ({"quarantine": (Quarantined(NEW, NOON, Cause.IMAGE, "r", "5xx"),)}, "quarantine", "ami-new is quarantined"),
        ({"blocked": Standstill(NOON, ("quota",))}, "blocked: quota", "blocked since"),
    ],
)
def test_what_only_a_person_ends_is_a_persons_turn(changes: dict[str, Any], short: str, words: str) -> None:
    found = ahead(record=replace(a_record(live=a_generation()), **changes))

    assert (found.due, found.short, found.turn, found.at) == (True, short, Turn.PERSON, None)
    assert words in found.sentence


def test_a_setback_ends_by_itself() -> None:
    found = ahead(record=replace(a_record(live=a_generation()), setback=Setback(2, after(30))))

    assert (found.turn, found.at) == (Turn.PHOENIX, after(30))
    assert "tries again after" in found.sentence


def test_a_missing_image_is_a_persons_turn() -> None:
    assert ahead(DueFacts(("no image fits the policy",))).short == "no image"


def test_of_several_waits_the_last_to_end_says_when() -> None:
    record = replace(a_record(live=a_generation()), setback=Setback(2, after(30)))

    found = ahead(record=record, calendar=NIGHTS)

    assert [wait.name for wait in found.waits] == ["setback", "window"]
    assert found.at == NIGHTS.next_opening(NOON)


def test_not_due_names_the_age_and_the_image_that_would_make_it_due() -> None:
    when = RotateWhen(max_instance_lifetime=timedelta(days=7), tainted=True)

    found = ahead(DueFacts((), NEW, after(-60)), rotate_when=when)

    assert (found.due, found.turn, found.at) == (False, Turn.NOTHING, after(-60) + timedelta(days=7))
    assert found.sentence.startswith("not due until the oldest instance is 7d old (")
    assert found.sentence.endswith("or a newer image appears or an instance is tainted")


def test_a_group_that_only_a_person_rotates_says_so() -> None:
    found = ahead(DueFacts(()), rotate_when=RotateWhen(new_image=False))

    assert (found.due, found.short) == (False, "by hand")
    assert "the policy names no reason to rotate" in found.sentence


def test_a_pause_is_told_where_nothing_is_due_too() -> None:
    found = ahead(DueFacts(()), record=replace(a_record(live=a_generation()), paused=Ask(NOON, "ada")))

    assert (found.due, found.short, found.turn) == (False, "paused", Turn.PERSON)


def test_what_could_not_be_read_is_not_called_quiet() -> None:
    found = ahead(DueFacts(None, unknown="ec2:DescribeImages is denied"))

    assert (found.due, found.turn) == (None, Turn.PERSON)
    assert found.sentence == "not known: ec2:DescribeImages is denied"
