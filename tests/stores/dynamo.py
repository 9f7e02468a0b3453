"""DynamoDB for tests, twice: moto, as the sandbox has it, and dynalite, which shares no line with it.

Must never leave a program behind: dynalite ends with its standard input, so also when the tests are killed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from phoenix.aws.session import Aws
from phoenix.sandbox import ManualClock, Sandbox
from phoenix.stores.dynamodb import DynamoStore
from phoenix.stores.dynamodb_table import definition
from tests.account import RecordingAws

DYNALITE = Path(__file__).parents[2] / "build" / "dynalite"
"""Where `make test` puts it."""
SERVE = """
process.stdin.on('end', () => process.exit()).resume()
const server = require('dynalite')({createTableMs: 0})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
"""
REGION = "eu-west-1"
_numbers = count(1)


class Wire(RecordingAws):
    """Calls pass `on_call`, if there is one, which gets the method, its parameters, and the way on."""

    on_call: Callable[[str, dict[str, Any], Callable[[], dict[str, Any]]], dict[str, Any]] | None = None

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        def go_on() -> dict[str, Any]:
            return super(Wire, self).call(service, method, **parameters)

        return self.on_call(method, parameters, go_on) if self.on_call is not None else go_on()


@dataclass(frozen=True)
class Endpoint:
    """A session whose clients talk to one address."""

    url: str
    region_name: str = REGION
    core: Any = field(default_factory=botocore.session.Session)

    def client(self, service: str, config: Any = None) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return self.core.create_client(service, self.region_name, endpoint_url=self.url, config=config, **keys)


@contextmanager
def moto() -> Iterator[Aws]:
    """moto in this process, one call at a time."""
    with Sandbox(clock=ManualClock(), seed_group=False) as sandbox:
        yield Aws(session=sandbox.session, threads=1)


@contextmanager
def dynalite() -> Iterator[Aws]:
    """dynalite on a free port of this machine; skips the test where there is none."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("dynalite needs Node.js, and there is no node in PATH")
    if not (DYNALITE / "node_modules" / "dynalite").is_dir():
        pytest.skip("dynalite is not installed: `make test` does that where there is an npm")
    program = subprocess.Popen(
        [node, "-e", SERVE], cwd=DYNALITE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        port = program.stdout.readline().strip() if program.stdout else ""
        assert port, f"dynalite did not start: node ended with {program.wait(10)}"
        yield Aws(session=Endpoint(f"http://127.0.0.1:{port}"), threads=1)
    finally:
        program.communicate(timeout=10)  # closes its standard input


SERVERS: dict[str, Callable[[], Any]] = {"moto": moto, "dynalite": dynalite}


def a_table(aws: Aws, name: str | None = None) -> str:
    """A new empty table."""
    name = name or f"phoenix-{next(_numbers)}"
    aws.call("dynamodb", "create_table", **definition(name))
    aws.client("dynamodb").get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0})
    return name


def a_dynamo_store(aws: Aws, table: str) -> DynamoStore:
    """One driver's way to the table."""
    return DynamoStore(f"dynamodb://{table}", lambda region: aws)
