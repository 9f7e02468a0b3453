"""Exporters of spans and measures; imported only if telemetry is on.

Must never keep a command waiting for a collector that does not answer: it has two seconds, unless OpenTelemetry's own
variables say otherwise. Must never print a library's complaint: the complaint becomes one log line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk import metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ConsoleMetricExporter,
    MetricExporter,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 2
_LIBRARY: Final = "opentelemetry"
"""The logger of OpenTelemetry's complaints."""
_TEMPORALITY: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_DELTA: Final[dict[type, AggregationTemporality]] = {
    metrics.Counter: AggregationTemporality.DELTA,
    metrics.Histogram: AggregationTemporality.DELTA,
}


def for_spans(kind: str, environ: Mapping[str, str]) -> SpanExporter | None:
    """Return the exporter of spans. `otlp`: over HTTP to the collector that the variables name, else to one on this
    machine. `console`: standard error, because standard output is for answers. `none`: no exporter."""
    if kind == "none":
        return None
    if kind == "console":
        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    _listen_to_complaints()
    return OTLPSpanExporter(timeout=_patience(environ, "TRACES"))


def for_measures(kind: str, environ: Mapping[str, str]) -> MetricReader | None:
    """Return the exporter of measures. The counts of many short commands are to be added up, so they begin anew with
    every report, unless the variables say otherwise."""
    if kind == "none":
        return None
    return PeriodicExportingMetricReader(_of_measures(kind, environ), export_timeout_millis=PATIENCE_SECONDS * 1000)


def _of_measures(kind: str, environ: Mapping[str, str]) -> MetricExporter:
    if kind == "console":
        return ConsoleMetricExporter(out=sys.stderr, preferred_temporality=_DELTA)
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    _listen_to_complaints()
    preferred = None if environ.get(_TEMPORALITY) else _DELTA
    return OTLPMetricExporter(timeout=_patience(environ, "METRICS"), preferred_temporality=preferred)


def _patience(environ: Mapping[str, str], signal: str) -> float | None:
    """Return the time-out in use; None leaves it to the variables."""
    names = (f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
    return None if any(environ.get(name) for name in names) else PATIENCE_SECONDS


class _Complaints(logging.Handler):
    """Turns the first complaint into a log line of ours; the others would repeat it for every batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard = False

    def emit(self, record: logging.LogRecord) -> None:
        """Log the kind of the complaint only: its text may hold addresses and headers."""
        if not self.heard:
            self.heard = True
            log.warning("telemetry.not_sent", extra={"by": record.name, "variable": "OTEL_EXPORTER_OTLP_ENDPOINT"})


def _listen_to_complaints() -> None:
    logger = logging.getLogger(_LIBRARY)
    if not _listening(logger):
        logger.addHandler(_Complaints())
        logger.propagate = False


def stop_listening() -> None:
    """Restore the library's logger to its state before the first exporter."""
    logger = logging.getLogger(_LIBRARY)
    for handler in _listening(logger):
        logger.removeHandler(handler)
        logger.propagate = True


def _listening(logger: logging.Logger) -> list[logging.Handler]:
    return [handler for handler in logger.handlers if isinstance(handler, _Complaints)]
