"""The policy's JSON Schema, for editors: completion, and errors while typing.

Must never refuse a policy that the loader accepts. It finds fewer errors: it does not compare keys.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from phoenix import gates
from phoenix.keys import render_duration
from phoenix.policy.model import FLEETS, ROUTERS, Policy
from phoenix.policy.strategy import BlueGreen

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """A generator that writes durations as a policy does."""

    def encode_default(self, dft: object) -> Any:
        """Write a default; pydantic would write ten minutes as PT10M."""
        if isinstance(dft, timedelta):
            return render_duration(dft)
        return super().encode_default(dft)


def policy_schema() -> dict[str, Any]:
    """The schema of a policy file, draft 2020-12."""
    made = Policy.model_json_schema(by_alias=True, schema_generator=_Generator)
    names = {name: _short_name(name, made["$defs"][name]) for name in made.get("$defs", {})}
    schema = _polished(made, names)
    schema["$defs"] = dict(sorted((names[name], definition) for name, definition in schema["$defs"].items()))
    return {"$schema": DIALECT, **schema, "title": "phoenix policy"}


def schema_text() -> str:
    """Return the schema as the file in docs has it."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def editor_hint(schema: str) -> str:
    """Return a policy's first line, which makes editors with a YAML language server use the schema at this path."""
    return f"# yaml-language-server: $schema={schema}\n"


def _short_name(name: str, definition: dict[str, Any]) -> str:
    """Return a name such as `gates.alarm` for an adapter's model. Most models are called Settings; else the kind tells
    the folder."""
    adapter = re.fullmatch(r"phoenix__(\w+?)__(\w+)__Settings(?:-\w+)?", name)
    if adapter is not None:
        return ".".join(adapter.groups())
    kind = definition.get("properties", {}).get("kind", {}).get("const")
    tables = {"fleets": FLEETS, "routers": ROUTERS, "gates": gates.KINDS}
    folder = next((folder for folder, table in tables.items() if kind in table), "strategy")
    return f"{folder}.{kind}" if kind else name


def _polished(node: Any, names: dict[str, str]) -> Any:
    """Shorten names, drop titles that repeat a key, and require `kind`: without it no editor can tell two kinds
    apart."""
    if isinstance(node, list):
        return [_polished(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    clean = {key: _polished(value, names) for key, value in node.items() if not _is_noise(key, value)}
    if isinstance(clean.get("$ref"), str):
        clean["$ref"] = "#/$defs/" + names[clean["$ref"].rpartition("/")[2]]
    kind = clean.get("properties", {}).get("kind", {}) if isinstance(clean.get("properties"), dict) else {}
    if "const" in kind and kind["const"] != BlueGreen.model_fields["kind"].default:
        clean["required"] = ["kind", *clean.get("required", [])]
    return clean


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or key == "discriminator" or (key == "default" and value is None)
