"""Where everything is measured: a sandbox, a folder with a policy and a store, and phoenix wired to both.

Must never touch an account: processes started here see no AWS configuration but the sandbox's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from phoenix.aws.session import Aws
from phoenix.engine.group import Group
from phoenix.ports import Clock
from phoenix.sandbox import ManualClock, Sandbox, Server, environment, serve
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 5.0
SETTLING_S = 900
"""Longer than anything in the sandbox takes to come to rest after a group was resized."""


@dataclass(frozen=True, slots=True)
class Case:
    """The durations of a policy, in whole seconds. `steps`: bake by weight, for a canary; none: blue/green."""

    bake: int
    steps: Mapping[int, int] = field(default_factory=dict)
    healthy_for: int = 30
    propagation: int = 60
    hot_for: int = 86_400

    @property
    def rests(self) -> list[int]:
        """How long each step rests: its bake, and at least as long as the load balancer may need to follow."""
        return [max(bake, self.propagation) for bake in (*self.steps.values(), self.bake)]

    def text(self) -> str:
        """The policy file."""
        strategy: dict[str, Any] = {"kind": "canary" if self.steps else "blue_green", "bake": f"{self.bake}s"}
        if self.steps:
            strategy["steps"] = [{"weight": weight, "bake": f"{bake}s"} for weight, bake in self.steps.items()]
        keys = {
            "version": 1,
            "group": "web",
            "fleet": {"kind": "pair", "blue": "web-blue", "green": "web-green"},
            "traffic": {"kind": "alb", "propagation": f"{self.propagation}s"},
            "image": {
                "kind": "search",
                "owners": ["self"],
                "name": "web-*",
                "tags": {"service": "web", "channel": "stable"},
            },
            "strategy": strategy,
            "gates": [
                {"kind": "target_health", "healthy_for": f"{self.healthy_for}s"},
                {"kind": "alarm", "alarms": ["web-5xx", "web-p99"]},
            ],
            "retain": {"hot_for": f"{self.hot_for}s"},
        }
        return yaml.safe_dump(keys, sort_keys=False)


class LeapingClock:
    """Real time, except that a sleep on it leaps ahead: rotations are over at once, processes run truly timed.

    Starts in the past, so that what it leaps over does not put it ahead of the clocks of other processes.
    """

    def __init__(self, behind: timedelta) -> None:
        self._offset = -behind

    @property
    def stopping(self) -> bool:
        """False: no benchmark is interrupted this way."""
        return False

    def stop(self) -> None:
        """Not used: no benchmark stops this way."""

    def now(self) -> datetime:
        """The time, less the rest of the head start."""
        return datetime.now(UTC) + self._offset

    def elapsed(self) -> float:
        """The same, in seconds."""
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Leap."""
        self._offset += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Arena:
    """An open sandbox with the web fleet, and a policy about it."""

    box: Sandbox
    clock: Clock
    folder: Path

    def group(self) -> Group:
        """The group as a new process would wire it: nothing is remembered from one call to the next."""
        settings = Settings(policies=str(self.folder), store=self.store, poll_seconds=POLL_SECONDS)
        overrides = Overrides(clock=self.clock, aws=Aws(session=self.box.session), by="bench")
        return Wiring(settings, overrides).group("web")

    @property
    def store(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.folder}/phoenix.db"


@contextmanager
def arena(case: Case, instances: int = 4) -> Iterator[Arena]:
    """A sandbox in this process whose clock stands still between sleeps."""
    clock = ManualClock()
    with TemporaryDirectory() as folder, Sandbox(clock=clock) as box:
        Path(folder, "web.yaml").write_text(case.text())
        _resize(box, instances)
        clock.advance(SETTLING_S)
        box.calls.clear()
        yield Arena(box, clock, Path(folder))


@contextmanager
def served(case: Case, clock: Clock) -> Iterator[tuple[Arena, Server]]:
    """A sandbox that other processes can use."""
    with TemporaryDirectory() as folder, serve(clock=clock, groups=("web",), web_servers=False) as server:
        Path(folder, "web.yaml").write_text(case.text())
        yield Arena(server.sandbox, clock, Path(folder)), server


def _resize(box: Sandbox, instances: int) -> None:
    """Resize to `instances`, with room below: a live group that may shrink has to be pinned, for two writes more."""
    box.session.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="web-blue", MinSize=instances // 2, MaxSize=2 * instances, DesiredCapacity=instances
    )


def variables(arena: Arena, url: str, **more: str) -> dict[str, str]:
    """The environment of a process that sees this sandbox and this policy, and nothing of the user's own."""
    return outside(url, PHOENIX_POLICIES=str(arena.folder), PHOENIX_STORE=arena.store, **more)


def outside(url: str, **ours: str) -> dict[str, str]:
    """The environment of a process that sees the AWS at this address, and nothing of the user's own.

    It may keep what it has compiled, as pip's installations do: a program is not measured while it reads source.
    """
    not_kept = ("AWS_", "PHOENIX_", "OTEL_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(not_kept)}
    nothing = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    return kept | nothing | environment(url) | ours


def phoenix() -> list[str]:
    """How to start phoenix: the script that was installed beside this interpreter, else the module."""
    script = Path(sys.executable).with_name("phoenix")
    return [str(script)] if script.exists() else [sys.executable, "-m", "phoenix"]
