"""Tests of tools/check_size.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_size import FILE_LINES, FUNCTION_LINES, main, oversized


def messages(source: str) -> list[str]:
    return [message for _, message in oversized(source)]


def a_function(lines: int) -> str:
    return "def long():\n" + "    pass\n" * (lines - 1)


def test_a_file_may_fill_its_limit_but_not_exceed_it() -> None:
    assert not messages("x = 1\n" * FILE_LINES)
    assert messages("x = 1\n" * (FILE_LINES + 1)) == ["file has 351 lines, at most 350 are allowed"]


def test_a_function_may_fill_its_limit_but_not_exceed_it() -> None:
    assert not messages(a_function(FUNCTION_LINES))
    assert messages(a_function(FUNCTION_LINES + 1)) == ["long has 41 lines, at most 40 are allowed"]


def test_decorators_do_not_count_toward_the_length_of_a_function() -> None:
    assert not messages("@one\n@two\n" + a_function(FUNCTION_LINES))


def test_keyword_only_parameters_count_like_any_other() -> None:
    found = messages("def wide(a, b, /, c, *, d, e=1, f=2): ...")

    assert found == ["wide takes 6 parameters, at most 5 are allowed"]


@pytest.mark.parametrize("bound", ["self", "cls"])
def test_what_a_method_is_bound_to_does_not_count(bound: str) -> None:
    assert not messages(f"class A:\n    def method({bound}, a, b, c, d, e, *rest, **more): ...")


def test_a_click_command_may_take_one_parameter_per_option() -> None:
    signature = "def rotate(a, b, c, d, e, f): ..."

    assert not messages(f"@cli.command()\n@click.option('--f')\n{signature}")
    assert messages(f"@cached.property()\n{signature}")


def test_tests_are_held_to_lengths_only() -> None:
    assert not list(oversized("def a_builder(a, b, c, d, e, f): ...", count_parameters=False))


def test_a_finding_names_file_and_line_and_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "phoenix").mkdir()
    (tmp_path / "phoenix" / "wide.py").write_text("\n\ndef wide(a, b, c, d, e, f): ...\n")

    assert main(tmp_path) == 1
    assert capsys.readouterr().out == "phoenix/wide.py:3: wide takes 6 parameters, at most 5 are allowed\n"


def test_a_repository_within_the_limits_passes(tmp_path: Path) -> None:
    assert main(tmp_path) == 0
