"""Find the groups that may need a driver: from their records, and from a few signs read for all of them together.

Pure. Must never say "nothing" on a guess: what cannot be told from here is worth a proper look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from phoenix.core.drill import DrillTerms
from phoenix.core.generation import Generation
from phoenix.core.model import Slot
from phoenix.core.ownership import is_elsewhere
from phoenix.core.record import GroupRecord
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar

NOTE_HOLDS: Final = timedelta(days=1)
"""A group that was never rotated is judged by its note for this long: its owner may do as he likes meanwhile."""


class Need(StrEnum):
    """What a group may need: no driver, one that goes on with its rotation, or one that may start one."""

    NOTHING = "nothing"
    UPKEEP = "upkeep"
    START = "start"


@dataclass(frozen=True, slots=True)
class Member:
    """One group among all, as far as its policy matters here."""

    name: str
    slots: Mapping[Slot, str] = field(default_factory=dict)
    rotate_when: RotateWhen = RotateWhen()
    calendar: Calendar = Calendar()
    drill: DrillTerms | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What AWS says of a group without being asked for it alone.

    `image` is the one that its source chooses now, None when that is not known. `marked`: a tag is on it that only a
    rotation in flight may leave. `moved`: a route does not send everything to the live slot. `tainted`: an instance is.
    None: not known, since AWS does not say.
    """

    image: str | None = None
    marked: bool | None = False
    moved: bool | None = False
    tainted: bool | None = False


UNKNOWN_SIGNS = Signs(marked=None, moved=None, tainted=None)


def need_of(member: Member, record: GroupRecord | None, signs: Signs, at: datetime) -> Need:
    """What the group may need now."""
    if record is not None:
        if is_elsewhere(record, member.slots):
            return Need.UPKEEP
        rotation = record.in_flight
        if rotation is not None:
            is_idle = rotation.held is not None and signs.marked is False
            return Need.NOTHING if is_idle else Need.UPKEEP
        # While it is hot it is due by itself every few minutes; all of them together would be a storm.
        is_over = record.hot_until is not None and record.hot_until <= at
        if signs.marked or signs.moved or is_over or _is_drilled(member.drill, record, at):
            return Need.UPKEEP
        if record.paused is not None or (record.setback is not None and at < record.setback.not_before):
            return Need.NOTHING
        # Also while the calendar is closed: leftovers must not wait for a window.
        if signs.marked is None or signs.moved is None:
            return Need.START
    live = record.live if record is not None else None
    if record is not None and _is_news(record, signs):
        return Need.START
    # The calendar is asked last: a schedule costs more to evaluate than everything before it.
    may_start = _may_be_due(member.rotate_when, record, live, signs, at) and _is_open(member.calendar, at)
    return Need.START if may_start else Need.NOTHING


def _is_news(record: GroupRecord, signs: Signs) -> bool:
    """True where a taint has come or gone since the last look, which tells of it, window or not."""
    return signs.tainted is not None and signs.tainted is not bool(record.snowflakes and record.snowflakes.tainted)


def _is_drilled(terms: DrillTerms | None, record: GroupRecord, at: datetime) -> bool:
    """True while a drill is measured, or where one is due by the schedule."""
    if terms is None or record.paused is not None or record.drill_in_flight is not None:
        return record.drill_in_flight is not None
    last = record.drills[-1].ask.at if record.drills else None
    return terms.due_opening(last, at) is not None


def _may_be_due(
    when: RotateWhen, record: GroupRecord | None, live: Generation | None, signs: Signs, at: datetime
) -> bool:
    if record is None or live is None or when.drift or when.template:
        return True
    if record.rotation is None and (record.noted_at is None or at - record.noted_at > NOTE_HOLDS):
        return True
    if when.tainted and signs.tainted is not False:
        return True
    if when.max_instance_lifetime is not None and (live.since is None or at - live.since > when.max_instance_lifetime):
        return True
    if not when.new_image or signs.image == live.image:
        return False
    return all(entry.image != signs.image for entry in record.quarantine)


def _is_open(calendar: Calendar, at: datetime) -> bool:
    if calendar.freeze_at(at) is not None:
        return False
    return not calendar.windows or calendar.opening_at(at) is not None
