"""The changes that a rotation makes for as long as it lasts: a class for each kind, and the ledger of them. Pure.

Must never know how a tag or a record spells an entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar, assert_never

from phoenix.core.model import Slot
from phoenix.core.terms import Capacity

FORGOTTEN = timedelta(hours=12)
"""After this long in place earlier mends count no more: a nightly pipeline, or schedule, is no conflict."""
STALE_READS = timedelta(seconds=30)
"""The greatest age of an answer of an eventually consistent API."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Look:
    """One comparison of the ledger with the world: its time, and how strict it is.

    `forward` is False on the way back. `judged` is False while another writer's change counts for nothing: the way back
    waits for no person before its traffic has moved.
    """

    at: datetime
    forward: bool = True
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Upkeep(Generic[V]):
    """The bookkeeping of one entry.

    `made` is the value once nothing was missing any more, `since` its time. While the value is being changed, `made` is
    None, and `asked` is the value that AWS has taken. `mended` counts how often another writer has changed it since,
    and phoenix has put it back.
    """

    since: datetime
    made: V | None = None
    asked: V | None = None
    mended: int = 0

    def find(self, now: V | None, at: datetime) -> Upkeep[V]:
        """No action changes it: the value is in place."""
        if now != self.made:
            return replace(self, made=now, asked=None, since=at)
        if self.mended and at - self.since > FORGOTTEN:
            return replace(self, mended=0)
        return self

    def change(self, now: V | None, target: V | None, look: Look) -> Upkeep[V]:
        """An action changes it, to `target`; None for a value that is never asked for twice.

        A value in place that differs more than half a minute later was changed by another writer. A writer who is
        faster than every look never lets it be found in place: a value that AWS has taken, and that is missing again
        when no answer can be that old any more, was changed by another writer as well.
        """
        is_old = look.at - self.since > STALE_READS
        again = target is not None and target == self.asked and look.forward
        is_undone = again and now != target and is_old
        is_changed = look.judged and self.made is not None and now != self.made and is_old
        mended = is_undone or is_changed
        since = self.since if again and not mended else look.at
        return Upkeep(since, mended=self.mended + mended)

    def take(self, target: V | None) -> Upkeep[V]:
        """AWS has taken that value."""
        return replace(self, asked=target)

    def forget(self) -> Upkeep[V]:
        """Found and counted anew."""
        return Upkeep(self.since)


# --- the changes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sizing:
    """A slot's bounds and the template version that it launches; None in a record of an earlier version.

    Desired is not among them: phoenix moves it through the bounds, and a writer who lowers it lowers these as well.
    """

    capacity: Capacity
    version: str | None


@dataclass(frozen=True, slots=True)
class CapacityEntry:
    """The bounds of a slot; the template version is watched with them."""

    slot: Slot
    had: Capacity
    upkeep: Upkeep[Sizing]


@dataclass(frozen=True, slots=True)
class SchedulesEntry:
    """The scheduled actions of a slot, running or suspended; `had` is True where the owner lets the live slot's run."""

    slot: Slot
    had: bool
    upkeep: Upkeep[bool]


