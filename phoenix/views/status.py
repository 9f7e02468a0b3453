"""The status screen: where a group is, who is hurt, what happens next by itself, and what to type.

Must never soften: when nothing was observed it says so, and a rollback that would not work is announced as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phoenix.core.explain import ago, counted
from phoenix.core.model import Outcome, Role
from phoenix.core.record import Rotation
from phoenix.engine.report import Report
from phoenix.errors import PhoenixError
from phoenix.views import steps, text
from phoenix.views.situation import SlotRow, row_of, rows


def render(report: Report) -> str:
    """One group, on one screen."""
    rotation = report.record.in_flight
    last = report.record.rotation
    if rotation is not None:
        middle = [_generations(report), steps.table(rotation, report.at), steps.gates(rotation, report.at)]
    else:
        middle = [_story(last), _generations(report)] if _ended_badly(last) else [_generations(report)]
    return text.screen(
        [text.header(report.group, report.about, report.at)],
        _headline(report),
        *middle,
        _facts(report),
        _what_to_type(report),
    )


def render_all(reports: Sequence[Report], failures: Sequence[tuple[str, PhoenixError]] = ()) -> str:
    """All groups, a line each; those that need somebody, or could not be looked at, are named below the table."""
    if not reports and not failures:
        return "No groups: the policy directory is empty.\nphoenix policy schema prints what a policy may hold.\n"
    table = text.table(
        ["group", "state", "step>", "live>", "healthy>", "weight>", "rollback"],
        [_line(report) for report in sorted(reports, key=lambda report: report.group)],
    )
    urgent = [
        line
        for report in reports
        if report.outcome in (Outcome.HELD, Outcome.FAILED)
        for line in text.paragraph(f"{report.group}: {report.sentence}")
    ]
    failed = [line for name, error in failures for line in text.paragraph(f"{name}: {error.message}")]
    return text.screen(table if reports else [], urgent, failed)


def _line(report: Report) -> list[str]:
    rotation = report.record.in_flight
    live = row_of(report.record, report.seen, Role.LIVE)
    shown = row_of(report.record, report.seen, Role.CANDIDATE) or live
    return [
        text.clip(report.group, 28),
        state_word(report).lower(),
        f"{rotation.step}/{len(rotation.terms.steps)}" if rotation else "-",
        str(live.generation.number) if live else "-",
        _healthy(live) if live else "-",
        _percent(shown.weight) if shown else "-",
        "ready" if report.rollback_ready.ready else "no",
    ]


def state_word(report: Report) -> str:
    """The word that a screen begins with."""
    rotation = report.record.in_flight
    if rotation is None:
        return _resting_word(report)
    if rotation.held:
        return "HELD"
    if rotation.back is not None:
        return "ROLLING BACK"
    return "PAUSED" if rotation.paused else "ROTATING"


def _resting_word(report: Report) -> str:
    last = report.record.rotation
    if report.record.paused:
        return "PAUSED"
    words = {Outcome.ROLLED_BACK: "ROLLED BACK", Outcome.FAILED: "FAILED", Outcome.HELD: "HELD"}
    return words.get(last.outcome, "AT REST") if last is not None else "AT REST"


def _headline(report: Report) -> list[str]:
    word = state_word(report)
    rotation = report.record.in_flight
    if rotation is None:
        return text.headline(word, *_at_rest(report))
    if rotation.held:
        return text.headline(word, rotation.held, "Weights stay as they are until a person acts.")
    if rotation.back is not None:
        waits = (rotation.waiting_for or report.sentence).removeprefix(f"rolling back to {rotation.old.number}: ")
        way = f"{rotation.new.number} -> {rotation.old.number}: {waits}"
        return text.headline(word, way, steps.asked_by("Asked", rotation.back))
    if rotation.paused:
        where = f"at step {rotation.step} of {len(rotation.terms.steps)}, at {rotation.weight} %."
        return text.headline(
            word, f"{where} A failed gate still rolls back.", steps.asked_by("Paused", rotation.paused)
        )
    promoted = [steps.asked_by("Promoted", rotation.promoted)] if rotation.promoted else []
    return text.headline(word, rotation.waiting_for or report.sentence, *promoted)


def _at_rest(report: Report) -> list[str]:
    last = report.record.rotation
    live = row_of(report.record, report.seen, Role.LIVE)
    users = f"Users are on {_spoken(live)}." if live else "phoenix has not rotated this group yet."
    if report.record.paused is not None:
        return [steps.asked_by("No new starts. Paused", report.record.paused), users]
    if _ended_badly(last) and last is not None and last.ended_at is not None:
        when = f"{ago(report.at - last.ended_at)} ago: {last.reason or report.sentence}"
        return [when, users]
    if last is not None and last.ended_at is not None:
        return [f"since {text.moment(last.ended_at)} UTC, {ago(report.at - last.ended_at)} ago. {users}"]
    return [users]


def _spoken(row: SlotRow) -> str:
    if row.healthy is None:
        return f"{row.generation.number}; not looked at now"
    return f"{row.generation.number}, {row.healthy} of {row.desired} healthy"


def _ended_badly(rotation: Rotation | None) -> bool:
    return rotation is not None and rotation.outcome in (Outcome.ROLLED_BACK, Outcome.FAILED)


def _story(rotation: Rotation | None) -> list[str]:
    """How a rotation went that did not succeed, event by event; only the end of a long one."""
    if rotation is None:
        return []
    return [
        line
        for event in rotation.events[-12:]
        for line in text.paragraph(event.text, first=f"  {text.clock(event.at)}  {event.name:<11} ", rest=" " * 24)
    ]


def _generations(report: Report) -> list[str]:
    found = rows(report.record, report.seen)
    if not found:
        return []
    cells = [
        [
            str(row.generation.number),
            str(row.role),
            str(row.generation.slot),
            text.clip(row.generation.image_name or row.generation.image, 28),
            _healthy(row),
            _percent(row.weight),
            "" if row.weight is None else text.bar(row.weight, 100),
        ]
        for row in found
    ]
    lines = text.table(["gen>", "role", "slot", "image", "healthy>", "weight>", ""], cells)
    return lines + _serving(report)


def _serving(report: Report) -> list[str]:
    rotation = report.record.in_flight
    healthy = [row.healthy for row in rows(report.record, report.seen) if row.healthy is not None and row.weight != 0]
    if rotation is None or not healthy:
        return []
    return [f"       {counted(sum(healthy), 'instance')} serve, {rotation.need} are needed"]


def _healthy(row: SlotRow) -> str:
    if row.healthy is None:
        return "?"
    return f"{row.healthy} leave" if row.healthy and not row.desired else f"{row.healthy}/{row.desired}"


def _percent(weight: int | None) -> str:
    return "-" if weight is None else f"{weight} %"


def _facts(report: Report) -> list[str]:
    known: list[tuple[str, str]] = []
    last = report.record.rotation
    if last is not None:
        known.append((_rotation_label(last), _rotation_fact(last)))
    if report.record.quarantine:
        known.append(("quarantined", ", ".join(q.image for q in report.record.quarantine[:3])))
    if report.record.setback is not None and report.record.in_flight is None:
        known.append(("tick", f"tries again after {text.moment(report.record.setback.not_before)} UTC"))
    if report.lease is not None and report.record.in_flight is not None:
        known.append(("driver", _driver(report.lease.owner, report.lease.until, report.at)))
    ready = report.rollback_ready
    known.append(("rollback", f"{_readiness(report)}: {ready.why}"))
    if report.about.owner:
        known.append(("owner", report.about.owner))
    return text.facts(known)


def _readiness(report: Report) -> str:
    if not report.rollback_ready.ready:
        return "not possible"
    return "ready now" if report.rollback_ready.at_once else "possible, grows first"


def _rotation_label(rotation: Rotation) -> str:
    return "rotation" if rotation.in_flight else "last"


def _rotation_fact(rotation: Rotation) -> str:
    started = f"{rotation.id} started {text.moment(rotation.started_at)} by {rotation.by}: {rotation.trigger}"
    if rotation.ended_at is None:
        return started
    cause = f", cause {rotation.cause}" if rotation.cause else ""
    outcome = str(rotation.outcome).replace("_", " ")
    return f"{started}; {outcome} after {ago(rotation.ended_at - rotation.started_at)}{cause}"


def _driver(owner: str, until: datetime, at: datetime) -> str:
    return f"{owner}, lease until {text.clock(until)}" if until > at else f"{owner}, lease ran out {text.clock(until)}"


def _what_to_type(report: Report) -> list[str]:
    group, rotation = report.group, report.record.in_flight
    told: list[tuple[str, str, str]] = []
    if rotation is not None:
        told = _commands_in_flight(group, rotation)
    elif _ended_badly(report.record.rotation):
        told = [
            ("See why", text.command("history", group) + " -v", ""),
            ("Try it once more", text.command("retry", group), "asks, releases quarantine"),
        ]
    elif report.rollback_ready.ready:
        told = [("If users are hurt", text.command("rollback", group), "")]
    if report.about.runbook:
        told.append(("Runbook", text.clean(report.about.runbook), ""))
    return text.commands(told)


def _commands_in_flight(group: str, rotation: Rotation) -> list[tuple[str, str, str]]:
    if rotation.back is not None:
        return [("To drive it on", text.command("rollback", group), "Ctrl-C is safe there")]
    hurt = ("If users are hurt", text.command("rollback", group), f"all traffic to {rotation.old.number}")
    if rotation.held or rotation.paused:
        return [hurt, ("To go on", text.command("resume", group), "")]
    stay = (f"To stay at {rotation.weight} %", text.command("pause", group), "")
    skip = ("To skip this bake", text.command("promote", group), "gates still count")
    return [hurt, stay, skip] if rotation.baking_since else [hurt, stay]
