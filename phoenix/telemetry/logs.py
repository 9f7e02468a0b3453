"""Log lines: a constant event name, and its facts as fields; as text for people or as JSON for machines.

Must never let a name from AWS or a policy move the cursor or forge a line: unprintable characters are escaped. Must
never show a secret: fields that are named like one are masked, and other libraries' debug logs stay off, because
botocore's hold signatures and tokens.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from phoenix.telemetry import topic

NEWS = "phoenix.news"
"""The logger of the `log` notifier. It writes at every level: a policy that asks for news gets it."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(r"secret|token|password|credential|authorization|webhook", re.IGNORECASE)
_BARE = re.compile(r"[^\s\"'=\\]+")


def configure(form: str = "text", level: str = "warning", stream: TextIO | None = None) -> None:
    """Send phoenix's own log lines of this level and above to `stream`, standard error unless given.

    A driver calls it once; a second call replaces the first. The loggers of other libraries are left alone.
    """
    handler = logging.StreamHandler(stream) if stream is not None else StandardError()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logger = logging.getLogger("phoenix")
    for old in tuple(logger.handlers):
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    logging.getLogger(NEWS).setLevel(min(logger.level, logging.INFO))


@contextmanager
def restored() -> Iterator[None]:
    """Restore phoenix's loggers after the block: a program that runs a command inside itself keeps its own."""
    loggers = [logging.getLogger(name) for name in ("phoenix", NEWS)]
    before = [(logger, logger.level, logger.propagate, tuple(logger.handlers)) for logger in loggers]
    try:
        yield
    finally:
        for logger, level, propagate, handlers in before:
            logger.setLevel(level)
            logger.propagate = propagate
            logger.handlers[:] = handlers


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to the `sys.stderr` of that moment: a live screen replaces it, and keeps log lines above itself."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Standard error, now."""
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        raise AttributeError("standard error is not this handler's to choose")


class TextFormatter(logging.Formatter):
    """`2026-03-02T12:00:00.123Z WARNING tick.failed group=web reason="no answer"`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and below it the stack trace if there is one. Facts below a fact are for machines, which read
        JSON: the news of a policy would else be a page of it on a person's terminal."""
        told = {name: value for name, value in facts_of(record).items() if not isinstance(value, Mapping)}
        facts = "".join(f" {name}={_shown(value)}" for name, value in told.items())
        line = f"{_at(record)} {record.levelname} {_printable(record.getMessage())}{facts}"
        return "\n".join((line, *(f"  {_printable(below)}" for below in self._trace(record))))

    def _trace(self, record: logging.LogRecord) -> list[str]:
        return self.formatException(record.exc_info).split("\n") if record.exc_info else []


class JsonFormatter(logging.Formatter):
    """One object a line: `at`, `level`, `event`, `logger`, the ids of trace and span, then the facts unchanged."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, whatever its facts hold."""
        line: dict[str, object] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **topic.fields(),
            **facts_of(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, skipkeys=True).replace("\x7f", "\\u007f")


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields that the caller passed in `extra`, with secrets masked."""
    return {name: _blotted(name, value) for name, value in vars(record).items() if name not in _OWN}


def _blotted(name: str, value: object) -> object:
    if _SECRET.search(name):
        return "***"
    if isinstance(value, Mapping):
        return {str(key): _blotted(str(key), inner) for key, inner in value.items()}
    return value


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)
    bare = _BARE.fullmatch(text) is not None or not isinstance(value, str)
    return _printable(text if bare else json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    """Return the text with control, invisible and direction-changing characters escaped, as in `\\x1b`."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
