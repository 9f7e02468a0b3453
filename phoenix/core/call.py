"""One call to AWS as a value, for traces and metrics. Pure; must never hold what was sent or answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call to AWS with all its tries. Times are nanoseconds since 1970; `error` is AWS's code, or empty."""

    service: str
    operation: str
    began_ns: int
    ended_ns: int
    throttles: int = 0
    error: str = ""
