"""The JSON documents of the contract: scripts rely on every key, so keys are only ever added.

Must never hold a value that JSON cannot express; times are RFC 3339 in UTC with a `Z`, durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from phoenix.core.acts import Act, acts_known, acts_of
from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate
from phoenix.core.model import Route
from phoenix.core.outlook import Outlook
from phoenix.core.planned_call import PlannedCall
from phoenix.core.record import GroupRecord, OldBase, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.trail import Trace
from phoenix.engine.report import Plan, Report
from phoenix.errors import PhoenixError
from phoenix.views import comparison, instances
from phoenix.views.situation import SlotRow, rows

Document = dict[str, Any]


def dump(document: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, one_line: bool = False) -> str:
    """The document as text, without a final newline. `one_line` for streams of objects."""
    return json.dumps(document, indent=None if one_line else 2, ensure_ascii=True)


def report(told: Report) -> Document:
    """Return the document of `rotate`, `rollback`, `status` and every other command that ends in a report."""
    last = told.record.rotation
    in_flight = told.record.in_flight
    return {
        "group": told.group,
        "outcome": str(told.outcome),
        "sentence": told.sentence,
        "rotation": None if last is None else rotation(last),
        "generations": [
            {**_slot_row(row), "instances": [_instance(each) for each in instances.told_of(told, row)]}
            for row in rows(told.record, told.seen)
        ],
        "waiting_for": in_flight.waiting_for if in_flight is not None else None,
        "rollback_ready": {"ready": told.rollback_ready.ready, "why": told.rollback_ready.why},
        "acts": [act(each) for each in acts_known(told.record)],
        "changed_by": [_trace(each) for each in told.traces],
        "next": None if told.outlook is None else _outlook(told.outlook),
        "old_base": _old_base(told.record.old_base),
        "snowflakes": _snowflakes(told.record),
        "routes": [] if told.seen is None else [_route(told, each) for each in told.seen.routes],
        "opt_in_rules": _opt_in_rules(told),
    }


def _opt_in_rules(told: Report) -> list[Document]:
    """The rules of phoenix's own that are there now."""
    found = told.seen.opt_ins if told.seen is not None else None
    return [{"arn": rule.arn, "name": rule.name} for rule in found.rules] if found is not None else []


def _trace(told: Trace) -> Document:
    """Who changed a resource, and the command to ask the same by hand."""
    return {
        "resource": told.resource, "note": told.note or None, "command": told.command,
        "changes": [
            {"at": time(each.at), "event": each.event, "by": each.by, "agent": each.agent, "address": each.address}
            for each in told.changes
        ],
    }  # fmt: skip


def _outlook(told: Outlook) -> Document:
    """What comes next at rest."""
    return {
        "due": told.due, "sentence": told.sentence, "reasons": list(told.reasons), "at": time(told.at),
        "turn": str(told.turn),
        "waits": [
            {"name": wait.name, "text": wait.text, "until": time(wait.until), "needs_person": wait.needs_person}
            for wait in told.waits
        ],
    }  # fmt: skip


def _old_base(told: OldBase | None) -> Document | None:
    return None if told is None else {"image": told.image, "base": told.base, "built_at": time(told.built_at)}


def _snowflakes(record: GroupRecord) -> Document | None:
    """Return the instances that were last noted as tainted or drifted; None where there are none."""
    noted = record.snowflakes
    if noted is None:
        return None
    return {"since": time(noted.since), "tainted": list(noted.tainted), "drifted": list(noted.drifted)}


def rotation(told: Rotation) -> Document:
    """Return one rotation as every document shows it."""
    return {
        "id": told.id,
        "outcome": str(told.outcome),
        "phase": str(told.phase),
        "step": told.step,
        "steps": len(told.terms.steps),
        "cause": None if told.cause is None else str(told.cause),
        "reason": told.reason,
        "started_at": time(told.started_at if told.origin.by else None),
        "ended_at": time(told.known_end),
        "ignored": [
            {"name": name, "by": ask.by, "reason": ask.reason, "at": time(ask.at)}
            for name, ask in told.origin.ignored.items()
        ],
    }


def plan(told: Plan) -> Document:
    """The document of `plan` and of a dry run."""
    return {
        "group": told.group,
        "due": told.due,
        "reasons": list(told.reasons),
        "blockers": [_blocker(b) for b in told.blockers if not b.warning],
        "warnings": [_blocker(b) for b in told.blockers if b.warning],
        "live": _generation(told.live),
        "next": None if told.next is None else _generation(told.next),
        "steps": [
            {
                "step": row.number, "new": row.new, "old": row.old, "weight": row.weight, "gates": list(row.gates),
                "bake_seconds": None if row.bake is None else int(row.bake.total_seconds()),
                "starts_after_seconds": int(row.starts_after.total_seconds()),
            }
            for row in told.rows
        ],
        "opt_ins": [
            {"kind": str(each.kind), "name": each.name or None, "values": list(each.values)} for each in told.opt_ins
        ],
        "images": {"live": _origin(told, told.live), "next": None if told.next is None else _origin(told, told.next)},
        "differences": [
            {"of": each.of, "attribute": each.attribute, "live": each.live or None, "next": each.next or None}
            for each in told.differences
        ],
        "capacity": {"needed": told.needed, "worst_case": told.worst_case, "peak": told.peak},
        "ends_after_seconds": None if told.ends_after is None else int(told.ends_after.total_seconds()),
        "extra_instance_hours": round(told.extra_instance_hours, 1),
        "writes": told.writes,
        "calls": None if told.calls is None else [_call(told, each) for each in told.calls],
    }  # fmt: skip


