"""Work in threads that the program need not wait for.

Must never start a thread that the end of the process waits for: a call that hangs must not hang the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


def start(work: Callable[[], T], name: str) -> Future[T]:
    """Start the call in a thread of its own, for the same rotation as here; the future carries its error."""
    answer: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            answer.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is asked for
            answer.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer


def each(work: Callable[[K], T], items: Iterable[K], *, at_a_time: int, seconds: float) -> Mapping[K, T]:
    """Return the answers by item that have come within that time; no call starts later.

    Raises:
        Exception: the first error among them.
    """
    waiting = iter(tuple(items))
    answers: dict[K, T] = {}
    over = threading.Event()
    lock = threading.Lock()

    def one_by_one() -> None:
        while not over.is_set():
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            answer = work(item)
            with lock:
                answers[item] = answer

    started = [start(one_by_one, f"aside-{number}") for number in range(at_a_time)]
    done, _ = wait(started, timeout=seconds)
    over.set()
    for each_done in done:
        each_done.result()
    with lock:
        return dict(answers)
