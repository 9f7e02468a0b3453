"""`python -m tests.bench`: measure phoenix, show the table, keep the figures in `bench.json`.

Needs no account and no network. With `--json` the figures go to standard output instead of the table.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from phoenix import __version__
from tests.bench import (
    cold,
    cost,
    drills,
    in_flight,
    in_place,
    pages,
    rollbacks,
    rotations,
    side_by_side,
    startup,
    statuses,
    sweeps,
)
from tests.bench.figures import Figure, table

TOPICS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "rotations": rotations.measure,
    "rollbacks": rollbacks.measure,
    "in-place": in_place.measure,
    "startup": startup.measure,
    "side-by-side": side_by_side.measure,
    "sweeps": sweeps.measure,
    "status": statuses.measure,
    "in-flight": in_flight.measure,
    "cold": cold.measure,
    "cost": cost.measure,
    "drills": drills.measure,
    "pages": pages.measure,
}
LONGER: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "sweeps": partial(sweeps.measure, sweeps.ALL_SIZES),
    "in-flight": partial(in_flight.measure, minutes=in_flight.ALL_MINUTES),
}
"""What some topics do with `--full`: more groups, more virtual time."""
KEPT = Path("bench.json")
WIDTH = 140


def main() -> int:
    """Exit 0 also when a target is missed: whether that matters, the table lets a person judge."""
    given = _options()
    began = time.monotonic()
    figures: list[Figure] = []
    # What throttled and broken groups have to say is for their operator, not between the figures.
    logging.disable(logging.CRITICAL)
    measures = {**TOPICS, **LONGER} if given.full else TOPICS
    for topic in given.topics or TOPICS:
        print(f"measuring {topic} …", file=sys.stderr, flush=True)
        figures += measures[topic]()
    took = time.monotonic() - began
    text = json.dumps(_document(figures, took), indent=2)
    KEPT.write_text(text + "\n")
    if given.json:
        print(text)
    else:
        console = Console()
        console.width = max(console.width, WIDTH)
        console.print(table(figures))
        console.print(f"{took:.0f} s; kept in {KEPT}", highlight=False)
    return 0


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("topics", nargs="*", metavar="TOPIC", help=f"all without one: {', '.join(TOPICS)}")
    options.add_argument("--full", action="store_true", help="some topics on a larger scale; a quarter of an hour")
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = options.parse_args()
    unknown = [topic for topic in given.topics if topic not in TOPICS]
    if unknown:
        options.error(f"no topic {unknown[0]!r}; there are {', '.join(TOPICS)}")
    return given


def _document(figures: list[Figure], took: float) -> dict[str, Any]:
    return {
        "phoenix": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "took_seconds": round(took, 1),
        "figures": [figure.document() for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
