"""A sweep finds the groups whose schedule wants a drill, and those whose drill is being measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.core.drill import Drill, DrillTerms, Ending
from phoenix.core.due import WATCHED, next_look
from phoenix.core.many.triage import Member, Need, Signs, need_of
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar, Window
from tests.builders import NOON, a_generation

HOUR = timedelta(hours=1)
TERMS = DrillTerms(1, 75, timedelta(minutes=30), Calendar((Window("0 12 * * *", HOUR),)), scheduled=True)
MEMBER = Member("web", rotate_when=RotateWhen(new_image=False), drill=TERMS)
IDLE = GroupRecord("web", live=a_generation(3), noted_at=NOON)
DRILL = Drill("web-drill-1", "web", Slot.BLUE, Ask(NOON, "tester"), "1", ("i-1",), 4, 3, NOON + HOUR)


def need(record: GroupRecord, member: Member = MEMBER, at: timedelta = timedelta(0)) -> Need:
    return need_of(member, record, Signs(), NOON + at)


def test_an_idle_group_is_due_once_in_each_opening_of_its_drills() -> None:
    done = replace(
        IDLE, drills=(replace(DRILL, ask=Ask(NOON + timedelta(minutes=1), "tester")).over(NOON, Ending.WHOLE),)
    )

    assert need(IDLE) is Need.UPKEEP
    assert need(IDLE, at=-HOUR) is Need.NOTHING
    assert need(done) is Need.NOTHING
    assert need(IDLE, replace(MEMBER, drill=None)) is Need.NOTHING
    assert need(replace(IDLE, paused=Ask(NOON, "ann"))) is Need.NOTHING


def test_a_drill_in_flight_is_watched_whatever_the_calendar_says() -> None:
    measured = replace(IDLE, drills=(DRILL,))

    assert need(measured, at=5 * HOUR) is Need.UPKEEP
    assert next_look(measured, NOON) == NOON + WATCHED
    assert next_look(IDLE, NOON) is None
