"""The status screen: where a group is, whether users are hurt, what phoenix does next, and what to type.

Must never soften: a missing observation is told, and so is a rollback that would not work.
"""

from __future__ import annotations

from collections.abc import Sequence

from phoenix.core.explain import ago, counted
from phoenix.core.generation import Generation
from phoenix.core.model import Outcome
from phoenix.core.rotation import Rotation
from phoenix.engine.report import Report
from phoenix.errors import PhoenixError
from phoenix.views import instances, resting, roster, steps, text
from phoenix.views.situation import SlotRow, carrying, is_moved, is_unclear, rows


def render(report: Report, *, driving: bool = False, verbose: bool = False) -> str:
    """Return one group on one screen. `driving`: the reader's own command drives. `verbose` adds the instances."""
    rotation = report.record.in_flight
    last = report.record.rotation
    if rotation is not None:
        middle = [_generations(report), steps.table(rotation, report.at), steps.gates(rotation, report.at)]
    else:
        middle = [_story(last), _generations(report)] if resting.ended_badly(last) else [_generations(report)]
    return text.screen(
        [text.header(report.group, report.about, report.at)],
        _headline(report),
        *middle,
        instances.table(report, verbose=verbose, driving=driving),
        _facts(report, driving=driving),
        _who_changed_it(report),
        _way_back_mended(report),
        text.commands([*commands(report), *_runbook(report)]),
    )


def render_all(
    reports: Sequence[Report], failures: Sequence[tuple[str, PhoenixError]] = (), columns: int = text.WIDTH
) -> str:
    """Return all groups, a line each, those that need a person first. Urgent ones, and those that could not be
    observed, are told of below the table."""
    if not reports and not failures:
        return "No groups: the policy directory is empty.\nphoenix policy schema prints what a policy may hold.\n"
    table = roster.table(reports, columns)
    urgent = [
        line
        for report in roster.in_order(reports)
        for sentence in (_urgent(report), _diverged(report))
        if sentence is not None
        for line in text.paragraph(f"{report.group}: {sentence}")
    ]
    failed = [
        line
        for name, error in failures
        for problem in text.trouble(name, error.message)
        for line in text.paragraph(problem, rest="    ")
    ]
    return text.screen(table if reports else [], urgent, failed)


def _diverged(report: Report) -> str | None:
    noted = report.record.snowflakes
    if noted is None:
        return None
    counts = [(noted.tainted, "tainted"), (noted.drifted, "drifted")]
    told = " and ".join(f"{len(ids)} {word} ({', '.join(ids[:2])})" for ids, word in counts if ids)
    return f"{told}, since {text.moment(noted.since)} UTC: {text.command('drift', report.group)}"


def _urgent(report: Report) -> str | None:
    if report.seen is not None and is_moved(report.record, report.seen):
        return resting.moved_to(report.record, report.seen)
    return report.sentence if report.outcome is Outcome.HELD else None


def _headline(report: Report) -> list[str]:
    word = resting.state_word(report)
    rotation = report.record.in_flight
    if rotation is None:
        return text.headline(word, *resting.sentences(report))
    if rotation.held:
        return text.headline(word, rotation.held.why, "Weights stay as they are until a person acts.")
    if rotation.back is not None:
        waits = (rotation.waiting_for or report.sentence).removeprefix(f"rolling back to {rotation.old.number}: ")
        way = f"{rotation.new.number} -> {rotation.old.number}: {waits}"
        return text.headline(word, way, steps.asked_by("Asked", rotation.back.ask))
    if rotation.paused:
        where = f"at step {rotation.step} of {len(rotation.terms.steps)}, at {rotation.weight} %."
        return text.headline(
            word, f"{where} A failed gate still rolls back.", steps.asked_by("Paused", rotation.paused)
        )
    promoted = [steps.asked_by("Promoted", rotation.clocks.promoted)] if rotation.clocks.promoted else []
    return text.headline(word, rotation.waiting_for or report.sentence, *promoted)


def _story(rotation: Rotation | None) -> list[str]:
    """Return the events of a rotation that did not succeed; only the last ones of a long one."""
    if rotation is None:
        return []
    return [
        line
        for event in rotation.events[-12:]
        for line in text.paragraph(event.text, first=f"  {text.clock(event.at)}  {event.name:<11} ", rest=" " * 24)
    ]


