"""The pattern behind the name of one image: which parts of it change from build to build. Pure.

Must never call a part variable that tells two services apart: the pattern decides which image a group is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

_PARTS = re.compile(r"x86_64|[A-Za-z0-9]+|[^A-Za-z0-9]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)
_DIGEST = re.compile(r"(?=[0-9a-f]*\d)[0-9a-f]{6,40}", re.IGNORECASE)
_STAMP = re.compile(r"\d{8}T\d{4,6}Z?", re.IGNORECASE)
_MOST_ORDINAL = 2
"""A number of this many digits may be part of a service's name, as in web-2-2026.11.18."""


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    changes: bool

    @property
    def is_separator(self) -> bool:
        return not self.text[0].isalnum()


@dataclass(frozen=True)
class NameShape:
    """The name of an image, divided into parts that stay and parts that change with each build."""

    name: str

    @cached_property
    def parts(self) -> tuple[_Part, ...]:
        """The parts in their order, separators among them."""
        texts = _PARTS.findall(self.name)
        return tuple(_Part(text, _changes(texts, place)) for place, text in enumerate(texts))

    @property
    def changes(self) -> bool:
        """False if no part looks like a date, a version or a digest."""
        return any(part.changes for part in self.parts)

    @property
    def pattern(self) -> str:
        """The name with one `*` for each run of parts that change: `api-*`."""
        return "".join("*" if changing else _joined(run) for changing, run in self._runs())

    @property
    def narrow_pattern(self) -> str:
        """The name with a `?` for each letter that changes, which no image with other parts fits: `api-????.??.??`."""
        return "".join("?" * len(part.text) if part.changes else part.text for part in self.parts)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Names of the same shape: the same parts stay, and the same number of parts change."""
        return re.compile("".join(_form(part.text) if part.changes else re.escape(part.text) for part in self.parts))

    def is_like(self, name: str) -> bool:
        """True for the name of another build of the same image."""
        return self.regex.fullmatch(name) is not None

    def _runs(self) -> Iterator[tuple[bool, Sequence[_Part]]]:
        """Parts that change, with the separators between two of them, against those that stay."""
        parts = self.parts
        between = [
            part.changes or (part.is_separator and 0 < place < len(parts) - 1 and _amid(parts, place))
            for place, part in enumerate(parts)
        ]
        for changing, run in groupby(zip(between, parts, strict=True), key=lambda each: each[0]):
            yield changing, [part for _, part in run]


def _amid(parts: Sequence[_Part], place: int) -> bool:
    return parts[place - 1].changes and parts[place + 1].changes


def _joined(parts: Iterable[_Part]) -> str:
    return "".join(part.text for part in parts)


def _changes(texts: Sequence[str], place: int) -> bool:
    text = texts[place]
    if place == 0 or not text[0].isalnum():
        return False
    if any(pattern.fullmatch(text) for pattern in (_VERSION, _DIGEST, _STAMP)):
        return True
    if not text.isdigit():
        return False
    dotted = "." in (texts[place - 1], *texts[place + 1 : place + 2])
    return len(text) > _MOST_ORDINAL or dotted or place == len(texts) - 1 or _follows_a_date(texts, place)


def _follows_a_date(texts: Sequence[str], place: int) -> bool:
    """Month, day and hour of 2026-11-18: a short number right after one that changes."""
    return place >= 2 and texts[place - 2].isdigit() and _changes(texts, place - 2)


def _form(text: str) -> str:
    if _VERSION.fullmatch(text):
        return r"[vV]\d+"
    if _DIGEST.fullmatch(text):
        return "[0-9A-Fa-f]+"
    return r"\d+" if text.isdigit() else "[0-9TZtz]+"


def fits(pattern: str, name: str) -> bool:
    """True where EC2's filter by name would find the image: `*` is any text, `?` one letter."""
    told = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(told, name, re.DOTALL) is not None
