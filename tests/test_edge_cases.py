"""Every edge case of docs/edge-cases.md has a test that is marked with its number, or says why it cannot occur."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
MARK = re.compile(r"pytest\.mark\.edge\((\d+)\)")
ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)


def marked() -> set[int]:
    """The numbers that tests are marked with."""
    return {int(n) for file in HERE.rglob("test_*.py") for n in MARK.findall(file.read_text(encoding="utf-8"))}


def rows() -> dict[int, str]:
    """The rows of the document, by number."""
    text = (HERE.parent / "docs" / "edge-cases.md").read_text(encoding="utf-8")
    return {int(number): row for number, row in ROW.findall(text)}


def test_every_edge_case_is_proven_or_says_why_it_cannot_occur() -> None:
    unproven = {number for number, row in rows().items() if "cannot occur" not in row} - marked()

    assert sorted(rows()) == list(range(1, 53))
    assert not unproven


def test_every_mark_has_a_row_to_explain_it() -> None:
    assert marked() <= set(rows())
