"""`python -m tests.e2e`: rotations under real traffic, the table, and the figures in `build/e2e.json`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from phoenix import __version__
from tests.e2e.balancer import find_haproxy
from tests.e2e.rig import Load, Rig, Tally
from tests.e2e.situations import SITUATIONS, DriverFailed, Expected, Situation

KEPT = Path("build/e2e.json")
WIDTH = 110
USUAL = Load()


def main() -> int:
    """Exit 1 if a situation did not show what it has to: a request lost in a good run, none in a control."""
    given = _options()
    if find_haproxy() is None:
        print("skipped: there is no haproxy here (Debian: apt-get install haproxy)")
        return 0
    logging.disable(logging.CRITICAL)
    chosen = [each for each in SITUATIONS if not given.only or any(word in each.name for word in given.only)]
    rows = [_row(situation, Load(given.speed, given.users, given.volume)) for situation in chosen]
    document = {
        "phoenix": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "speed": given.speed,
        "users": given.users,
        "volume": given.volume,
        "situations": rows,
    }
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(document, indent=2) + "\n")
    _show(rows)
    return 0 if all(row["met"] for row in rows) else 1


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.e2e", description=__doc__)
    options.add_argument("only", nargs="*", metavar="WORD", help="situations whose names have one of these in them")
    options.add_argument(
        "--speed", type=float, default=USUAL.speed, help="of the sandbox's clock; less is more requests"
    )
    options.add_argument("--users", type=int, default=USUAL.users, help="connections whose failures have a moment")
    options.add_argument("--volume", type=int, default=USUAL.volume, help="connections of wrk, for the number; 0: none")
    return options.parse_args()


def _row(situation: Situation, load: Load) -> dict[str, Any]:
    print(f"{situation.name} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    row: dict[str, Any] = {"name": situation.name, "expected": situation.expected.value}
    try:
        rig = situation.run(load)
    except DriverFailed as error:
        return row | {"met": False, "error": str(error), "took_seconds": round(time.monotonic() - began, 1)}
    return row | _seen(rig) | {"met": situation.met(rig.tally), "took_seconds": round(time.monotonic() - began, 1)}


def _seen(rig: Rig) -> dict[str, Any]:
    tally: Tally = rig.tally
    return {
        "requests": tally.requests,
        "failed": tally.failed,
        "share_failed": round(tally.share_failed, 4),
        "by_image": dict(tally.by_image),
        "by_phase": dict(tally.by_phase),
        "moments": [asdict(moment) for moment in tally.moments],
        "wrk": dict(tally.volume),
        "slowest_look_ms": round(rig.slowest * 1000, 1),
    }


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("situation", "requests", "failed", "kind and moment", "expected", ""):
        table.add_column(heading, justify="right" if heading in ("requests", "failed") else "left")
    for row in rows:
        moments = [f"{each['count']:,} x {each['outcome']} {each['phase']}" for each in row.get("moments", ())]
        moments += [f"{count:,} x {kind} (wrk)" for kind, count in row.get("wrk", {}).items() if kind != "requests"]
        if row["expected"] == Expected.SHARE and "share_failed" in row:
            moments.append(f"{row['share_failed']:.1%} of those in between")
        words = row.get("error") or ", ".join(moments) or "-"
        counts = (f"{row[key]:,}" if key in row else "-" for key in ("requests", "failed"))
        table.add_row(row["name"], *counts, words, row["expected"], "ok" if row["met"] else "NOT MET")
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)
    console.print(f"kept in {KEPT}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
