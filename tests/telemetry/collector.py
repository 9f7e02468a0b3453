"""A collector of OpenTelemetry: it listens on HTTP, and reads what it is sent with OpenTelemetry's own messages."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What has arrived so far. `status` is what it answers."""

    url: str = ""
    status: int = 200
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def spans(self) -> list[Any]:
        """All spans, in the order they came in."""
        requests = [ExportTraceServiceRequest.FromString(b) for path, b in self.bodies if path == "/v1/traces"]
        scopes = [scope for request in requests for r in request.resource_spans for scope in r.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def points(self, name: str) -> list[tuple[dict[str, str], float]]:
        """What was reported of a measure: attributes, and the sum, value or count."""
        requests = [ExportMetricsServiceRequest.FromString(b) for path, b in self.bodies if path == "/v1/metrics"]
        scopes = [scope for request in requests for r in request.resource_metrics for scope in r.scope_metrics]
        found = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [(attributes(p), _value(p)) for metric in found for p in _points_of(metric)]

    def total(self, name: str, **wanted: str) -> float:
        """The sum over all points with these attributes, of all processes."""
        return sum(value for has, value in self.points(name) if wanted.items() <= has.items())


def attributes(item: Any) -> dict[str, str]:
    """The attributes of a span or a point, as text."""
    return {a.key: str(getattr(a.value, a.value.WhichOneof("value"))) for a in item.attributes}


def _points_of(metric: Any) -> list[Any]:
    return list(getattr(metric, metric.WhichOneof("data")).data_points)


def _value(point: Any) -> float:
    if hasattr(point, "bucket_counts"):
        return float(point.sum)
    return float(point.as_int or point.as_double)


@contextmanager
def listening() -> Iterator[Collector]:
    """A collector on this machine, until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.bodies.append((self.path, body))
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep standard error clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
