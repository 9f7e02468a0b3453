"""Spans and measures through OpenTelemetry; imported only if telemetry is on.

A rotation is one trace, over all processes and hours. Its record carries the ids, and every driver puts its spans below
a root that is not sent yet. The driver that records the end sends the root, with the true start. Must never hold up a
command: everything is sent in the background, and a collector that does not answer has two seconds at the end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import ClassVar

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from phoenix import __version__
from phoenix.core.call import AwsCall
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.telemetry import topic
from phoenix.telemetry.exporters import PATIENCE_SECONDS, stop_listening
from phoenix.telemetry.measures import Measures

ROOT = "rotation"


class OtelTracer:
    """Spans and measures of the service `phoenix`, or of OTEL_SERVICE_NAME. None: no spans, or no measures."""

    listens = True
    _open: ClassVar[set[int]] = set()
    """Tracers that may still send, by identity; one listener takes the library's complaints for all of them."""

    def __init__(
        self,
        exporter: SpanExporter | None,
        environ: Mapping[str, str] = os.environ,
        reader: MetricReader | None = None,
    ) -> None:
        self._open.add(id(self))
        name = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "phoenix"}
        resource = Resource.create({**name, "service.version": __version__})
        self._ids = _Ids()
        # Providers of our own, not the global ones: the SDK must not start to trace other libraries in this program.
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        if exporter is not None:
            at_once = isinstance(exporter, ConsoleSpanExporter)
            self._provider.add_span_processor((SimpleSpanProcessor if at_once else BatchSpanProcessor)(exporter))
        self._tracer = self._provider.get_tracer("phoenix", __version__)
        self._meters = MeterProvider([reader] if reader is not None else [], resource=resource)
        self._measures = Measures(self._meters.get_meter("phoenix", __version__))

    @contextmanager
    def span(self, name: str, **attributes: str | int | float | bool) -> Iterator[None]:
        """A span around the block, below the span that is open in this thread; an exception is recorded in it."""
        with self._tracer.start_as_current_span(name, attributes=attributes) as span, _within(span):
            yield

    def about(self, rotation: Rotation | None) -> AbstractContextManager[None]:
        """Put every span of the block below the rotation's root."""
        known = topic.current()
        if rotation is None or (known is not None and known.rotation == rotation.id):
            return nullcontext()
        return self._below(topic.of(rotation))

    @contextmanager
    def _below(self, subject: topic.Topic) -> Iterator[None]:
        root = self._root_of(subject)
        parent = trace.set_span_in_context(NonRecordingSpan(root), otel_context.Context()) if root else None
        with topic.about(subject):
            token = otel_context.attach(parent) if parent is not None else None
            try:
                yield
            finally:
                if token is not None:
                    otel_context.detach(token)

    def recorded(self, before: GroupRecord, after: GroupRecord) -> None:
        """Measure, and send the root when the rotation has ended."""
        self._measures.recorded(before, after)
        now, then = after.rotation, before.rotation
        if now is not None and now.ended_at is not None and then is not None and then.id == now.id and then.in_flight:
            self._close(now, now.ended_at)

    def oldest_instance(self, group: str, age: timedelta) -> None:
        """Note the age of a group's oldest live instance."""
        self._measures.oldest_instance(group, age)

    def snowflakes(self, group: str, kind: str, count: int) -> None:
        """Note how many of a group's instances are tainted, or have drifted."""
        self._measures.snowflakes(group, kind, count)

    def rotation(self) -> str:
        """The rotation that this thread works on."""
        known = topic.current()
        return known.rotation if known is not None else ""

    def called(self, call: AwsCall) -> None:
        """Count a call, and make it a span if it belongs to a rotation."""
        self._measures.called(call)
        if not trace.get_current_span().get_span_context().is_valid:
            return
        attributes = {"rpc.system": "aws-api", "rpc.service": call.service, "rpc.method": call.operation}
        span = self._tracer.start_span(
            f"{call.service}.{call.operation}", kind=SpanKind.CLIENT, attributes=attributes, start_time=call.began_ns
        )
        if call.throttles:
            span.set_attribute("phoenix.throttles", call.throttles)
        if call.error:
            span.set_status(Status(StatusCode.ERROR, call.error))
        span.end(end_time=call.ended_ns)

    def close(self) -> None:
        """Send everything that waits; a Lambda function is frozen right after it answers."""
        self._provider.force_flush(PATIENCE_SECONDS * 1000)
        self._meters.force_flush(PATIENCE_SECONDS * 1000)

    def shut_down(self) -> None:
        """Send the rest, and end the sending threads; tracing is over after that."""
        self._provider.shutdown()
        self._meters.shutdown()
        self._open.discard(id(self))
        if not self._open:
            stop_listening()

    # --- the root -----------------------------------------------------------------------------------------------------

    def _root_of(self, subject: topic.Topic) -> SpanContext | None:
        """Return the root above all spans. Its trace id decides whether it is sampled, so every driver decides
        alike."""
        if not subject.trace_id:
            return None
        trace_id = int(subject.trace_id, 16)
        decision = self._provider.sampler.should_sample(None, trace_id, ROOT).decision
        is_sampled = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if is_sampled else TraceFlags.DEFAULT)
        return SpanContext(trace_id, int(subject.span_id, 16), is_remote=True, trace_flags=flags)

    def _close(self, rotation: Rotation, ended_at: datetime) -> None:
        subject = topic.of(rotation)
        if not subject.trace_id:
            return
        if _had_succeeded(rotation) and rotation.back is not None:
            # Its root was sent when the rotation succeeded; a later rollback is a span of its own below that root.
            with self._below(subject):
                span = self._tracer.start_span("rollback", start_time=_ns(rotation.back.ask.at))
        else:
            with self._ids.given(int(subject.trace_id, 16), int(subject.span_id, 16)):
                span = self._tracer.start_span(ROOT, otel_context.Context(), start_time=_ns(rotation.started_at))
            for event in rotation.events:
                span.add_event(event.name, {"text": event.text}, timestamp=_ns(event.at))
        span.set_attributes(_facts(rotation))
        if rotation.outcome is not Outcome.SUCCEEDED:
            span.set_status(Status(StatusCode.ERROR, rotation.reason or rotation.outcome.value))
        span.end(end_time=_ns(ended_at))


