"""The JSON documents of the contract: scripts rely on every key, so keys are only ever added. `documents` has their
types.

Must never hold a value that JSON cannot express; times are RFC 3339 in UTC with a `Z`, durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate
from phoenix.core.record import GroupRecord, OldBase, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.engine.report import Plan, Report
from phoenix.errors import PhoenixError
from phoenix.views import documents, status, steps
from phoenix.views import plan as plan_view
from phoenix.views.situation import SlotRow, rows


def dump(document: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, one_line: bool = False) -> str:
    """The document as text, without a final newline. `one_line` for streams of objects."""
    return json.dumps(document, indent=None if one_line else 2, ensure_ascii=True)


def report(told: Report) -> documents.Report:
    """Return the document of `rotate`, `rollback`, `status` and every other command that ends in a report."""
    last = told.record.rotation
    in_flight = told.record.in_flight
    verdicts = in_flight.verdicts if in_flight is not None else ()
    is_driven = told.lease is not None and told.lease.until > told.at
    return {
        "group": told.group,
        "outcome": str(told.outcome),
        "sentence": told.sentence,
        "rotation": None if last is None else _whole(last),
        "generations": [_slot_row(row) for row in rows(told.record, told.seen)],
        "waiting_for": in_flight.waiting_for if in_flight is not None else None,
        "rollback_ready": {"ready": told.rollback_ready.ready, "why": told.rollback_ready.why},
        "old_base": _old_base(told.record.old_base),
        "snowflakes": _snowflakes(told.record),
        "at": time(told.at),
        "state": status.state_word(told),
        "account": told.about.account,
        "region": told.about.region,
        "owner": told.about.owner,
        "runbook": told.about.runbook,
        "gates": [
            {"gate": v.gate, "verdict": str(v.judgement), "reason": v.reason, "looked_at": _looked_at(in_flight)}
            for v in verdicts
        ],
        "driver": {"owner": told.lease.owner, "until": time(told.lease.until)} if told.lease and is_driven else None,
        "quarantine": [_quarantined(each) for each in told.record.quarantine],
        "commands": [
            {"purpose": purpose, "command": command, "effect": effect or None}
            for purpose, command, effect in status.commands(told)
        ],
    }


def _looked_at(told: Rotation | None) -> str | None:
    return time(told.looked_at) if told is not None else None


def _whole(told: Rotation) -> documents.Rotation:
    return {
        **rotation(told),
        "trigger": told.origin.trigger,
        "by": told.origin.by or None,
        "turned_back_by": None if told.back is None else _ask(told.back.ask),
        "paused": None if told.paused is None else _ask(told.paused),
        "held": None if told.held is None else told.held.why,
        "weight": told.weight,
        "way_back": steps.way_back(told) or None,
    }


def _ask(told: Ask) -> documents.Request:
    return {"by": told.by, "reason": told.reason, "at": time(told.at)}


def _old_base(told: OldBase | None) -> documents.OldBase | None:
    return None if told is None else {"image": told.image, "base": told.base, "built_at": time(told.built_at)}


def _snowflakes(record: GroupRecord) -> documents.Snowflakes | None:
    """Return the instances that were last noted as tainted or drifted; None where there are none."""
    noted = record.snowflakes
    if noted is None:
        return None
    return {"since": time(noted.since), "tainted": list(noted.tainted), "drifted": list(noted.drifted)}


def rotation(told: Rotation) -> documents.RotationInShort:
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


def plan(told: Plan, asked: str = "") -> documents.Plan:
    """The document of `plan` and of a dry run; `asked` are the options that it depends on."""
    purpose, command = plan_view.what_to_type(told, asked)
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
        "capacity": {"needed": told.needed, "worst_case": told.worst_case, "peak": told.peak},
        "ends_after_seconds": None if told.ends_after is None else int(told.ends_after.total_seconds()),
        "extra_instance_hours": round(told.extra_instance_hours, 1),
        "writes": told.writes,
        "checks": list(told.checks),
        "hot_seconds": int(told.hot_for.total_seconds()),
        "commands": [{"purpose": purpose, "command": command, "effect": None}],
    }  # fmt: skip


def blocked(told: Plan, error: PhoenixError) -> documents.BlockedStart:
    """Return the document of a `rotate` that did not start: the error, and the plan with all blockers."""
    return {"error": failure(error)["error"], **plan(told), "outcome": "none"}


def failure(error: PhoenixError) -> documents.Failure:
    """The document of a command that ended with an error."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def repairs(group: str, found: Sequence[str]) -> documents.Repairs:
    """Return the document of `repair --dry-run`: the changes that it would undo."""
    return {"group": group, "leftovers": list(found)}


def history(group: str, rotations: Sequence[Rotation]) -> documents.History:
    """Return the rotations, newest first, each with its events."""
    return {"group": group, "rotations": [_told(rotation) for rotation in rotations]}


def timeline(
    rotations: Sequence[Rotation], failures: Mapping[str, PhoenixError]
) -> list[documents.TimelineRotation | documents.Failure]:
    """The rotations of all groups, newest first; then an object for each group that could not be read."""
    told: list[documents.TimelineRotation | documents.Failure] = [
        {"group": rotation.group, **_told(rotation)} for rotation in rotations
    ]
    return told + [failed_group(name, error) for name, error in failures.items()]


def failed_group(name: str, error: PhoenixError) -> documents.Failure:
    """Return the document of one group among several that could not be looked at."""
    return {"group": name, **failure(error)}


def _told(told: Rotation) -> documents.HistoryRotation:
    back = told.back.ask if told.back is not None else None
    return {
        **rotation(told),
        "from": _generation(told.old),
        "to": _generation(told.new),
        "trigger": told.origin.trigger,
        "by": told.origin.by or None,
        "turned_back_by": None if back is None else {"by": back.by, "reason": back.reason, "at": time(back.at)},
        "duration_seconds": _seconds(told),
        "events": [{"at": time(e.at), "name": e.name, "text": e.text} for e in told.events],
    }


def images(
    group: str, candidates: Sequence[Candidate], quarantine: Sequence[Quarantined], live: str | None, at: datetime
) -> documents.Images:
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
        "quarantine": [_quarantined(each) for each in quarantine],
    }  # fmt: skip


def _quarantined(told: Quarantined) -> documents.Quarantined:
    return {
        "image": told.image, "since": time(told.at), "cause": str(told.cause), "rotation": told.rotation,
        "reason": told.reason,
    }  # fmt: skip


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(told: Rotation) -> int | None:
    return (
        None if told.ended_at is None or not told.origin.by else int((told.ended_at - told.started_at).total_seconds())
    )


def _slot_row(row: SlotRow) -> documents.GenerationRow:
    return {
        "number": row.generation.number,
        "role": str(row.role),
        "image": row.generation.image,
        "image_name": row.generation.image_name,
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


def _generation(told: Generation) -> documents.Generation:
    return {
        "number": told.number,
        "slot": str(told.slot),
        "image": told.image,
        "image_name": told.image_name,
        "launch_template_version": told.template_version,
    }


def _blocker(told: Blocker) -> documents.Blocker:
    return {
        "name": told.name, "where": told.where, "text": told.text, "remedy": told.remedy, "ignorable": told.ignorable,
        "ignored_as": (told.ignored_as or told.name) if told.ignorable else None,
    }  # fmt: skip
