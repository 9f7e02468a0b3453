"""A function as a program of its own, and what each of its invocations has cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.arena import ROOT


@dataclass(frozen=True, slots=True)
class Cost:
    """One invocation. `cpu_s`: processor time since the one before, or since the program began; `mib`: the most memory
    so far."""

    cpu_s: float
    took_s: float
    mib: float
    answer: Mapping[str, Any]


class Worker:
    """Takes one event after the other."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        self._cpu = 0.0

    def invoke(self, **event: Any) -> Cost:
        """Until it has answered."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        print(json.dumps(event), file=self._program.stdin, flush=True)
        said = json.loads(self._program.stdout.readline())
        used, self._cpu = said["cpu"] - self._cpu, said["cpu"]
        return Cost(used, said["took"], said["mib"], said["answer"])


def command(entry: str) -> list[str]:
    """How to start one: `sweep` or `advance`."""
    return [sys.executable, "-m", "tests.bench.invoke", entry]


@contextmanager
def worker(entry: str, environment: Mapping[str, str]) -> Iterator[Worker]:
    """One that is about to start; its first invocation is a cold one."""
    program = subprocess.Popen(
        command(entry), cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Worker(program)
    finally:
        program.kill()
        program.communicate()
