from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from logging.handlers import BufferingHandler

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from phoenix.telemetry.otel import OtelTracer
from phoenix.telemetry.spans import NoTracer, open_tracer

COLLECTOR = "http://127.0.0.1:9"


@pytest.fixture
def heard() -> Iterator[list[logging.LogRecord]]:
    handler = BufferingHandler(capacity=100)
    logger = logging.getLogger("phoenix.telemetry.spans")
    logger.addHandler(handler)
    yield handler.buffer
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR},
    ],
)
def test_nobody_listens_unless_a_variable_says_so(environ: dict[str, str]) -> None:
    assert isinstance(open_tracer(environ), NoTracer)


def test_opentelemetry_is_not_imported_while_nobody_listens() -> None:
    code = (
        "import sys; from phoenix.telemetry.spans import open_tracer\n"
        "with open_tracer({}).span('observe', group='web'): pass\n"
        "assert 'opentelemetry' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_span_that_nobody_listens_to_lets_exceptions_through_and_may_be_nested() -> None:
    tracer = NoTracer()

    with pytest.raises(KeyError), tracer.span("observe"), tracer.span("decide", group="web"):
        raise KeyError


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_an_endpoint_is_enough_to_listen(variable: str) -> None:
    tracer = open_tracer({variable: COLLECTOR})

    assert isinstance(tracer, OtelTracer)


def test_an_unknown_exporter_is_a_warning_and_no_failure(heard: list[logging.LogRecord]) -> None:
    assert isinstance(open_tracer({"OTEL_TRACES_EXPORTER": "zipkin"}), NoTracer)
    assert [(record.levelname, record.msg) for record in heard] == [("WARNING", "telemetry.unknown_exporter")]


def test_a_collector_without_the_extra_is_a_warning_that_says_what_to_install(heard: list[logging.LogRecord]) -> None:
    assert isinstance(open_tracer({"OTEL_TRACES_EXPORTER": "otlp"}, otlp="no.such.package"), NoTracer)
    assert vars(heard[0])["install"] == "pip install 'phoenix-rotate[otlp]'"


def test_spans_carry_their_attributes_and_lie_inside_one_another() -> None:
    exporter = InMemorySpanExporter()
    tracer = OtelTracer(exporter, {})

    with tracer.span("apply", group="web", step=2), tracer.span("record"):
        pass
    tracer.close()

    inner, outer = exporter.get_finished_spans()
    assert (outer.name, dict(outer.attributes or {})) == ("apply", {"group": "web", "step": 2})
    assert inner.parent is not None
    assert inner.parent.span_id == outer.get_span_context().span_id  # type: ignore[union-attr]
    assert outer.resource.attributes["service.name"] == "phoenix"


def test_an_exception_that_leaves_a_span_is_recorded_there() -> None:
    exporter = InMemorySpanExporter()
    tracer = OtelTracer(exporter, {"OTEL_SERVICE_NAME": "ours"})

    with pytest.raises(ValueError, match="no"), tracer.span("observe"):
        raise ValueError("no")
    tracer.close()

    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok
    assert [event.name for event in span.events] == ["exception"]


def test_the_console_exporter_keeps_standard_output_for_answers(capsys: pytest.CaptureFixture[str]) -> None:
    tracer = open_tracer({"OTEL_TRACES_EXPORTER": "console"})

    with tracer.span("observe"):
        pass

    said = capsys.readouterr()
    assert (said.out, '"name": "observe"' in said.err) == ("", True)
