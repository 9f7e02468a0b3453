"""`python -m tests.bench.invoke ENTRY`: invoke an entry point of `phoenix.handler`, and say what each time has cost.

A program of its own, as a Lambda function is one. Must import nothing that the function would not: it is what is
measured. Each line on standard output is a JSON object: processor seconds of this program so far, seconds that the
invocation took, the most memory so far in MiB, and what was answered.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any


class Context:
    """As much of Lambda's as is asked for."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self) -> None:
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")

    def get_remaining_time_in_millis(self) -> int:
        """All that a function may have."""
        return 900_000


def main() -> None:
    """Events are read from standard input, one a line; the next one is invoked when the last has ended."""
    from phoenix import handler

    entry = getattr(handler, sys.argv[1])
    for line in sys.stdin:
        began = time.perf_counter()
        answer = entry(json.loads(line), Context())
        print(json.dumps(cost(time.perf_counter() - began, answer)), flush=True)


def cost(took: float, answer: Any) -> dict[str, Any]:
    """What this program has used up to now."""
    return {"cpu": time.process_time(), "took": took, "mib": most_mib(), "answer": answer}


def most_mib() -> float:
    """The most memory so far. Not `ru_maxrss` where it can be helped: Linux counts the parent process into that."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1024 if sys.platform != "darwin" else 1024**2)


if __name__ == "__main__":
    main()