class _Ids(RandomIdGenerator):
    """Random ids, except for a root, whose ids were made long ago."""

    def __init__(self) -> None:
        self._given = threading.local()

    @contextmanager
    def given(self, trace_id: int, span_id: int) -> Iterator[None]:
        """Give every span of this thread these ids within the block."""
        self._given.ids = (trace_id, span_id)
        try:
            yield
        finally:
            del self._given.ids

    def generate_trace_id(self) -> int:
        """A new trace, or the given one."""
        ids = getattr(self._given, "ids", None)
        return ids[0] if ids is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """A new span, or the given one."""
        ids = getattr(self._given, "ids", None)
        return ids[1] if ids is not None else super().generate_span_id()


def _within(span: Span) -> AbstractContextManager[None]:
    return topic.within(trace.format_span_id(span.get_span_context().span_id))


def _had_succeeded(rotation: Rotation) -> bool:
    """True if the rotation succeeded, which its history tells."""
    return any(event.name == Outcome.SUCCEEDED.value for event in rotation.events[:-1])


def _facts(rotation: Rotation) -> dict[str, str | int]:
    cause = {"phoenix.cause": rotation.cause.value} if rotation.cause is not None else {}
    return {
        "phoenix.group": rotation.group,
        "phoenix.rotation": rotation.id,
        "phoenix.outcome": rotation.outcome.value,
        "phoenix.from": rotation.old.number,
        "phoenix.to": rotation.new.number,
        "phoenix.image": rotation.new.image,
        "phoenix.by": rotation.origin.by,
        "phoenix.trigger": rotation.origin.trigger,
        **cause,
    }


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
