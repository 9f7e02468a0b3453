"""The settings in `phoenix.yaml`, read before any policy.

Must never load a model: a rollback reads this before its first write. The other keys are judged with the policies; here
only their names are checked, because a misspelt key may be the store.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from phoenix.policy.document import MOST_BYTES, Document, Unreadable, decode, read
from phoenix.policy.tree import Mapping, Span, plain
from phoenix.settings import (
    COMMON_FILES,
    CallsPerSecond,
    FunctionName,
    LeaseSeconds,
    LogLines,
    PollSeconds,
    Reading,
    StoreUrl,
)

SETTINGS: Final[Map[str, Any]] = {
    "store": StoreUrl,
    "poll_seconds": PollSeconds,
    "lease_seconds": LeaseSeconds,
    "calls_per_second": CallsPerSecond,
    "advance": FunctionName,
    "log": LogLines,
}
"""The keys that are settings, and the type of each."""
OTHERS: Final = frozenset({"freezes", "limits", "breaker", "max_age"})
"""The keys that are for groups only."""


def read_common_file(folder: Path) -> Reading:
    """Read the file for all groups in the folder. If any part of it is doubtful, the reading has that flaw and nothing
    else."""
    names = [name for name in COMMON_FILES if (folder / name).exists()] or COMMON_FILES[:1]
    file = str(folder / names[0])
    if len(names) > 1:
        return Reading(flaw=f"{folder / names[1]}: {file} is there already: only one of the two can hold")
    try:
        with open(file, "rb") as opened:
            document = read(decode(opened.read(MOST_BYTES + 1)), may_be_empty=True)
    except OSError as error:
        return Reading(flaw=f"{file}: cannot be read: {error.strerror}")
    except Unreadable as unreadable:
        return Reading(flaw=f"{_at(file, unreadable.flaw.span)}: {unreadable.flaw.reason}")
    return _judge(file, document)


def _judge(file: str, document: Document) -> Reading:
    root, values, places = document.root, dict[str, object](), dict[str, str]()
    for flaw in document.flaws:
        return Reading(flaw=f"{_at(file, flaw.span)}: {flaw.reason}")
    if not isinstance(root, Mapping):
        return Reading(flaw=f"{_at(file, root.span)}: must be a mapping of keys")
    for key, entry in root.entries.items():
        if key not in SETTINGS and key not in OTHERS:
            return Reading(flaw=f"{_at(file, entry.key)}: unknown key {key}")
        value = plain(entry.node)
        if key in SETTINGS and value is not None:
            places[key] = f"{_at(file, entry.node.span)}: {key}"
            try:
                values[key] = TypeAdapter[object](SETTINGS[key]).validate_python(value)
            except ValidationError as error:
                return Reading(flaw=f"{places[key]} {_reason(error)}")
    return Reading(values, places)


def _reason(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    return found["msg"] if found["type"] == "policy" else "must be text"


def _at(file: str, span: Span) -> str:
    return f"{file}:{span.line + 1}:{span.column + 1}"
