"""How long a person waits for `phoenix --help`, beyond what Python itself takes, and what it loads for that."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from time import perf_counter

from tests.bench.arena import ROOT, phoenix
from tests.bench.figures import Figure, interleaved, middle

TOPIC = "4. Start-up"
RUNS = 15
IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(?P<module>\S+)$", re.MULTILINE)
LARGE = ("pydantic", "rich", "yaml", "moto", "opentelemetry")


def measure() -> Iterator[Figure]:
    """Topic 4."""
    bare = [sys.executable, "-c", "pass"]
    help_ = [*phoenix(), "--help"]
    for command in (bare, help_):
        _milliseconds(command)
    found = interleaved(RUNS, {"bare": partial(_milliseconds, bare), "help": partial(_milliseconds, help_)})
    extra = middle([ours - python for ours, python in zip(found["help"], found["bare"], strict=True)])
    note = f"median of {RUNS}, interleaved; {middle(found['help'])} ms in all"
    yield Figure(TOPIC, "`phoenix --help` beyond `python -c pass`", extra, "ms", 150, note)
    loaded = imported_by("phoenix.cli", "--help")
    of_aws = [name for name in loaded if name in {"boto3", "botocore"}]
    others = ", ".join(sorted(set(LARGE) & set(loaded))) or "none"
    yield Figure(TOPIC, "packages of AWS it imports", len(of_aws), target=0, note=f"others that are large: {others}")


def imported_by(module: str, *words: str) -> list[str]:
    """Top-level packages that `main` of the module imports for these words."""
    code = f"import sys; from {module} import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-X", "importtime", "-c", code, *words]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    return sorted({found["module"].partition(".")[0] for found in IMPORTED.finditer(said)})


def _milliseconds(command: list[str]) -> float:
    began = perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return (perf_counter() - began) * 1000
