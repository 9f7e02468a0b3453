"""The functions as Lambda runs them: AWS's runtime loop, a DynamoDB table, the sandbox as a server, real time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from phoenix.aws.session import Aws
from phoenix.core.record import GroupRecord
from phoenix.sandbox import Call, ScaledClock, Server, serve
from phoenix.stores import open_store
from tests.rotation.stage import a_policy, write_policy
from tests.schemas import check_json
from tests.stores.dynamo import a_table
from tests.unattended.lambdas import PATIENCE_S, Function, serve_invoke, variables

pytest.importorskip("awslambdaric", reason="AWS's runtime loop has no wheel for this system")

SPEED = 120
QUICK = {
    "traffic": {"kind": "alb", "propagation": "1s"},
    "gates": [{"kind": "target_health", "healthy_for": "1s"}],
    "strategy": {"kind": "blue_green", "bake": "1s"},
}
PATIENT = [{"kind": "target_health", "healthy_for": "20s"}]
LONG = {"kind": "blue_green", "bake": "1h"}


@dataclass
class Account:
    """An account with both functions, a table, and a person at a terminal."""

    server: Server
    folder: Path
    stack: ExitStack
    functions: dict[str, Function] = field(default_factory=dict)

    def __post_init__(self) -> None:
        aws = Aws(session=self.server.sandbox.session)
        self.store_url = f"dynamodb://{a_table(aws)}"
        self.store = open_store(self.store_url, aws=lambda _: aws)
        self.policy()

    def start(self, *, workers: int = 1, lasts: float = 300, **changes: str) -> tuple[Function, Function]:
        """Both functions: `workers` that advance, each invocation for that many seconds at most."""
        endpoint = serve_invoke(self.functions, self.stack)
        more = {"AWS_ENDPOINT_URL_LAMBDA": endpoint, "PHOENIX_ADVANCE": "phoenix-advance"} | changes
        ours = variables(self.folder, self.server.url, PHOENIX_STORE=self.store_url, **more)
        sweep = self.stack.enter_context(Function("phoenix.handler.sweep", ours))
        advance = self.stack.enter_context(Function("phoenix.handler.advance", ours, workers=workers, lasts=lasts))
        self.functions |= {each.name: each for each in (sweep, advance)}
        return sweep, advance

    def policy(self, **sections: Any) -> None:
        write_policy(self.folder, a_policy(**(QUICK | sections)))

    @property
    def record(self) -> GroupRecord:
        found = self.store.load("web")
        assert found is not None
        return found

    def watch_for_driver(self) -> Callable[[], None]:
        """Return a wait until a driver makes the group grow; to be asked for before it is invoked. Polling would take
        the sandbox from the function."""
        grows = Event()

        def note(call: Call, when: str) -> None:
            if call.operation == "UpdateAutoScalingGroup" and when == "after":
                grows.set()

        def wait() -> None:
            assert grows.wait(PATIENCE_S), "no driver came"
            self.server.sandbox.stop_intercepting()

        self.server.sandbox.intercept(note)
        return wait

    def share(self, slot: str) -> float:
        return self.server.sandbox.serving()[f"web-{slot}"].lowest_share

    def versions(self) -> int:
        ec2 = self.server.sandbox.session.client("ec2")
        return len(ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"])

    def type(self, command: str) -> Any:
        """What `phoenix ... -o json` answers a person at a terminal."""
        ours = variables(self.folder, self.server.url, PHOENIX_STORE=self.store_url)
        arguments = [sys.executable, "-m", "phoenix", *command.split(), "-o", "json"]
        done = subprocess.run(arguments, env=ours, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        check_json(arguments, done.stdout)
        return json.loads(done.stdout)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with ExitStack() as stack:
        server = stack.enter_context(serve(clock=ScaledClock(SPEED), groups=("web",), web_servers=False))
        yield Account(server, tmp_path, stack)


def test_an_image_event_leads_to_a_whole_rotation(account: Account) -> None:
    sweep, advance = account.start()

    found = sweep(source="aws.ec2", **{"detail-type": "EC2 AMI State Change"})
    (done,) = advance.settle()
    again = sweep(time="2026-11-18T12:01:00Z")

    assert (found["looked_at"], found["invoked"], done.answer["outcome"]) == (1, 1, "succeeded")
    assert (account.share("green"), again["due"], again["looked_at"]) == (1.0, 0, 0)
    assert account.store.lease_of("web") is None


def test_invocations_that_come_several_times_at_once_make_one_rotation(account: Account) -> None:
    _, advance = account.start(workers=3)

    for _ in range(6):
        advance.invoke(group="web")
    ended = advance.settle()

    assert [each.error for each in ended] == [None] * 6
    assert (account.versions(), account.share("green")) == (2, 1.0)
    assert len(account.store.history("web")) == 1


def test_what_lambda_drives_is_watched_paused_and_rolled_back_from_a_terminal(account: Account) -> None:
    account.policy(strategy=LONG)
    sweep, advance = account.start()
    sweep(idle=True)
    advance.settle()

    watched = account.type("status web")
    paused = account.type("pause web --reason look")
    back = account.type("rollback web --reason checkout")

    assert (watched["outcome"], watched["rotation"]["step"], account.share("blue")) == ("in_progress", 1, 1.0)
    assert (paused["outcome"], back["outcome"]) == ("in_progress", "rolled_back")


def test_what_a_terminal_has_started_lambda_brings_to_its_end(account: Account) -> None:
    started = account.type("rotate web --no-wait")
    sweep, advance = account.start()

    sweep(idle=True)
    (done,) = advance.settle()

    assert (started["outcome"], done.answer["outcome"]) == ("in_progress", "succeeded")
    assert account.type("status web")["outcome"] == "succeeded"


def test_a_function_whose_time_is_nearly_used_up_gives_the_group_back(account: Account) -> None:
    account.policy(gates=PATIENT)
    _, advance = account.start(lasts=6)

    answer = advance(group="web")

    assert answer["outcome"] == "in_progress"
    assert account.store.lease_of("web") is None
    assert list(account.store.due(datetime.now(UTC))) == ["web"]


def test_a_function_that_is_asked_to_end_gives_the_group_back(account: Account) -> None:
    account.policy(gates=PATIENT)
    _, advance = account.start()
    wait_for_driver = account.watch_for_driver()
    invoked = advance.invoke(group="web")
    wait_for_driver()

    advance.programs[0].terminate()

    assert invoked.wait().answer["outcome"] == "in_progress"
    assert account.store.lease_of("web") is None


def test_where_a_function_was_killed_another_goes_on_once_its_lease_has_expired(account: Account) -> None:
    sweep, advance = account.start(workers=1, PHOENIX_LEASE_SECONDS="2")
    wait_for_driver = account.watch_for_driver()
    advance.invoke(group="web")
    wait_for_driver()
    advance.kill_and_replace()

    while account.record.in_flight is not None:
        sweep(time="2026-11-18T12:01:00Z")
        advance.settle()

    assert (account.versions(), account.share("green")) == (2, 1.0)


def test_a_group_that_a_person_must_look_at_is_an_invocation_that_failed(account: Account) -> None:
    _, advance = account.start()

    failed = advance.invoke(group="unknown").wait()

    assert failed.error["errorType"] == "UnknownGroup"
