"""Colour for terminals: it repeats the meaning of a word, and never adds one.

Must never colour a stream that is not a terminal: pipes get the bare text.
"""

from __future__ import annotations

import re
from typing import TextIO

from rich.console import Console
from rich.text import Text

_GOOD = r"\b(PASS|SUCCEEDED|AT REST|DUE|SHIFTED)\b"
_BAD = r"\b(FAIL|FAILED|BLOCKED|HELD|ROLLING BACK|ROLLED BACK|NOT AS LEFT|NOT KNOWN)\b|(?m:^!)"
_MOVING = r"\b(ROTATING|PAUSED|WAIT)\b"
_COMMAND = r"\bphoenix [a-z]+ --group [^\n]*?(?=\s{2}|$)"
_STYLES = {_GOOD: "bold green", _BAD: "bold red", _MOVING: "bold yellow", _COMMAND: "cyan", r"\[#*\.*\]": "dim"}


def console(stream: TextIO, *, colour: bool) -> Console:
    """Return a console for a stream; it finds out by itself whether the stream is a terminal."""
    return Console(file=stream, no_color=not colour, highlight=False, emoji=False, markup=False, soft_wrap=True)


def painted(text: str) -> Text:
    """Return the text with its status words in colour."""
    shown = Text(text, no_wrap=True)
    for pattern, style in _STYLES.items():
        for match in re.finditer(pattern, text, re.MULTILINE):
            shown.stylize(style, match.start(), match.end())
    return shown


def paint(text: str, stream: TextIO) -> None:
    """Print finished text to a terminal."""
    console(stream, colour=True).print(painted(text), end="")
