"""The JSON documents of the contract: scripts rely on every key, so keys are only ever added. `documents` has their
types.

Must never hold a value that JSON cannot express; times are RFC 3339 in UTC with a `Z`, durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from phoenix.core.acts import Act, acts_known
from phoenix.core.drill import Drill
from phoenix.core.generation import Generation
from phoenix.core.model import Route
from phoenix.core.outlook import Outlook
from phoenix.core.record import GroupRecord, OldBase, Quarantined
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.core.trail import Trace
from phoenix.engine.report import Report
from phoenix.errors import PhoenixError
from phoenix.views import documents, instances, resting, status, steps
from phoenix.views.situation import SlotRow, rows


def dump(document: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, one_line: bool = False) -> str:
    """The document as text, without a final newline. `one_line` for streams of objects."""
    return json.dumps(document, indent=None if one_line else 2, ensure_ascii=True)


def report(told: Report) -> documents.Report:
    """Return the document of `rotate`, `rollback`, `status` and every other command that ends in a report."""
    last = told.record.rotation
    in_flight = told.record.in_flight
    verdicts = in_flight.verdicts if in_flight is not None else ()
    return {
        "group": told.group,
        "outcome": str(told.outcome),
        "sentence": told.sentence,
        "rotation": None if last is None else _whole(last),
        "generations": [
            {**_slot_row(row), "instances": [_instance(each) for each in instances.told_of(told, row)]}
            for row in rows(told.record, told.seen)
        ],
        "waiting_for": in_flight.waiting_for if in_flight is not None else None,
        "rollback_ready": {"ready": told.rollback_ready.ready, "why": told.rollback_ready.why},
        "acts": [act(each) for each in acts_known(told.record)],
        "changed_by": [_trace(each) for each in told.traces],
        "next": None if told.outlook is None else _outlook(told.outlook),
        "routes": [] if told.seen is None else [_route(told, each) for each in told.seen.routes],
        "old_base": _old_base(told.record.old_base),
        "drill": drill(told.record.drill_in_flight) if told.record.drill_in_flight is not None else None,
        "snowflakes": _snowflakes(told.record),
        "opt_in_rules": _opt_in_rules(told),
        "at": time(told.at),
        "state": resting.state_word(told),
        "account": told.about.account, "region": told.about.region,
        "owner": told.about.owner,
        "runbook": told.about.runbook,
        "gates": [
            {"gate": v.gate, "verdict": str(v.judgement), "reason": v.reason, "looked_at": _looked_at(in_flight)}
            for v in verdicts
        ],
        "driver": _driver(told),
        "quarantine": [quarantined(each) for each in told.record.quarantine],
        "commands": [
            {"purpose": purpose, "command": command, "effect": effect or None}
            for purpose, command, effect in status.commands(told)
        ],
    }  # fmt: skip


def _opt_in_rules(told: Report) -> list[documents.OptInRule]:
    """The rules of phoenix's own that are there now."""
    found = told.seen.opt_ins if told.seen is not None else None
    return [{"arn": rule.arn, "name": rule.name} for rule in found.rules] if found is not None else []


def _driver(told: Report) -> documents.Driver | None:
    lease = told.lease
    return {"owner": lease.owner, "until": time(lease.until)} if lease is not None and lease.until > told.at else None


def drill(told: Drill) -> documents.Drill:
    """Return one drill as every document shows it."""
    return {
        "id": told.id,
        "group": told.group,
        "ending": str(told.ending) if told.ending is not None else None,
        "sentence": told.sentence,
        "by": told.ask.by,
        "reason": told.ask.reason,
        "seed": told.seed,
        "zone": told.zone,
        "hard": told.hard,
        "instances": list(told.victims),
        "spared": list(told.spared),
        "healthy_before": told.goal,
        "floor": told.least,
        "started_at": time(told.ask.at),
        "over_at": time(told.over_at),
        "ended_at": time(told.ended_at),
        "noticed_at": time(told.noticed_at),
        "replaced_at": time(told.replaced_at),
        "in_service_at": time(told.in_service_at),
        "healthy_at": time(told.healthy_at),
        "whole_after_seconds": int(told.took.total_seconds()) if told.took is not None else None,
        "precision_seconds": int(told.gap.total_seconds()),
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


def _trace(told: Trace) -> documents.Trace:
    """Who changed a resource, and the command to ask the same by hand."""
    return {
        "resource": told.resource, "note": told.note or None, "command": told.command,
        "changes": [
            {"at": time(each.at), "event": each.event, "by": each.by, "agent": each.agent, "address": each.address}
            for each in told.changes
        ],
    }  # fmt: skip


def _outlook(told: Outlook) -> documents.Outlook:
    """What comes next at rest."""
    return {
        "due": told.due, "sentence": told.sentence, "reasons": list(told.reasons), "at": time(told.at),
        "turn": str(told.turn),
        "waits": [
            {"name": wait.name, "text": wait.text, "until": time(wait.until), "needs_person": wait.needs_person}
            for wait in told.waits
        ],
    }  # fmt: skip


def _route(told: Report, route: Route) -> documents.RouteRow:
    """A listener or rule, and the share of each generation there."""
    shares = {str(row.generation.number): route.percent(row.generation.slot) for row in rows(told.record, told.seen)}
    return {"arn": route.arn, "name": route.name, "weights": shares}


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


def failure(error: PhoenixError) -> documents.Failure:
    """The document of a command that ended with an error."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def repairs(group: str, found: Sequence[str]) -> documents.Repairs:
    """Return the document of `repair --dry-run`: the changes that it would undo."""
    return {"group": group, "leftovers": list(found)}


def failed_group(name: str, error: PhoenixError) -> documents.Failure:
    """Return the document of one group among several that could not be looked at."""
    return {"group": name, **failure(error)}


def act(told: Act) -> documents.Act:
    """Return one act: what, by whom, why."""
    return {
        "at": time(told.at), "name": told.name, "text": told.text, "by": told.by, "reason": told.reason,
        "rotation": told.rotation,
    }  # fmt: skip


def quarantined(told: Quarantined) -> documents.Quarantined:
    return {
        "image": told.image, "since": time(told.at), "cause": str(told.cause), "rotation": told.rotation,
        "reason": told.reason,
    }  # fmt: skip


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _slot_row(row: SlotRow) -> documents.SlotRow:
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


def _instance(told: instances.Told) -> documents.InstanceRow:
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


def generation(told: Generation) -> documents.Generation:
    return {
        "number": told.number,
        "slot": str(told.slot),
        "image": told.image,
        "image_name": told.image_name,
        "launch_template_version": told.template_version,
    }
