"""The sandbox's state is copied to the data plane: machines, target health, weights.

The sandbox's own truth, not its API: shares once they have propagated, health as its checks have found it. Where no
target of a group is healthy, all that are registered are asked, as AWS does ("the load balancer routes requests to all
those targets, regardless of their health status":
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html).

Must never be kinder than the sandbox: a target is cut off when its deregistration delay is over, whatever is in flight.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from phoenix.sandbox import Sandbox
from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.servers import Reply, Server
from tests.e2e.balancer import Balancer

LOOK_EVERY_S = 0.01
PORT = 8080
PROGRAM = Path(__file__).with_name("machines.py")


@dataclass(frozen=True, slots=True)
class Truth:
    """One look at the sandbox."""

    machines: Mapping[str, tuple[str, str, str]]
    """Address, image and answer, by instance."""
    shares: Mapping[str, Mapping[str, float]]
    targets: Mapping[str, Mapping[str, str]]
    """State by instance, by target group."""
    now: datetime | None = None

    def asked(self, group: str) -> frozenset[str]:
        """The targets that get this group's requests."""
        states = self.targets[group]
        healthy = frozenset(each for each, state in states.items() if state == "healthy")
        return healthy or frozenset(each for each, state in states.items() if state in ("initial", "unhealthy"))


class Machines:
    """The program that runs the instances' processes, from outside."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-S", str(PROGRAM)]
        self._program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.communicate(timeout=10)

    def follow(self, wanted: Mapping[str, tuple[str, str, str]]) -> None:
        """Start machines, and let each answer as it should."""
        for name, (address, image, answers) in wanted.items():
            if name not in self.answers:
                self._tell(f"start {name} {address} {PORT} {image}")
                self.answers[name] = "refused"
            if self.answers[name] != answers:
                self._tell(f"say {name} {answers}")
                self.answers[name] = answers

    def end(self, living: Mapping[str, object]) -> None:
        """Kill those that are not among the living."""
        for name in self.answers.keys() - living.keys():
            self._tell(f"kill {name}")
            del self.answers[name]

    def _tell(self, command: str) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{command}\n")
        self._program.stdin.flush()
        answer = self._program.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"the machines say to {command!r}: {answer or 'nothing'}")


@dataclass(slots=True)
class Counters:
    """HAProxy's counters at the beginning of each minute of the sandbox's clock: what stands behind RequestCount."""

    balancer: Balancer
    samples: dict[datetime, dict[str, int]] = field(default_factory=dict)

    def note(self, now: datetime) -> None:
        """Read the counters if a minute has begun."""
        minute = now.replace(second=0, microsecond=0)
        if minute not in self.samples:
            self.samples[minute] = self.balancer.requests()

    def counted(self, group: str, minute: datetime) -> float:
        """The requests of a target group in that minute; 0 where a sample of it is missing."""
        begin, end = self.samples.get(minute), self.samples.get(minute + timedelta(minutes=1))
        return float(end[group] - begin[group]) if begin is not None and end is not None else 0.0


@dataclass(slots=True)
class Mirror:
    """A thread that looks at the sandbox a hundred times a second."""

    box: Sandbox
    balancer: Balancer
    machines: Machines
    slowest: float = 0.0
    """The longest time between two looks, in seconds: by so much the data plane may have been late."""
    _asked: dict[str, frozenset[str]] = field(default_factory=dict)
    _shares: dict[str, Mapping[str, float]] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)
    _failure: list[BaseException] = field(default_factory=list)
    _thread: Thread = field(init=False)
    _counters: Counters = field(init=False)

    def __enter__(self) -> Self:
        self._counters = Counters(self.balancer)
        self.box.world.measurements.counted = self._counters.counted
        self.follow(self.look())
        self._thread = Thread(target=self._run, name="e2e-mirror", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        if self._failure and error is None:
            raise self._failure[0]

    def _run(self) -> None:
        before = time.monotonic()
        try:
            while not self._stop.wait(LOOK_EVERY_S):
                self.follow(self.look())
                now = time.monotonic()
                self.slowest, before = max(self.slowest, now - before), now
        except (OSError, RuntimeError, LookupError) as failure:
            self._failure.append(failure)

    def look(self) -> Truth:
        """Read everything in one instant."""
        with self.box.desk.lock:
            world = self.box.world
            world.catch_up()
            shares = world.routes.effective()
            return Truth(
                machines={
                    each.instance.id: (str(each.instance.private_ip_address), each.instance.image_id, _answers(each))
                    for each in world.servers.living()
                },
                shares={rule: shares.get(rule, {}) for rule in self.balancer.rules},
                targets={
                    group: {each.instance_id: each.state for each in world.targets.of(group)}
                    for group in self.balancer.groups
                },
                now=world.timeline.now,
            )

    def follow(self, truth: Truth) -> None:
        """Bring the data plane to it: first what adds, then the weights, then what takes away."""
        self.machines.follow(truth.machines)
        opening, leaving = list[str](), list[str]()
        for group in self.balancer.groups:
            asked, before = truth.asked(group), self._asked.get(group, frozenset())
            for target in sorted(asked - before):
                opening += self._open(truth, group, target)
            for target in self.balancer.known(group):
                if target not in truth.targets[group]:
                    leaving += self.balancer.cut(group, target)
                elif target in before - asked:
                    leaving += self.balancer.close(group, target)
            self._asked[group] = asked
        self.balancer.tell([*opening, *self._weights(truth), *leaving])
        self.machines.end(truth.machines)
        if truth.now is not None:
            self._counters.note(truth.now)

    def _open(self, truth: Truth, group: str, target: str) -> list[str]:
        """A machine that died before its health was found out has no address any more, and is asked all the same where
        it is known already."""
        machine = truth.machines.get(target)
        return self.balancer.open(group, target, f"{machine[0]}:{PORT}") if machine else []

    def _weights(self, truth: Truth) -> list[str]:
        commands = list[str]()
        for rule, shares in truth.shares.items():
            if self._shares.get(rule) != shares:
                commands += self.balancer.share(rule, shares)
                self._shares[rule] = shares
        return commands


def _answers(server: Server) -> str:
    if server.reply is Reply.OK:
        return "500" if server.behaviour is Behaviour.ERRING else "200"
    return server.reply.value
