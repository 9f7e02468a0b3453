"""A rotation that is due and blocked for longer than a day is news: once a day, until it starts or is due no more.

Must never count what opens by itself or was wished for: windows, freezes, pauses. Must never write while nothing new
is known.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.record import GroupRecord, Standstill
from phoenix.engine.group import Desk
from phoenix.engine.news import is_worth_telling, standing_still
from phoenix.engine.outbox import put
from phoenix.engine.report import Plan
from phoenix.errors import StateConflict

log = logging.getLogger(__name__)

WISHED: Final = frozenset({"window", "freeze", "paused"})
PATIENCE: Final = timedelta(days=1)


def note_standstill(group: Desk, record: GroupRecord, plan: Plan) -> None:
    """Remember since when this plan cannot start, and put it in the outbox once that is for too long.

    `record` is what was last read; the store is asked again only where something has to be written.
    """
    now = group.clock.now()
    found = _standstill(record.blocked, plan, now)
    is_news = found is not None and is_worth_telling(found, now, PATIENCE)
    if found == record.blocked and not is_news:
        return
    kept = group.store.load(group.name) or GroupRecord(group.name)
    changed = replace(kept, blocked=found)
    if found is not None and is_news:
        texts = tuple(blocker.text for blocker in plan.in_the_way if blocker.name in found.blockers)
        notice = standing_still(group.name, found, texts, group.about, now)
        changed = put(group, replace(kept, blocked=replace(found, told_at=now)), notice)
    try:
        group.store.save(changed)
    except StateConflict as conflict:  # the next look finds it standing still all the same
        log.info("standstill.not_noted", extra={"group": group.name, "reason": conflict.message})


def _standstill(known: Standstill | None, plan: Plan, now: datetime) -> Standstill | None:
    """The blockers may change from day to day; the group stands still since the first of them."""
    names = tuple(dict.fromkeys(b.name for b in plan.in_the_way if b.name not in WISHED))
    if not plan.due or not names:
        return None
    return Standstill(now, names) if known is None else replace(known, blockers=names)
