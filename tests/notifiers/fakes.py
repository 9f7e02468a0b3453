"""Other sides for notifiers: AWS clients that check what they are sent and answer as told, and a web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
from botocore.stub import Stubber

from phoenix.aws.scope import Scope
from phoenix.aws.session import Aws
from phoenix.core.model import Slot
from phoenix.core.notice import Notice
from phoenix.engine.clock import WallClock


class StubbedSession:
    """A boto3 session whose one client checks parameters as the real one does, and never connects."""

    region_name = "eu-west-1"

    def __init__(self, service: str) -> None:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self._client = boto3.Session().client(service, region_name=self.region_name, **keys)  # type: ignore[call-overload]
        self.stubber = Stubber(self._client)
        self.sent: list[dict[str, Any]] = []
        self._client.meta.events.register("provide-client-params", self._remember)
        self.stubber.activate()

    def client(self, service: str, **_: object) -> Any:
        return self._client

    def _remember(self, params: dict[str, Any], **_: object) -> None:
        self.sent.append(params)


@dataclass
class Webhook:
    """A server that keeps what is posted to it, and answers with `status`."""

    address: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    ends: bool = True
    """False: the answer goes on until the other side has closed."""


@contextmanager
def a_webhook() -> Iterator[Webhook]:
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            webhook.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(webhook.status)
            self.send_header("Location", "/elsewhere")
            if webhook.ends:
                self.send_header("Content-Length", "0")
            self.end_headers()
            with suppress(OSError):
                while not webhook.ends:
                    self.wfile.write(b"x" * 4096)

        def log_message(self, *_: object) -> None:
            """Keep standard error clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    webhook.address = f"http://127.0.0.1:{server.server_port}/services/T0/B0/hush"
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_notice(subject: str = "held", text: str = "look", name: str = "web-2-abcd.held", **facts: str) -> Notice:
    """One piece of news of the group web."""
    return Notice(name, datetime(2026, 3, 2, 12, tzinfo=UTC), "held", subject, text, facts or {"group": "web"})


def a_scope(session: object = None, slots: Mapping[Slot, str] | None = None) -> Scope:
    return Scope("web", slots or {Slot.BLUE: "web-blue", Slot.GREEN: "web-green"}, Aws(session=session), WallClock())
