"""Every blocker that the code can yield is announced as a check, or the screen would count it among the passed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from phoenix import fleets, gates, routers
from phoenix.engine import obstacles

PHOENIX = Path(obstacles.__file__).parents[1]
NOT_A_CHECK = {"not-checked"}
ANNOUNCED: dict[str, list[tuple[str, ...]]] = {
    "fleets": [each for kind in fleets.KINDS.values() for each in (kind.checks, kind.revival_checks)],
    "routers": [kind.checks for kind in routers.KINDS.values()],
    "gates": [kind.checks for kind in gates.KINDS.values()],
    "engine": [obstacles.CHECKS],
}


def blockers_in(folder: str) -> Iterator[str]:
    """The names of all blockers that are made there."""
    for path in (PHOENIX / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_blocker = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Blocker"
            if is_blocker and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


@pytest.mark.parametrize("folder", ANNOUNCED)
def test_what_can_stand_in_the_way_is_a_check_and_every_check_can_stand_in_the_way(folder: str) -> None:
    announced = {name for checks in ANNOUNCED[folder] for name in checks}

    assert announced == set(blockers_in(folder)) - NOT_A_CHECK


def test_no_two_checks_of_an_adapter_have_the_same_name() -> None:
    for checks in (checks for several in ANNOUNCED.values() for checks in several):
        assert len(set(checks)) == len(checks)
