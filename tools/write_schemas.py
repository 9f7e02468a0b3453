"""Write docs/json, a JSON Schema for each command, from the types of its documents: `python -m tools.write_schemas`, or
`make schemas`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from phoenix.views.documents import DOCUMENTS, Failure

FOLDER: Final = Path(__file__).parents[1] / "docs" / "json"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/{name}"


def schema_of(command: str) -> dict[str, Any]:
    """The schema of whatever the command may print, as one document."""
    kinds = dict.fromkeys((*DOCUMENTS[command], Failure))
    named = tuple(dict.fromkeys(leaf for kind in kinds for leaf in _leaves(kind)))
    _, components = msgspec.json.schema_components(named, ref_template=_REFERENCE)
    return {
        "$schema": _DIALECT,
        "title": f"phoenix {command} -o json",
        "anyOf": [_schema(kind) for kind in kinds],
        "$defs": {name: _in_order(components[name]) for name in sorted(components)},
    }


def texts() -> Mapping[str, str]:
    """All files by name."""
    return {f"{command}.json": json.dumps(schema_of(command), indent=2) + "\n" for command in DOCUMENTS}


def _leaves(kind: Any) -> Iterator[Any]:
    """The types of objects in a kind of document, which may be an array of one of several."""
    inner = [each for each in get_args(kind) if each is not Any]
    if get_origin(kind) is dict:
        return
    if not inner:
        yield kind
    for each in inner:
        yield from _leaves(each)


def _schema(kind: Any) -> dict[str, Any]:
    """msgspec describes no choice of several types of objects, because it could not decode one: that is made here."""
    if get_origin(kind) is list:
        return {"type": "array", "items": _schema(get_args(kind)[0])}
    if get_origin(kind) in (Union, type(int | str)):
        return {"anyOf": [_schema(each) for each in get_args(kind)]}
    if get_origin(kind) is dict:
        return {"type": "object"}
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _in_order(component: dict[str, Any]) -> dict[str, Any]:
    """With the names of required fields in a fixed order: a set has none."""
    if "required" in component:
        component = {**component, "required": sorted(component["required"])}
    return {key: component[key] for key in ("title", "description", *sorted(component)) if key in component}


def main() -> int:
    """Write them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in set(FOLDER.glob("*.json")) - {FOLDER / name for name in texts()}:
        old.unlink()
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
