"""What stands between an operator's `rollback` and traffic that moves: reads, and the time of a whole process.

The process is started as a person would start it, against a sandbox that listens, and timed until its first write
arrives there; then it is killed, and the way back is ended without it. The comparison is one call of the AWS CLI that
changes one listener, by an operator who knows every ARN by heart. Both run in turns, and each ratio is of two
neighbours: a machine with other work slows both alike. Processor time hardly depends on that work, and is told besides.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

from phoenix.core.model import Outcome
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.sandbox import Call
from tests.bench.arena import ROOT, Arena, Case, LeapingClock, arena, phoenix, served, variables
from tests.bench.figures import Figure, interleaved, middle

TOPIC = "3. Rollback after a success, the old generation still hot"
CASE = Case(bake=60)
RUNS = 15
MOST = 1.1
"""What boto3 and pydantic-settings may cost: docs/decisions/0006-libraries.md."""
HEAD_START = timedelta(hours=2)
"""More than all rotations here leap over."""
PATIENCE_S = 30
SHIFTS = ("ModifyListener", "ModifyRule")


def measure() -> Iterator[Figure]:
    """Topic 3."""
    yield from _reads()
    with served(CASE, LeapingClock(HEAD_START)) as (place, server):
        yield from _times(Race(place, server.url))


def _reads() -> Iterator[Figure]:
    with arena(CASE) as place:
        rotate(place.group(), RotateRequest())
        place.box.calls.clear()
        rollback(place.group(), RollbackRequest(reason="bench", wait=False))
        calls = place.box.calls
    first = next(number for number, call in enumerate(calls) if call.mutating)
    reads = ", ".join(call.operation.removeprefix("Describe") for call in calls[:first])
    write = calls[first].operation
    yield Figure(TOPIC, "reads before the first write", first, target=4, note=reads)
    yield Figure(TOPIC, "writes before the shift", 0 if write in SHIFTS else 1, target=0, note=f"first: {write}")


def _times(race: Race) -> Iterator[Figure]:
    aws = aws_cli()
    other = [aws, "elbv2", "modify-listener"] if aws else [sys.executable, "-c", MODIFY_WITH_BOTO3]
    race.warm_up(other)
    found = interleaved(RUNS, {"phoenix": race.phoenix, "other": partial(race.other, other)})
    ours, theirs = middle(found["phoenix"]), middle(found["other"])
    arrived = middle(race.arrivals)
    cli = f"`aws elbv2 modify-listener` ({_version(aws)}), start to end" if aws else "`aws elbv2 modify-listener`"
    yield Figure(TOPIC, "`phoenix rollback`, start to first write", ours, "ms", note=f"median of {RUNS}, interleaved")
    if aws is None:
        yield Figure(TOPIC, cli, None, note="there is no aws on PATH; a boto3 script in its place")
        cli = "a boto3 script that modifies a listener, start to end"
    yield Figure(TOPIC, cli, theirs, "ms", note=f"{arrived} ms until its write arrives")
    # The target is about the AWS CLI; against one line of boto3 the ratio is only for information.
    yield _ratio("the one over the other", found["phoenix"], found["other"], MOST if aws else None)
    if sys.platform != "linux":  # elsewhere no process can ask for another's processor time while it runs
        return
    spent = f"{middle(race.spent)} ms of {middle(race.spent_by_other)} ms"
    yield _ratio("the same in processor time", race.spent, race.spent_by_other, note=spent)


def _ratio(
    name: str, ours: Sequence[float], theirs: Sequence[float], target: float | None = None, note: str = ""
) -> Figure:
    """The median of the ratios of neighbours."""
    found = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    span = f"{len(found)} pairs, from {found[0]:.2f} to {found[-1]:.2f}"
    return Figure(TOPIC, name, round(median(found), 2), "×", target, f"{note}; {span}" if note else span)


@dataclass(slots=True)
class Race:
    """Takes turns on one sandbox: a rollback by phoenix, a change of a listener by something else."""

    place: Arena
    url: str
    round: int = 0
    arrivals: list[float] = field(default_factory=list)
    """When the other one's write arrived, in ms after its start."""
    spent: list[float] = field(default_factory=list)
    """Processor time of phoenix up to its first write, in ms."""
    spent_by_other: list[float] = field(default_factory=list)

    def phoenix(self) -> float:
        """Milliseconds from the start of the process to its first write."""
        self._rotate()
        arrived, spent = Event(), list[float]()

        def notice(call: Call, _stage: str) -> None:
            if call.mutating and not arrived.is_set():
                spent.append(_processor_ms(process.pid))
                arrived.set()

        self.place.box.calls.clear()
        self.place.box.intercept(notice)
        began = self.place.clock.now()
        command = [*phoenix(), "rollback", "--group", "web", "--reason", "bench"]
        process = subprocess.Popen(
            command, env=variables(self.place, self.url), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert arrived.wait(PATIENCE_S), "phoenix rollback has written nothing"
        finally:
            process.kill()
            process.wait()
            self.place.box.stop_intercepting()
        first = next(call for call in self.place.box.calls if call.mutating)
        assert first.operation in SHIFTS, first
        self.spent.append(spent[0])
        return (first.at - began) / timedelta(milliseconds=1)

    def other(self, command: list[str]) -> float:
        """Milliseconds from its start to its end; it writes what is there already."""
        listener = self._listener()
        words = ["--listener-arn", listener["ListenerArn"], "--default-actions", json.dumps(listener["DefaultActions"])]
        self.place.box.calls.clear()
        began = self.place.clock.now()
        environment = variables(self.place, self.url)
        process = subprocess.Popen([*command, *words], env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        ended = self.place.clock.now()
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        self.spent_by_other.append(1000 * (used.ru_utime + used.ru_stime))
        written = [call for call in self.place.box.calls if call.mutating][-1]  # the killed phoenix may be first
        self.arrivals.append((written.at - began) / timedelta(milliseconds=1))
        return (ended - began) / timedelta(milliseconds=1)

    def warm_up(self, other: list[str]) -> None:
        """Once each, so that neither is the one that compiles its modules or fills the page cache."""
        self.phoenix()
        self.other(other)
        for measured in (self.arrivals, self.spent, self.spent_by_other):
            measured.clear()

    def _rotate(self) -> None:
        """Bring a new generation live, ending first what the last round has left half done."""
        if self.round:
            report = rollback(self.place.group(), RollbackRequest(reason="bench"))
            assert report.outcome is Outcome.ROLLED_BACK, report.sentence
        self.round += 1
        self.place.box.bake_image(f"web-bench-{self.round}")
        report = rotate(self.place.group(), RotateRequest())
        assert report.outcome is Outcome.SUCCEEDED, report.sentence

    def _listener(self) -> dict[str, Any]:
        elbv2 = self.place.box.session.client("elbv2")
        balancer = elbv2.describe_load_balancers(Names=["web"])["LoadBalancers"][0]
        listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        return dict(listeners[0])


def _processor_ms(pid: int) -> float:
    """The processor time that a process has used so far, all its threads together, by Linux's clock of it."""
    return 1000 * time.clock_gettime((~pid << 3) | 2) if sys.platform == "linux" else 0.0


MODIFY_WITH_BOTO3 = """
import boto3, json, sys
_, listener, _, actions = sys.argv[1:]
boto3.client("elbv2").modify_listener(ListenerArn=listener, DefaultActions=json.loads(actions))
"""


def aws_cli() -> str | None:
    """The AWS CLI itself, not a version switcher's stand-in, which would cost it time; None when there is none."""
    found = shutil.which("aws")
    if found is not None and Path(found).parent.name == "shims" and shutil.which("pyenv"):
        asked = subprocess.run(["pyenv", "which", "aws"], capture_output=True, text=True, check=False)
        found = asked.stdout.strip() or found
    return found


def _version(aws: str) -> str:
    said = subprocess.run([aws, "--version"], capture_output=True, text=True, check=False).stdout
    return said.split(" ")[0].replace("/", " ")
