"""What a process holds for everybody in it: noted before each test, compared after it, and put back.

A test that leaves something changed fails itself, by name; without this a later one would, in some orders. Must list
everything that phoenix or its tests touch: what is not in `STATE` is not watched.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGALRM, signal.SIGCHLD)
ENDING_SECONDS = 2.0
"""A server that was told to stop may need a moment to leave its thread."""

POOLED = ("AnyIO worker thread", "asyncio_")
"""Workers of a server's event loop: they come with a request, and go with the loop of the module that started it."""

Snapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of state. `restore` is None where it cannot be put back, only be told; what `may_end` may be missed."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object] | None
    may_end: bool = False


def take() -> Snapshot:
    """Note everything as it is now."""
    return {each.name: each.read() for each in STATE}


def put_back(before: Snapshot) -> list[str]:
    """Restore what has changed since; return it in words, empty where all is as it was."""
    found: list[str] = []
    for each in STATE:
        then, now = before[each.name], each.read()
        if each.may_end:
            then = {key: value for key, value in then.items() if key in now}
        if now != then:
            found += [f"{each.name}: {told}" for told in _changes(then, now)]
            if each.restore is not None:
                each.restore(before[each.name])
    return found


def _changes(before: Any, now: Any) -> Iterator[str]:
    if not isinstance(before, dict):
        yield f"{before!r} became {now!r}"
        return
    for key in sorted(before.keys() | now.keys(), key=str):
        if before.get(key) != now.get(key):
            yield f"{key}: {before.get(key)!r} became {now.get(key)!r}"


# --- the environment, and what Python keeps ---------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _set_environment(values: dict[str, str]) -> None:
    for name in os.environ.keys() - values.keys() - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]
    os.environ.update(values)
    time.tzset()


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "a folder that is gone"


def _handlers() -> dict[str, Any]:
    return {each.name: signal.getsignal(each) for each in SIGNALS}


def _set_handlers(handlers: dict[str, Any]) -> None:
    for name, handler in handlers.items():
        signal.signal(signal.Signals[name], handler)


def _hooks() -> tuple[Any, ...]:
    return sys.excepthook, threading.excepthook, sys.unraisablehook


def _set_hooks(hooks: tuple[Any, ...]) -> None:
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


# --- loggers ----------------------------------------------------------------------------------------------------------

_Logger = tuple[int, tuple[logging.Handler, ...], bool, bool, tuple[Any, ...]]
_FRESH: _Logger = (logging.NOTSET, (), True, False, ())


def _loggers() -> dict[str, _Logger]:
    """By name; one that is as it was made is left out."""
    known = dict(logging.root.manager.loggerDict)
    found = {name: _state_of(each) for name, each in known.items() if isinstance(each, logging.Logger)}
    return {"": _state_of(logging.root)} | {name: state for name, state in found.items() if state != _FRESH}


def _state_of(logger: logging.Logger) -> _Logger:
    handlers = tuple(each for each in logger.handlers if not _is_passing(each))
    return logger.level, handlers, logger.propagate, logger.disabled, tuple(logger.filters)


def _is_passing(handler: logging.Handler) -> bool:
    """Whether it comes with a library's logger and does nothing, or is pytest's own, which comes and goes by itself."""
    return isinstance(handler, logging.NullHandler) or type(handler).__module__ == "_pytest.logging"


def _set_loggers(states: dict[str, _Logger]) -> None:
    for name in _loggers().keys() | states.keys():
        logger = logging.getLogger(name)
        level, handlers, logger.propagate, logger.disabled, filters = states.get(name, _FRESH)
        logger.setLevel(level)
        passing = [each for each in logger.handlers if _is_passing(each)]
        logger.handlers[:], logger.filters[:] = [*passing, *handlers], list(filters)


# --- libraries, and phoenix itself ------------------------------------------------------------------------------------

_ATTRIBUTES = (
    ("boto3", "DEFAULT_SESSION"),
    ("opentelemetry.trace", "_TRACER_PROVIDER"),
    ("opentelemetry.metrics._internal", "_METER_PROVIDER"),
    ("phoenix.handler", "_program"),
    ("phoenix.sandbox.box", "Sandbox._open"),
    ("moto.core.models", "botocore_stubber.enabled"),
)
"""Where modules keep one thing for the whole process, which is nothing at all while no test uses it."""


def _modules() -> dict[str, Any]:
    found = {f"{module}.{path}": _owner(module, path) for module, path in _ATTRIBUTES}
    values = {name: getattr(*found_) for name, found_ in found.items() if found_ is not None}
    return {name: value for name, value in values.items() if value}


def _owner(module: str, path: str) -> tuple[Any, str] | None:
    *parents, last = path.split(".")
    owner: Any = sys.modules.get(module)
    for parent in parents:
        owner = getattr(owner, parent, None)
    return None if owner is None else (owner, last)


def _set_modules(values: dict[str, Any]) -> None:
    for module, path in _ATTRIBUTES:
        found = _owner(module, path)
        if found is not None:
            setattr(*found, values.get(f"{module}.{path}"))


def _subject() -> Any:
    topic = sys.modules.get("phoenix.telemetry.topic")
    return topic.current() if topic is not None else None


def _span() -> bool:
    trace = sys.modules.get("opentelemetry.trace")
    return trace is not None and bool(trace.get_current_span().get_span_context().is_valid)


def _threads() -> dict[int | None, str]:
    """Those that run; one that is about to end is given a moment to do so."""
    return {t.ident: t.name for t in threading.enumerate() if t.is_alive() and not t.name.startswith(POOLED)}


def _children() -> dict[str, str]:
    """Programs that this process has started and not waited for; where there is no /proc, none.

    multiprocessing has one of its own, from the first use to the end of the process.
    """
    own = str(getattr(resource_tracker._resource_tracker, "_pid", None))
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    found = listed.read_text().split() if listed.exists() else []
    return {each: "runs" for each in found if each != own}


def wait_for_ends(before: Snapshot) -> None:
    """Let threads and programs that are ending end."""
    until = time.monotonic() + ENDING_SECONDS
    for thread in threading.enumerate():
        if thread.ident not in before["threads"]:
            thread.join(max(0.0, until - time.monotonic()))


STATE = (
    Kept("environment", _environment, _set_environment),
    Kept("working directory", _working_directory, os.chdir),
    Kept("signal handlers", _handlers, _set_handlers),
    Kept("garbage collection", lambda: (gc.isenabled(), gc.get_threshold()), lambda kept: gc.set_threshold(*kept[1])),
    Kept("hooks for exceptions", _hooks, _set_hooks),
    Kept("arguments and paths", lambda: (list(sys.argv), list(sys.path)), None),
    Kept("time zone", lambda: time.tzname, None),
    Kept("time-out of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
    Kept("loggers", _loggers, _set_loggers),
    Kept("modules", _modules, _set_modules),
    Kept("rotation that is traced", _subject, None),
    Kept("span that is open", _span, None),
    Kept("threads", _threads, None, may_end=True),
    Kept("programs", _children, None, may_end=True),
)
