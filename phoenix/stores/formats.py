"""Translate records of earlier versions of phoenix into today's layout. Works on plain JSON values.

Format 1 is that of version 0.1.0: a rotation was one flat object. Must never drop a field: an unknown one stays where
it is, and is refused as unknown.
"""

from __future__ import annotations

from typing import Any, Final

FORMAT: Final = 2
"""The format that phoenix writes now."""

Json = dict[str, Any]

_GROUPS: Final = {
    "origin": ("trigger", "by", "policy", "store", "trace", "ignored", "pin", "templates", "arns"),
    "candidate": ("in_service_high", "sick", "replaced", "grew_in", "launched_at", "first_healthy_at"),
    "growth": ("progress_at", "ready_since", "times_ready", "longest_ready", "short_since"),
    "clocks": ("proved_at", "shifted_at", "shrunk_at", "baking_since", "closing_since", "promoted"),
}
_RENAMED: Final = {"candidate_target": ("candidate", "target"), "grown_since": ("growth", "since")}


def record_of_today(written: Json, format_: int) -> Json:
    """Translate a group's record of that format into today's layout."""
    rotation = written.get("rotation")
    return written | {"rotation": rotation_of_today(rotation, format_)} if isinstance(rotation, dict) else written


def rotation_of_today(written: Json, format_: int) -> Json:
    """Translate a rotation of that format into today's layout."""
    return _with_serving(_from_1(written) if format_ == 1 else written)


def _with_serving(written: Json) -> Json:
    """Translate the one flag that once stood for weights, health and a hot generation."""
    terms = written.get("terms")
    if not isinstance(terms, dict) or "has_traffic" not in terms:
        return written
    rest = dict(terms)
    served = rest.pop("has_traffic")
    return written | {"terms": rest | {"serving": {"weights": served, "health": served, "keeps_hot": served}}}


def note_of_today(written: Json, format_: int) -> Json:
    """Translate a note into today's layout. Before there were notes, each was the record of a pseudo group, which was
    paused while there was something to remember."""
    if "group" not in written:
        return written
    rest = {name: value for name, value in record_of_today(written, format_).items() if value}
    ask = rest.pop("paused", {})
    told = {"at": ask.get("at"), "by": ask.get("by", ""), "text": ask.get("reason") or ""}
    return rest | {"key": rest.pop("group"), **told}


def _from_1(flat: Json) -> Json:
    rest = dict(flat)
    rest.pop("phase", None)  # derived from the clocks
    for group, names in _GROUPS.items():
        rest[group] = {name: rest.pop(name) for name in names if name in rest}
    for name, (group, renamed) in _RENAMED.items():
        if name in rest:
            rest[group][renamed] = rest.pop(name)
    cause, reason, ask = rest.pop("cause", None), rest.pop("reason", None), rest.pop("back", None)
    now, held = rest.pop("back_now", False), rest.pop("held", None)
    if ask is None and reason is not None:
        # Read from tags of a rollback, which do not name the person who asked for it.
        ask = {"at": rest.get("started_at"), "by": ""}
    rest["back"] = ask and {"ask": ask, "cause": cause, "reason": reason or "", "now": now}
    rest["held"] = held and {"why": held, "cause": cause}
    return rest
