"""Retries: by tenacity, with a sleep that the caller injects.

Must never load tenacity before an attempt has failed: a rollback's first write waits for every import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

Sleep = Callable[[float], None]


def again(
    attempt: Callable[[], T],
    error: type[E],
    *,
    give_up: Callable[[E, int], bool],
    pause: Callable[[E], float] | None = None,
    sleep: Sleep = lambda _seconds: None,
) -> T:
    """Return the attempt's result; repeat the attempt while it raises `error`.

    `give_up` is called after each failure with the number of attempts so far: True raises that error. `pause` prepares
    the next attempt and returns the seconds to `sleep` before it; without it there is no pause.
    """
    try:
        return attempt()
    except error as first:
        failed = [first]
    from tenacity import RetryCallState, Retrying, retry_if_exception_type

    def repeated() -> T:
        if failed:  # the attempt above is the first that tenacity counts
            raise failed.pop()
        return attempt()

    def error_of(state: RetryCallState) -> E:
        found = state.outcome.exception() if state.outcome is not None else None
        assert isinstance(found, error)  # noqa: S101 - nothing else is retried
        return found

    trying = Retrying(
        retry=retry_if_exception_type(error),
        stop=lambda state: give_up(error_of(state), state.attempt_number),
        wait=lambda state: pause(error_of(state)) if pause is not None else 0.0,
        sleep=lambda seconds: sleep(seconds) if seconds else None,
        reraise=True,
    )
    return trying(repeated)


def after(tries: int) -> Callable[[Exception, int], bool]:
    """Give up after `attempts` attempts."""
    return lambda _error, made: made >= tries
