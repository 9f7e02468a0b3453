"""Turn the bytes of a YAML file into a tree.

Must never build any other value than text, numbers, booleans, dates, lists and mappings, whatever the file asks for;
nor read a file that is too big, too deep, or that its aliases make too big.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import yaml
from yaml.reader import Reader
from yaml.resolver import Resolver

from phoenix.policy.tree import Entry, Mapping, Node, Plain, Scalar, Sequence, Span

MOST_BYTES: Final = 256 * 1024
_MOST_NODES: Final = 10_000
_MOST_DEPTH: Final = 20
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
# libyaml's scanner is some ten times faster; wheels have it, a build from source may not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = Resolver()
_PREFIX: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flaw at a place; `instead` is the right text for that place."""

    span: Span
    reason: str
    instead: str | None = None


class Unreadable(Exception):
    """The text is not one YAML document; it has one flaw, because the rest cannot be understood."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.reason)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Document:
    """A readable file. `flaws` are those that YAML itself allows, such as a key that is given twice."""

    root: Node
    lines: tuple[str, ...]
    flaws: tuple[Flaw, ...] = ()


def decode(content: bytes) -> str:
    """Turn a file's bytes into text.

    Raises:
        Unreadable: it is not UTF-8, too big, or holds invisible characters.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(Flaw(Span(), f"the file has more than {MOST_BYTES:,} bytes"))
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(Flaw(Span(), "the file is UTF-16: save it as UTF-8"))
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        raise Unreadable(Flaw(_after(before), "not UTF-8: save the file as UTF-8")) from error
    unseen = Reader.NON_PRINTABLE.search(text)
    if unseen is not None:
        reason = f"the invisible character U+{ord(unseen.group()):04X} is not allowed"
        raise Unreadable(Flaw(_after(text[: unseen.start()]), reason))
    return text


def read(text: str, *, may_be_empty: bool = False) -> Document:
    """Compose the one document in the text. If it `may_be_empty`, an empty one is a mapping without keys.

    Raises:
        Unreadable: it is empty, not YAML, several documents, too big or too deep.
    """
    composer, lines = _Composer(), tuple(_LINE_BREAK.split(text))
    try:
        root = composer.compose(text, may_be_empty)
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax_flaw(error, lines)) from error
    except yaml.YAMLError as error:
        raise Unreadable(Flaw(Span(), f"not YAML: {error}".replace("\n", " "))) from error
    return Document(root, lines, tuple(composer.flaws))


@dataclass(slots=True)
class _Composer:
    """Builds the tree from the parser's events, and counts them."""

    flaws: list[Flaw] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _events: Iterator[yaml.Event] = field(default_factory=lambda: iter(()))
    _nodes: int = 0

    def compose(self, text: str, may_be_empty: bool) -> Node:
        self._events = iter(yaml.parse(text, Loader=_LOADER))
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            if may_be_empty:
                return Mapping({}, Span())
            raise Unreadable(Flaw(Span(), "the file is empty"))
        root = self._node(self._next(), 0)
        self._next()
        another = self._next()
        if not isinstance(another, yaml.StreamEndEvent):
            raise Unreadable(Flaw(_span(another), "a second document starts here: one file, one policy"))
        return root

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > _MOST_DEPTH:
            raise Unreadable(Flaw(_span(event), f"nested more than {_MOST_DEPTH} levels deep"))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(1, event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._refuse_tag(event, "map")
            node = self._mapping(event, depth)
        else:
            self._refuse_tag(event, "seq")
            node = self._sequence(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise Unreadable(Flaw(_span(event), f"more than {_MOST_NODES:,} values, aliases written out"))

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise Unreadable(Flaw(_span(event), f"*{event.anchor} refers to no complete value before it"))
        self._count(node.size, event)
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        self._refuse_tag(event, "str")
        tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if event.implicit[0] and re.fullmatch(r"[-+]?0[0-9_]+", event.value):
            self.flaws.append(_leading_zero(event))
        value = _resolve(str(tag).removeprefix(_PREFIX), event.value)
        return Scalar(event.value, value, _span(event))

    def _refuse_tag(self, event: yaml.Event, expected: str) -> None:
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", _PREFIX + expected):
            shown = str(tag).replace(_PREFIX, "!!")
            self.flaws.append(Flaw(_span(event), f"tags such as {shown} are not allowed"))

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> Mapping:
        before, entries = self._nodes, dict[str, Entry]()
        while not isinstance(key_event := self._next(), yaml.MappingEndEvent):
            key, span = self._node(key_event, depth + 1), _span(key_event)
            node = self._node(self._next(), depth + 1)
            name = self._key(key, span)
            if name is not None and name in entries:
                first = entries[name].key.line + 1
                self.flaws.append(Flaw(span, f"{name} is given twice, first in line {first}"))
            elif name is not None:
                entries[name] = Entry(span, node)
        return Mapping(entries, _span(event), self._nodes - before + 1)

    def _key(self, key: Node, span: Span) -> str | None:
        if isinstance(key, Scalar) and key.text == "<<" and isinstance(key.value, str):
            self.flaws.append(Flaw(span, "merge keys are not read: write the keys out"))
        elif isinstance(key, Scalar) and isinstance(key.value, str):
            return key.value
        elif isinstance(key, Scalar) and key.value is not None:
            self.flaws.append(Flaw(span, f"a key is text: write {quoted(key.text)}", quoted(key.text)))
        else:
            self.flaws.append(Flaw(span, "a key is text"))
        return None

    def _sequence(self, event: yaml.Event, depth: int) -> Sequence:
        before, items = self._nodes, list[Node]()
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(item, depth + 1))
        return Sequence(tuple(items), _span(event), self._nodes - before + 1)


def quoted(text: str) -> str:
    """Quote the text, so that YAML can only take it for a string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _leading_zero(event: yaml.ScalarEvent) -> Flaw:
    """Refuse a number that begins with 0: some readers take it for octal, others for text, as with account ids."""
    text, number = quoted(event.value), event.value.lstrip("0_") or "0"
    instead = text if len(event.value) > 6 else number
    return Flaw(_span(event), f"a number that begins with 0: write {text} if it is text, else {number}", instead)


def _resolve(kind: str, text: str) -> Plain:
    """Resolve a plain value by YAML 1.1, less its surprises: `010` and `1:30` stay text, not 8 and 90."""
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() in ("yes", "true", "on")
            case "int" if ":" not in text and re.match(r"[-+]?0[0-9_]", text) is None and len(text) <= 20:
                return int(text.replace("_", ""), 0)
            case "float" if ":" not in text:
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            case "timestamp":
                return date.fromisoformat(text)
            case _:
                return text
    except ValueError:
        return text


def _span(event: yaml.Event) -> Span:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Span()
    return Span(start.line, start.column, end.line, end.column)


def _after(text: str) -> Span:
    lines = _LINE_BREAK.split(text)
    return Span(len(lines) - 1, len(lines[-1]), len(lines) - 1, len(lines[-1]))


def _syntax_flaw(error: yaml.MarkedYAMLError, lines: tuple[str, ...]) -> Flaw:
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line, mark.column, mark.line, mark.column) if mark is not None else Span()
    line = lines[span.line] if span.line < len(lines) else ""
    problem = " ".join((error.problem or error.context or "cannot be understood").split())
    found = line[span.column : span.column + 1]
    if found == "\t":
        return Flaw(span, "a tab: YAML is indented with spaces")
    if found in ("@", "`", "%"):
        return Flaw(span, f"text that starts with {found} needs quotes")
    return Flaw(span, f"not YAML: {problem}")
