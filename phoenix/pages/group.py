"""What the page of one group says, as values for its template: the same as `phoenix status` says in a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from phoenix.core.model import Outcome
from phoenix.core.sides import is_ready
from phoenix.engine.report import Report
from phoenix.pages.entry import following
from phoenix.views import resting, status
from phoenix.views.situation import SlotRow, is_moved, rows
from phoenix.views.text import command

_KINDS = {"ROTATING": "busy", "ROLLING BACK": "bad", "HELD": "bad", "PAUSED": "wait", "NOT AS LEFT": "bad"}


@dataclass(frozen=True, slots=True)
class Machine:
    """One instance: `why` is AWS's reason where it is not ready."""

    id: str
    zone: str
    version: str
    state: str
    ready: bool
    why: str
    slot: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One group. `terminal` is the screen of `phoenix status`; `readiness` says whether a rollback is possible."""

    report: Report
    word: str
    kind: str
    sentences: tuple[str, ...]
    rows: tuple[SlotRow, ...]
    machines: tuple[Machine, ...]
    next: str
    readiness: str
    readiness_kind: str
    terminal: str
    commands: tuple[tuple[str, str], ...]


def sheet(report: Report) -> Sheet:
    """Return what there is to say of a group."""
    word = resting.state_word(report)
    ready = report.rollback_ready
    return Sheet(
        report=report,
        word=word.lower(),
        kind=_KINDS.get(word, "wait" if resting.ended_badly(report.record.rotation) else "good"),
        sentences=tuple(_sentences(report)),
        rows=rows(report.record, report.seen),
        machines=_machines(report),
        next=following(report),
        readiness="not looked at yet" if report.seen is None else "ready now" if ready.at_once else _slower(report),
        readiness_kind="busy" if report.seen is None else "good" if ready.at_once else "wait",
        terminal=status.render(report, verbose=True),
        commands=tuple(_commands(report)),
    )


def _slower(report: Report) -> str:
    return "possible, not at once" if report.rollback_ready.ready else "not possible"


def _sentences(report: Report) -> list[str]:
    rotation = report.record.in_flight
    if rotation is None:
        return resting.sentences(report)
    return [rotation.held.why if rotation.held is not None else rotation.waiting_for or "starting"]


def _machines(report: Report) -> tuple[Machine, ...]:
    seen = report.seen
    if seen is None:
        return ()
    health = bool(seen.routes) or any(i.target is not None for state in seen.slots.values() for i in state.instances)
    return tuple(
        Machine(
            each.id,
            each.zone,
            each.template_version or "",
            each.lifecycle_words or each.lifecycle.value,
            is_ready(each, health),
            "" if is_ready(each, health) else each.target_words or ("unhealthy" if not each.healthy else ""),
            slot.value,
        )
        for slot, state in sorted(seen.slots.items())
        for each in sorted(state.instances, key=lambda i: (is_ready(i, health), i.id))
    )


def _commands(report: Report) -> list[tuple[str, str]]:
    group, rotation, last = report.group, report.record.in_flight, report.record.rotation
    look = ("In a terminal", command("status", group))
    if rotation is None:
        hurt = [("If users are hurt", command("rollback", group))] if report.rollback_ready.ready else []
        if is_moved(report.record, report.seen):
            hurt.append(("To preview a repair", command("repair --dry-run", group)))
        again = [("Try it once more", command("retry", group))] if last and last.outcome is Outcome.ROLLED_BACK else []
        return [*hurt, *again, ("What would happen", command("plan", group)), look]
    if rotation.back is not None:
        return [("To drive it on", command("rollback", group)), look]
    hurt = [("If users are hurt", command("rollback", group))]
    if rotation.held is not None or rotation.paused is not None:
        return [*hurt, ("To go on", command("resume", group)), look]
    skip = [("To skip this bake", command("promote", group))] if rotation.clocks.baking_since is not None else []
    return [*hurt, ("To stay where it is", command("pause", group)), *skip, look]
