"""What comes next for a group at rest, and when: it is due and waits for something, or it is not due until something.

Pure. Must never promise a start: what stands in its way in AWS is known only after all checks of `plan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from phoenix.core.explain import ago, clock_time
from phoenix.core.many.limits import Rules, in_flight, why_full, why_open
from phoenix.core.record import GroupRecord
from phoenix.core.trigger import RotateWhen
from phoenix.core.window import Calendar


class Turn(StrEnum):
    """Who has to act next on a group at rest."""

    PERSON = "person"
    PHOENIX = "phoenix"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that keeps a due rotation from starting. `until` None: its end is not known. `short` fits a column."""

    name: str
    text: str
    short: str
    until: datetime | None = None
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """When the owner wants a rotation, by the policy and the rules for all groups; `records` are all groups'."""

    rotate_when: RotateWhen
    calendar: Calendar = Calendar()
    rules: Rules = Rules()
    records: Mapping[str, GroupRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueFacts:
    """What was found of a group at rest. `reasons` None: not known, as `unknown` says. `image` is the one that would
    be next, None: none or not known. `oldest` is when the oldest live instance was launched, None: not known."""

    reasons: tuple[str, ...] | None
    image: str | None = None
    oldest: datetime | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`due` None: not known. `at` is the time of the next change that is known: a start, or becoming due."""

    due: bool | None
    sentence: str
    short: str
    reasons: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()
    at: datetime | None = None

    @property
    def turn(self) -> Turn:
        """Whose turn it is: a person's where something waits for one, or nothing can be told."""
        if self.due is None or any(wait.needs_person for wait in self.waits):
            return Turn.PERSON
        return Turn.PHOENIX if self.due else Turn.NOTHING


def outlook(record: GroupRecord, timetable: Timetable, facts: DueFacts, at: datetime) -> Outlook:
    """What comes next for this group, which is at rest."""
    if facts.reasons is None:
        return Outlook(None, f"not known: {facts.unknown}", "not known")
    if not facts.reasons:
        paused = tuple(_own_waits(record, None, at))
        return _not_due(timetable.rotate_when, facts, paused)
    waits = tuple(_waits(record, timetable, facts, at))
    why = "; ".join(facts.reasons)
    if not waits:
        text = f"due: {why}; the next tick starts it, if nothing that `phoenix plan` would find is in its way"
        return Outlook(True, text, "next tick", facts.reasons, (), at)
    ends = [wait.until for wait in waits]
    when = None if None in ends else max((each for each in ends if each is not None), default=None)
    return Outlook(True, f"due: {why}; {'; '.join(w.text for w in waits)}", waits[0].short, facts.reasons, waits, when)


def _not_due(when: RotateWhen, facts: DueFacts, paused: tuple[Wait, ...]) -> Outlook:
    limit, becomes_due, causes, short = when.max_instance_lifetime, None, [], ""
    if limit is not None and facts.oldest is not None:
        becomes_due = facts.oldest + limit
        causes.append(f"the oldest instance is {ago(limit)} old ({becomes_due:%Y-%m-%d %H:%M} UTC)")
        short = f"age {becomes_due:%m-%d %H:%M}"
    elif limit is not None:
        causes.append(f"the oldest instance is {ago(limit)} old")
    others = (
        (when.new_image, "a newer image appears", "new image"),
        (when.template, "the launch template changes", "template"),
        (when.drift, "an instance runs another image", "drift"),
        (when.tainted, "an instance is tainted", "taint"),
    )
    causes += [text for wanted, text, _ in others if wanted]
    short = short or next((word for wanted, _, word in others if wanted), "by hand")
    until = f"until {' or '.join(causes)}" if causes else "by itself: the policy names no reason to rotate"
    told = "; ".join((f"not due {until}", *(wait.text for wait in paused)))
    short = paused[0].short if paused else short
    return Outlook(False, told, short, waits=paused, at=becomes_due)


def _waits(record: GroupRecord, timetable: Timetable, facts: DueFacts, at: datetime) -> Iterator[Wait]:
    yield from _own_waits(record, facts.image, at)
    if facts.image is None:
        text = "no image fits the policy, which `phoenix images` explains"
        yield Wait("no-image", text, "no image", needs_person=True)
    yield from _calendar_waits(timetable.calendar, at)
    full = why_full(timetable.rules, in_flight(timetable.records.values()), record.group)
    if full is not None:
        yield Wait("limit", f"waits for room: {full.rstrip('.')}", "room")
    opened = why_open(timetable.rules, timetable.records.values(), at)
    if opened is not None:
        yield Wait("breaker", f"the breaker is open: {opened.rstrip('.')}", "breaker", needs_person=True)
    stands = record.blocked
    if stands is not None:
        names = ", ".join(stands.blockers)
        text = f"blocked since {stands.since:%Y-%m-%d %H:%M} UTC by {names}, which `phoenix plan` explains"
        yield Wait("blocked", text, f"blocked: {stands.blockers[0]}", needs_person=True)


def _own_waits(record: GroupRecord, image: str | None, at: datetime) -> Iterator[Wait]:
    """What phoenix or a person has noted in the record."""
    paused, setback = record.paused, record.setback
    if paused is not None:
        why = f': "{paused.reason}"' if paused.reason else ""
        text = f"paused by {paused.by} since {paused.at:%Y-%m-%d %H:%M} UTC{why}; `phoenix resume` ends that"
        yield Wait("paused", text, "paused", needs_person=True)
    entry = next((q for q in record.quarantine if q.image == image), None)
    if entry is not None:
        since = f"{entry.at:%Y-%m-%d %H:%M} UTC"
        text = f"{entry.image} is quarantined since {since}, until a newer image or `phoenix retry`"
        yield Wait("quarantine", text, "quarantine", needs_person=True)
    if setback is not None and at < setback.not_before:
        until = setback.not_before
        failed = f"failed {setback.count} times in a row for reasons outside the image"
        text = f"{failed}, tries again after {until:%Y-%m-%d %H:%M} UTC"
        yield Wait("setback", text, f"again {clock_time(until)[:5]}", until)


def _calendar_waits(calendar: Calendar, at: datetime) -> Iterator[Wait]:
    freeze = calendar.freeze_at(at)
    is_closed = bool(calendar.windows) and calendar.opening_at(at) is None
    if freeze is None and not is_closed:
        return
    opens = calendar.next_opening(at)
    when = f"until {opens:%a %Y-%m-%d %H:%M} UTC" if opens is not None else "and no opening is in sight"
    name = "freeze" if freeze is not None else "window"
    text = f"frozen {when}: {freeze.reason}" if freeze is not None else f"waits for the window {when}"
    short = f"{name} {opens:%a %H:%M}" if opens is not None else f"{name} never"
    yield Wait(name, text, short, opens, needs_person=opens is None)
