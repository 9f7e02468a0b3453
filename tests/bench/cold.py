"""How long a function takes from nothing to its first call to AWS, what it costs when it is warm, and how large it is.

Real processes in real time, so only ratios mean anything: a cold start is held against `python -c pass` on the same
machine in turns. Lambda starts no interpreter from scratch, and loads the package from its own disk.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from phoenix.aws.session import Aws
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.stores.dynamodb_table import definition
from tests.bench.arena import ROOT, Case, LeapingClock, outside, served
from tests.bench.figures import Figure, interleaved, middle
from tests.bench.worker import Cost, command, worker

TOPIC: Final = "8. Cold and warm"
RUNS: Final = 9
WARM_RUNS: Final = 5
PATIENCE_S: Final = 30
PACKAGE: Final = ROOT / "dist" / "phoenix-lambda.zip"
MOST_MEGABYTES: Final = 50
"""What Lambda takes without going through S3."""
EVENTS: Final = {"advance": {"group": "web"}, "sweep": {"time": "2026-11-18T12:15:00Z"}}


def measure(runs: int = RUNS) -> Iterator[Figure]:
    """Topic 8."""
    yield from _cold(runs)
    yield from _warm()
    yield from _package(PACKAGE)


def _cold(runs: int) -> Iterator[Figure]:
    contenders = {
        "bare": partial(_until_the_end, "pass"),
        "import": partial(_until_the_end, "import phoenix.handler"),
        **{entry: partial(first_call, entry) for entry in EVENTS},
    }
    for measure_once in contenders.values():
        measure_once()
    found = interleaved(runs, contenders)
    bare = middle(found["bare"])
    note = f"median of {runs}, interleaved; {bare} ms"
    yield Figure(TOPIC, "`import phoenix.handler` over `python -c pass`", _over(found["import"], bare), "×", note=note)
    for entry in EVENTS:
        took = f"{middle(found[entry])} ms from the start of the process, five policies"
        yield Figure(
            TOPIC, f"`{entry}` to its first call over `python -c pass`", _over(found[entry], bare), "×", note=took
        )


def _over(times: list[float], bare: float) -> float:
    return round(median(times) / bare, 1)


def _until_the_end(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def first_call(entry: str) -> float:
    """Milliseconds from the start of the process until its first request arrives, which is not answered."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(PATIENCE_S)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = outside(url, PHOENIX_POLICIES=str(ROOT / "policies"), PHOENIX_STORE="dynamodb://phoenix")
        began = time.perf_counter()
        program = subprocess.Popen(command(entry), cwd=ROOT, env=environment, stdin=subprocess.PIPE, text=True)
        try:
            assert program.stdin is not None
            print(json.dumps(EVENTS[entry]), file=program.stdin, flush=True)
            connection, _ = listener.accept()
            with closing(connection):
                assert connection.recv(1)
                return (time.perf_counter() - began) * 1000
        finally:
            program.kill()
            program.communicate()


def _warm() -> Iterator[Figure]:
    with served(Case(bake=0, hot_for=0), LeapingClock(timedelta(hours=2))) as (place, server):
        aws = Aws(session=place.box.session)
        aws.call("dynamodb", "create_table", **definition("phoenix"))
        rotate(place.group(), RotateRequest())
        environment = outside(server.url, PHOENIX_POLICIES=str(place.folder), PHOENIX_STORE="dynamodb://phoenix")
        with worker("advance", environment) as function:
            first, *later = [function.invoke(group="web") for _ in range(WARM_RUNS + 1)]
    yield from _invocations(first, later)


def _invocations(first: Cost, later: list[Cost]) -> Iterator[Figure]:
    calls = later[-1].answer["calls"]
    note = f"a group that is looked at in {calls} calls and needs nothing; the cold one {1000 * first.cpu_s:.0f} ms"
    spent = round(1000 * median(each.cpu_s for each in later), 1)
    yield Figure(TOPIC, "a warm `advance`, processor time", spent, "ms", note=note)
    yield Figure(
        TOPIC, "most memory of `advance`", round(later[-1].mib), "MiB", note="two clients of EC2's size are most of it"
    )


def _package(path: Path) -> Iterator[Figure]:
    if not path.exists():
        yield Figure(TOPIC, "package", None, "MB", MOST_MEGABYTES, "there is none: make package")
        return
    size = round(path.stat().st_size / 1_000_000, 1)
    yield Figure(TOPIC, "package", size, "MB", MOST_MEGABYTES, "compressed, without policies; made by `make package`")
