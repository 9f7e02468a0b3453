"""The pages of docs/: all of them can be found, what they tell to type is understood, and their pictures are light."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tests.command_lines import understand
from tools.pictures import FOLDER, drawn
from tools.site import ROOT

DOCS = ROOT / "docs"
GUIDES = (DOCS / "tutorial.md", DOCS / "reference-json.md", *sorted((DOCS / "howto").glob("*.md")))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(phoenix [a-z][^`\n]*)`")
TYPED = re.compile(r"^ *(phoenix [a-z].*)$", re.MULTILINE)


def named_in(navigation: Any) -> Iterator[str]:
    """Every page that a part of the navigation names."""
    if isinstance(navigation, str):
        yield navigation
    else:
        for each in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from named_in(each)


def commands_in(text: str) -> Iterator[str]:
    """Every command line that a page tells to type; what a screen has printed is not among them."""
    for language, inside in FENCE.findall(text):
        if language != "text":
            yield from TYPED.findall(inside)
    prose = FENCE.sub("", text)
    yield from TYPED.findall("\n".join(line for line in prose.splitlines() if line.startswith("    ")))
    yield from INLINE.findall(prose)


def parse(line: str) -> None:
    """Read one line of a page; comments, redirections and pipes are left out."""
    understand(shlex.split(re.split(r" [>|] ", line)[0], comments=True)[1:])


def test_every_page_is_in_the_navigation() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    written = {page for page in pages if not page.startswith("decisions/")}  # tools.site lists those
    assert written - set(named_in(navigation)) == set()


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_every_command_that_a_guide_tells_to_type_is_understood(path: Path) -> None:
    typed = list(commands_in(path.read_text(encoding="utf-8")))

    assert typed
    for line in typed:
        parse(line)


@pytest.mark.parametrize("line", ["phoenix rotat --group web", "phoenix plan --cals", "phoenix policy shew"])
def test_a_misspelt_command_is_not_understood(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)


def test_what_a_screen_has_printed_is_not_taken_for_a_command_to_type() -> None:
    page = (
        "```text\nphoenix printed\n```\n\n    phoenix plan\n\n```\nphoenix status | head\n```\n\nType `phoenix tick`."
    )

    assert list(commands_in(page)) == ["phoenix status | head", "phoenix plan", "phoenix tick"]


def test_a_picture_has_the_words_and_the_colours_of_the_screen_and_asks_no_other_host() -> None:
    picture = drawn("plan", "phoenix plan", "DUE \x1b[1;32mPASS\x1b[0m\n")

    assert "PASS" in picture
    assert "font-weight: bold" in picture
    assert "http" not in picture.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_every_picture_is_light_and_is_shown_on_a_page() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *DOCS.rglob("*.md")))

    for path in FOLDER.glob("*.svg"):
        assert path.stat().st_size < 60_000
        assert f"pictures/{path.name}" in shown
