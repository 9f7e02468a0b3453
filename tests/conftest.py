"""What every test may use: the golden files.

Must never rewrite an expectation on its own: that is asked for with `make golden`, and reviewed as code.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden-update", action="store_true", help="rewrite tests/golden; runs only the tests that have golden files"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the tests with golden files when these are rewritten."""
    if not config.getoption("--golden-update"):
        return
    others = [item for item in items if "golden" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return `golden(name, text)`, which fails unless text is what tests/golden/<name>.txt holds."""
    update = bool(request.config.getoption("--golden-update"))

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        text = text.rstrip("\n") + "\n"
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists():
            pytest.fail(f"{_shown(path)} does not exist; `make golden` creates it, then review it", pytrace=False)
        elif (expected := path.read_text(encoding="utf-8")) != text:
            pytest.fail(f"{_difference(path, expected, text)}\nif this is meant: make golden", pytrace=False)

    return compare


def _shown(path: Path) -> str:
    return str(path.relative_to(GOLDEN.parent.parent))


def _difference(path: Path, expected: str, actual: str) -> str:
    lines = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), _shown(path), "what the test produced", lineterm=""
    )
    return "\n".join(lines)
