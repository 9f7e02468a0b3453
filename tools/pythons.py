"""Install, import and show the demo on every Python that phoenix supports and this machine has; print a table.

Must never leave a cell to be guessed: a Python that is not here is `not run`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

SUPPORTED: Final = ("3.11", "3.12", "3.13", "3.14")
STEPS: Final = ("install", "import", "demo")
NOT_RUN: Final = "not run"
IMPORT: Final = (
    "import importlib, pkgutil, phoenix\n"
    "for each in pkgutil.walk_packages(phoenix.__path__, 'phoenix.'):\n"
    "    each.name.endswith('__main__') or importlib.import_module(each.name)\n"
)


def main(versions: Sequence[str]) -> int:
    """Print the table for these versions, all supported ones unless some are named; return the exit status."""
    rows = [_row(version) for version in versions or SUPPORTED]
    print(table(rows))
    return int(any("failed" in row for row in rows))


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as Markdown."""
    lines = [("Python", *STEPS), ("---",) * (1 + len(STEPS)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(version: str) -> tuple[str, ...]:
    python = next(_found(version), None)
    if python is None:
        return (version, *[NOT_RUN] * len(STEPS))
    told = _run([python, "-c", "import platform; print(platform.python_version())"]).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="phoenix-python-") as folder:
        inside = str(Path(folder) / "bin/python")
        if _run([python, "-m", "venv", folder]).returncode:
            return (told, "failed: no venv", *[NOT_RUN] * (len(STEPS) - 1))
        commands = (
            [inside, "-I", "tools/install.py", "--editable", "requirements/dev.txt"],
            [inside, "-c", IMPORT],
            [inside, "-m", "phoenix", "demo", "-q"],
        )
        return (told, *_cells(commands))


def _cells(commands: Sequence[Sequence[str]]) -> Iterator[str]:
    """What became of each; after one that failed the others are not run."""
    failed = False
    for command in commands:
        if failed:
            yield NOT_RUN
            continue
        began = time.monotonic()
        done = _run(command)
        failed = done.returncode != 0
        if failed:
            print(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-2000:]}", file=sys.stderr)
        yield "failed" if failed else f"{time.monotonic() - began:.0f} s"


def _found(version: str) -> Iterator[str]:
    """Pythons of that version that start: on the path, or kept by pyenv, which only starts the ones it was told to."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    here = [str(each) for each in sorted(kept.glob(f"{version}.*/bin/python{version}"), reverse=True)]
    for python in filter(None, (*here, shutil.which(f"python{version}"))):
        if _run([python, "-c", ""]).returncode == 0:
            yield python


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
