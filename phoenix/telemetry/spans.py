"""Which tracer a command gets: one that does nothing, unless OpenTelemetry's own variables ask for more.

Must never import OpenTelemetry at the top, and never fail a command for want of a listener.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phoenix.telemetry.otel import OtelTracer

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTER = "OTEL_TRACES_EXPORTER"
_KNOWN = "otlp, console, none"
OTLP = "opentelemetry.exporter.otlp.proto.http"
_NOTHING = nullcontext()


class NoTracer:
    """Nobody listens."""

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
        """Nothing around the block."""
        return _NOTHING

    def close(self) -> None:
        """Nothing to send."""


def open_tracer(environ: Mapping[str, str] = os.environ, *, otlp: str = OTLP) -> NoTracer | OtelTracer:
    """The tracer that the variables ask for: OTEL_TRACES_EXPORTER (otlp, console, none), else any OTLP endpoint.

    `otlp` is the package that sends spans to a collector; it comes with the extra of that name.
    """
    wanted = environ.get(_EXPORTER, "").strip().lower()
    if not wanted:
        wanted = "otlp" if any(environ.get(name) for name in _ENDPOINTS) else "none"
    if wanted == "none" or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return NoTracer()
    if wanted not in ("otlp", "console"):
        log.warning("telemetry.unknown_exporter", extra={"variable": _EXPORTER, "value": wanted, "known": _KNOWN})
        return NoTracer()
    if wanted == "otlp" and not _is_installed(otlp):
        log.warning("telemetry.otlp_is_not_installed", extra={"install": "pip install 'phoenix-rotate[otlp]'"})
        return NoTracer()
    from phoenix.telemetry.otel import OtelTracer, console_exporter, otlp_exporter

    return OtelTracer(console_exporter() if wanted == "console" else otlp_exporter(environ), environ)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False
