"""What stands between an operator's `rollback` and traffic that moves: reads, and the time of a whole process.

The process is started as a person would start it, against a sandbox that listens, and timed until its first write
arrives there; then it is killed, and the way back is ended without it. The comparison is one call of the AWS CLI that
changes one listener: what somebody types who knows every ARN by heart.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
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
RUNS = 7
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
    yield Figure(TOPIC, "the one over the other", round(ours / theirs, 2), "×", 1.0 if aws else None)


@dataclass(slots=True)
class Race:
    """Takes turns on one sandbox: a rollback by phoenix, a change of a listener by something else."""

    place: Arena
    url: str
    round: int = 0
    arrivals: list[float] = field(default_factory=list)
    """When the other one's write arrived, in ms after its start."""

    def phoenix(self) -> float:
        """Milliseconds from the start of the process to its first write."""
        self._rotate()
        arrived = Event()

        def notice(call: Call, _stage: str) -> None:
            if call.mutating:
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
        return (first.at - began) / timedelta(milliseconds=1)

    def other(self, command: list[str]) -> float:
        """Milliseconds from its start to its end; it writes what is there already."""
        listener = self._listener()
        words = ["--listener-arn", listener["ListenerArn"], "--default-actions", json.dumps(listener["DefaultActions"])]
        self.place.box.calls.clear()
        began = self.place.clock.now()
        subprocess.run([*command, *words], env=variables(self.place, self.url), check=True, capture_output=True)
        ended = self.place.clock.now()
        written = [call for call in self.place.box.calls if call.mutating][-1]  # the killed phoenix may be first
        self.arrivals.append((written.at - began) / timedelta(milliseconds=1))
        return (ended - began) / timedelta(milliseconds=1)

    def warm_up(self, other: list[str]) -> None:
        """Once each, so that neither is the one that compiles its modules or fills the page cache."""
        self.phoenix()
        self.other(other)
        self.arrivals.clear()

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
