"""One call to AWS as a value, for traces and metrics. Pure; must never hold what was sent or answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call to AWS with all its tries. Times are nanoseconds since 1970; `error` is AWS's code, or empty."""

    service: str
    operation: str
    began_ns: int
    ended_ns: int
    throttles: int = 0
    error: str = ""


class CallObserver(Protocol):
    """Watches calls to AWS, and knows for which rotation they are made."""

    listens: bool
    """False if calls need not be reported."""

    def rotation(self) -> str:
        """The id of the rotation in work in this thread, for the name of the session; empty if there is none."""
        ...

    def called(self, call: AwsCall) -> None:
        """Note a call that has ended, in any thread."""
        ...