def _generations(report: Report) -> list[str]:
    if report.seen is not None and is_unclear(report.record, report.seen):
        return resting.slots(report.seen)
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
    return lines + _serving(report) + _by_route(report, [row.generation for row in found])


def _serving(report: Report) -> list[str]:
    rotation = report.record.in_flight
    healthy = [row.healthy for row in rows(report.record, report.seen) if row.healthy is not None and row.weight != 0]
    if rotation is None or not healthy:
        return []
    serve = "serves" if sum(healthy) == 1 else "serve"
    needed = "is" if rotation.need == 1 else "are"
    return [f"       {counted(sum(healthy), 'instance')} {serve}, {rotation.need} {needed} needed"]


def _by_route(report: Report, generations: Sequence[Generation]) -> list[str]:
    """Return a line per route if the routes differ: the column above shows the least share."""
    routes = report.seen.routes if report.seen is not None else ()
    if len({tuple(route.percent(g.slot) for g in generations) for route in routes}) < 2:
        return []
    numbers = [f"{generation.number}>" for generation in generations]
    cells = [[route.name, *(f"{route.percent(g.slot)} %" for g in generations)] for route in routes]
    return ["", *text.table(["route", *numbers], cells)]


def _healthy(row: SlotRow) -> str:
    if row.healthy is None:
        return "?"
    if row.reserve:
        return f"{row.reserve} reserve" if not row.in_service else f"{row.healthy}+{row.reserve} reserve"
    return f"{row.healthy} leave" if row.healthy and not row.desired else f"{row.healthy}/{row.desired}"


def _percent(weight: int | None) -> str:
    return "-" if weight is None else f"{weight} %"


def _drill(report: Report) -> list[tuple[str, str]]:
    """The drill that is being measured, else one that should have begun."""
    drill, hindered = report.record.drill_in_flight, report.record.hindered
    if drill is not None:
        return [("drill", f"{drill.sentence}; {text.command('abort', report.group)} ends the measuring")]
    if hindered is None or report.record.in_flight is not None:
        return []
    since = f"due since {text.moment(hindered.opened_at)} UTC, and has not begun: {hindered.reason}"
    return [("drill", f"{since} {text.command('drill', report.group)} --dry-run lists the obstacles")]


def _facts(report: Report, *, driving: bool) -> list[str]:
    known: list[tuple[str, str]] = []
    last = report.record.rotation
    if last is not None:
        known.append((_rotation_label(last), _rotation_fact(last)))
        known += [("way back", times)] if (times := steps.way_back(last)) else []
    known += _rules_of_our_own(report)
    if report.record.quarantine:
        known.append(("quarantined", ", ".join(q.image for q in report.record.quarantine[:3])))
    if report.record.setback is not None and report.record.in_flight is None:
        known.append(("tick", f"tries again after {text.moment(report.record.setback.not_before)} UTC"))
    old = report.record.old_base
    if old is not None and report.record.in_flight is None:
        known.append(("base", f"{old.base} below {old.image} is {ago(report.at - old.built_at)} old: bake it anew"))
    known += _drill(report)
    if report.other_groups is not None:
        known.append(("groups", report.other_groups))
    if report.outlook is not None:
        known.append(("next", report.outlook.sentence))
    driver = None if driving else _driver(report)
    if driver is not None:
        known.append(("driver", driver))
    ready = report.rollback_ready
    known.append(("rollback", f"{_readiness(report)}: {ready.why}"))
    if report.about.owner:
        known.append(("owner", report.about.owner))
    return text.facts(known)


def _rules_of_our_own(report: Report) -> list[tuple[str, str]]:
    found = report.seen.opt_ins if report.seen is not None else None
    return [("asked for", rule.name) for rule in found.rules] if found is not None else []


def _readiness(report: Report) -> str:
    if not report.rollback_ready.ready:
        return "not possible"
    if report.rollback_ready.at_once:
        return "ready now"
    return "possible, grows first" if report.rollback_ready.revival else "possible, not at once"


def _who_changed_it(report: Report) -> list[str]:
    """Return the writers of foreign changes, each call once; else the command that asks, ready to copy."""
    changes = list(dict.fromkeys(change for trace in report.traces for change in trace.changes))[:3]
    lines = text.facts(
        (
            "changed by",
            f"{each.by}, {each.event} at {text.moment(each.at)} UTC"
            + (f", with {each.agent}" if each.agent else "")
            + (f" from {each.address}" if each.address else ""),
        )
        for each in changes
    )
    unknown = next((trace for trace in report.traces if not trace.changes), None)
    if changes or unknown is None:
        return lines
    return [f"Who changed it: {unknown.note}:", *(f"  {text.clean(line)}" for line in unknown.command.split("\n"))]


