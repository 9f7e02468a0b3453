"""Spans through OpenTelemetry; imported only when somebody listens.

Must never hold up a command: spans are sent in the background, and a collector that does not answer is given two
seconds at the end, unless OpenTelemetry's own variables say otherwise.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor, SpanExporter

from phoenix import __version__

_PATIENCE_SECONDS = 2
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")


class OtelTracer:
    """Spans of the service `phoenix`, or of OTEL_SERVICE_NAME."""

    def __init__(self, exporter: SpanExporter, environ: Mapping[str, str] = os.environ) -> None:
        name = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "phoenix"}
        # A provider of our own, not the global one: the SDK must not start tracing what others do in this program.
        self._provider = TracerProvider(resource=Resource.create({**name, "service.version": __version__}))
        at_once = isinstance(exporter, ConsoleSpanExporter)
        self._provider.add_span_processor((SimpleSpanProcessor if at_once else BatchSpanProcessor)(exporter))
        self._tracer = self._provider.get_tracer("phoenix", __version__)

    @contextmanager
    def span(self, name: str, **attributes: str | int | float | bool) -> Iterator[None]:
        """A span around the block, below the span that is open in this thread; an exception is recorded in it."""
        with self._tracer.start_as_current_span(name, attributes=attributes):
            yield

    def close(self) -> None:
        """Send what has not been sent; a Lambda function is frozen right after it answers."""
        self._provider.force_flush(_PATIENCE_SECONDS * 1000)


def console_exporter() -> SpanExporter:
    """Spans on standard error: standard output is for answers."""
    return ConsoleSpanExporter(out=sys.stderr)


def otlp_exporter(environ: Mapping[str, str]) -> SpanExporter:
    """Spans over HTTP to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, else to the one on this machine."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    patience = None if any(environ.get(name) for name in _TIMEOUTS) else _PATIENCE_SECONDS
    return OTLPSpanExporter(timeout=patience)
