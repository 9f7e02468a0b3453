"""Rules for all groups together: how many rotations at once, when to stop starting any, how old is too old.

Pure. Must never stop a rotation in flight: a rule limits starts, and a rollback is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.model import Cause
from phoenix.core.record import GroupRecord

STARTS: Final = "*starts*"
"""The name of the lease that makes starts follow one another; no policy can have this name."""
BREAKER: Final = "*breaker*"
"""The key under which the store notes that the breaker is open."""
IDLE: Final = "*idle*"
"""The name that is due when the idle groups are to be looked at before their time. Under it the store notes whose turn
was the last."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rotations may be in flight: in all (None: any number), and with the same value of a label."""

    in_flight: int | None = None
    per_label: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """False where nothing is limited."""
        return self.in_flight is not None or bool(self.per_label)


@dataclass(frozen=True, slots=True)
class Breaker:
    """After this number of rollbacks within this time no rotation starts."""

    rollbacks: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for all groups. `labels` are those of every group that has a policy, by its name."""

    limits: Limits = Limits()
    breaker: Breaker | None = None
    max_age: timedelta | None = None
    labels: Mapping[str, Labels] = field(default_factory=dict)

    @property
    def concern_starts(self) -> bool:
        """True where a start depends on other groups."""
        return bool(self.limits) or self.breaker is not None


def in_flight(records: Iterable[GroupRecord]) -> tuple[str, ...]:
    """The groups that are being rotated, a held or paused rotation included: it stands on other people's capacity."""
    return tuple(sorted(record.group for record in records if record.in_flight is not None))


def why_full(rules: Rules, flying: Sequence[str], group: str) -> str | None:
    """Why no rotation of this group may start beside those in flight; None while there is room."""
    limits, others = rules.limits, [name for name in flying if name != group]
    if limits.in_flight is not None and len(others) >= limits.in_flight:
        return f"{counted(len(others), 'rotation')} in flight, {limits.in_flight} allowed: {_some(others)}."
    own = rules.labels.get(group, {})
    for label, most in limits.per_label.items():
        same = [name for name in others if label in own and rules.labels.get(name, {}).get(label) == own[label]]
        if label in own and len(same) >= most:
            where = f"{label}: {own[label]}"
            return f"{counted(len(same), 'rotation')} in flight with {where}, {most} allowed: {_some(same)}."
    return None


def with_room(rules: Rules, flying: Iterable[str], waiting: Iterable[str]) -> tuple[str, ...]:
    """Those of the waiting that may start beside those in flight and one another, in the order given."""
    taken, labels, limits = list(flying), rules.labels, rules.limits
    used = Counter((label, labels.get(name, {}).get(label)) for name in taken for label in limits.per_label)
    chosen: list[str] = []
    for name in waiting:
        if limits.in_flight is not None and len(taken) + len(chosen) >= limits.in_flight:
            break
        own = [(label, labels.get(name, {}).get(label)) for label in limits.per_label]
        if any(value is not None and used[label, value] >= limits.per_label[label] for label, value in own):
            continue
        used.update(own)
        chosen.append(name)
    return tuple(chosen)


def why_open(rules: Rules, records: Iterable[GroupRecord], at: datetime) -> str | None:
    """Why the breaker lets no rotation start; None while it is closed. What an operator rolled back does not count."""
    breaker = rules.breaker
    if breaker is None:
        return None
    back = sorted(record.group for record in records if _went_wrong(record, at - breaker.within))
    if len(back) < breaker.rollbacks:
        return None
    found = f"{counted(len(back), 'rollback')} within {ago(breaker.within)}"
    return f"{found}, {breaker.rollbacks} stop starts: {_some(back)}."


def _went_wrong(record: GroupRecord, since: datetime) -> bool:
    last = record.rotation
    if last is None or last.ended_at is None or last.ended_at <= since:
        return False
    # Without a cause it was found on tags alone: its time is not known, nor whether an operator wanted it.
    known = last.cause not in (None, Cause.OPERATOR)
    return last.outcome.is_bad and known


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
