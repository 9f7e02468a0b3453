"""The time at which a driver must look at a group again, once no driver holds it any more.

Pure. Must never answer None while a tick may have something to do by itself: if no driver watches every group every
minute, a group without an answer is looked at only when something new comes, or with the idle ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from phoenix.core.record import GroupRecord

WATCHED = timedelta(minutes=1)
"""The longest time that a rotation in flight goes unwatched: gates have to see a bad image while it bakes."""
FOLLOWED = timedelta(minutes=5)
"""The longest time that a hot generation may lag behind a growing live one."""


def next_look(record: GroupRecord, now: datetime, decided: datetime | None = None) -> datetime | None:
    """The time of the next look; None: never by itself. `decided` is the last decision's time, None if it named none.

    A paused rotation is watched all the same: its steps stand still, but a gate that fails still turns it back. A held
    one waits for a person. News that has not reached everybody is due like everything else.
    """
    rotation = record.in_flight
    news = [max(notice.due_at, now) for notice in record.outbox]
    if rotation is not None:
        watched = None if rotation.held is not None else min(decided or now + WATCHED, now + WATCHED)
        return watched if watched is not None else min(news, default=None)
    looks = [decided, *news]
    if record.drill_in_flight is not None:
        looks.append(now + WATCHED)
    if record.retained is not None and record.hot_until is not None:
        # One whose time is over and that is hot all the same has traffic that another writer gave it: no need to hurry.
        is_over = record.hot_until <= now
        looks.append(now + FOLLOWED if is_over else min(record.hot_until, now + FOLLOWED))
    if record.setback is not None and record.setback.not_before > now:
        # Once it has passed, the group is an idle one again: only a success removes the setback.
        looks.append(record.setback.not_before)
    return min((look for look in looks if look is not None), default=None)
