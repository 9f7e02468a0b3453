"""Holds every JSON document that the suite prints against the schema of its command, in docs/json.

Stricter than the schemas that users get: a field that a type does not name is an error here, so that none is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from phoenix.cli.options import asks_for_json
from phoenix.views.documents import DOCUMENTS
from tools.write_schemas import schema_of


def check_json(words: Sequence[str], out: str) -> None:
    """Fail if a command line asked for JSON and its output is not what the schema says."""
    command = next((word for word in words if word in DOCUMENTS), None)
    if command is None or not out.strip() or not asks_for_json(words):
        return
    lines = out.splitlines() if "--watch" in words else [out]
    for line in lines:
        error = best_match(_validator(command).iter_errors(json.loads(line)))
        assert error is None, f"{error.json_path}: {error.message[-300:]}; see phoenix/views/documents"


@cache
def _validator(command: str) -> Draft202012Validator:
    schema = schema_of(command)
    for component in schema["$defs"].values():
        if "properties" in component:
            component["additionalProperties"] = False
    return Draft202012Validator(schema)


def is_valid(command: str, document: Any) -> bool:
    """True if the command could have printed this."""
    return bool(_validator(command).is_valid(document))
