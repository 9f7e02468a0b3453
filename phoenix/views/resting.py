"""The status screen of a group at rest: its status word, the generation that serves, and changes since its last
rotation.

Must never take the users' place from the record if AWS was asked: other writers move weights, too.
"""

from __future__ import annotations

from phoenix.core.explain import ago
from phoenix.core.model import Observation, Outcome, Role, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import is_ready
from phoenix.engine.report import Report
from phoenix.views import steps, text
from phoenix.views.situation import SlotRow, carrying, is_moved, is_unclear, row_of, rows, weight_of

MOVED = "NOT AS LEFT"
UNCLEAR = "NOT KNOWN"

_WORDS = {Outcome.ROLLED_BACK: "ROLLED BACK", Outcome.HELD: "HELD"}


def word(report: Report) -> str:
    """Return the first word of the screen. Users in an unexpected place matter more than the record."""
    if is_moved(report.record, report.seen):
        return MOVED
    if report.record.paused:
        return "PAUSED"
    if is_unclear(report.record, report.seen):
        return UNCLEAR
    last = report.record.rotation
    return _WORDS.get(last.outcome, "AT REST") if last is not None else "AT REST"


def state_word(report: Report) -> str:
    """Return the first word of a screen, also of a group in flight."""
    rotation = report.record.in_flight
    if rotation is None:
        return word(report)
    if rotation.held:
        return "HELD"
    if rotation.back is not None:
        return "ROLLING BACK"
    return "PAUSED" if rotation.paused else "ROTATING"


def sentences(report: Report) -> list[str]:
    """Return the sentences after the word, each on a line of its own."""
    record, seen = report.record, report.seen
    last, users = record.rotation, _users(report)
    told = [moved_to(record, seen)] if seen is not None and is_moved(record, seen) else []
    if record.paused is not None:
        return [*told, steps.asked_by("No new starts. Paused", record.paused), users]
    if told:
        return [*told, users]
    ended = last.known_end if last is not None else None
    if ended_badly(last) and last is not None:
        when = f"{ago(report.at - ended)} ago: " if ended is not None else ""
        return [f"{when}{last.reason or report.sentence}", users]
    if ended is not None:
        return [f"since {text.moment(ended)} UTC, {ago(report.at - ended)} ago. {users}"]
    return [users]


def moved_to(record: GroupRecord, seen: Observation) -> str:
    """Return the weights if the live generation has not all of them; by route if the routes differ."""
    off = [route for route in seen.routes if record.live and route.percent(record.live.slot) != 100]
    names = {row.generation.slot: f"generation {row.generation.number}" for row in reversed(rows(record, seen))}
    slots = [*names, *(slot for slot in Slot if slot not in names)]
    shares = {
        route.name: ", ".join(f"{names.get(slot, f'slot {slot}')} has {route.percent(slot)} %" for slot in slots)
        for route in off
    }
    if len(off) == len(seen.routes) and len(set(shares.values())) == 1:
        return f"weights were moved by another writer: {next(iter(shares.values()))}"
    return "weights were moved by another writer: " + "; ".join(f"on {name} {told}" for name, told in shares.items())


def ended_badly(rotation: Rotation | None) -> bool:
    """True after a rotation that did not succeed."""
    return rotation is not None and rotation.outcome.is_bad


def slots(seen: Observation) -> list[str]:
    """Return the table of a pair whose generations are unknown: its instances, slot by slot."""
    cells = []
    for state in (seen.slots[slot] for slot in Slot if slot in seen.slots):
        healthy = sum(i.in_service and is_ready(i, bool(seen.routes)) for i in state.instances)
        weight = weight_of(state.slot, seen)
        share, bar = ("-", "") if weight is None else (f"{weight} %", text.bar(weight, 100))
        name = text.clip(state.auto_scaling_group, 34)
        cells.append([str(state.slot), name, f"{healthy}/{state.desired}", share, bar])
    return text.table(["slot", "Auto Scaling group", "healthy>", "weight>", ""], cells)


def _users(report: Report) -> str:
    record, seen = report.record, report.seen
    if seen is not None and is_unclear(record, seen):
        return _unclear(record, seen)
    live = row_of(record, seen, Role.LIVE)
    if live is None:
        return "phoenix has not rotated this group yet."
    if seen is None or not seen.routes:
        return f"Users are on {_spoken(live)}."
    reached = carrying(seen)
    serving = [row for row in reversed(rows(record, seen)) if row.generation.slot in reached]
    unknown = [f"slot {slot}" for slot in reached if all(row.generation.slot is not slot for row in serving)]
    told = [*(_spoken(row) for row in serving), *unknown]
    return f"Users are on {', and on '.join(told)}." if told else "No route sends users to either slot."


def _unclear(record: GroupRecord, seen: Observation) -> str:
    what = "traffic" if seen.routes else "instances"
    who = "both slots have" if carrying(seen) else "neither slot has"
    before = "phoenix has not rotated this group yet. " if record.rotation is None else ""
    return f"which slot is live: {who} {what}. {before}No rotation starts until exactly one has."


def _spoken(row: SlotRow) -> str:
    if row.healthy is None:
        return f"{row.generation.number}; not looked at now"
    return f"{row.generation.number}, {row.healthy} of {row.desired} healthy"
