"""`make chaos`: many seeds and every crash point of pairs and groups in place, on both cores; or one run, by its name.

Must never end quietly: every failure prints the one line that runs it again.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing import Pool

from tests.chaos import in_place, on_sandbox, specs
from tests.chaos.cases import CASES

SANDBOX_SHARE = 200
"""One run on the sandbox for this many on the model: each takes that much longer."""
CORES = 2


def main() -> int:
    """Run what was asked for; the exit status is 1 if anything was violated."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--seed", default="", help="one run, by its name: 1234, deaths:canary-alb-good:3,17, ...")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds on the model")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--crashes", action="store_true", help="every single strike and every pair of deaths as well")
    parser.add_argument("--gaps", action="store_true", help="stalls between the check of the lease and the call")
    parser.add_argument("--late", action="store_true", help="stalls with the request on its way, to count what they do")
    parser.add_argument("--sandbox-crashes", type=int, default=0, help="this many deaths on the sandbox as well")
    parser.add_argument("--minutes", type=float, default=0, help="stop after that long; 0: when all have run")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.seed:
        _say(specs.play(options.seed))
        return 0
    names = list(_names(options))
    random.Random(options.first).shuffle(names)
    return _run(names, 60 * options.minutes)


def _names(options: argparse.Namespace) -> Iterator[str]:
    seeds = range(options.first, options.first + options.seeds)
    yield from map(str, seeds)
    yield from (f"in-place:{seed}" for seed in seeds)
    yield from (f"in-place:stale-{seed}" for seed in seeds)
    yield from (f"in-place:drained-{seed}" for seed in seeds)
    yield from (f"sandbox:{seed}" for seed in seeds[:: SANDBOX_SHARE or 1])
    if options.crashes:
        yield from specs.everything()
        yield from in_place.crashes()
    if options.gaps:
        yield from (name for case in CASES for name in specs.gaps(case))
    if options.late:
        yield from (name for case in CASES for name in (*specs.late(case), *specs.late_back(case)))
    yield from _sandbox_crashes(options.sandbox_crashes)


def _sandbox_crashes(count: int) -> Iterator[str]:
    """Deaths at moments spread evenly over every strategy, with a good and with a bad image."""
    kinds = [(s, i) for s in on_sandbox.STRATEGIES for i in on_sandbox.SCENARIOS]
    for strategy, image in kinds if count else ():
        moments = on_sandbox.count_calls(strategy, image)
        step = max(1, moments * len(kinds) // count)
        yield from (f"sandbox:{strategy}-{image}:{moment}" for moment in range(1, moments + 1, step))


def _run(names: list[str], most_seconds: float) -> int:
    began, done, failed = time.perf_counter(), 0, 0
    runs: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    with Pool(CORES) as pool:
        for name, figures, complaint in pool.imap_unordered(_play, names, chunksize=8):
            done += 1
            if figures is None:
                failed += 1
                _say(f"make chaos SEED={name}    # {complaint}")
                continue
            runs[figures.kind] += 1
            totals.update(moments=figures.moments, actions=figures.actions, checks=figures.checks)
            struck.update(figures.struck)
            if most_seconds and time.perf_counter() - began > most_seconds:
                break
    _tell("runs", runs.items())
    _tell("of them", totals.items())
    _tell("faults", struck.most_common())
    of = f" of {len(names)}" if done < len(names) else ""
    _say(f"{done}{of} runs, {failed} violations, {time.perf_counter() - began:.0f} s on {CORES} cores")
    return 1 if failed else 0


def _play(name: str) -> tuple[str, specs.Figures | None, str]:
    logging.disable(logging.CRITICAL)
    try:
        return name, specs.play(name), ""
    except Exception as error:  # noqa: BLE001 - whatever it is, the line that runs it again must be printed
        return name, None, f"{type(error).__name__}: {error}".replace("\n", " ")[:300]


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tell(title: str, rows: Iterable[tuple[str, int]]) -> None:
    _say(f"{title}: " + ", ".join(f"{count} {name}" for name, count in rows))


if __name__ == "__main__":
    sys.exit(main())
