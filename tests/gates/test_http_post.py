"""Over real sockets: one POST, an answer of bounded length, and no redirect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from phoenix.errors import Unreachable
from phoenix.gates.http_post import Request, Response, post

Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one answer on this machine, for every request, until the test ends."""
    started: list[HTTPServer] = []

    def serving(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        started.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield serving
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 307])
def test_the_answer_is_read_and_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    assert post(Request(serve(status, b"said"), b"{}", {})) == Response(status, b"said")


def test_an_address_without_a_server_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        post(Request("http://127.0.0.1:1/", b"{}", {}))


def test_certificates_that_cannot_be_read_are_no_traceback(serve: Serve) -> None:
    url = serve(200, b"said").replace("http:", "https:")

    with pytest.raises(Unreachable):
        post(Request(url, b"{}", {}, ca_file="/nowhere/ca.pem"))


def test_of_a_long_answer_one_byte_more_than_the_longest_is_read(serve: Serve) -> None:
    assert len(post(Request(serve(200, b"x" * 100), b"{}", {}, longest=10)).body) == 11
