"""`sweep`: who needs attention now? Asks the store every time, and about the idle groups all together now and then.

Must never change anything in AWS, nor drive a group: it says which ones to advance, and an answer that is wrong, late
or given twice costs a look. Must never let the look at idle groups, whatever goes wrong there, keep a due one waiting.
Keeps the budget of API calls that all who advance groups share.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile
from typing import Final, Protocol

from phoenix.core.due import WATCHED
from phoenix.core.many.limits import IDLE, Rules, in_flight, why_open, with_room
from phoenix.core.many.triage import UNKNOWN_SIGNS, Member, Need, Signs, need_of
from phoenix.core.note import Note
from phoenix.core.record import GroupRecord
from phoenix.errors import LeaseHeld, PhoenixError
from phoenix.ports import Clock, Store

log = logging.getLogger(__name__)

IDLE_EVERY: Final = timedelta(minutes=15)
AHEAD: Final = timedelta(seconds=30)
"""A sweep takes along the groups that are due within half the time to the next one: early is better than late."""
_CALLS_A_PASS: Final = 6
"""API calls per pass over a group in flight, roughly."""
_CALLS_A_START: Final = 60
"""API calls per pass that starts a rotation, roughly: most of them are the checks before the first write."""
_SWEEP_EVERY: Final = timedelta(minutes=1)
_ACTIVE: Final = timedelta(minutes=4)
"""A driven group's lease expires within this time; a group that rests in flight is due within it."""
_LOOK_TTL: Final = timedelta(minutes=2)


class Overview(Protocol):
    """Reads of AWS about many groups at once, in few calls."""

    def signs_of(self, members: Sequence[Member], records: Mapping[str, GroupRecord]) -> Mapping[str, Signs]:
        """The signs of each group. What cannot be told from afar, or where AWS refuses, is left at "not known"."""
        ...


class Invoker(Protocol):
    """Has groups advanced once a sweep has found that they need it."""

    def invoke(self, groups: Sequence[str], poll_seconds: float) -> None:
        """Have each of these advanced, without waiting for how it ends. `poll_seconds` is how often to look at one that
        moves, so that all together do not ask AWS too much. Naming a group twice, or for nothing, does no harm.

        Raises:
            PhoenixError: the call did not arrive; the groups stay due.
        """
        ...


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
    """The state of all groups together: rotations in flight, those of them past their deadline, and how old the oldest
    live generation is; None where no record knows."""

    in_flight: int
    stuck: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep's findings: groups that were due, idle ones looked at, and those handed on."""

    due: int = 0
    looked_at: int = 0
    invoked: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """May be due, but the rules for all groups leave no room."""
    left: int = 0
    """Did not fit into the budget of this sweep; they stay due."""
    standing: Standing | None = None
    """Known only when all groups were looked at."""
    trouble: PhoenixError | None = None
    """The reason why the idle groups could not be looked at; the next sweep tries again."""


def sweep(estate: Estate, *, idle: bool, until: datetime | None = None) -> Swept:
    """Find and hand on. `idle`: look at all groups now. `until`: nothing is handed on any more after that."""
    come = estate.store.due(estate.clock.now() + AHEAD)
    due = [name for name in come if name in estate.members]
    pace = _Pace(estate, until, estate.clock.now())
    invoked = [*pace.hand_on(dict.fromkeys(due, _CALLS_A_PASS))]
    found = Swept(len(due), invoked=tuple(invoked), left=len(due) - len(invoked))
    return _look_at_all(pace, found, due) if idle or IDLE in come else found


@dataclass(slots=True)
class _Pace:
    """Hands groups on at a rate that keeps their calls within the budget: one pace for all groups of a sweep."""

    estate: Estate
    until: datetime | None
    began: datetime
    spent: int = 0
    tried: list[str] = field(default_factory=list)

    def hand_on(self, costs: Mapping[str, int], more: int = 0) -> Iterator[str]:
        """In this order, as long as there is time; `costs` are the calls of each, `more` is who will be active soon.
        Yields those that were taken."""
        left = deque(costs)
        poll_seconds = _poll_seconds(self.estate, more) if left else 0.0
        while left and self._has_time():
            batch = [left.popleft()]
            while left and sum(costs[name] for name in (*batch, left[0])) <= self.estate.calls_per_second:
                batch.append(left.popleft())
            self.spent += sum(costs[name] for name in batch)
            self.tried += batch
            try:
                self.estate.invoker.invoke(batch, poll_seconds)
            except PhoenixError as error:
                log.error("sweep.not_handed_on", extra={"groups": batch, "reason": error.message})
                continue
            yield from batch

    def _has_time(self) -> bool:
        """Wait for the budget; False when nothing more is to be handed on."""
        clock = self.estate.clock
        ahead = self.spent / self.estate.calls_per_second - (clock.now() - self.began).total_seconds()
        if ahead > 0:
            clock.sleep(ahead)
        return not clock.stopping and (self.until is None or clock.now() < self.until)


