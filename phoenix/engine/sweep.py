"""`sweep`: who needs attention now? Asks the store every time, and about the idle groups all together now and then.

Must never change anything in AWS, nor drive a group: it says which ones to advance, and an answer that is wrong, late
or given twice costs a look. Keeps the budget of API calls that all who advance groups share.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.due import WATCHED
from phoenix.core.limits import IDLE, Rules, in_flight, why_open, with_room
from phoenix.core.record import GroupRecord
from phoenix.core.triage import UNKNOWN_SIGNS, Member, Need, need_of
from phoenix.errors import LeaseHeld, PhoenixError
from phoenix.ports import Clock, Invoker, Overview, Store

log = logging.getLogger(__name__)

IDLE_EVERY: Final = timedelta(minutes=15)
AHEAD: Final = timedelta(seconds=30)
"""Who is due within half the time to the next sweep is taken along: early is better than late."""
_CALLS_A_PASS: Final = 6
"""About as many API calls does one look at a group in flight make."""
_CALLS_A_START: Final = 60
"""About as many does one make that starts a rotation: most of them are the checks before the first write."""
_SWEEP_EVERY: Final = timedelta(minutes=1)
_ACTIVE: Final = timedelta(minutes=4)
"""Who is driven has a lease that expires sooner than this, and who rests in flight is due sooner."""
_LOOK_TTL: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Estate:
    """All groups with a sound policy, and what a sweep needs to know of them and may use."""

    members: Mapping[str, Member]
    store: Store
    overview: Overview
    invoker: Invoker
    clock: Clock
    driver: str
    rules: Rules = field(default_factory=Rules)
    poll_seconds: float = 5.0
    calls_per_second: float = 15.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How all groups stand together: rotations in flight, those of them past their deadline, and how old the oldest
    live generation is; None where no record knows."""

    in_flight: int
    stuck: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has found: groups that were due, idle ones looked at, and those handed on."""

    due: int = 0
    looked_at: int = 0
    invoked: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """May be due, but the rules for all groups leave no room."""
    left: int = 0
    """Did not fit into the budget of this sweep; they stay due."""
    standing: Standing | None = None
    """Known only when all groups were looked at."""


def sweep(estate: Estate, *, idle: bool, until: datetime | None = None) -> Swept:
    """Find and hand on. `idle`: look at all groups now. `until`: nothing is handed on any more after that."""
    come = estate.store.due(estate.clock.now() + AHEAD)
    due = [name for name in come if name in estate.members]
    looked = _look_at_all(estate, due) if idle or IDLE in come else _Looked()
    wanted = tuple(dict.fromkeys((*due, *looked.wanted)))
    costs = {name: _CALLS_A_START if name in looked.start else _CALLS_A_PASS for name in wanted}
    invoked = tuple(_handed_on(estate, costs, _poll_seconds(estate, looked), until)) if wanted else ()
    return Swept(len(due), looked.count, invoked, looked.waiting, len(wanted) - len(invoked), looked.standing)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What an idle look has found."""

    count: int = 0
    upkeep: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    allowed: int = 0
    """How many may start by the rules, those included for whose calls this sweep is too short."""
    standing: Standing | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Who is to be handed on: first those that have started already."""
        return (*self.upkeep, *self.start)


def _look_at_all(estate: Estate, due: Sequence[str]) -> _Looked:
    """One at a time, whoever sweeps: the lease says who. While groups wait for room, the next look is a minute off."""
    try:
        lease = estate.store.claim(IDLE, estate.driver, estate.clock.now(), _LOOK_TTL)
    except LeaseHeld:
        return _Looked()
    again: datetime | None = estate.clock.now() + timedelta(minutes=1)
    try:
        found = _judged(estate, due)
        again = again if found.waiting else None
        return found
    finally:
        estate.store.release(lease, again)


def _judged(estate: Estate, due: Sequence[str]) -> _Looked:
    members = [member for name, member in sorted(estate.members.items()) if name not in due]
    records = estate.store.load_many([*estate.members])
    signs = estate.overview.signs_of(members, records)
    now = estate.clock.now()
    needs = {m.name: need_of(m, records.get(m.name), signs.get(m.name, UNKNOWN_SIGNS), now) for m in members}
    upkeep = tuple(name for name, need in needs.items() if need is Need.UPKEEP)
    start = tuple(name for name, need in needs.items() if need is Need.START)
    allowed = _with_room(estate, records, start)
    chosen = allowed[: _starts_that_fit(estate, len(due) + len(upkeep))]
    # What the breaker stops waits for time to pass, not for room.
    waiting = () if why_open(estate.rules, records.values(), now) else tuple(n for n in start if n not in chosen)
    return _Looked(len(members), upkeep, chosen, waiting, len(allowed), _standing(records, now))


def _standing(records: Mapping[str, GroupRecord], now: datetime) -> Standing:
    flying = [record.in_flight for record in records.values() if record.in_flight is not None]
    ages = [now - record.live.since for record in records.values() if record.live and record.live.since]
    return Standing(len(flying), sum(now > each.deadline for each in flying), max(ages, default=None))


def _with_room(estate: Estate, records: Mapping[str, GroupRecord], start: Sequence[str]) -> tuple[str, ...]:
    """Those that may start by the rules. Of those that the breaker stops, one: it tells of it, once."""
    if why_open(estate.rules, records.values(), estate.clock.now()) is not None:
        return tuple(start[:1])
    return with_room(estate.rules, in_flight(records.values()), start)


def _starts_that_fit(estate: Estate, others: int) -> int:
    """How many starts the budget has room for until the next sweep; one at least, or nothing would ever start."""
    calls = estate.calls_per_second * _SWEEP_EVERY.total_seconds() - others * _CALLS_A_PASS
    return max(1, int(calls / _CALLS_A_START))


def _poll_seconds(estate: Estate, looked: _Looked) -> float:
    """How often to look at what moves, so that all who are active, and all who will start, share the budget."""
    active = len(estate.store.due(estate.clock.now() + _ACTIVE)) + looked.allowed
    shared = active * _CALLS_A_PASS / estate.calls_per_second
    return max(estate.poll_seconds, min(shared, WATCHED.total_seconds()))


def _handed_on(estate: Estate, costs: Mapping[str, int], poll_seconds: float, until: datetime | None) -> Iterator[str]:
    """So many a second that their calls, which are their `costs`, keep to the budget; the longest due first."""
    began, spent, left = estate.clock.now(), 0, deque(costs)
    while left:
        ahead = spent / estate.calls_per_second - (estate.clock.now() - began).total_seconds()
        if ahead > 0:
            estate.clock.sleep(ahead)
        if estate.clock.stopping or (until is not None and estate.clock.now() >= until):
            return
        batch = [left.popleft()]
        while left and sum(costs[name] for name in (*batch, left[0])) <= estate.calls_per_second:
            batch.append(left.popleft())
        spent += sum(costs[name] for name in batch)
        try:
            estate.invoker.invoke(batch, poll_seconds)
        except PhoenixError as error:
            log.error("sweep.not_handed_on", extra={"groups": batch, "reason": error.message})
            continue
        yield from batch
