"""The building blocks of every screen: escaping, bars, tables, wrapped paragraphs, the header line; all of it ASCII.

Must never emit a control character from outside: a crafted image name could rewrite an operator's terminal.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from phoenix.core.explain import ago, counted

WIDTH = 80
UNBROKEN = "\u00a0"
"""A space at which `with_wrapped` does not go on below."""
_SPACES = UNBROKEN + "\u3000"
"""Spaces that Python does not call printable, and that hide nothing: the unbroken one, and that of Chinese."""


class About(Protocol):
    """The parts of a header line besides the group's name."""

    @property
    def account(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...


def clean(text: str | None) -> str:
    """Return the text on one line; characters that could move a cursor or hide a letter are escaped, as in `\\x1b`."""
    given = text or ""
    return given if given.isprintable() else "".join(map(_written_out, given))


def _written_out(char: str) -> str:
    if char.isprintable() or char in _SPACES:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def header(group: str, about: About, at: datetime) -> str:
    """Return line 1 of every screen: the group, its account and Region, and the clock."""
    where = "  ".join(clean(part) for part in (group, about.account, about.region) if part)
    clock = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{where}{clock:>{max(len(clock) + 2, WIDTH - len(where) - 1)}}"


def headline(word: str, text: str, *more: str) -> list[str]:
    """Return `ROTATING   sentence`, wrapped under itself; `more` are further sentences, each on a line of its own."""
    indent = " " * max(len(word) + 3, 11)
    lines = paragraph(text, first=f"{word:<{len(indent)}}", rest=indent)
    for sentence in more:
        lines += paragraph(sentence, first=indent, rest=indent)
    return lines


def paragraph(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Wrap the text at the width of a screen; an empty text is one line. Long words stay whole."""
    wrapped = textwrap.wrap(
        clean(text), WIDTH - 1, initial_indent=first, subsequent_indent=rest, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return wrapped or [first.rstrip()]


def trouble(name: str, message: str) -> list[str]:
    """Return `name: problem`; several problems are a line each below the name. Never wrapped: people search mails."""
    first, *more = message.splitlines() or [""]
    if not more:
        return [f"{clean(name)}: {clean(first)}"]
    return [f"{clean(name)}:", *(f"  {clean(line)}" for line in (first, *more))]


def facts(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return lines of `  name  fact`, names aligned, text wrapped."""
    pairs = list(rows)
    width = max((len(name) for name, _ in pairs), default=0)
    indent = " " * (width + 4)
    return [line for name, text in pairs for line in paragraph(text, first=f"  {name:<{width}}  ", rest=indent)]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return columns as wide as their widest cell. A head that ends in `>` aligns its column right."""
    right = [head.endswith(">") for head in heads]
    body = [[head.rstrip(">") for head in heads], *[[clean(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in body) for column in range(len(heads))]
    return [f"  {_aligned(row, widths, right)}".rstrip() for row in body]


def with_wrapped(heads: Sequence[str], rows: Sequence[Sequence[str]], column: int, width: int) -> list[list[str]]:
    """Return the rows of a table with one column wrapped such that all of it fits: what does not goes on below."""
    others = [
        max(len(clean(row[each])) for row in ([head.rstrip(">") for head in heads], *rows))
        for each in range(len(heads))
        if each != column
    ]
    left = max(width - 1 - 2 * len(heads) - sum(others), len(heads[column]))
    found: list[list[str]] = []
    for row in rows:
        lines = textwrap.wrap(clean(row[column]), left, break_on_hyphens=False)
        first, *more = [line.replace(UNBROKEN, " ") for line in lines] or [""]
        found.append([*row[:column], first, *row[column + 1 :]])
        found += [["" if each != column else line for each in range(len(heads))] for line in more]
    return found


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    columns = zip(row, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in columns)


def commands(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return the last block of a screen, the commands to type: purpose, command and effect."""
    told = list(rows)
    purpose = max((len(row[0]) for row in told), default=0)
    command = max((len(row[1]) for row in told), default=0)
    return [f"{a:<{purpose}}    {b:<{command}}    {c}".rstrip() for a, b, c in told]


def command(words: str, group: str) -> str:
    """Return a command line for a group that can be copied into a shell."""
    return f"phoenix {words} --group {shlex.quote(clean(group))}"


def bar(part: float, whole: float) -> str:
    """Return `[####......]`: ten places; `:` is half of one. Empty only for nothing, full only if all of it is done."""
    halves = 0 if whole <= 0 or part <= 0 else max(1, int(20 * min(part / whole, 1.0)))
    filled = "#" * (halves // 2) + ":" * (halves % 2)
    return f"[{filled:.<10}]"


def clip(text: str | None, length: int) -> str:
    """Return the escaped text, cut with `..` if it is too long for a column."""
    shown = clean(text)
    return shown if len(shown) <= length else f"{shown[: length - 2]}.."


def clock(at: datetime | None) -> str:
    """Return the time of day in UTC; `-` for never."""
    return "-" if at is None else f"{at.astimezone(UTC):%H:%M:%S}"


def moment(at: datetime | None) -> str:
    """Return date and time in UTC, to the minute; `-` for never."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def span(length: timedelta | None) -> str:
    """Return a duration; None is a bake that ends when a person promotes it."""
    return "-" if length is None else ago(length)


def short(length: timedelta) -> str:
    """Return a duration; of less than ten seconds with a decimal, because there it counts."""
    seconds = max(length.total_seconds(), 0.0)
    return f"{seconds:.1f}s" if seconds < 10 else ago(length)


def by_whom(by: str, reason: str | None) -> str:
    """Return the person who asked, and the reason in quotes if one was given."""
    return f'{by}: "{reason}"' if reason else by


def screen(*blocks: Sequence[str]) -> str:
    """Join blocks of lines with an empty line between them; empty blocks are dropped."""
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def fitted(told: str, height: int, more: str) -> str:
    """Return the screen in fewer than `height` lines. Where it is too long, the longest tables of its middle lose their
    last lines: the state and the commands to type stay. `more` is the command that shows all of it."""
    blocks = [block.split("\n") for block in told.rstrip("\n").split("\n\n")]
    if sum(len(block) + 1 for block in blocks) <= height or len(blocks) < 3:
        return told
    head, *middle, last = blocks
    # Empty lines go first, but for the two that set off the state and the commands; one line counts the missing ones.
    room = max(height - 1 - len(head) - len(last) - 2, len(middle))
    missing = 0
    while sum(map(len, middle)) + bool(missing) > room and max(map(len, middle)) > 1:
        longest = max(reversed(range(len(middle))), key=lambda place: len(middle[place]))
        middle[longest].pop()
        missing += 1
    note = [f"  ... {counted(missing, 'more line')}: {more}"] if missing else []
    return "\n".join([*head, "", *(line for block in middle for line in block), *note, "", *last]) + "\n"
