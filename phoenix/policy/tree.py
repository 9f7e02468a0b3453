"""A YAML file as a tree in which every key and value knows its place.

Trees are values: a change makes a new one. Must never import a model, nor a YAML library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

Path = tuple[str | int, ...]
Plain = str | int | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the file, from the first character to after the last; lines and columns count from 0."""

    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `text` is its text in the file, `value` the value that YAML makes of it."""

    text: str
    value: Plain
    span: Span
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: its place and its value."""

    key: Span
    node: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping of keys to values."""

    entries: dict[str, Entry]
    span: Span
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    span: Span
    size: int = 1


Node = Scalar | Mapping | Sequence


def plain(node: Node) -> object:
    """Return the values alone, for a model."""
    match node:
        case Scalar():
            return node.value
        case Mapping():
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case Sequence():
            return [plain(item) for item in node.items]


def follow(root: Node, path: Path) -> tuple[Node, Span | None, bool]:
    """Walk as far as the path leads; return the node there, the place of its key, and whether that is the end.

    A part that the file lacks is skipped: a model puts the kind of an adapter between a key and the adapter's own keys,
    and takes a single value for a list of one.
    """
    node, key, found = root, None, True
    for part in path:
        match node:
            case Mapping() if isinstance(part, str) and part in node.entries:
                entry = node.entries[part]
                node, key, found = entry.node, entry.key, True
            case Sequence() if isinstance(part, int) and part < len(node.items):
                node, key, found = node.items[part], None, True
            case _:
                found = False
    return node, key, found


def replaced(node: Node, path: Path, new: Node | None) -> Node | None:
    """Return the tree with another node at the path, or without the node there; None if nothing is left.

    A missing key is added; the removal of a missing key removes the mapping that lacks it.
    """
    if not path:
        return new
    head, rest = path[0], path[1:]
    match node:
        case Mapping() if isinstance(head, str) and head not in node.entries and not rest and new is not None:
            return Mapping({**node.entries, head: Entry(node.span, new)}, node.span)
        case Mapping() if isinstance(head, str) and head in node.entries:
            entry = node.entries[head]
            inner = replaced(entry.node, rest, new)
            others = {key: other for key, other in node.entries.items() if key != head}
            return Mapping(others if inner is None else {**others, head: Entry(entry.key, inner)}, node.span)
        case Sequence() if isinstance(head, int) and head < len(node.items):
            inner = replaced(node.items[head], rest, new)
            middle = () if inner is None else (inner,)
            return Sequence((*node.items[:head], *middle, *node.items[head + 1 :]), node.span)
        case _:
            return replaced(node, rest, new)


def placed(node: Node, span: Span) -> Node:
    """Return the tree with one place for all its nodes."""
    match node:
        case Scalar():
            return replace(node, span=span)
        case Mapping():
            return Mapping({key: Entry(span, placed(entry.node, span)) for key, entry in node.entries.items()}, span)
        case Sequence():
            return Sequence(tuple(placed(item, span) for item in node.items), span)


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield all values of the tree in file order, without the keys."""
    match node:
        case Scalar():
            yield node
        case Mapping():
            for entry in node.entries.values():
                yield from scalars(entry.node)
        case Sequence():
            for item in node.items:
                yield from scalars(item)
