"""Many programs at once in virtual time: each is a thread, one runs at a time, and sleeping lets the next one on.

Must never let two programs run together: the sandbox and the counts behind them know of one moment only. Programs meet
in the same order every time, whatever the machine.

A program may have a thread of its own aside, as an observation has. It cannot let others on, since its program waits
for it; so it only notes how long it would have slept, and the program sleeps that long when it sleeps next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from threading import Lock, Semaphore, Thread, get_ident

from phoenix.sandbox import ManualClock


@dataclass(eq=False, slots=True)
class _Program:
    """One that takes turns. `ahead` is how many seconds its thread aside has slept already."""

    turn: Semaphore = field(default_factory=lambda: Semaphore(0))
    busy_aside: Lock = field(default_factory=Lock)
    thread: int = 0
    ahead: float = 0.0


_me: ContextVar[_Program | None] = ContextVar("_me", default=None)


class Turns:
    """A clock and who waits on it."""

    stopping = False

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._waiting: list[tuple[datetime, int, _Program]] = []
        self._numbers = count()
        self._idle = Semaphore(0)
        self._failed: BaseException | None = None

    def now(self) -> datetime:
        """The virtual time."""
        return self._clock.now()

    def elapsed(self) -> float:
        """The same, in seconds."""
        return self.now().timestamp()

    def here(self) -> datetime:
        """The same, for a thread aside as late as it has slept."""
        me = _me.get()
        return self.now() + timedelta(seconds=me.ahead if me is not None and me.thread != get_ident() else 0.0)

    def stop(self) -> None:
        """Not used: no benchmark is interrupted this way."""

    def sleep(self, seconds: float) -> None:
        """Let others run until that much time has passed."""
        me = _me.get()
        if me is None:
            raise RuntimeError("only programs sleep: their caller would have to wait for itself")
        if me.thread != get_ident():
            me.ahead += seconds
        else:
            with me.busy_aside:
                seconds, me.ahead = max(seconds, me.ahead, 0.0), 0.0
            self._wait(me, seconds)
            self._idle.release()
            me.turn.acquire()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What a thread aside does at once: its program does not let others on before it has ended."""
        me = _me.get()
        if me is None or me.thread == get_ident():
            yield
            return
        with me.busy_aside:
            yield

    def start(self, run: Callable[[], object], after: float = 0.0) -> None:
        """Begin another program that many seconds from now."""
        program = _Program()
        self._wait(program, after)
        Thread(target=self._run, args=(run, program), daemon=True).start()

    def run(self, until: datetime) -> None:
        """Let everybody take turns up to that time.

        Raises:
            BaseException: what the first program that failed has raised.
        """
        while self._waiting and self._waiting[0][0] <= until:
            at, _, program = heapq.heappop(self._waiting)
            self._clock.advance((at - self.now()).total_seconds())
            program.turn.release()
            self._idle.acquire()
            if self._failed is not None:
                raise self._failed
        self._clock.advance(max((until - self.now()).total_seconds(), 0.0))

    def _run(self, run: Callable[[], object], program: _Program) -> None:
        program.thread = get_ident()
        _me.set(program)
        program.turn.acquire()
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller of the programs
            self._failed = error
        finally:
            self._idle.release()

    def _wait(self, program: _Program, seconds: float) -> None:
        heapq.heappush(self._waiting, (self.now() + timedelta(seconds=seconds), next(self._numbers), program))
