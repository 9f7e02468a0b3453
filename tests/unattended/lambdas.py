"""Lambda on this machine: AWS's own runtime loop in programs of their own, and both ends of Lambda's API on loopback.

A function's workers share one queue, as invocations that wait do. Must stop every program that it has started.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Thread
from typing import Any, Self

PATIENCE_S = 120
NEXT = "/2018-06-01/runtime/invocation/next"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


@dataclass(slots=True)
class Invocation:
    """One event on its way. `answer` is what the function returned, `error` what it raised."""

    id: str
    event: Mapping[str, Any]
    ended: Event = field(default_factory=Event)
    answer: Any = None
    error: Any = None

    def wait(self) -> Self:
        """Until it has ended, however."""
        assert self.ended.wait(PATIENCE_S), "the function did not answer"
        return self


class Function:
    """A function with that many workers, each a program that runs `awslambdaric`."""

    def __init__(self, handler: str, variables: Mapping[str, str], *, workers: int = 1, lasts: float = 300) -> None:
        self.name = f"phoenix-{handler.rpartition('.')[2]}"
        self.invocations: dict[str, Invocation] = {}
        self._handler, self._variables, self._workers, self._lasts = handler, dict(variables), workers, lasts
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._ids = count(1)
        self.programs: list[subprocess.Popen[bytes]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        server = _serve(_runtime_api(self), self._stack)
        ours = {
            "AWS_LAMBDA_RUNTIME_API": server,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }
        self._variables = {**self._variables, **ours}
        for _ in range(self._workers):
            self._start_worker()
        return self

    def _start_worker(self) -> None:
        arguments = [sys.executable, "-m", "awslambdaric", self._handler]
        self.programs.append(subprocess.Popen(arguments, env=self._variables))

    def kill_and_replace(self) -> None:
        """What Lambda does with a worker that it has lost: its invocation is gone, and another one takes over."""
        for program in self.programs:
            program.kill()
            program.wait()
        for invocation in self.invocations.values():
            invocation.ended.set()
        self._start_worker()

    def __exit__(self, *_: object) -> None:
        for program in self.programs:
            program.kill()
            program.wait()
        self._waiting.put(None)
        self._stack.close()

    def invoke(self, **event: Any) -> Invocation:
        """Put an event into the queue."""
        made = Invocation(f"request-{next(self._ids)}", event)
        self.invocations[made.id] = made
        self._waiting.put(made)
        return made

    def __call__(self, **event: Any) -> Any:
        """Invoke, wait, and return the answer; an error fails the test."""
        ended = self.invoke(**event).wait()
        assert ended.error is None, ended.error
        return ended.answer

    def settle(self) -> list[Invocation]:
        """Wait until everything that was invoked so far has ended."""
        return [invocation.wait() for invocation in list(self.invocations.values())]

    def next(self) -> Invocation | None:
        """What a worker does next, once there is something; None when the function is gone, to each that waits."""
        found = self._waiting.get()
        if found is None:
            self._waiting.put(None)
        return found

    def deadline(self) -> int:
        """When an invocation that starts now is killed, in milliseconds since 1970."""
        return int((time.time() + self._lasts) * 1000)


def serve_invoke(functions: Mapping[str, Function], stack: ExitStack) -> str:
    """The address of a Lambda endpoint that takes `Event` invocations of these functions."""
    return f"http://{_serve(_invoke_api(functions), stack)}"


def variables(folder: Any, url: str, **more: str) -> dict[str, str]:
    """The environment of a function that sees this sandbox and these policies, and nothing of the user's own."""
    from phoenix.sandbox import environment

    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PHOENIX_", "OTEL_"))}
    return kept | environment(url) | {"PHOENIX_POLICIES": str(folder), "PHOENIX_POLL_SECONDS": "0.2"} | more


def _serve(api: type[BaseHTTPRequestHandler], stack: ExitStack) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), api)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return f"127.0.0.1:{server.server_port}"


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _runtime_api(function: Function) -> type[BaseHTTPRequestHandler]:
    class Api(_Quiet):
        def do_GET(self) -> None:
            assert self.path == NEXT
            found = function.next()
            if found is None:
                self.close_connection = True
                return
            facts = {
                "Lambda_Runtime_Aws_Request_Id": found.id,
                "Lambda_Runtime_Deadline_Ms": str(function.deadline()),
                "Lambda_Runtime_Invoked_Function_Arn": ARN + function.name,
                "Lambda_Runtime_Trace_Id": "Root=1-0-0",
            }
            self.answer(200, json.dumps(found.event).encode(), **facts)

        def do_POST(self) -> None:
            *_, request, what = self.path.split("/")
            said = json.loads(self.body() or b"null")
            invocation = function.invocations[request]
            setattr(invocation, "error" if what == "error" else "answer", said)
            self.answer(202, b"{}")
            invocation.ended.set()

    return Api


def _invoke_api(functions: Mapping[str, Function]) -> type[BaseHTTPRequestHandler]:
    class Api(_Quiet):
        def do_POST(self) -> None:
            name = self.path.split("/")[3]
            assert self.headers["X-Amz-Invocation-Type"] == "Event"
            functions[name].invoke(**json.loads(self.body()))
            self.answer(202)

    return Api
