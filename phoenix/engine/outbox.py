"""News are recorded first and sent afterwards: what has happened, and that it has to be told, is one save.

Must never send what is not saved, nor lose what is: a driver that dies leaves the rest to the next one. Must never
raise for news, hold up an action for it, or let a sender be in the way of a driver that acts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from phoenix.again import after, again
from phoenix.core.milestones import with_phase_since
from phoenix.core.note import Note
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Desk
from phoenix.engine.news import news_between
from phoenix.errors import PhoenixError, StateConflict
from phoenix.ports import Notifier

T = TypeVar("T")
Kept = TypeVar("Kept", GroupRecord, Note)
"""The values that have an outbox."""

log = logging.getLogger(__name__)

_ATTEMPTS = 5
"""The number of tries to change the outbox while other drivers save the same record."""


def save_telling(group: Desk, before: GroupRecord, after: GroupRecord) -> GroupRecord:
    """Save what has changed since `before`, with the news of it. `before` is the record as the store had it.

    Raises:
        StateConflict: another driver has changed more than the outbox since; nothing was saved.
    """
    now = group.clock.now()
    news = news_between(before, after, group.about, now)
    told = replace(put(group, with_phase_since(before, after, now), *news), version=before.version)
    saved = _save_past_senders(group, before, told)
    group.tracer.recorded(before, saved)
    return saved


def put(group: Desk, record: Kept, *notices: Notice) -> Kept:
    """The record with these in its outbox, for the save that follows; one whose id is there already stays as it is.

    Without notifiers, nothing is put in.
    """
    there = {notice.id for notice in record.outbox}
    new: tuple[Notice, ...] = tuple(notice for notice in notices if notice.id not in there)
    return replace(record, outbox=(*record.outbox, *new)) if new and group.notifiers != () else record


def send(group: Desk, record: Kept) -> Kept:
    """Send what is due of the record's outbox, and return the record as it is saved then.

    First a save notes that this driver sends: of two drivers only one can. What does not arrive is tried again
    by later ticks, for a day. A driver without the notifiers leaves everything to one that has them.
    """
    if not _due(record, group.clock.now()):
        return record
    notifiers = _load(group)
    if notifiers is None:
        return record
    try:
        marked, due = _mark(group, record)
        left = {notice.id: _sent(group, notice, notifiers) for notice in due}
        return _rewrite(group, marked, left) if due else marked
    except PhoenixError as error:  # the store's; what was to be told is still in it, or was never saved
        log.warning("outbox.failed", extra={"group": group.name, "reason": error.message})
        return record


def send_left(group: Desk) -> None:
    """Send what an earlier tick could not, and what was noted since; for a group that no driver acts on now."""
    record = group.store.load(group.name)
    if record is not None and record.outbox:
        send(group, record)


def _save_past_senders(group: Desk, before: GroupRecord, record: GroupRecord) -> GroupRecord:
    """No decision depends on the outbox: a driver that has sent from it meanwhile is no conflict."""
    try:
        return group.store.save(record)
    except StateConflict:
        kept = group.store.load(before.group)
        if kept is None or kept.outbox == before.outbox or _without_outbox(kept) != _without_outbox(before):
            raise
        old = {notice.id for notice in before.outbox}
        new = tuple(notice for notice in record.outbox if notice.id not in old)
        return group.store.save(replace(record, version=kept.version, outbox=(*kept.outbox, *new)))


def _without_outbox(record: GroupRecord) -> GroupRecord:
    return replace(record, version=0, outbox=())


def _due(record: GroupRecord | Note, now: datetime) -> tuple[Notice, ...]:
    return tuple(notice for notice in record.outbox if notice.due_at <= now)


def _mark(group: Desk, record: Kept) -> tuple[Kept, tuple[Notice, ...]]:
    """Note that the due news is being sent; the driver that saves this first sends it, for a while the only one."""
    now = group.clock.now()

    def mark(kept: Kept) -> tuple[Kept, tuple[Notice, ...]]:
        due = _due(kept, now)
        marks = {notice.id: replace(notice, tried_at=now) for notice in due}
        return (_saved(group, _with(kept, marks)), tuple(marks.values())) if due else (kept, ())

    kept, marked = _past_others(group, record, mark)
    return marked or (kept, ())


def _rewrite(group: Desk, record: Kept, left: Mapping[str, Notice | None]) -> Kept:
    """Take out the news that was sent, whatever another driver saves meanwhile: it must not be sent again for that."""
    kept, saved = _past_others(group, record, lambda kept: _saved(group, _with(kept, left)))
    if saved is None:
        log.warning("outbox.left_as_it_was", extra={"group": group.name, "notices": sorted(left)})
    return saved or kept


def _past_others(group: Desk, record: Kept, change: Callable[[Kept], T]) -> tuple[Kept, T | None]:
    """Change the record on top of what others save at that moment; None when they were faster each time. The record
    that comes back is the last one that was read."""
    kept = [record]

    def change_last() -> T:
        try:
            return change(kept[-1])
        except StateConflict:
            kept.append(_reloaded(group, kept[-1]))
            raise

    try:
        changed = again(change_last, StateConflict, give_up=after(_ATTEMPTS))
    except StateConflict:
        return kept[-1], None
    return kept[-1], changed


def _saved(group: Desk, kept: Kept) -> Kept:
    return group.store.save_note(kept) if isinstance(kept, Note) else group.store.save(kept)


def _reloaded(group: Desk, kept: Kept) -> Kept:
    """As the store has it now; as it was where the store has none."""
    if isinstance(kept, Note):
        return group.store.note(kept.key) or kept
    return group.store.load(kept.group) or kept


def _with(record: Kept, changed: Mapping[str, Notice | None]) -> Kept:
    outbox = (changed.get(notice.id, notice) for notice in record.outbox)
    return replace(record, outbox=tuple(notice for notice in outbox if notice is not None))


def _load(group: Desk) -> tuple[Notifier, ...] | None:
    """The group's notifiers; None where they cannot be had, which is not the same as that there are none."""
    try:
        return tuple(group.notifiers)
    except PhoenixError as error:  # the warning was given where they were loaded
        log.debug("notify.unknown", extra={"group": group.name, "reason": error.message})
        return None


def _sent(group: Desk, notice: Notice, notifiers: tuple[Notifier, ...]) -> Notice | None:
    """Send the notice to the notifiers that it has not reached; return it, or None once it is done or given up."""
    facts = {"group": group.name, "notice": notice.id}
    reached = list(notice.reached)
    missed: list[str] = []
    for notifier in notifiers:
        if notifier.name in reached:
            continue
        try:
            notifier.notify(notice)
            reached.append(notifier.name)
        except PhoenixError as error:
            missed.append(notifier.name)
            log.warning("notify.failed", extra={**facts, "reason": error.message})
    if not missed:
        return None
    if notice.is_stale(group.clock.now()):
        log.error("notify.dropped", extra={**facts, "subject": notice.subject, "missed": missed})
        return None
    return replace(notice, reached=tuple(reached))
