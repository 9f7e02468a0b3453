"""The tracer of a command: one that does nothing, unless OpenTelemetry's own variables ask for more.

Must never import OpenTelemetry at the top, and never fail a command because no collector answers.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from phoenix.core.call import AwsCall
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.telemetry import topic

if TYPE_CHECKING:
    from phoenix.telemetry.otel import OtelTracer

log = logging.getLogger(__name__)

OTLP: Final = "opentelemetry.exporter.otlp.proto.http"
_KNOWN: Final = ("otlp", "console", "none")
_NOTHING: Final = nullcontext()


class NoTracer:
    """Telemetry is off; the rotation in work is remembered all the same, for log lines and session names."""

    listens = False

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
        """Run the block without a span."""
        return _NOTHING

    def about(self, rotation: Rotation | None) -> AbstractContextManager[None]:
        """Remember the rotation, within the block."""
        known = topic.current()
        if rotation is None or (known is not None and known.rotation == rotation.id):
            return _NOTHING
        return topic.about(topic.of(rotation))

    def recorded(self, before: GroupRecord, after: GroupRecord) -> None:
        """Nothing to measure."""

    def oldest_instance(self, group: str, age: timedelta) -> None:
        """Nothing to measure."""

    def snowflakes(self, group: str, kind: str, count: int) -> None:
        """Nothing to measure."""

    def rotation(self) -> str:
        """The rotation that this thread works on."""
        known = topic.current()
        return known.rotation if known is not None else ""

    def called(self, call: AwsCall) -> None:
        """Nothing to count."""

    def close(self) -> None:
        """Nothing to send."""


def open_tracer(environ: Mapping[str, str] = os.environ, *, otlp: str = OTLP) -> NoTracer | OtelTracer:
    """Return the tracer that the variables ask for: OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER (otlp, console,
    none), else any OTLP endpoint.

    `otlp` is the package that sends to a collector; it comes with the extra of that name.
    """
    wanted = {signal: _exporter(environ, signal) for signal in ("TRACES", "METRICS")}
    if "otlp" in wanted.values() and not _can_send(environ, otlp):
        wanted = {signal: "none" if kind == "otlp" else kind for signal, kind in wanted.items()}
    if set(wanted.values()) == {"none"}:
        return NoTracer()
    from phoenix.telemetry import exporters
    from phoenix.telemetry.otel import OtelTracer

    return OtelTracer(
        exporters.for_spans(wanted["TRACES"], environ), environ, exporters.for_measures(wanted["METRICS"], environ)
    )


def _exporter(environ: Mapping[str, str], signal: str) -> str:
    """Return the exporter for the spans, or for the measures."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "none"
    variable = f"OTEL_{signal}_EXPORTER"
    wanted = environ.get(variable, "").strip().lower()
    if not wanted:
        endpoints = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
        return "otlp" if any(environ.get(name) for name in endpoints) else "none"
    if wanted not in _KNOWN:
        facts = {"variable": variable, "value": wanted, "known": ", ".join(_KNOWN)}
        log.warning("telemetry.unknown_exporter", extra=facts)
        return "none"
    return wanted


def _can_send(environ: Mapping[str, str], otlp: str) -> bool:
    if not _is_installed(otlp):
        log.warning("telemetry.otlp_is_not_installed", extra={"install": "pip install 'phoenix-rotate[otlp]'"})
        return False
    protocol = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip().lower()
    if protocol not in ("", "http/protobuf"):
        log.warning("telemetry.unknown_protocol", extra={"value": protocol, "known": "http/protobuf"})
        return False
    return True


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # its parent package is missing too
        return False
