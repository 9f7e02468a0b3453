"""Tests of tools/mutants.py and tools/mutants_plugin.py; mutmut itself runs with `make mutants` only."""

from __future__ import annotations

import json
import signal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tools import mutants_plugin
from tools.mutants import COPIED, draw, function_of, not_judged, percent, plain, prepare, read_verdicts, table
from tools.mutants_plugin import pytest_collection_modifyitems

DECORATED = '''\
class Slot:
    @property
    def other(self) -> int:
        """The other one."""
        return 1 - self.value

    @classmethod
    def first(cls) -> int:
        return 0


@again(
    stop=after(3),
)
def change(x: int) -> int:
    return x
'''

PLAIN = '''\
class Slot:
    def other(self) -> int:
        """The other one."""
        return 1 - self.value
    other = (property)(other)

    @classmethod
    def first(cls) -> int:
        return 0


def change(x: int) -> int:
    return x
change = (again(stop=after(3)))(change)
'''


def a_run(work: Path, **codes: int | None) -> Path:
    """What mutmut leaves behind: exit codes by mutant, a file for each module."""
    for name, code in codes.items():
        package, module = name.split("_")
        path = work / "mutants" / "phoenix" / package / f"{module}.py.meta"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"exit_code_by_key": {f"phoenix.{package}.{module}.x_f__mutmut_1": code}}))
    return work


class Item:
    """A test as pytest collects it, as far as its order goes."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)


def test_a_decorator_is_called_by_name_so_that_what_is_under_it_can_be_mutated() -> None:
    assert plain(DECORATED) == PLAIN


def test_the_copy_is_fresh_and_told_what_to_mutate(tmp_path: Path) -> None:
    for name in COPIED:
        (tmp_path / name).mkdir() if "." not in name else (tmp_path / name).write_text("[project]\n")
    work = tmp_path / "build" / "mutants"
    work.mkdir(parents=True)
    (work / "left").touch()

    prepare(tmp_path, work)

    assert not (work / "left").exists()
    settings = (work / "pyproject.toml").read_text()
    assert settings.startswith("[project]\n")
    assert "only_mutate = ['phoenix/core/*', 'phoenix/strategies/*', 'phoenix/engine/*']" in settings


def test_one_that_never_ends_counts_as_killed_and_one_without_a_test_as_survived(tmp_path: Path) -> None:
    verdicts = read_verdicts(a_run(tmp_path, core_a=1, core_b=-24, core_c=0, core_d=33))

    assert list(verdicts.values()) == ["killed", "killed", "survived", "survived"]


@pytest.mark.parametrize("code", [None, 2, -11, 35])
def test_a_mutant_without_a_verdict_is_an_error_and_not_a_kill(tmp_path: Path, code: int | None) -> None:
    with pytest.raises(ValueError, match="no verdict on 1 of 2 mutants: phoenix.core.b"):
        read_verdicts(a_run(tmp_path, core_a=1, core_b=code))


def test_nothing_that_ran_is_no_score(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no verdict"):
        read_verdicts(tmp_path)


def test_only_the_modules_that_were_asked_for_are_counted(tmp_path: Path) -> None:
    work = a_run(tmp_path, core_a=1, core_b=None, engine_a=0)

    assert list(read_verdicts(work, ["core.a"]).values()) == ["killed"]
    assert list(read_verdicts(work, ["engine"]).values()) == ["survived"]


def test_the_table_counts_each_package_and_all_of_them() -> None:
    verdicts = {"phoenix.core.a.1": "killed", "phoenix.core.a.2": "survived", "phoenix.engine.b.1": "killed"}

    lines = [line.split() for line in table(verdicts).splitlines()]

    assert lines == [
        ["package", "mutants", "killed", "survived", "score"],
        ["phoenix.core", "2", "1", "1", "50.0", "%"],
        ["phoenix.engine", "1", "1", "0", "100.0", "%"],
        ["phoenix", "3", "2", "1", "66.7", "%"],
    ]
    assert percent(["killed", "killed", "killed", "survived"]) == 75


def test_a_mutant_is_known_by_its_function() -> None:
    assert function_of("phoenix.core.model.xǁRouteǁpercent__mutmut_3") == "core.model.Route.percent"
    assert function_of("phoenix.core.window.x__offset__mutmut_12") == "core.window._offset"


def test_more_survivors_than_the_page_accounts_for_are_named() -> None:
    survivors = [f"phoenix.core.window.x__offset__mutmut_{number}" for number in (1, 2)]
    row = "| `core.window._offset` | {} | equivalent |"

    assert not_judged(survivors, row.format(2)) == []
    assert not_judged(survivors, f"{row.format(1)}\n{row.format(1)}") == []
    assert not_judged(survivors, row.format(1)) == [
        "not judged: core.window._offset, 2 survive and 1 are accounted for"
    ]


def test_the_tests_of_the_mutated_module_run_first_and_those_of_other_folders_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MUTANT_UNDER_TEST", "phoenix.core.rest.x_rest__mutmut_7")
    decided = "tests/core/test_decide_rotations.py"
    paths = ["tests/engine/test_b.py", decided, "tests/core/test_rest.py", "tests/engine/test_a.py"]
    items: list[Any] = [Item(path) for path in paths]

    pytest_collection_modifyitems(items)

    assert [str(item.path) for item in items] == [paths[2], paths[1]]


def test_where_no_test_of_its_own_folder_reaches_a_function_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTANT_UNDER_TEST", "phoenix.core.rest.x_rest__mutmut_7")
    items: list[Any] = [Item("tests/engine/test_b.py"), Item("tests/engine/test_a.py")]

    pytest_collection_modifyitems(items)

    assert [item.path.stem for item in items] == ["test_b", "test_a"]


def test_without_a_mutant_the_order_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUTANT_UNDER_TEST", raising=False)
    items: list[Any] = [Item("tests/engine/test_b.py"), Item("tests/core/test_a.py")]

    pytest_collection_modifyitems(items)

    assert [item.path.stem for item in items] == ["test_b", "test_a"]


def test_a_test_that_never_ends_has_noticed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants_plugin, "BUDGET_SECONDS", 0.01)
    monkeypatch.delenv("MUTANT_UNDER_TEST", raising=False)
    before = signal.signal(signal.SIGPROF, mutants_plugin.give_up)
    call = mutants_plugin.pytest_runtest_call()

    try:
        next(call)
        with pytest.raises(pytest.fail.Exception, match="no end"):
            for _ in count():
                pass
    finally:
        call.close()
        signal.signal(signal.SIGPROF, before)

    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_a_draw_is_the_same_each_time_and_only_what_was_drawn_needs_a_verdict(tmp_path: Path) -> None:
    work = a_run(tmp_path, core_rest=1, core_due=None, engine_tick=0)
    drawn = [name for name in draw(work, 3) if "due" not in name]

    assert draw(work, 2) == draw(work, 2)
    assert len(draw(work, 99)) == 3
    assert sorted(read_verdicts(work, drawn=drawn).values()) == ["killed", "survived"]
