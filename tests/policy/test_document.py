"""YAML that is no YAML, that is too much, or that wants to be more than text."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from phoenix.policy.document import read
from phoenix.policy.tree import plain
from tests.policy.builders import a_policy, problems

BOMB = "a: &x [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{chr(98 + number)}: &x [*x, *x, *x, *x, *x, *x, *x, *x, *x]\n" for number in range(10)
)
UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "1:1: the file is empty"),
    "comments": ("# nothing\n", "1:1: the file is empty"),
    "list": ("- web\n", "1:1: must be a mapping of keys"),
    "word": ("web", "1:1: must be a mapping of keys"),
    "null": ("~", "1:1: must be a mapping of keys"),
    "two documents": ("group: a\n---\ngroup: b\n", "2:1: a second document starts here"),
    "tab": ("group:\n\tx: 1\n", "2:1: a tab: YAML is indented with spaces"),
    "at sign": ("group: @web\n", "1:8: text that starts with @ needs quotes"),
    "open bracket": ("group: [a\n", "2:1: not YAML: "),
    "utf-16": ("group: web".encode("utf-16"), "1:1: the file is UTF-16: save it as UTF-8"),
    "latin-1": ("group: web\nowner: Jörg".encode("latin-1"), "2:9: not UTF-8: save the file as UTF-8"),
    "bell": ("group: w\aeb", "1:9: the invisible character U+0007 is not allowed"),
    "deep": ("[" * 1000, "1:22: nested more than 20 levels deep"),
    "bomb": (BOMB, "5:8: more than 10,000 values, aliases written out"),
    "alias to itself": ("a: &a [*a]", "1:8: *a refers to no complete value before it"),
    "big": (b"#" * 300_000, "1:1: the file has more than 262,144 bytes"),
}


@pytest.mark.parametrize(("content", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_has_one_clear_problem(tmp_path: Path, content: str | bytes, problem: str) -> None:
    found = problems(tmp_path, content)

    assert len(found) == 1
    assert found[0].startswith(problem)


FLAWED = {
    "object": ("!!python/object/apply:os.system ['true']", "5:14: tags such as !!python/object/apply:os.system"),
    "own tag": ("!secret x", "5:14: tags such as !secret are not allowed"),
    "merge": ("{<<: {a: 1}}", "5:15: merge keys are not read"),
    "number as key": ("{1: a}", '5:15: a key is text: write "1"'),
    "list as key": ("{[a]: b}", "5:15: a key is text"),
}


@pytest.mark.parametrize(("value", "problem"), FLAWED.values(), ids=FLAWED)
def test_yaml_that_wants_to_be_more_than_text_is_refused(tmp_path: Path, value: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(tmp_path, a_policy(description=value)))


def test_a_key_that_is_given_twice_is_an_error_even_with_the_same_value(tmp_path: Path) -> None:
    assert problems(tmp_path, a_policy() + "group: web\n") == ["5:1: group is given twice, first in line 1"]


def test_a_byte_order_mark_of_utf_8_does_no_harm(tmp_path: Path) -> None:
    assert not problems(tmp_path, b"\xef\xbb\xbf" + a_policy().encode())


def test_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a_policy(retain="{hot_for: 5}").replace("\n", "\r\n"))

    assert found == "5:19: hot_for: a duration needs a unit: write 5m or 5s\n    retain: {hot_for: 5m}"


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    text = a_policy(description="&name the web tier", owner="*name")

    assert not problems(tmp_path, text)


def test_values_are_what_they_look_like() -> None:
    root = read("{a: 010, b: 1:30, c: 2026-01-02, d: 2026-02-30, e: 0x1F, f: 1_000, g: yes, h: ~}").root

    assert plain(root) == {
        **{"a": "010", "b": "1:30", "c": date(2026, 1, 2), "d": "2026-02-30"},
        **{"e": 31, "f": 1000, "g": True, "h": None},
    }
