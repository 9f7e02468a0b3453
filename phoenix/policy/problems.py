"""Turn a validation error into a sentence, a place and the corrected line.

Must never show a value that needs no correction: a policy may hold a secret by mistake.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from phoenix.keys import Keys
from phoenix.policy.document import Flaw, quoted
from phoenix.policy.kinds import OneOf
from phoenix.policy.tree import Mapping as MappingNode
from phoenix.policy.tree import Node, Path, Scalar, Span, follow


@dataclass(frozen=True, slots=True)
class Found:
    """A model's complaint. `stand_in` is YAML that would be valid at its place, None if it cannot be guessed.

    A complaint that is already `told` is not repeated: a misspelt key, for example, is also a missing one.
    """

    path: Path
    flaw: Flaw
    stand_in: str | None = None
    told: bool = False


def find_flaws(error: ValidationError, root: Node, model: type[Keys]) -> Iterator[Found]:
    """Yield each complaint of the models, in words."""
    details = error.errors(include_url=False, include_input=False)
    paths = [detail["loc"] for detail in details]
    meant = {
        (*loc[:-1], near) for d in details if d["type"] == "extra_forbidden" and (near := _near(loc := d["loc"], model))
    }
    for detail in details:
        path = detail["loc"]
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
        if detail["type"] == "too_short" and deeper:  # flaws of the inner values are reported already
            continue
        if detail["type"] == "missing":
            example = _example(path, model)
            flaw = _missing(in_file(path, model), root, example)
            yield Found(in_file(path, model), flaw, example, told=path in meant)
        elif detail["type"] == "extra_forbidden":
            yield Found(in_file(path, model), _unknown(path, root, model))
        else:
            at = (*in_file(path, model), *detail.get("ctx", {}).get("at", ()))
            flaw = _unfit(detail, at, root)
            yield Found(at, flaw, flaw.instead)


def place(root: Node, path: Path) -> Span:
    """Return the place of the value at the path, or of the nearest key."""
    node, _, _ = follow(root, path)
    return node.span


def label(root: Node, path: Path) -> str:
    """Return the last key on the path that the file has, for the beginning of a sentence."""
    node, name = root, ""
    for part in path:
        if isinstance(node, MappingNode) and isinstance(part, str) and part in node.entries:
            name = f"{part}: "
        node, _, _ = follow(node, (part,))
    return name


def render(flaws: Iterable[Flaw], lines: tuple[str, ...], file: str) -> tuple[str, ...]:
    """Return complete lines `file:line:column: reason` in file order, each followed by the corrected line."""
    ordered = sorted(set(flaws), key=lambda flaw: (flaw.span.line, flaw.span.column, flaw.reason))
    return tuple(
        f"{file}:{flaw.span.line + 1}:{flaw.span.column + 1}: {flaw.reason}" + _corrected(flaw, ordered, lines)
        for flaw in ordered
    )


def _corrected(flaw: Flaw, flaws: list[Flaw], lines: tuple[str, ...]) -> str:
    """Return the line with all its corrections; empty if this flaw has none."""
    if not _is_correctable(flaw, lines):
        return ""
    line, right = lines[flaw.span.line], len(lines[flaw.span.line])
    same_line = [other for other in flaws if other.span.line == flaw.span.line and _is_correctable(other, lines)]
    for other in sorted(same_line, key=lambda other: other.span.column, reverse=True):
        if other.span.end_column <= right:  # of two corrections of one value, the first is used
            line = line[: other.span.column] + (other.instead or "") + line[other.span.end_column :]
            right = other.span.column
    return f"\n    {line.strip()}"


def _is_correctable(flaw: Flaw, lines: tuple[str, ...]) -> bool:
    return flaw.instead is not None and flaw.span.line == flaw.span.end_line and flaw.span.line < len(lines)


# --- one kind of error each -------------------------------------------------------------------------------------------


def _missing(path: Path, root: Node, example: str | None) -> Flaw:
    key, parent = str(path[-1]), path[:-1]
    hint = f"; write {key}: {example}" if example is not None else ""
    return Flaw(place(root, parent), f"{label(root, parent)}{key} is missing{hint}")


def _example(path: Path, model: type[Keys]) -> str | None:
    for owner in models_at(model, path[:-1]):
        for name, field in owner.model_fields.items():
            if (field.alias or name) == path[-1] and field.examples:
                return str(field.examples[0])
    return None


def _unknown(path: Path, root: Node, model: type[Keys]) -> Flaw:
    parent, key = path[:-1], str(path[-1])
    value, span, found = follow(root, in_file(path, model))
    where = span if span is not None and found else place(root, in_file(path, model))
    shown = key if len(key) <= 40 else f"{key[:40]}..."
    near = _near(path, model)
    if near is not None and near.endswith(_NAMES_A_VARIABLE) and not key.endswith(_NAMES_A_VARIABLE):
        # The value may be a secret, which must not get into a corrected line either.
        return Flaw(
            where, f"unknown key {shown}; put its value into an environment variable, and name it: {near}: NAME"
        )
    if near is not None:
        return _renamed(
            Flaw(where, f"unknown key {shown}; did you mean {near}?", near), value, _field(path, model, near)
        )
    homes = sorted(home for home in set(_homes(model, key)) if home)
    if homes:
        return Flaw(where, f"unknown key {shown} here; it belongs under {' or '.join(homes)}")
    known = _known_at(parent, model)
    return Flaw(where, f"unknown key {shown}; known here: {', '.join(known)}" if known else f"unknown key {shown}")


def _renamed(flaw: Flaw, value: Node, field: FieldInfo | None) -> Flaw:
    """Return the same flaw. If the right key wants a list and the file has one value, the corrected line lists it."""
    if field is None or get_origin(field.annotation) is not tuple or not isinstance(value, Scalar):
        return flaw
    span = Span(flaw.span.line, flaw.span.column, value.span.end_line, value.span.end_column)
    return replace(flaw, span=span, instead=f"{flaw.instead}: {_listed(value)}")


def _listed(node: Scalar) -> str:
    return f"[{quoted(node.text)}]" if re.search(r"[^\w.-]", node.text) else f"[{node.text}]"


def _known_at(path: Path, model: type[Keys]) -> list[str]:
    return [field.alias or name for owner in models_at(model, path) for name, field in owner.model_fields.items()]


def _near(path: Path, model: type[Keys]) -> str | None:
    """Return the known key that resembles the unknown one most; None if none does."""
    near = difflib.get_close_matches(str(path[-1]), _known_at(path[:-1], model), n=1, cutoff=0.7)
    return near[0] if near else None


def _field(path: Path, model: type[Keys], name: str) -> FieldInfo | None:
    fields = (owner.model_fields.get(name) for owner in models_at(model, path[:-1]))
    return next((field for field in fields if field is not None), None)


def _unfit(detail: ErrorDetails, path: Path, root: Node) -> Flaw:
    node, _, _ = follow(root, path)
    name, kind, ctx = label(root, path), detail["type"], detail.get("ctx", {})
    if isinstance(node, Scalar) and node.value is None:
        return Flaw(node.span, f"{name}has no value; write one, or leave the key out")
    if kind == "policy":
        return Flaw(node.span, name + ctx["reason"], ctx["instead"] if isinstance(node, Scalar) else None)
    if kind == "string_type" and isinstance(node, Scalar):
        return Flaw(node.span, f"{name}must be text: write {quoted(node.text)}", quoted(node.text))
    if kind in ("tuple_type", "list_type") and isinstance(node, Scalar):
        listed = _listed(node)
        return Flaw(node.span, f"{name}must be a list: write {listed}", listed)
    if kind in ("literal_error", "enum") and isinstance(node, Scalar):
        return _one_of(node, name, re.findall(r"'([^']*)'", ctx["expected"]))
    return Flaw(node.span, name + _IN_WORDS.get(kind, detail["msg"][:1].lower() + detail["msg"][1:]))


def _one_of(node: Scalar, name: str, allowed: list[str]) -> Flaw:
    near = difflib.get_close_matches(node.text, allowed, n=1)
    instead = near[0] if near else None
    return Flaw(node.span, f"{name}must be {' or '.join(allowed)}", instead)


_NAMES_A_VARIABLE = "_env"
"""The ending of keys that name an environment variable."""
_IN_WORDS: Mapping[str, str] = {
    "string_type": "must be text",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "tuple_type": "must be a list",
    "literal_error": "must be a word",
    "enum": "must be a word",
    "too_short": "must not be empty",
    "too_long": "is too long a list",
}


# --- walking the models -----------------------------------------------------------------------------------------------


def models_at(model: type[Keys], path: Path) -> list[type[Keys]]:
    """Return the models whose keys may be at the path; several if the kind is not given."""
    *_, (_, _, models) = ((None, False, [model]), *_walk(model, path))
    return models


def in_file(path: Path, model: type[Keys]) -> Path:
    """Return the path without the kinds that pydantic adds and the file does not have: `gates, 0, alarm, alarms`."""
    return tuple(part for part, is_kind, _ in _walk(model, path) if not is_kind)


def _walk(model: type[Keys], path: Path) -> Iterator[tuple[str | int, bool, list[type[Keys]]]]:
    """Yield each part, whether it is a kind rather than a key, and the models whose keys may follow it."""
    models, chooses = [model], False
    for part in path:
        of_kind = [each for each in models if (kind := each.model_fields.get("kind")) and kind.default == part]
        if isinstance(part, int):
            yield part, False, models
        elif chooses and of_kind:
            models, chooses = of_kind, False
            yield part, True, models
        else:
            fields = [field for each in models for field in _fields_of(each, part)]
            models = [inner for field in fields for inner in _models_in(field.annotation, field.metadata)]
            chooses = any(_unions_in(field.annotation, field.metadata) for field in fields)
            yield part, False, models


def _fields_of(model: type[Keys], key: str) -> Iterator[FieldInfo]:
    yield from (field for name, field in model.model_fields.items() if key in (name, field.alias))


def _unions_in(annotation: object, metadata: Iterable[object]) -> bool:
    """True if `kind` decides the model of a value of this type."""
    if any(isinstance(found, OneOf) for found in metadata):
        return True
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _unions_in(arguments[0], arguments[1:])
    return any(_unions_in(argument, ()) for argument in arguments)


def _models_in(annotation: object, metadata: Iterable[object]) -> Iterator[type[Keys]]:
    unions = [found for found in metadata if isinstance(found, OneOf)]
    if unions:
        yield from unions[0].models.values()
    elif isinstance(annotation, type) and issubclass(annotation, Keys):
        yield annotation
    elif get_origin(annotation) is Annotated:
        inner, *rest = get_args(annotation)
        yield from _models_in(inner, rest)
    else:
        for argument in get_args(annotation):
            yield from _models_in(argument, ())


def _homes(model: type[Keys], key: str, under: str = "") -> Iterator[str]:
    """Return the places of a policy at which a key of this name is known."""
    for name, field in model.model_fields.items():
        if (field.alias or name) == key and key != "kind":
            yield under
        for inner in _models_in(field.annotation, field.metadata):
            yield from _homes(inner, key, f"{under}.{name}" if under else name)
