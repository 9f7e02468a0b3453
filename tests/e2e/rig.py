"""Everything of one run: sandbox, machines, load balancer, users, and phoenix wired to the sandbox.

Loopback only; every program started here ends with the run.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import yaml

from phoenix.aws.session import Aws
from phoenix.engine.group import Group
from phoenix.engine.report import Report
from phoenix.sandbox import Physics, Sandbox, ScaledClock
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring
from tests.e2e.balancer import LOOPBACK, Balancer
from tests.e2e.mirror import Machines, Mirror
from tests.e2e.users import BUCKETS_A_SECOND

POLL_SECONDS = 5.0
USERS = Path(__file__).with_name("users.py")
WRK_SUMMARY = re.compile(r"(\d+) requests in|Non-2xx or 3xx responses: (\d+)|(connect|read|write|timeout) (\d+)")
LONGEST_S = 900
"""A run's driver is stopped then, whatever it does. Real seconds."""
PHYSICS = replace(Physics(), slow_boot=400.0, weight_propagation=10.0)
"""A slow boot is longer than the policies here give a launch; weights follow slowly enough to be overtaken at any speed
that a machine can keep up with ("seconds" for an ALB)."""


@dataclass(frozen=True, slots=True)
class Load:
    """How hard to press: connections of ours, whose failures have a moment, and connections of wrk, for the number."""

    speed: float = 20.0
    users: int = 24
    volume: int = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """One outcome of requests, and when: a phase of a rotation."""

    phase: str
    outcome: str
    count: int


@dataclass(slots=True)
class Tally:
    """What all requests of a run came to."""

    requests: int = 0
    failed: int = 0
    by_image: Counter[str] = field(default_factory=Counter)
    """Requests of ours that were answered, by image."""
    moments: list[Moment] = field(default_factory=list)
    """Failures of ours."""
    volume: Counter[str] = field(default_factory=Counter)
    """wrk's: requests, and failures by its own words."""
    share_failed: float = 0.0
    """Of our requests between the first failure and the last."""
    by_phase: Counter[str] = field(default_factory=Counter)
    """Requests of ours."""


@dataclass
class Rig:
    """An open data plane. `group` is the name of an example fleet, `policy` its policy."""

    box: Sandbox
    clock: ScaledClock
    folder: Path
    name: str
    marks: list[tuple[float, str]] = field(default_factory=list)
    """What was going on from when on, by the monotonic clock."""
    tally: Tally = field(default_factory=Tally)
    slowest: float = 0.0

    def group(self) -> Group:
        """The group as a new process would wire it."""
        settings = Settings(policies=str(self.folder), store=f"sqlite:///{self.folder}/db", poll_seconds=POLL_SECONDS)
        wiring = Wiring(settings, Overrides(clock=self.clock, aws=Aws(session=self.box.session), by="e2e"))
        return wiring.group(self.name)

    def watch(self, report: Report) -> None:
        """Note each new phase."""
        rotation = report.record.rotation
        self.mark(str(rotation.phase) if rotation else "at rest")

    def mark(self, phase: str) -> None:
        """Note that something else is going on from now on."""
        if not self.marks or self.marks[-1][1] != phase:
            self.marks.append((time.monotonic(), phase))

    def ignore_weights(self) -> None:
        """Let the data plane follow no change of weights from now on; the API echoes them all the same."""
        with self.box.desk.lock:
            self.box.world.catch_up()
            self.box.world.routes.ignore_weights(None)

    def rest(self, seconds: float) -> None:
        """Let the users go on for so long, by the sandbox's clock."""
        self.clock.sleep(seconds)


@contextmanager
def a_rig(name: str, policy: Mapping[str, Any], load: Load) -> Iterator[Rig]:
    """A fleet at rest with users on it. The tally is there when the context has ended."""
    clock = ScaledClock(load.speed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="e2e-")))
        box = stack.enter_context(Sandbox(clock=clock, seed_group=False, physics=PHYSICS))
        box.seed(name)
        Path(folder, f"{name}.yaml").write_text(yaml.safe_dump(dict(policy)))
        rig = Rig(box, clock, folder, name)
        balancer = stack.enter_context(_balancer(box, name, folder))
        machines = stack.enter_context(Machines())
        mirror = stack.enter_context(Mirror(box, balancer, machines))
        timer = Timer(LONGEST_S, clock.stop)
        stack.callback(timer.cancel)
        timer.start()
        rig.mark("at rest")
        with _users(rig, balancer.ports, load):
            yield rig
        rig.slowest = mirror.slowest


def _balancer(box: Sandbox, name: str, folder: Path) -> Balancer:
    with box.desk.lock:
        box.world.catch_up()
        groups: Any = box.world.elbv2().target_groups
        arns = [arn for arn, each in groups.items() if each.name in (name, f"{name}-blue", f"{name}-green")]
        shares = box.world.routes.effective()
        return Balancer(folder, [rule for rule, each in shares.items() if each.keys() & set(arns)], arns)


@contextmanager
def _users(rig: Rig, ports: list[int], load: Load) -> Iterator[None]:
    command = [sys.executable, "-I", "-S", str(USERS), str(load.users), *map(str, ports)]
    users = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    wrk = shutil.which("wrk") if load.volume else None
    volume = None
    if wrk:
        url = f"http://{LOOPBACK}:{ports[0]}/work"
        command = [wrk, "-t", "1", "-c", str(load.volume), "-d", str(LONGEST_S), "--timeout", "5", url]
        volume = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield
    finally:
        if volume is not None:
            volume.send_signal(signal.SIGINT)
            _count_volume(rig.tally, volume.communicate(timeout=20)[0])
        seen, _ = users.communicate(timeout=20)
        _count(rig, json.loads(seen))


def _count(rig: Rig, seen: list[tuple[int, int, str, str, int]]) -> None:
    tally, moments = rig.tally, Counter[tuple[str, str]]()
    starts = [at for at, _ in rig.marks]
    failures = [at for at, _, outcome, _, _ in seen if outcome != "200"]
    during = 0
    for at, _, outcome, version, count in seen:
        tally.requests += count
        if version:
            tally.by_image[version] += count
        if failures and failures[0] <= at <= failures[-1]:
            during += count
        phase = rig.marks[max(bisect_right(starts, (at + 1) / BUCKETS_A_SECOND) - 1, 0)][1]
        tally.by_phase[phase] += count
        if outcome != "200":
            tally.failed += count
            moments[phase, outcome] += count
    tally.share_failed = tally.failed / during if during else 0.0
    tally.moments = [Moment(phase, outcome, count) for (phase, outcome), count in moments.items()]
    tally.requests += tally.volume["requests"]
    tally.failed += sum(tally.volume.values()) - tally.volume["requests"]


def _count_volume(tally: Tally, summary: str) -> None:
    for requests, statuses, kind, count in WRK_SUMMARY.findall(summary):
        if requests:
            tally.volume["requests"] += int(requests)
        elif statuses:
            tally.volume["not 2xx"] += int(statuses)
        elif int(count):
            tally.volume[kind] += int(count)
