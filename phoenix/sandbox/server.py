"""The sandbox as a server, for any boto3 program or AWS CLI on this machine.

Bound to 127.0.0.1 only, and without any check of credentials: never to be reachable from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from types import TracebackType
from typing import Any, Self, Unpack

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from phoenix.sandbox.box import Options, Sandbox
from phoenix.sandbox.clock import SandboxClock, ScaledClock
from phoenix.sandbox.seed import GROUPS
from phoenix.sandbox.world import REGION

LOOPBACK = "127.0.0.1"
LOOK_EVERY_S = 0.05
"""How often the server asks itself whether it has been stopped."""


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the sandbox keeps its own list of calls."""


class Server:
    """A sandbox that listens. Stop it, or use it as a context."""

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        app = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer = make_server(LOOPBACK, port, app, threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = Thread(
            target=self._server.serve_forever, args=(LOOK_EVERY_S,), name="sandbox-server", daemon=True
        )
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def wait(self) -> None:
        """Block until it is stopped."""
        self._thread.join()

    def stop(self) -> None:
        """Close the port and the sandbox; may be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.sandbox.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    *,
    clock: SandboxClock | None = None,
    scenario: str = "healthy",
    groups: Sequence[str] = GROUPS,
    port: int = 0,
    **options: Unpack[Options],
) -> Server:
    """Open a sandbox with these example fleets and let it listen; port 0 picks a free one.

    The clock runs in real time and web servers answer unless said otherwise.
    """
    web_servers = options.pop("web_servers", True)
    clock = clock or ScaledClock()
    sandbox = Sandbox(clock=clock, scenario=scenario, seed_group=False, **options)
    sandbox.__enter__()
    try:
        if isinstance(clock, ScaledClock):
            # A client over HTTP has a clock of its own: an alarm that rang hours in its future would be no evidence.
            sandbox.world.alarms.shown = clock.on_the_wall
        for group in groups:
            sandbox.seed(group)
        if web_servers:
            sandbox.open_web_servers()
        return Server(sandbox, port).start()
    except BaseException:
        sandbox.__exit__(None, None, None)
        raise


def environment(url: str) -> dict[str, str]:
    """The variables that make boto3 and the AWS CLI talk to the sandbox."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "SANDBOX",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
