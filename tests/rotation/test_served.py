"""The command line as its users run it: a program of its own, against the sandbox as a server, in real time.

Nothing here waits for longer than what it waits for takes; every test stops the server that it started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from phoenix.sandbox import Call, ScaledClock, Server, environment, serve
from phoenix.sandbox.desk import Stage as When
from tests.rotation.stage import a_policy, write_policy

SPEED = 120
"""Virtual seconds in a real one, in the sandbox only: the command line lives in real time."""
PATIENCE_S = 60
QUICK = {
    "traffic": {"kind": "alb", "propagation": "1s"},
    "gates": [{"kind": "target_health", "healthy_for": "1s"}],
    "timeouts": {"launch": "3s"},
}
MINUTE = {"kind": "blue_green", "bake": "1m"}
SECOND = {"kind": "blue_green", "bake": "1s"}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which has to be exactly one document."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """An operator's terminal, in a folder of policies, with the sandbox for an AWS."""

    server: Server
    folder: Path

    def __call__(self, command: str, **changes: str) -> Answer:
        return self.wait_for(self.start(command, **changes))

    def start(self, command: str, **changes: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PHOENIX_"))}
        ours = {
            "PHOENIX_POLICIES": str(self.folder),
            "PHOENIX_STORE": f"sqlite:///{self.folder}/phoenix.db",
            "PHOENIX_POLL_SECONDS": "0.2",
        }
        surroundings = kept | environment(self.server.url) | ours | changes
        arguments = [sys.executable, "-m", "phoenix", *command.split()]
        pipe = subprocess.PIPE
        return subprocess.Popen(arguments, env=surroundings, stdout=pipe, stderr=pipe, stdin=pipe, text=True)

    @staticmethod
    def wait_for(program: subprocess.Popen[str]) -> Answer:
        out, err = program.communicate(timeout=PATIENCE_S)
        return Answer(program.returncode, out, err)

    def policy(self, **sections: Any) -> None:
        write_policy(self.folder, a_policy(**(QUICK | sections)))

    @contextmanager
    def baking(self, **sections: Any) -> Iterator[subprocess.Popen[str]]:
        """A `rotate` that has just moved the traffic, and rests."""
        self.policy(**sections)
        shifted = Event()

        def notice(call: Call, when: When) -> None:
            if when == "after" and call.operation == "ModifyRule":
                shifted.set()

        self.server.sandbox.intercept(notice)
        with self.start("rotate web -o json") as program:
            try:
                assert shifted.wait(PATIENCE_S)
                yield program
            finally:
                program.kill()

    def share(self, slot: str) -> float:
        """The least share that the slot gets by any rule."""
        return self.server.sandbox.serving()[f"web-{slot}"].lowest_share

    def writes(self) -> list[str]:
        return [call.operation for call in self.server.sandbox.calls if call.mutating]


@pytest.fixture
def shell(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """The web tier, served; the test's parameter is the scenario."""
    with ExitStack() as stack:
        clock = ScaledClock(SPEED)
        scenario = getattr(request, "param", "healthy")
        server = stack.enter_context(serve(clock=clock, scenario=scenario, groups=("web",), web_servers=False))
        shell = Shell(server, tmp_path)
        shell.policy(strategy=SECOND)
        yield shell


def test_rotate_answers_with_one_document_and_ends_with_zero(shell: Shell) -> None:
    answer = shell("rotate web -o json")

    document = answer.document
    assert (answer.status, document["group"], document["outcome"]) == (0, "web", "succeeded")
    assert [(g["number"], g["role"], g["weight"], g["healthy"]) for g in document["generations"]] == [
        (2, "live", 100, 4),
        (1, "retained", 0, 4),
    ]
    assert document["rotation"]["started_at"].endswith("Z")
    assert document["rollback_ready"]["ready"] is True


def test_a_rollback_moves_the_traffic_and_a_second_one_writes_nothing(shell: Shell) -> None:
    shell("rotate --group web -q")
    before = shell("status --group web -o json").document
    back = shell("rollback --group web -o json --reason slow")
    shell.server.sandbox.calls.clear()
    again = shell("rollback web -o json")
    after = shell("status --group web -o json").document

    assert [g["number"] for g in before["generations"] if g["weight"] == 100] == [2]
    assert (back.status, back.document["outcome"], back.document["rotation"]["reason"]) == (0, "rolled_back", "slow")
    assert (again.status, again.document["outcome"], shell.writes()) == (0, "none", [])
    assert [g["number"] for g in after["generations"] if g["weight"] == 100] == [1]


@pytest.mark.parametrize("shell", ["bad-image"], indirect=True)
def test_a_bad_image_ends_with_three_and_the_next_rotate_with_five(shell: Shell) -> None:
    first = shell("rotate web -o json")
    second = shell("rotate web -o json")

    assert (first.status, first.document["outcome"], first.document["rotation"]["cause"]) == (3, "rolled_back", "image")
    assert (second.status, shell.share("blue")) == (5, 1.0)


def test_an_unknown_group_is_two_with_a_suggestion(shell: Shell) -> None:
    answer = shell("rotate wbe -o json")

    assert answer.status == 2
    assert answer.document["error"]["code"] == "unknown_group"
    assert "did you mean web?" in answer.document["error"]["message"]


def test_an_endpoint_that_is_down_is_one_and_says_so(shell: Shell) -> None:
    answer = shell("status web -o json", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")

    assert (answer.status, answer.document["error"]["code"]) == (1, "unreachable")


def test_a_freeze_is_five_and_changes_nothing(shell: Shell) -> None:
    shell.policy(freezes=[{"from": "2000-01-01", "until": "2100-01-01", "reason": "peak"}])

    answer = shell("rotate web -o json")

    assert (answer.status, shell.writes()) == (5, [])
    assert answer.document["error"]["code"] == "blocked"


def test_no_wait_and_ticks_come_to_the_same_end(shell: Shell) -> None:
    first = shell("rotate web --no-wait -o json")
    ticks = [shell("tick web")]
    while shell("status web -o json").document["outcome"] == "in_progress":
        ticks.append(shell("tick web"))

    assert (first.status, first.document["outcome"]) == (0, "in_progress")
    assert {tick.status for tick in ticks} == {0}
    assert shell.share("green") == 1.0


def test_ctrl_c_is_130_and_the_same_command_goes_on(shell: Shell) -> None:
    with shell.baking(strategy={"kind": "blue_green", "bake": "4s"}) as program:
        program.send_signal(signal.SIGINT)
        stopped = shell.wait_for(program)

    resumed = shell("rotate web -o json")

    assert (stopped.status, stopped.document["error"]["code"]) == (130, "interrupted")
    assert "phoenix rotate --group web" in stopped.document["error"]["hint"]
    assert (resumed.status, resumed.document["outcome"]) == (0, "succeeded")


def test_a_group_that_another_program_drives_is_four(shell: Shell) -> None:
    with shell.baking(strategy=MINUTE) as program:
        answer = shell("rotate web -o json")

    assert (answer.status, answer.document["error"]["code"]) == (4, "lease_held")
    assert f"/{program.pid}" in answer.document["error"]["message"]


def test_the_lease_of_a_program_that_was_killed_is_free_at_once(shell: Shell) -> None:
    with shell.baking(strategy={"kind": "blue_green", "bake": "3s"}) as program:
        program.kill()
        program.wait(PATIENCE_S)

        answer = shell("rotate web -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "succeeded")


def test_a_rollback_pre_empts_the_program_that_drives(shell: Shell) -> None:
    with shell.baking(strategy=MINUTE) as program:
        back = shell("rollback web -o json --reason checkout")
        driver = shell.wait_for(program)

    assert (back.status, back.document["outcome"]) == (0, "rolled_back")
    assert (driver.status, driver.document.get("outcome")) == (3, "rolled_back"), driver
    assert shell.share("blue") == 1.0
