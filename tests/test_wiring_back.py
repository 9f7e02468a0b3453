"""A rollback whose store does not answer, or that finds no policy: what it may not wait for, and may not lose."""

from __future__ import annotations

import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from phoenix.aws.session import Aws
from phoenix.core.notice import Notice
from phoenix.engine.outbox import send
from tests.stores.builders import NOON, a_record
from tests.test_wiring import SLOTS, TaggedAws, a_policy, wire


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


class Impatient:
    """A session whose clients wait a moment for an answer of that server, and ask once."""

    region_name = "eu-west-1"

    def __init__(self, server: socket.socket) -> None:
        self._url = f"http://127.0.0.1:{server.getsockname()[1]}"

    def client(self, service: str, config: Config) -> Any:
        hasty = config.merge(Config(read_timeout=0.1, retries={"total_max_attempts": 1}))
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        core = botocore.session.Session()
        return core.create_client(service, self.region_name, endpoint_url=self._url, config=hasty, **keys)


def connections(server: socket.socket) -> int:
    """How many have been made to it; nobody has accepted them, but the system has."""
    server.setblocking(False)
    found = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found


@pytest.mark.parametrize("facts", [{"slots": SLOTS}, {}])
def test_a_rollback_without_policy_keeps_the_news_that_only_a_policy_says_how_to_send(facts: dict[str, Any]) -> None:
    left = Notice("web.held", NOON, "held", "a subject", "a text")
    saved = wire().store().save(a_record(outbox=(left,), **facts))

    group = wire({"api.yaml": a_policy("api")}, TaggedAws("web-a", "web-b")).group_for_rollback("web")

    assert send(group, saved) == saved == group.store.load("web")


def test_a_rollback_asks_a_store_that_does_not_answer_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        wiring = wire({"web.yaml": a_policy()}, Aws(session=Impatient(silent)), store="dynamodb://phoenix")

        assert wiring.group_from_record("web") is None
        store = wiring.group_for_rollback("web").store

        assert (store.load("web"), store.location) == (None, "none")
        assert connections(silent) == 1