def _origin(told: Plan, generation: Generation) -> Document:
    """Where an image comes from, by its tags; what is not known is null."""
    image = comparison.image_of(told, generation)
    known = {word: comparison.origin(image, word) for word in comparison.PROVENANCE}
    return {
        "image": generation.image,
        "name": generation.image_name or (image.name if image is not None else None),
        "built_at": time(image.created_at if image is not None else None),
        **{word.replace(" ", "_"): None if each == comparison.UNKNOWN else each for word, each in known.items()},
    }


def _call(told: Plan, call: PlannedCall) -> Document:
    return {
        "service": call.service,
        "operation": call.operation,
        "parameters": dict(call.parameters),
        "after_seconds": int((call.at - told.at).total_seconds()),
    }


def blocked(told: Plan, error: PhoenixError) -> Document:
    """Return the document of a `rotate` that did not start: the error, and the plan with all blockers."""
    return {**failure(error), **plan(told), "outcome": "none"}


def failure(error: PhoenixError) -> Document:
    """The document of a command that ended with an error."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def repairs(group: str, found: Sequence[str]) -> Document:
    """Return the document of `repair --dry-run`: the changes that it would undo."""
    return {"group": group, "leftovers": list(found)}


def history(group: str, rotations: Sequence[Rotation], acts: Sequence[Act] = ()) -> Document:
    """Return the rotations, newest first, each with its events; `acts` at rest have an array of their own."""
    return {"group": group, "rotations": [_told(rotation) for rotation in rotations], "acts": [act(a) for a in acts]}


def timeline(
    rotations: Sequence[Rotation], acts: Sequence[Act], failures: Mapping[str, PhoenixError]
) -> list[Document]:
    """The rotations of all groups, newest first; then an object for each group with acts of persons at rest, and for
    each that could not be read."""
    told = [{"group": rotation.group, **_told(rotation)} for rotation in rotations]
    names = dict.fromkeys(each.group for each in acts)
    told += [{"group": name, "acts": [act(a) for a in acts if a.group == name]} for name in names]
    return told + [{"group": name, **failure(error)} for name, error in failures.items()]


def act(told: Act) -> Document:
    """Return one act: what, by whom, why."""
    return {
        "at": time(told.at), "name": told.name, "text": told.text, "by": told.by, "reason": told.reason,
        "rotation": told.rotation,
    }  # fmt: skip


def _told(told: Rotation) -> Document:
    back = told.back.ask if told.back is not None else None
    return {
        **rotation(told),
        "from": _generation(told.old),
        "to": _generation(told.new),
        "trigger": told.origin.trigger,
        "by": told.origin.by or None,
        "turned_back_by": None if back is None else {"by": back.by, "reason": back.reason, "at": time(back.at)},
        "duration_seconds": _seconds(told),
        "events": [
            {"at": time(e.at), "name": e.name, "text": e.text, "by": e.by or None, "reason": e.reason}
            for e in told.events
        ],
        "acts": [act(each) for each in acts_of(told)],
    }


def images(
    group: str, candidates: Sequence[Candidate], quarantine: Sequence[Quarantined], live: str | None, at: datetime
) -> Document:
    """Return the candidates in order of preference, each with the reason against it; None for the chosen one."""
    from phoenix.views.image_json import origin  # which needs this module

    quarantined = {entry.image: entry for entry in quarantine}
    return {
        "group": group,
        "candidates": [
            {
                "image": c.image.id, "name": c.image.name, "created_at": time(c.image.created_at),
                "chosen": c.rejected is None, "live": c.image.id == live, "rejected": c.rejected,
                "quarantined": c.image.id in quarantined, **origin(c.image, at),
            }
            for c in candidates
        ],
        "quarantine": [
            {"image": q.image, "since": time(q.at), "cause": str(q.cause), "rotation": q.rotation, "reason": q.reason}
            for q in quarantine
        ],
    }  # fmt: skip


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(told: Rotation) -> int | None:
    return (
        None if told.ended_at is None or not told.origin.by else int((told.ended_at - told.started_at).total_seconds())
    )


def _slot_row(row: SlotRow) -> Mapping[str, Any]:
    return {
        "number": row.generation.number,
        "role": str(row.role),
        "image": row.generation.image,
        "slot": str(row.generation.slot),
        "auto_scaling_group": row.auto_scaling_group,
        "launch_template_version": row.generation.template_version,
        "desired": row.desired,
        "in_service": row.in_service,
        "healthy": row.healthy,
        "weight": row.weight,
        "not_ready": [{"count": count, "why": why} for count, why in row.not_ready],
        "reserve": row.reserve,
    }


def _instance(told: instances.Told) -> Mapping[str, Any]:
    each = told.instance
    return {
        "id": each.id,
        "zone": each.zone,
        "launched_at": time(each.launched_at),
        "launch_template_version": each.template_version,
        "state": each.lifecycle_words,
        "healthy": each.healthy,
        "target": None if each.target is None else str(each.target),
        "ready": told.ready,
        "reason": told.reason or None,
    }


def _route(told: Report, route: Route) -> Mapping[str, Any]:
    """A listener or rule, and the share of each generation there."""
    shares = {str(row.generation.number): route.percent(row.generation.slot) for row in rows(told.record, told.seen)}
    return {"arn": route.arn, "name": route.name, "weights": shares}


def _generation(told: Generation) -> Mapping[str, Any]:
    return {
        "number": told.number,
        "slot": str(told.slot),
        "image": told.image,
        "image_name": told.image_name,
        "launch_template_version": told.template_version,
    }


def _blocker(told: Blocker) -> Mapping[str, Any]:
    return {
        "name": told.name, "where": told.where, "text": told.text, "remedy": told.remedy, "ignorable": told.ignorable,
        "ignored_as": (told.ignored_as or told.name) if told.ignorable else None,
    }  # fmt: skip
