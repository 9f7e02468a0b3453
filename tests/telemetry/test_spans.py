from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from logging.handlers import BufferingHandler
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from phoenix.core.call import AwsCall
from phoenix.core.model import Outcome
from phoenix.core.rotation import Rotation
from phoenix.telemetry import topic
from phoenix.telemetry.otel import OtelTracer
from phoenix.telemetry.spans import NoTracer, open_tracer
from tests.builders import a_record, a_rotation, after

COLLECTOR = "http://127.0.0.1:9"
Opener = Callable[..., OtelTracer]


@pytest.fixture
def open_otel() -> Iterator[Opener]:
    """Open a tracer as `open_tracer` or `OtelTracer` does; its threads end with the test."""
    with ExitStack() as stack:

        def opener(*arguments: Any, make: Callable[..., Any] = OtelTracer) -> OtelTracer:
            tracer = make(*arguments)
            assert isinstance(tracer, OtelTracer)
            stack.callback(tracer.shut_down)
            return tracer

        yield opener


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
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": COLLECTOR},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR},
    ],
)
def test_no_tracer_listens_unless_a_variable_says_so(environ: dict[str, str]) -> None:
    assert isinstance(open_tracer(environ), NoTracer)


def test_opentelemetry_is_not_imported_while_no_tracer_listens() -> None:
    code = (
        "import sys; from phoenix.telemetry.spans import open_tracer\n"
        "with open_tracer({}).span('observe', group='web'): pass\n"
        "assert 'opentelemetry' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_span_without_a_listener_lets_exceptions_through_and_may_be_nested() -> None:
    tracer = NoTracer()

    with pytest.raises(KeyError), tracer.span("observe"), tracer.span("decide", group="web"):
        raise KeyError


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_an_endpoint_is_enough_to_listen(variable: str, open_otel: Opener) -> None:
    tracer = open_otel({variable: COLLECTOR}, make=open_tracer)

    assert isinstance(tracer, OtelTracer)


def test_an_unknown_exporter_is_a_warning_and_no_failure(heard: list[logging.LogRecord]) -> None:
    assert isinstance(open_tracer({"OTEL_TRACES_EXPORTER": "zipkin"}), NoTracer)
    assert [(record.levelname, record.msg) for record in heard] == [("WARNING", "telemetry.unknown_exporter")]


def test_a_collector_without_the_extra_is_a_warning_that_says_what_to_install(heard: list[logging.LogRecord]) -> None:
    assert isinstance(open_tracer({"OTEL_TRACES_EXPORTER": "otlp"}, otlp="no.such.package"), NoTracer)
    assert vars(heard[0])["install"] == "pip install 'phoenix-rotate[otlp]'"


def test_spans_carry_their_attributes_and_lie_inside_one_another(open_otel: Opener) -> None:
    exporter = InMemorySpanExporter()
    tracer = open_otel(exporter, {})

    with tracer.span("apply", group="web", step=2), tracer.span("record"):
        pass
    tracer.close()

    inner, outer = exporter.get_finished_spans()
    assert (outer.name, dict(outer.attributes or {})) == ("apply", {"group": "web", "step": 2})
    assert inner.parent is not None
    assert inner.parent.span_id == outer.get_span_context().span_id  # type: ignore[union-attr]
    assert outer.resource.attributes["service.name"] == "phoenix"


def test_an_exception_that_leaves_a_span_is_recorded_there(open_otel: Opener) -> None:
    exporter = InMemorySpanExporter()
    tracer = open_otel(exporter, {"OTEL_SERVICE_NAME": "ours"})

    with pytest.raises(ValueError, match="no"), tracer.span("observe"):
        raise ValueError("no")
    tracer.close()

    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok
    assert [event.name for event in span.events] == ["exception"]


def test_the_console_exporter_keeps_standard_output_for_answers(
    capsys: pytest.CaptureFixture[str], open_otel: Opener
) -> None:
    tracer = open_otel({"OTEL_TRACES_EXPORTER": "console"}, make=open_tracer)

    with tracer.span("observe"):
        pass

    said = capsys.readouterr()
    assert (said.out, '"name": "observe"' in said.err) == ("", True)


# --- rotations --------------------------------------------------------------------------------------------------------

TRACE, ROOT = "a" * 32, "b" * 16


def a_traced_rotation(**changes: Any) -> Rotation:
    return a_rotation(trace=f"00-{TRACE}-{ROOT}-01", **changes)


def spans_of(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


@pytest.mark.parametrize("sample", ["0", "1"])
def test_a_trace_is_sampled_as_a_whole_or_not_at_all(
    sample: str, monkeypatch: pytest.MonkeyPatch, open_otel: Opener
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", sample)
    exporter = InMemorySpanExporter()
    tracer, rotation = open_otel(exporter, {}), a_traced_rotation()

    with tracer.about(rotation), tracer.span("observe"):
        pass
    tracer.recorded(a_record(rotation), a_record(replace(rotation, ended_at=after(1), outcome=Outcome.SUCCEEDED)))
    tracer.close()

    assert sorted(spans_of(exporter)) == (["observe", "rotation"] if sample == "1" else [])


def test_a_rotation_without_a_trace_is_worked_on_all_the_same(open_otel: Opener) -> None:
    exporter = InMemorySpanExporter()
    tracer, rotation = open_otel(exporter, {}), a_rotation()

    with tracer.about(rotation), tracer.span("observe"):
        assert tracer.rotation() == rotation.id
    tracer.recorded(a_record(rotation), a_record(replace(rotation, ended_at=after(1), outcome=Outcome.SUCCEEDED)))
    tracer.close()

    assert (sorted(spans_of(exporter)), tracer.rotation()) == (["observe"], "")


def test_a_call_is_a_span_with_its_own_times_where_it_is_part_of_something(open_otel: Opener) -> None:
    exporter = InMemorySpanExporter()
    tracer = open_otel(exporter, {})
    call = AwsCall("elbv2", "ModifyRule", began_ns=1_000, ended_ns=5_000, throttles=2, error="Throttling")

    tracer.called(call)
    with tracer.span("apply"):
        tracer.called(call)
    tracer.close()

    span = spans_of(exporter)["elbv2.ModifyRule"]
    assert (span.start_time, span.end_time, span.status.description) == (1_000, 5_000, "Throttling")
    assert (span.attributes or {})["phoenix.throttles"] == 2
    assert len(exporter.get_finished_spans()) == 2


def test_what_is_worked_on_is_known_without_a_listener_and_forgotten_after() -> None:
    tracer = NoTracer()

    with tracer.about(a_traced_rotation(id="web-2-aaaa")), tracer.about(None):
        assert (tracer.rotation(), topic.fields()) == ("web-2-aaaa", {"trace_id": TRACE, "span_id": ROOT})

    assert (tracer.rotation(), topic.fields()) == ("", {})


def test_another_protocol_than_http_is_a_warning_and_no_failure(heard: list[logging.LogRecord]) -> None:
    tracer = open_tracer({"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})

    assert isinstance(tracer, NoTracer)
    assert [record.msg for record in heard] == ["telemetry.unknown_protocol"]
