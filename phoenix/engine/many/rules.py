"""Rules for all groups, where a start meets them: is there room, is the breaker open, and who tells of it.

Must never count on what was read before: where a rule limits starts, they are recorded one after the other, and counted
right before. Must never stand in the way of a rotation in flight.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from phoenix.again import again
from phoenix.core.blocker import Blocker
from phoenix.core.many.limits import BREAKER, STARTS, Breaker, in_flight, why_full, why_open
from phoenix.core.note import Note
from phoenix.core.notice import Notice
from phoenix.engine.group import Desk
from phoenix.engine.outbox import put, send
from phoenix.engine.request import RotateRequest
from phoenix.errors import Blocked, LeaseHeld, StateConflict
from phoenix.ports import Lease

log = logging.getLogger(__name__)

_TURN: Final = timedelta(seconds=150)
"""The longest time that a start keeps others waiting if its driver dies: longer than all calls of a turn can take,
with every answer late and every call tried again."""
_PATIENCE: Final = timedelta(seconds=20)
_WHERE: Final = "phoenix.yaml"


def find_rule_blockers(group: Desk, request: RotateRequest) -> Iterator[Blocker]:
    """Find the other groups' blockers for a start of this one. Reads their records, where there is a rule."""
    rules = group.rules
    if not rules.concern_starts:
        return
    records = group.store.load_many(tuple(rules.labels))
    full = why_full(rules, in_flight(records.values()), group.name)
    if full is not None and "limit" not in request.ignore:
        yield Blocker("limit", _WHERE, full, _ignoring(group, "limit"), ignorable=True)
    opened = why_open(rules, records.values(), group.clock.now())
    if opened is not None and "breaker" not in request.ignore:
        yield Blocker("breaker", _WHERE, opened, _ignoring(group, "breaker"), ignorable=True)


@contextmanager
def in_turn(group: Desk, request: RotateRequest) -> Iterator[Lease | None]:
    """Within the block no other driver records a start; None where no rule counts them.

    Raises:
        Blocked: others have started meanwhile; nothing was changed.
        LeaseHeld: too many groups want to start; this one's turn is far.
    """
    if not group.rules.concern_starts:
        yield None
        return
    lease = _wait_for_turn(group)
    try:
        found = tuple(find_rule_blockers(group, request))
        if found:
            text = " ".join(blocker.text for blocker in found)
            raise Blocked(f"{group.name} has to wait: {text}", hint=f"phoenix plan --group {group.name}")
        yield lease
    finally:
        group.store.release(lease)


def refuse_out_of_turn(group: Desk, turn: Lease | None) -> None:
    """Ask right before the save whether the turn has lasted that long: what was done in it may have waited for AWS.

    Raises:
        Blocked: another group has the turn by now.
    """
    if turn is not None and not group.store.holds(turn):
        raise Blocked(
            f"{group.name} took so long to start that its turn has passed to another group; nothing was changed",
            hint=f"phoenix plan --group {group.name}",
        )


def tell_of_breaker(group: Desk, opened: str | None) -> None:
    """Tell once that the breaker has opened, through this group's notifiers, and note when it has closed again.

    The driver that saves the change sends the news; the next one that is stopped sends what was not sent.
    """
    if group.rules.breaker is None:
        return
    kept = group.store.note(BREAKER) or Note(BREAKER)
    try:
        if opened is not None and not _is_told(kept, group.rules.breaker, group.clock.now()):
            kept = group.store.save_note(_opened(group, kept, opened))
            log.error("breaker.opened", extra={"group": group.name, "reason": opened})
        elif opened is None and kept.at is not None:
            kept = group.store.save_note(replace(kept, at=None, by="", text=""))
            log.warning("breaker.closed", extra={"group": group.name})
    except StateConflict:
        return  # another driver has noticed it, and tells
    if kept.outbox:
        send(group, kept)


def _is_told(kept: Note, breaker: Breaker, now: datetime) -> bool:
    """False also where it was told so long ago that the rollbacks of then do not count any more: others have opened it
    since, and no driver has noted that it had closed: only a start by schedule does."""
    return kept.at is not None and now - kept.at < breaker.within


def _opened(group: Desk, kept: Note, text: str) -> Note:
    now = group.clock.now()
    at = f"{now:%Y%m%dT%H%M%SZ}"
    notice = Notice(
        id=f"breaker.{at}",
        at=now,
        event="breaker",
        subject="phoenix: no rotation of any group starts, too many were rolled back",
        text=f"{text} Rotations in flight go on. By hand: phoenix rotate --ignore breaker --reason ...",
        facts={"event": "breaker", "since": f"{now:%Y-%m-%dT%H:%M:%SZ}"},
    )
    return put(group, replace(kept, at=now, by="phoenix", text=text), notice)


def _wait_for_turn(group: Desk) -> Lease:
    """A turn takes some tenths of a second. The name in the lease is this start's own: its driver may have several."""
    owner = f"{group.driver}#{secrets.token_hex(4)}"
    give_up_at = group.clock.now() + _PATIENCE
    return again(
        lambda: group.store.claim(STARTS, owner, group.clock.now(), _TURN),
        LeaseHeld,
        give_up=lambda _error, _made: group.clock.stopping or group.clock.now() >= give_up_at,
        pause=lambda _error: random.uniform(0.1, 0.5),
        sleep=group.clock.sleep,
    )


def _ignoring(group: Desk, name: str) -> str:
    return f'phoenix rotate --group {group.name} --ignore {name} --reason "..."'
