"""What could outlive its lease does not leave the process: at signing, at sending, at the body, and at every repeat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from phoenix.aws.session import Access, Aws
from phoenix.core.fence import patience_under
from phoenix.errors import LeaseRanOut, PhoenixError
from phoenix.permit import Permit, permitted
from tests.test_permit import Clocks, a_permit

EMPTY = b"<SuspendProcessesResponse/>"


class Endpoint(ThreadingHTTPServer):
    """On loopback; keeps the requests that have arrived whole. `status` is how it answers the first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrived: list[bytes] = []
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:  # the name that http.server asks for
        wanted = int(self.headers["Content-Length"])
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            return
        self.server.arrived.append(body)
        status = self.server.status if len(self.server.arrived) == 1 else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: Any) -> None:
        """Nothing: what counts is in `arrived`."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def aws(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{endpoint.server_address[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    aws = Aws(Access(region="eu-west-1"))
    yield aws
    aws.client("autoscaling").close()


def suspend(aws: Aws) -> None:
    aws.call("autoscaling", "suspend_processes", AutoScalingGroupName="web-blue", ScalingProcesses=["AZRebalance"])


def at(aws: Aws, event: str, happens: Callable[[], object]) -> None:
    """Something happens once that the request has come so far; after what phoenix does there."""
    aws.client("autoscaling").meta.events.register_last(event, lambda **_: happens() and None)


@contextmanager
def refused() -> Iterator[None]:
    """By the permit; botocore may call what it meets on the connection by a name of its own."""
    with pytest.raises(PhoenixError, match="was not sent"):
        yield


def test_a_request_with_enough_of_the_lease_left_is_sent(aws: Aws, endpoint: Endpoint) -> None:
    with permitted(a_permit(Clocks())):
        suspend(aws)

    assert len(endpoint.arrived) == 1


def test_looking_needs_no_permit(aws: Aws, endpoint: Endpoint) -> None:
    suspend(aws)

    assert len(endpoint.arrived) == 1


def test_nothing_is_signed_when_the_lease_is_nearly_over(aws: Aws, endpoint: Endpoint) -> None:
    clocks = Clocks()
    permit = a_permit(clocks)
    clocks.sleep(40)

    with pytest.raises(LeaseRanOut), permitted(permit):
        suspend(aws)

    assert endpoint.arrived == []


@pytest.mark.parametrize("event", ["before-sign", "before-send"])
def test_a_process_that_freezes_after_signing_or_before_the_body_sends_nothing(
    aws: Aws, endpoint: Endpoint, event: str
) -> None:
    clocks = Clocks()
    permit = a_permit(clocks)
    at(aws, event, lambda: clocks.sleep(61))

    with refused(), permitted(permit):
        suspend(aws)

    assert endpoint.arrived == []


def test_a_signature_that_has_waited_is_not_sent_however_long_the_lease_is(aws: Aws, endpoint: Endpoint) -> None:
    clocks = Clocks()
    permit = a_permit(clocks, lasts=3600)
    at(aws, "before-sign", lambda: clocks.sleep(6))

    with pytest.raises(LeaseRanOut, match="signed 6 s ago"), permitted(permit):
        suspend(aws)

    assert endpoint.arrived == []


def test_a_repeat_after_a_freeze_is_refused_as_well(aws: Aws, endpoint: Endpoint) -> None:
    clocks = Clocks()
    permit = a_permit(clocks)
    endpoint.status = 503
    at(aws, "needs-retry", lambda: clocks.sleep(61))

    with pytest.raises(LeaseRanOut), permitted(permit):
        suspend(aws)

    assert len(endpoint.arrived) == 1


def test_a_short_lease_shortens_the_time_outs_of_what_is_asked_under_it(aws: Aws) -> None:
    clocks, asked = Clocks(), []
    patience = patience_under(a_permit(clocks, lasts=12).left())
    aws.client("autoscaling").meta.events.register_last(
        "before-send", lambda request, **_: asked.append(request.context["read_timeout"])
    )

    with permitted(Permit(a_permit(clocks, lasts=12).lease, clocks, patience)):
        suspend(aws)

    assert asked == [patience.read.total_seconds()]