def _way_back_mended(report: Report) -> list[str]:
    """Return the command that makes a rollback possible again, ready to copy."""
    remedy = report.rollback_ready.remedy
    return (
        [] if remedy is None else ["To make a rollback possible:", *(f"  {text.clean(r)}" for r in remedy.split("\n"))]
    )


def _rotation_label(rotation: Rotation) -> str:
    return "rotation" if rotation.in_flight else "last"


def _rotation_fact(rotation: Rotation) -> str:
    begun = f" started {text.moment(rotation.started_at)} by {rotation.origin.by}" if rotation.origin.by else ""
    started = f"{rotation.id}{begun}: {rotation.origin.trigger}"
    if rotation.ended_at is None:
        return started
    cause = f", cause {rotation.cause}" if rotation.cause else ""
    outcome = str(rotation.outcome).replace("_", " ")
    took = f" after {ago(rotation.ended_at - rotation.started_at)}" if rotation.origin.by else ""
    return f"{started}; {outcome}{took}{cause}"


def _driver(report: Report) -> str | None:
    """Return the driver of the rotation in flight, or how to go on without one. A held rotation waits for a person, not
    for a driver."""
    rotation, lease = report.record.in_flight, report.lease
    if rotation is None:
        return None
    if lease is not None and lease.until > report.at:
        return f"{lease.owner}, lease until {text.clock(lease.until)}"
    left = f" ({lease.owner}: lease ran out {text.clock(lease.until)})" if lease is not None else ""
    if rotation.held:
        return f"none{left}"
    onward = text.command("rotate" if rotation.back is None else "rollback", report.group)
    return f"none{left}; {onward} goes on, as does the next tick"


def commands(report: Report) -> list[tuple[str, str, str]]:
    """Return what there is to type: purpose, command, and in a few words its effect."""
    group, rotation = report.group, report.record.in_flight
    told: list[tuple[str, str, str]] = []
    if rotation is not None:
        told = _commands_in_flight(group, rotation)
    elif is_moved(report.record, report.seen):
        told = _commands_moved(report)
    elif is_unclear(report.record, report.seen):
        told = [("To see the blockers", text.command("plan", group), "")]
    elif resting.ended_badly(report.record.rotation):
        told = [
            ("See why", text.command("history", group) + " -v", ""),
            _once_more(report),
        ]
    elif report.rollback_ready.ready:
        told = [("If users are hurt", text.command("rollback", group), "")]
    return told


def _runbook(report: Report) -> list[tuple[str, str, str]]:
    return [("Runbook", text.clean(report.about.runbook), "")] if report.about.runbook else []


def _once_more(report: Report) -> tuple[str, str, str]:
    """Offer `retry` if the image is quarantined; else `rotate`, which need not wait."""
    last = report.record.rotation
    if last is not None and all(entry.image != last.new.image for entry in report.record.quarantine):
        return ("Try it once more", text.command("rotate", report.group), "")
    return ("Try it once more", text.command("retry", report.group), "asks, releases quarantine")


def _commands_moved(report: Report) -> list[tuple[str, str, str]]:
    """Offer `repair`: it takes back changes that are certainly unwanted, and lists them first."""
    retained = report.record.retained
    look = ("To preview a repair", text.command("repair --dry-run", report.group), "")
    if retained is None or not report.rollback_ready.ready:
        return [look]
    is_there = report.seen is not None and carrying(report.seen) == (retained.slot,)
    why = f"To stay on {retained.number}" if is_there else "If users are hurt"
    return [(why, text.command("rollback", report.group), f"all traffic to {retained.number}"), look]


def _commands_in_flight(group: str, rotation: Rotation) -> list[tuple[str, str, str]]:
    if rotation.back is not None:
        return [("To drive it on", text.command("rollback", group), "Ctrl-C is safe there")]
    hurt = ("If users are hurt", text.command("rollback", group), f"all traffic to {rotation.old.number}")
    if rotation.held or rotation.paused:
        return [hurt, ("To go on", text.command("resume", group), "")]
    stay = (f"To stay at {rotation.weight} %", text.command("pause", group), "")
    skip = ("To skip this bake", text.command("promote", group), "gates still count")
    return [hurt, stay, skip] if rotation.clocks.baking_since else [hurt, stay]
