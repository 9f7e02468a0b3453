"""The JSON documents of a plan: what would happen, and everything in its way.

Must never leave a key out: an unknown value is null.
"""

from __future__ import annotations

from phoenix.core.blocker import Blocker
from phoenix.core.generation import Generation
from phoenix.core.opt_in import OptIn
from phoenix.core.planned_call import PlannedCall
from phoenix.core.work import Station
from phoenix.engine.report import Plan
from phoenix.errors import PhoenixError
from phoenix.views import comparison, documents
from phoenix.views import plan as plan_view
from phoenix.views.json import failure, generation, time


def plan(told: Plan, asked: str = "") -> documents.Plan:
    """The document of `plan` and of a dry run; `asked` are the options that it depends on."""
    purpose, command = plan_view.what_to_type(told, asked)
    return {
        "group": told.group,
        "due": told.due,
        "reasons": list(told.reasons),
        "blockers": [_blocker(b) for b in told.blockers if not b.warning],
        "warnings": [_blocker(b) for b in told.blockers if b.warning],
        "live": generation(told.live),
        "next": None if told.next is None else generation(told.next),
        "steps": [
            {
                "step": row.number, "new": row.new, "old": row.old, "weight": row.weight, "gates": list(row.gates),
                "bake_seconds": None if row.bake is None else int(row.bake.total_seconds()),
                "starts_after_seconds": int(row.starts_after.total_seconds()),
            }
            for row in told.rows
        ],
        "opt_ins": [_opt_in(each) for each in told.opt_ins],
        "images": {"live": _origin(told, told.live), "next": None if told.next is None else _origin(told, told.next)},
        "differences": [
            {"of": each.of, "attribute": each.attribute, "live": each.live or None, "next": each.next or None}
            for each in told.differences
        ],
        "capacity": {"needed": told.needed, "worst_case": told.worst_case, "peak": told.peak},
        "ends_after_seconds": None if told.ends_after is None else int(told.ends_after.total_seconds()),
        "extra_instance_hours": round(told.extra_instance_hours, 1), "writes": told.writes,
        "calls": None if told.calls is None else [_call(told, each) for each in told.calls],
        "before_leaving": [_station(each) for each in told.before_leaving],
        "discovery": [_station(each) for each in told.discovery],
        "prices": dict(told.prices),
        "checks": list(told.checks),
        "hot_seconds": int(told.hot_for.total_seconds()),
        "commands": [{"purpose": purpose, "command": command, "effect": None}],
    }  # fmt: skip


def _station(told: Station) -> documents.PlannedStation:
    return {
        "kind": told.kind,
        "name": told.name,
        "timeout_seconds": int(told.timeout.total_seconds()),
        "on_timeout": "go_on" if told.goes_on else "hold",
    }


def _opt_in(told: OptIn) -> documents.OptIn:
    return {"kind": str(told.kind), "name": told.name or None, "values": list(told.values)}


def _origin(told: Plan, generation: Generation) -> documents.PlannedImage:
    """Where an image comes from, by its tags; an unknown value is null."""
    image = comparison.image_of(told, generation)
    told_of = {word: comparison.origin(image, word) for word in comparison.PROVENANCE}
    known = {word: None if each == comparison.UNKNOWN else each for word, each in told_of.items()}
    return {
        "image": generation.image,
        "name": generation.image_name or (image.name if image is not None else None),
        "built_at": time(image.created_at if image is not None else None),
        "commit": known["commit"],
        "built_by": known["built by"],
        "parent": known["parent"],
    }


def _call(told: Plan, call: PlannedCall) -> documents.PlannedCall:
    return {
        "service": call.service,
        "operation": call.operation,
        "parameters": dict(call.parameters),
        "after_seconds": int((call.at - told.at).total_seconds()),
    }


def blocked(told: Plan, error: PhoenixError) -> documents.BlockedStart:
    """Return the document of a `rotate` that did not start: the error, and the plan with all blockers."""
    return {"error": failure(error)["error"], **plan(told), "outcome": "none"}


def _blocker(told: Blocker) -> documents.Blocker:
    return {
        "name": told.name, "where": told.where, "text": told.text, "remedy": told.remedy, "ignorable": told.ignorable,
        "ignored_as": (told.ignored_as or told.name) if told.ignorable else None,
    }  # fmt: skip
