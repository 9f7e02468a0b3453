"""The spelling of the ledger in records: each entry as an object of texts, the same in every version of phoenix.

Must never guess: an entry that makes no sense is refused, because a clean-up depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar, assert_never

from phoenix.core.model import Slot
from phoenix.core.temporary import (
    CapacityEntry,
    DrainEntry,
    Entry,
    FailoverEntry,
    Ledger,
    OptInEntry,
    ReferenceEntry,
    SchedulesEntry,
    Sizing,
    StickinessEntry,
    TagsEntry,
    Upkeep,
)
from phoenix.core.terms import Capacity

V = TypeVar("V")


class Kind(StrEnum):
    """The subject of an entry."""

    CAPACITY = "capacity"
    SCHEDULES = "schedules"
    TAGS = "tags"
    STICKINESS = "stickiness"
    REFERENCE = "reference"
    FAILOVER = "failover"
    OPT_INS = "opt-ins"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class SpelledEntry:
    """An entry in a record; `where` is a slot, a route's ARN, or a slot and an instance. `made` and `asked` may be
    empty."""

    kind: Kind
    where: str
    had: str
    since: datetime
    made: str = ""
    mended: int = 0
    asked: str = ""


def spell(ledger: Ledger) -> list[SpelledEntry]:
    """Spell the ledger as a record does."""
    return [_spell(entry) for entry in ledger]


def _spell(entry: Entry) -> SpelledEntry:
    match entry:
        case CapacityEntry(slot, had, kept):
            return _spelled(Kind.CAPACITY, slot, _write_capacity(had), kept, _write_sizing)
        case SchedulesEntry(slot, ran, kept):
            return _spelled(Kind.SCHEDULES, slot, _RUNNING.write(ran), kept, _RUNNING.write)
        case TagsEntry(slot, keys, kept):
            return _spelled(Kind.TAGS, slot, _write_keys(keys), kept, _write_keys)
        case FailoverEntry(slot, thresholds, kept):
            return _spelled(Kind.FAILOVER, slot, thresholds, kept, _SUSPENDED.write)
        case StickinessEntry(route, seconds, kept):
            return _spelled(Kind.STICKINESS, route, str(seconds), kept, str)
        case ReferenceEntry(route, kept):
            return _spelled(Kind.REFERENCE, route, _NOTHING, kept, _NAMED.write)
        case OptInEntry(kept):
            return _spelled(Kind.OPT_INS, "", _NOTHING, kept, _NAMED.write)
        case DrainEntry(slot, instance, had, began, kept):
            since = f"{_WORKING.write(had)} {began.isoformat()}"
            return _spelled(Kind.DRAIN, f"{slot} {instance}", since, kept, _EMPTY.write)
        case _:
            assert_never(entry)


def _spelled(kind: Kind, where: str, had: str, kept: Upkeep[V], write: Callable[[V], str]) -> SpelledEntry:
    made, asked = ("" if value is None else write(value) for value in (kept.made, kept.asked))
    return SpelledEntry(kind, str(where), had, kept.since, made, kept.mended, asked)


def read(spelled: list[SpelledEntry]) -> Ledger:
    """Read the ledger from a record.

    Raises:
        ValueError: an entry makes no sense.
    """
    return Ledger(_read(each) for each in spelled)


def _read(each: SpelledEntry) -> Entry:
    match each.kind:
        case Kind.CAPACITY:
            return CapacityEntry(Slot(each.where), _read_sizing(each.had).capacity, _upkeep(each, _read_sizing))
        case Kind.SCHEDULES:
            return SchedulesEntry(Slot(each.where), _RUNNING.read(each.had), _upkeep(each, _RUNNING.read))
        case Kind.TAGS:
            return TagsEntry(Slot(each.where), _read_keys(each.had), _upkeep(each, _read_keys))
        case Kind.FAILOVER:
            return FailoverEntry(Slot(each.where), each.had, _upkeep(each, _SUSPENDED.read))
        case Kind.STICKINESS:
            # A route that is gone is spelled `none`: none of its temporary change is left.
            return StickinessEntry(each.where, int(each.had), _upkeep(each, int, gone=_NOTHING))
        case Kind.REFERENCE:
            return ReferenceEntry(each.where, _upkeep(each, _NAMED.read))
        case Kind.OPT_INS:
            return OptInEntry(_upkeep(each, _NAMED.read))
        case Kind.DRAIN:
            slot, instance = each.where.split()
            had, began = each.had.split()
            since = datetime.fromisoformat(began)
            return DrainEntry(Slot(slot), instance, _WORKING.read(had), since, _upkeep(each, _EMPTY.read))
        case _:
            assert_never(each.kind)


def _upkeep(each: SpelledEntry, value: Callable[[str], V], gone: str = "") -> Upkeep[V]:
    made, asked = (None if word in ("", gone) else value(word) for word in (each.made, each.asked))
    return Upkeep(each.since, made, asked, each.mended)


# --- values -----------------------------------------------------------------------------------------------------------

_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class _Words:
    """A yes or no, spelled as one of two words."""

    true: str
    false: str

    def write(self, claim: bool) -> str:
        return self.true if claim else self.false

    def read(self, word: str) -> bool:
        if word not in (self.true, self.false):
            raise ValueError(f"{word!r} is neither {self.true!r} nor {self.false!r}")
        return word == self.true


_RUNNING = _Words("running", "suspended")
_SUSPENDED = _Words("suspended", "running")
_NAMED = _Words("named", _NOTHING)
_WORKING = _Words("working", "idle")
_EMPTY = _Words("idle", "working")


def _write_capacity(capacity: Capacity) -> str:
    return f"{capacity.min} {capacity.max}"


def _write_sizing(sizing: Sizing) -> str:
    return " ".join((_write_capacity(sizing.capacity), *filter(None, (sizing.version,))))


def _read_sizing(words: str) -> Sizing:
    least, most, *version = words.split()
    return Sizing(Capacity(int(least), int(most)), version[0] if version else None)


def _write_keys(keys: tuple[str, ...]) -> str:
    return " ".join(keys) or _NOTHING


def _read_keys(words: str) -> tuple[str, ...]:
    return () if words == _NOTHING else tuple(words.split())
