"""Ctrl-C and SIGTERM: the first lets the current tick finish, the second ends the command at once.

Must always restore the handlers: tests and embedding programs have their own.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol, runtime_checkable

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], None]


@runtime_checkable
class Stoppable(Protocol):
    """A clock whose sleep can be cut short."""

    def stop(self) -> None:
        """End the current sleep and all later ones."""


@dataclass(slots=True)
class Came:
    """Tells whether a signal has come."""

    came: bool = False


@contextmanager
def stopping_on_signals(clock: object) -> Iterator[Came]:
    """Within the block a first signal stops the clock, and a second raises KeyboardInterrupt. If the clock cannot be
    stopped, the first one raises it."""
    seen = Came()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if seen.came or not isinstance(clock, Stoppable):
            raise KeyboardInterrupt
        seen.came = True
        clock.stop()

    with _handling(on_signal):
        yield seen


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block SIGTERM acts as Ctrl-C: an exception that ends the command with a sentence."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(on_signal):
        yield


@contextmanager
def _handling(handler: _Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only, and only that thread may set handlers
        return
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
