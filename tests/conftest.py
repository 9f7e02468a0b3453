"""What every test gets: isolation from the others, its place in a random order, and the golden files.

Must never rewrite an expectation on its own: that is asked for with `make golden`, and reviewed as code.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScheduling

from tests import isolation
from tests.shares import EqualShares

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the order, whatever else is said: `-q` hides the line in which pytest-randomly does."""
    seed = config.getoption("randomly_seed", "default")
    if seed != "default":
        terminalreporter.write_line(f"in the random order of seed {seed}; the same again: make test SEED={seed}")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScheduling | None:
    """Deal the tests out in advance, unless a way was asked for: the seed alone decides what runs after what, where."""
    return EqualShares(config) if config.getvalue("dist") == "load" else None


@pytest.fixture(autouse=True)
def isolated() -> Iterator[None]:
    """Fail a test that leaves the process changed, and put back what it has changed."""
    before = isolation.take()
    yield
    isolation.wait_for_ends(before)
    left = isolation.put_back(before)
    if left:
        pytest.fail("this test leaves behind, for those after it:\n  " + "\n  ".join(left), pytrace=False)


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
