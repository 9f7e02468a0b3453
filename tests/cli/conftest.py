"""A command line against a sandbox in this very process: no network, no real time, no patches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from phoenix.cli import main
from phoenix.cli.session import Options
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.settings import Log, Settings
from phoenix.wiring import Overrides, Wiring
from tests.cli.probing import make_group
from tests.rotation.stage import UnhurriedAws
from tests.schemas import check_json

POLICY = """\
version: 1
group: web
owner: team-web
fleet: {kind: pair, blue: web-blue, green: web-green}
traffic: {kind: alb, propagation: 20s}
image:
  kind: search
  owners: [self]
  name: "web-*"
  tags: {service: web, channel: stable}
  architecture: x86_64
strategy: {kind: canary, steps: [{weight: 10, bake: 3m}], bake: 1m}
gates: [{kind: alarm, alarms: [web-5xx]}]
"""


class CountingClock(ManualClock):
    """Stands still between sleeps; stops by itself after `most` of them, as if a signal had come."""

    def __init__(self, most: int = 10_000) -> None:
        super().__init__()
        self.most = most

    def go_on(self) -> None:
        """As in a new program: it was not asked to stop yet."""
        self._stopping = False

    def sleep(self, seconds: float) -> None:
        """Let the time pass, and count."""
        self.most -= 1
        if self.most <= 0:
            self.stop()
        super().sleep(seconds)


@dataclass(slots=True)
class Answer:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)


@dataclass(slots=True)
class Terminal:
    """A person who types `phoenix ...` in a folder with one policy."""

    sandbox: Sandbox
    folder: Path
    capture: pytest.CaptureFixture[str]
    clock: CountingClock
    store: str | None = None
    log: Log = Log()
    advance: str | None = None

    def __call__(self, command: str) -> Answer:
        return self.type(command.split())

    def type(self, words: list[str]) -> Answer:
        """The same for words that a shell has split."""
        self.sandbox.calls.clear()
        status = main(words, self._wire)
        said = self.capture.readouterr()
        check_json(words, said.out)
        return Answer(status, said.out, said.err)

    @property
    def writes(self) -> list[str]:
        """The mutating calls of the last command."""
        return [call.operation for call in self.sandbox.calls if call.mutating]

    def _wire(self, options: Options) -> Wiring:
        store = self.store or f"sqlite:///{self.folder}/phoenix.db"
        settings = Settings(policies=str(self.folder), store=store, log=self.log, advance=self.advance)
        aws = UnhurriedAws(session=self.sandbox.session, threads=1)
        return Wiring(settings, Overrides(clock=self.clock, aws=aws, by="tester"))


@pytest.fixture
def phoenix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """Type a command: `phoenix("status web -o json")`."""
    (tmp_path / "web.yaml").write_text(POLICY)
    clock = CountingClock()
    with Sandbox(clock=clock) as sandbox:
        yield Terminal(sandbox, tmp_path, capsys, clock)


@pytest.fixture
def probing(phoenix: Terminal) -> Terminal:
    """There is a group to probe, made a day ago."""
    make_group(phoenix)
    phoenix.clock.advance(86_400)
    return phoenix
