"""One group as pages know it, and its row among all groups.

Must never take what AWS said for the present of a record that has changed since: each part says how old it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from phoenix.core.explain import ago
from phoenix.core.model import Outcome, Role
from phoenix.core.readiness import NOTHING_RETAINED, rollback_readiness
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.engine.report import Report
from phoenix.views.resting import state_word
from phoenix.views.situation import is_moved, row_of

_KINDS: Final = {
    "ROTATING": "busy", "ROLLING BACK": "bad", "HELD": "bad", "PAUSED": "wait", "ROLLED BACK": "wait",
    "NOT AS LEFT": "bad", "NOT KNOWN": "wait", "AT REST": "good",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A group by its record, and by the last look at AWS (None: not looked yet). `trouble` is why that failed."""

    name: str
    record: GroupRecord | None = None
    report: Report | None = None
    trouble: str = ""

    @property
    def version(self) -> int:
        """The record's; 0 where the store has none."""
        return self.record.version if self.record is not None else 0

    @property
    def in_flight(self) -> bool:
        """True while it is being rotated, or brought back."""
        return self.record is not None and self.record.in_flight is not None

    def told(self, now: datetime) -> Report:
        """A report on it: the look at AWS under the newest record, or the record alone."""
        record = self.record or (self.report.record if self.report is not None else GroupRecord(self.name))
        rotation = record.rotation
        outcome = rotation.outcome if rotation is not None else Outcome.NONE
        sentence = (rotation.waiting_for or "") if rotation is not None else ""
        if self.report is None:
            return Report(self.name, now, outcome, sentence, record)
        about, lease, other = self.report.about, self.report.lease, self.report.other_groups
        seen = self.report.seen
        if seen is not None and rotation is not None and seen.at < _last_turn(rotation):
            seen = None  # from before the rotation began, ended or turned round: it says nothing of now
        ready = rollback_readiness(record, seen) if seen is not None else NOTHING_RETAINED
        told = Report(self.name, now, outcome, sentence, record, seen, lease, ready, about, other_groups=other)
        return told if seen is None or self.in_flight else replace(told, outlook=self.report.outlook)


def _last_turn(rotation: Rotation) -> datetime:
    """When it last became something else: begun, turned round, or ended."""
    back = rotation.back.ask.at if rotation.back is not None else rotation.started_at
    return max(rotation.started_at, back, rotation.ended_at or back)


@dataclass(frozen=True, slots=True)
class Row:
    """A line among all groups. `rank` sorts those that need a person to the top."""

    name: str
    word: str
    kind: str
    step: str
    live: str
    image: str
    healthy: str
    traffic: str
    age: str
    next: str
    rollback: str
    rollback_kind: str
    rank: int
    owner: str


def row(entry: Entry, now: datetime) -> Row:
    """Return the group's line."""
    report = entry.told(now)
    record, seen = report.record, report.seen
    rotation = record.in_flight
    live = row_of(record, seen, Role.LIVE)
    word = state_word(report) if record.rotation or seen is not None or record.live else "NOT LOOKED AT YET"
    word = "NOT READABLE" if entry.trouble and record.live is None else word
    generation = live.generation if live is not None else None
    ready, ready_kind = _rollback(report)
    return Row(
        name=entry.name,
        word=word.lower(),
        kind=_KINDS.get(word, "wait"),
        step=f"{rotation.step}/{len(rotation.terms.steps)}" if rotation is not None else "",
        live=str(generation.number) if generation is not None else "",
        image=(generation.image_name or generation.image) if generation is not None else "",
        healthy="" if live is None or live.healthy is None else f"{live.healthy}/{live.desired}",
        traffic=_traffic(rotation),
        age=ago(now - generation.since).split(" ")[0] if generation is not None and generation.since else "",
        next=entry.trouble or following(report),
        rollback=ready,
        rollback_kind=ready_kind,
        rank=_rank(word, is_moved(record, seen), entry.trouble),
        owner=report.about.owner or "",
    )


def _traffic(rotation: Rotation | None) -> str:
    """The new generation's share, as the driver saw it last."""
    if rotation is None:
        return ""
    samples = rotation.chronicle.samples
    return f"{samples[-1].weight if samples else rotation.weight} %"


def following(report: Report) -> str:
    """What comes next by itself, as far as the record knows."""
    record = report.record
    if record.in_flight is not None:
        return record.in_flight.waiting_for or "starting"
    if report.outlook is not None:
        return report.outlook.sentence
    if record.paused is not None:
        return f"nothing: paused by {record.paused.by}"
    if record.blocked is not None:
        return f"due, and blocked by {', '.join(record.blocked.blockers)} for {ago(report.at - record.blocked.since)}"
    if record.setback is not None and record.setback.not_before > report.at:
        return f"tries again after {record.setback.not_before:%H:%M} UTC"
    if record.hot_until is not None and record.retained is not None and record.hot_until > report.at:
        return f"{record.retained.number} stays hot until {record.hot_until:%H:%M} UTC"
    return ""


def _rollback(report: Report) -> tuple[str, str]:
    if report.seen is None:
        return "", "busy"
    found = report.rollback_ready
    if not found.ready:
        return "no", "wait"
    return ("ready", "good") if found.at_once else ("grows first", "wait") if found.revival else ("waits", "wait")


def _rank(word: str, moved: bool, trouble: str) -> int:
    if trouble or moved or word in ("HELD", "NOT READABLE"):
        return 0
    return {"ROLLING BACK": 1, "ROTATING": 2, "PAUSED": 3, "ROLLED BACK": 4}.get(word, 5)
