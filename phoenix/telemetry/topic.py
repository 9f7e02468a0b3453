"""Which rotation is being worked on, in this thread and in those it asks for help: for logs, spans and session names.

Must never import OpenTelemetry: log lines carry a rotation's trace even when no trace is sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from phoenix.core.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Topic:
    """A rotation by its id, and where we are in its trace; ids are hexadecimal, and empty where there is no trace."""

    rotation: str
    trace_id: str = ""
    span_id: str = ""


_current: ContextVar[Topic | None] = ContextVar("phoenix-topic", default=None)


def current() -> Topic | None:
    """What is worked on here; None when it is no rotation."""
    return _current.get()


def of(rotation: Rotation) -> Topic:
    """A rotation as a topic."""
    parts = rotation.origin.trace.split("-")
    return Topic(rotation.id, parts[1], parts[2]) if len(parts) == 4 else Topic(rotation.id)


@contextmanager
def about(topic: Topic) -> Iterator[None]:
    """In the block, this is what is worked on."""
    token = _current.set(topic)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def within(span_id: str) -> Iterator[None]:
    """In the block, that span is where we are in the trace; nothing where there is no topic."""
    topic = _current.get()
    if topic is None:
        yield
        return
    with about(replace(topic, span_id=span_id)):
        yield


def fields() -> dict[str, str]:
    """What a log line says of it to machines."""
    topic = _current.get()
    return {"trace_id": topic.trace_id, "span_id": topic.span_id} if topic is not None and topic.trace_id else {}
