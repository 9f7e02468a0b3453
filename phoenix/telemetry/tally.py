"""The requests to AWS of one command, counted from its log lines, whichever sessions made them.

Must never hold more than their names: parameters and answers may be secrets.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

ASKED = "aws.asked"
"""The event of one request, with its `call`."""


class Tally(logging.Handler):
    """Counts requests by service and operation."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.calls: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count the line if it is about a request."""
        if record.msg == ASKED:
            self.calls[str(vars(record)["call"])] += 1

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.calls.most_common())
        total = self.calls.total()
        return f"Asked of AWS: {total} request{'' if total == 1 else 's'}{': ' if told else ''}{told}"


@contextmanager
def counted() -> Iterator[Tally]:
    """Count within the block, while phoenix logs at the level debug."""
    tally, logger = Tally(), logging.getLogger("phoenix")
    logger.addHandler(tally)
    try:
        yield tally
    finally:
        logger.removeHandler(tally)