@dataclass(frozen=True, slots=True)
class TagsEntry:
    """The tags of a slot that phoenix writes, by key."""

    slot: Slot
    had: tuple[str, ...]
    upkeep: Upkeep[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class FailoverEntry:
    """The thresholds of a slot's target groups for DNS failover; `upkeep` is True while they are switched off."""

    slot: Slot
    had: str
    upkeep: Upkeep[bool]


@dataclass(frozen=True, slots=True)
class StickinessEntry:
    """The group stickiness of a route (ARN), in seconds."""

    route: str
    had: int
    upkeep: Upkeep[int]


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A route (ARN) that did not name the candidate's slot before; `upkeep` is True once it does."""

    route: str
    upkeep: Upkeep[bool]


@dataclass(frozen=True, slots=True)
class DrainEntry:
    """The work on an instance; `had` is True where it took work before, `upkeep` is True while it takes none.

    `began` is when the instance was first to be drained: its time runs from then.
    """

    slot: Slot
    instance: str
    had: bool
    began: datetime
    upkeep: Upkeep[bool]


@dataclass(frozen=True, slots=True)
class OptInEntry:
    """The rules of phoenix's own, of which there are none before; `upkeep` is True once all of them are there."""

    upkeep: Upkeep[bool]


Entry = (
    CapacityEntry
    | SchedulesEntry
    | TagsEntry
    | FailoverEntry
    | StickinessEntry
    | ReferenceEntry
    | DrainEntry
    | OptInEntry
)


def place(entry: Entry) -> tuple[type[Entry], str]:
    """The kind of the change, and its place: a ledger has one entry for each."""
    match entry:
        case StickinessEntry() | ReferenceEntry():
            return type(entry), entry.route
        case OptInEntry():
            return type(entry), ""
        case CapacityEntry() | SchedulesEntry() | TagsEntry() | FailoverEntry():
            return type(entry), entry.slot
        case DrainEntry():
            return type(entry), entry.instance
        case _:
            assert_never(entry)


def _forget(entry: Entry) -> Entry:
    match entry:
        case CapacityEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case SchedulesEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case TagsEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case FailoverEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case StickinessEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case ReferenceEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case OptInEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case DrainEntry():
            return replace(entry, upkeep=entry.upkeep.forget())
        case _:
            assert_never(entry)


class Ledger:
    """The entries of a rotation, in the order in which they were opened. Immutable; each transition is a new ledger."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = tuple(entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return self._entries == other._entries if isinstance(other, Ledger) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._entries)

    def __repr__(self) -> str:
        return f"Ledger({list(self._entries)!r})"

    def open(self, changes: Iterable[Entry]) -> Ledger:
        """With an entry for each change that has none yet; an entry is never overwritten."""
        known = {place(entry) for entry in self}
        missing = {place(entry): entry for entry in changes if place(entry) not in known}
        return Ledger((*self, *missing.values()))

    def forget(self) -> Ledger:
        """Found and counted anew: a person who resumes a held rotation has settled the conflict."""
        return Ledger(_forget(entry) for entry in self)

    def begin_anew(self, at: datetime) -> Ledger:
        """With the whole time again for every instance that is being drained."""
        return Ledger(replace(each, began=at) if isinstance(each, DrainEntry) else each for each in self)

    def without_drains(self, instances: Collection[str]) -> Ledger:
        """These instances take work again, as before."""
        return Ledger(each for each in self if not (isinstance(each, DrainEntry) and each.instance in instances))

    @property
    def drains(self) -> Mapping[str, DrainEntry]:
        """The entries of the instances that were to be drained, by instance."""
        return {entry.instance: entry for entry in self if isinstance(entry, DrainEntry)}

    @property
    def is_in_place(self) -> bool:
        """True once the value of any entry was found in place."""
        return any(entry.upkeep.made is not None for entry in self)

    @property
    def schedules_ran(self) -> bool | None:
        """True if scheduled actions ran on the live slot; None for a rotation that leaves them alone."""
        return next((entry.had for entry in self if isinstance(entry, SchedulesEntry)), None)

    @property
    def has_opt_ins(self) -> bool:
        """True for a rotation that has rules of its own, or may have."""
        return any(isinstance(entry, OptInEntry) for entry in self)

    @property
    def stickiness(self) -> Mapping[str, int]:
        """Seconds that each route (ARN) was sticky for."""
        return {entry.route: entry.had for entry in self if isinstance(entry, StickinessEntry)}

    @property
    def references(self) -> frozenset[str]:
        """Routes (ARNs) that did not name the candidate's slot."""
        return frozenset(entry.route for entry in self if isinstance(entry, ReferenceEntry))

    @property
    def failover(self) -> Mapping[Slot, str]:
        """Thresholds that each slot had."""
        return {entry.slot: entry.had for entry in self if isinstance(entry, FailoverEntry)}
