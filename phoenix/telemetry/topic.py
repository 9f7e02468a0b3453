"""The rotation in work, in this thread and in the threads it starts: for logs, spans and session names.

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
    """A rotation's id, and the current span of its trace; trace ids are hexadecimal, and empty without a trace."""

    rotation: str
    trace_id: str = ""
    span_id: str = ""


_current: ContextVar[Topic | None] = ContextVar("phoenix-topic", default=None)


def current() -> Topic | None:
    """Return the rotation in work; None if there is none."""
    return _current.get()


def of(rotation: Rotation) -> Topic:
    """A rotation as a topic."""
    parts = rotation.origin.trace.split("-")
    return Topic(rotation.id, parts[1], parts[2]) if len(parts) == 4 else Topic(rotation.id)


@contextmanager
def about(topic: Topic) -> Iterator[None]:
    """Make this the rotation in work within the block."""
    token = _current.set(topic)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def within(span_id: str) -> Iterator[None]:
    """Make that the current span within the block; without a topic, do nothing."""
    topic = _current.get()
    if topic is None:
        yield
        return
    with about(replace(topic, span_id=span_id)):
        yield


def fields() -> dict[str, str]:
    """Return the topic as fields of a log line."""
    topic = _current.get()
    return {"trace_id": topic.trace_id, "span_id": topic.span_id} if topic is not None and topic.trace_id else {}