@dataclass(frozen=True, slots=True)
class _Looked:
    """An idle look's findings. `order` names the groups that may start, in the order of their turns."""

    count: int
    upkeep: tuple[str, ...]
    order: tuple[str, ...]
    start: tuple[str, ...]
    allowed: int
    """The number of groups that may start by the rules; this sweep may be too short for the calls of some of them."""
    is_open: bool
    """The breaker is."""
    cursor: Note
    standing: Standing

    @property
    def costs(self) -> Mapping[str, int]:
        """The groups to hand on, and the calls that each costs: first those that have started already."""
        return dict.fromkeys(self.upkeep, _CALLS_A_PASS) | dict.fromkeys(self.start, _CALLS_A_START)


def _look_at_all(pace: _Pace, found: Swept, due: Collection[str]) -> Swept:
    """One at a time, whichever driver sweeps: the lease says which. While groups wait for room, or for a sweep with
    more time, or when something went wrong, the next look is a minute off."""
    estate = pace.estate
    try:
        lease = estate.store.claim(IDLE, estate.driver, estate.clock.now(), _LOOK_TTL)
    except LeaseHeld:
        return found
    soon: datetime | None = estate.clock.now() + timedelta(minutes=1)
    try:
        looked = _judged(estate, due)
        invoked = tuple(pace.hand_on(looked.costs, looked.allowed))
        _remember_turn(pace, looked)
        left = len(looked.costs) - len(invoked)
        # What the breaker stops waits for time to pass, not for room.
        waiting = () if looked.is_open else tuple(name for name in looked.order if name not in looked.start)
        soon = soon if waiting or left else None
        return replace(
            found,
            looked_at=looked.count,
            invoked=(*found.invoked, *invoked),
            waiting=waiting,
            left=found.left + left,
            standing=looked.standing,
        )
    except PhoenixError as trouble:
        log.error("sweep.idle_look_failed", extra={"reason": trouble.message})
        return replace(found, trouble=trouble)
    finally:
        estate.store.release(lease, soon)


def _judged(estate: Estate, due: Collection[str]) -> _Looked:
    members = [member for name, member in sorted(estate.members.items()) if name not in due]
    records = estate.store.load_many([*estate.members])
    signs = estate.overview.signs_of(members, records)
    now = estate.clock.now()
    needs = {m.name: need_of(m, records.get(m.name), signs.get(m.name, UNKNOWN_SIGNS), now) for m in members}
    upkeep = tuple(name for name, need in needs.items() if need is Need.UPKEEP)
    wanted = [name for name, need in needs.items() if need is Need.START]
    # Alone, a group has its turn whichever group had the last one.
    cursor = (estate.store.note(IDLE) if len(wanted) > 1 else None) or Note(IDLE)
    order = _in_turn(wanted, cursor)
    is_open = why_open(estate.rules, records.values(), now) is not None
    # Of those that the breaker stops, one: it tells of it, once.
    allowed = order[:1] if is_open else with_room(estate.rules, in_flight(records.values()), order)
    start = allowed[: _starts_that_fit(estate, len(due) + len(upkeep))]
    return _Looked(len(members), upkeep, order, start, len(allowed), is_open, cursor, _standing(records, now))


def _in_turn(names: Iterable[str], cursor: Note) -> tuple[str, ...]:
    """From where the last look ended, and round: else the first in the alphabet would be looked at for ever."""
    return tuple(sorted(names, key=lambda name: (name <= cursor.text, name)))


def _remember_turn(pace: _Pace, looked: _Looked) -> None:
    """The next look goes on after the first run of those that were tried: a group that was passed over for one of them
    is then the first. Those left out for want of room alone lose nothing by it."""
    tried = set(pace.tried)
    run = [*takewhile(tried.__contains__, dropwhile(lambda name: name not in tried, looked.order))]
    if not run or len(run) == len(looked.order):
        return
    turn = replace(looked.cursor, at=pace.estate.clock.now(), by=pace.estate.driver, text=run[-1])
    try:
        pace.estate.store.save_note(turn)
    except PhoenixError as error:  # the same ones are tried again, which does no harm once
        log.warning("sweep.turn_not_noted", extra={"reason": error.message})


def _standing(records: Mapping[str, GroupRecord], now: datetime) -> Standing:
    flying = [record.in_flight for record in records.values() if record.in_flight is not None]
    ages = [now - record.live.since for record in records.values() if record.live and record.live.since]
    return Standing(len(flying), sum(now > each.deadline for each in flying), max(ages, default=None))


def _starts_that_fit(estate: Estate, others: int) -> int:
    """The starts that fit into the budget until the next sweep; one at least, or nothing would ever start."""
    calls = estate.calls_per_second * _SWEEP_EVERY.total_seconds() - others * _CALLS_A_PASS
    return max(1, int(calls / _CALLS_A_START))


def _poll_seconds(estate: Estate, more: int) -> float:
    """The interval between looks at moving groups, so that all active groups, and `more` others, share the budget."""
    due = estate.store.due(estate.clock.now() + _ACTIVE)
    shared = (sum(name in estate.members for name in due) + more) * _CALLS_A_PASS / estate.calls_per_second
    return max(estate.poll_seconds, min(shared, WATCHED.total_seconds()))
