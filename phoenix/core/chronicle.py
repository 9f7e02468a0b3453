"""What a rotation has looked like from its start to its end, for those who read of it later; nothing is decided by it.

Pure: frozen values only, and each list is bounded: the record is saved with every tick, and has to fit into its store.
The entries of long lists are tuples with names: written as a row of values, they take a third of the room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from phoenix.core.model import Judgement, Phase

MOST_SAMPLES: Final = 400
"""Points of the picture; 400 of them take some 20 KB, and no screen shows more columns."""
MOST_DECISIONS: Final = 150
MOST_JUDGEMENTS: Final = 150
MOST_WRITES: Final = 200
MOST_INSTANCES: Final = 12
"""Failed instances that are kept by name; the others say the same."""
MOST_CONSOLE: Final = 8_000
"""Letters of a console that are kept, the last ones."""
MOST_POINTS: Final = 180
"""Points of one measurement: three hours of minutes."""
MOST_WORDS: Final = 400
"""Letters of one reason; those of AWS and of gates may be longer."""

_NUMBERS = re.compile(r"\d+")
T = TypeVar("T")


class Sample(NamedTuple):
    """The group at one instant: ready instances of both generations, the new one's share in per cent, and the work that
    the rotation was busy with."""

    at: datetime
    old: int
    new: int
    weight: int
    phase: Phase


class Decided(NamedTuple):
    """One decision in its sentence, and its actions in words. Decisions that differ in their numbers only are one: `at`
    is the first of them, `why` the last one's sentence."""

    at: datetime
    why: str
    actions: tuple[str, ...] = ()


class Judged(NamedTuple):
    """A gate that judged otherwise than before."""

    at: datetime
    gate: str
    judgement: Judgement
    reason: str


class Write(NamedTuple):
    """One call that changes AWS: `elbv2:ModifyListener`, and AWS's code where it was refused."""

    at: datetime
    call: str
    error: str = ""


class Point(NamedTuple):
    """One measured value."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """The measurements behind an alarm. `threshold` None: it has none that is one number. `comparison` is AWS's word
    for how a value breaches it."""

    alarm: str
    metric: str
    points: tuple[Point, ...]
    threshold: float | None = None
    comparison: str = ""


@dataclass(frozen=True, slots=True)
class FailedInstance:
    """An instance of the new generation that was not ready when the rotation failed: where, as what, and why."""

    id: str
    zone: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Console:
    """The last lines of an instance's console, without what looks like a secret."""

    instance: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was there when the rotation failed. `asked_at` None: consoles and measurements have not been asked for yet.

    `verdicts` are those of the gates that did not pass, `launches` AWS's reasons of failed launches, `missing` says
    which part could not be had, and why.
    """

    at: datetime
    why: str
    verdicts: tuple[Judged, ...] = ()
    instances: tuple[FailedInstance, ...] = ()
    launches: tuple[str, ...] = ()
    console: Console | None = None
    series: tuple[Series, ...] = ()
    missing: tuple[str, ...] = ()
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What has happened, in the order of time. `reads` counts the calls that change nothing, by name; `left_out` are
    writes that are not listed any more."""

    samples: tuple[Sample, ...] = ()
    decisions: tuple[Decided, ...] = ()
    judgements: tuple[Judged, ...] = ()
    writes: tuple[Write, ...] = ()
    left_out: int = 0
    reads: Mapping[str, int] = field(default_factory=dict)
    evidence: Evidence | None = None

    def sample(self, now: Sample) -> Chronicle:
        """With this point, if anything is otherwise than at the one before."""
        if self.samples and self.samples[-1][1:] == now[1:]:
            return self
        return replace(self, samples=_thinned((*self.samples, now)))

    def decide(self, at: datetime, why: str, actions: tuple[str, ...]) -> Chronicle:
        """With this decision, if it is not the same as the one before."""
        last, why = (self.decisions[-1] if self.decisions else None), why[:MOST_WORDS]
        if last is None or actions or _NUMBERS.sub("0", last.why) != _NUMBERS.sub("0", why):
            return replace(self, decisions=_bounded((*self.decisions, Decided(at, why, actions)), MOST_DECISIONS))
        return self if last.why == why else replace(self, decisions=(*self.decisions[:-1], last._replace(why=why)))

    def judge(self, found: Sequence[Judged]) -> Chronicle:
        """With the gates that have changed their mind."""
        known = {judged.gate: judged.judgement for judged in self.judgements}
        new = tuple(judged for judged in found if known.get(judged.gate) is not judged.judgement)
        return replace(self, judgements=_bounded((*self.judgements, *new), MOST_JUDGEMENTS)) if new else self

    def read(self, calls: Mapping[str, int]) -> Chronicle:
        """With these calls that changed nothing."""
        if not calls:
            return self
        return replace(self, reads={**self.reads, **{name: self.reads.get(name, 0) + n for name, n in calls.items()}})

    def write(self, calls: Sequence[Write]) -> Chronicle:
        """With these calls that changed AWS; of many, the newest are listed."""
        writes = (*self.writes, *calls)
        over = max(len(writes) - MOST_WRITES, 0)
        return replace(self, writes=writes[over:], left_out=self.left_out + over) if calls else self


def _bounded(entries: tuple[T, ...], most: int) -> tuple[T, ...]:
    """Of many entries: the first, and the newest."""
    over = max(len(entries) - most, 0)
    return (*entries[:1], *entries[1 + over :])


def _thinned(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """Of too many points, all but the one that the picture misses least: it differs little from the point before it,
    and not for long. A change of weight or of work goes last."""
    if len(samples) <= MOST_SAMPLES:
        return samples
    gaps = [(_loss(before, at, after), place) for place, (before, at, after) in enumerate(_triples(samples), start=1)]
    least = min(gaps)[1]
    return (*samples[:least], *samples[least + 1 :])


def _triples(samples: tuple[Sample, ...]) -> list[tuple[Sample, Sample, Sample]]:
    pairs = list(pairwise(samples))
    return [(first, second, third) for (first, second), (_, third) in pairwise(pairs)]


def _loss(before: Sample, at: Sample, after: Sample) -> tuple[bool, float]:
    is_turn = (before.weight, before.phase) != (at.weight, at.phase)
    height = abs(at.old - before.old) + abs(at.new - before.new) + abs(at.weight - before.weight)
    return is_turn, (height + 1) * (after.at - at.at).total_seconds()
