"""What `phoenix status` of one group and of all costs, against the AWS CLI, as whole processes.

AWS is another process (see `cloud`) that answers at once, so the times are what a person waits for besides AWS.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.arena import outside
from tests.bench.cloud import cloud_of, tally
from tests.bench.figures import Figure
from tests.bench.idle import Idle, name_of, write_policies
from tests.bench.rollbacks import aws_cli

TOPIC: Final = "12. `phoenix status`, a whole process"
SIZES: Final = (Idle(1), Idle(100), Idle(1000))
RUNS: Final = 3
MOST_CALLS: Final = 100
"""For 1,000 groups."""


def measure(sizes: Sequence[Idle] = SIZES) -> Iterator[Figure]:
    """Calls and seconds of the list, by the number of groups; then the one command beside the other."""
    for idle in sizes:
        with TemporaryDirectory() as folder, cloud_of(idle) as url:
            write_policies(Path(folder), idle)
            environment = outside(url, PHOENIX_POLICIES=folder, PHOENIX_STORE="dynamodb://phoenix")
            yield from _listed(idle, url, environment)


def _listed(idle: Idle, url: str, environment: Mapping[str, str]) -> Iterator[Figure]:
    ours = partial(_seconds, [sys.executable, "-m", "phoenix", "status", "--output", "json"], environment)
    _warm(ours, url)
    found, asked = ours(), tally(url)
    target = MOST_CALLS if idle.groups == max(each.groups for each in SIZES) else None
    told = ", ".join(f"{count} {operation}" for operation, count in sorted(asked.items()))
    yield Figure(TOPIC, f"calls, {idle.groups} groups", sum(asked.values()), target=target, note=told)
    yield Figure(
        TOPIC, f"the list, {idle.groups} groups", round(min(found, *(ours() for _ in range(RUNS - 1))), 2), "s"
    )
    aws = aws_cli()
    if aws is not None:
        names = [f"{name_of(number)}-green" for number in range(min(idle.groups, 50))]
        asking = [aws, "autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", *names]
        theirs = partial(_seconds, asking, environment)
        what = f"`aws autoscaling describe-auto-scaling-groups` of {len(names)}"
        yield Figure(TOPIC, what, round(min(theirs() for _ in range(RUNS)), 2), "s")


def _warm(command: Callable[[], float], url: str) -> None:
    """Once before it is timed: the files are read from the disk then."""
    command()
    tally(url)


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return time.monotonic() - began
