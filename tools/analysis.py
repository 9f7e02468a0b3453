"""The figures of docs/analysis.md: false alarms of pairs that are alike, and regressions found, by simulation.

Run by `make analysis`; seeded, so that the same code writes the same figures. Must never judge by anything but what the
gate judges by.
"""

from __future__ import annotations

import argparse
import re
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from phoenix.core.terms import Step, Terms
from phoenix.gates.metrics_judge import Comparison, Finding, finding_of
from phoenix.gates.metrics_looks import EARLY_LEAST, END, Progress, turn_of
from phoenix.gates.metrics_rates import Counts
from tools.analysis_plot import draw
from tools.analysis_series import ALIKE, WORSE, Errors, Kind, Latency

DOCS: Final = Path(__file__).parents[1] / "docs"
LIMIT: Final = 1.5
ALLOWED: Final = 0.02
_FIGURES: Final = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rates(kind: Kind, factor: float, pairs: int) -> tuple[float, float, float]:
    """Per cent of pairs that the judge, plain Mann-Whitney and a fixed threshold call worse."""
    dice = np.random.default_rng(zlib.crc32(f"{kind.name} {factor}".encode()))
    worse = kind if factor == 1 else kind.worse(factor)
    found = [0, 0, 0]
    for _ in range(pairs):
        drawn = worse.draw(dice)
        told = worse.judge(drawn)
        found[0] += told.finding is Finding.WORSE
        found[1] += told.p <= ALLOWED
        found[2] += worse.exceeds(drawn, LIMIT)
    return (100 * found[0] / pairs, 100 * found[1] / pairs, 100 * found[2] / pairs)


def bake_rates(kind: Kind, bakes: int) -> tuple[float, float]:
    """Per cent of bakes of 15 minutes and up to 30 more, looked at every minute, that fail by all looks as the gate
    spends its chance, and by the same looks with the whole chance at each."""
    dice = np.random.default_rng(zlib.crc32(f"bake {kind.name}".encode()))
    longest = replace(kind, minutes=45)
    spent = naive = 0
    for _ in range(bakes):
        drawn = longest.draw(dice)
        looks = [longest.judge(tuple(_first(side, minute) for side in drawn)) for minute in range(EARLY_LEAST, 46)]
        found = [_bake(looks, naively=naively) for naively in (False, True)]
        spent, naive = spent + found[0], naive + found[1]
    return 100 * spent / bakes, 100 * naive / bakes


def _bake(looks: Sequence[Comparison], *, naively: bool) -> bool:
    from tests.builders import a_rotation

    began = datetime(2026, 1, 1, tzinfo=UTC)
    steps = (Step(100, 100, 10, timedelta(minutes=15)),)
    rotation = a_rotation(terms=Terms(steps), step=1, baking_since=began)
    progress = Progress(1, began)
    for minute, told in enumerate(looks, start=EARLY_LEAST):
        turn = turn_of(progress, rotation, began + timedelta(minutes=minute), timedelta(minutes=30))
        alpha = ALLOWED if naively else ALLOWED * turn.share
        finding = finding_of(told.adjusted_p, told.p, alpha, ALLOWED * END)
        if finding is Finding.WORSE:
            return True
        if turn.is_end and (finding is not Finding.MARGINAL or turn.is_limit):
            return False
        if turn.is_early:
            progress = replace(progress, early=progress.early + turn.share)
        else:
            late = progress.late + turn.share if progress.ended else progress.late
            progress = replace(progress, ended=True, late=late)
    return False


def _first(side: object, minutes: int) -> object:
    if isinstance(side, Counts):
        return Counts(side.events[:minutes], side.of[:minutes])
    return side[:minutes] if isinstance(side, list) else side


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, numbers to the right."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def write(page: str, figures: dict[str, str]) -> str:
    """The page with its figures; one that the page does not ask for is an error."""
    missing = set(figures) - {name for _, name, _ in _FIGURES.findall(page)}
    if missing:
        raise SystemExit(f"docs/analysis.md has no place for {', '.join(sorted(missing))}")
    return _FIGURES.sub(lambda found: found[1] + figures[found[2]] + found[3], page)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and write the page and its plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000, help="A/A pairs of each kind (default: %(default)s)")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where analysis.md is")
    asked = parser.parse_args(arguments)
    some, few = max(asked.pairs // 20, 1), max(asked.pairs // 50, 1)
    bakes: tuple[Kind, ...] = (
        Latency("latency, alike"),
        Latency("latency, AR(1) 0.6, alike", follows=0.6),
        Errors("errors, 0.6 and 5.4 a minute, alike"),
        Latency("latency, x 1.5", factor=1.5),
        Latency("latency, AR(1) 0.6, x 1.5", follows=0.6, factor=1.5),
        Latency("latency, AR(1) 0.6, x 2", follows=0.6, factor=2.0),
        Errors("errors, 0.6 and 5.4 a minute, x 3", factor=3.0),
    )
    with ProcessPoolExecutor(2) as pool:
        alike = [pool.submit(rates, kind, 1.0, asked.pairs) for kind in ALIKE]
        worse = [[pool.submit(rates, kind, factor, some) for factor in factors] for kind, factors in WORSE]
        baked = [pool.submit(bake_rates, kind, few) for kind in bakes]
        found = {
            "alike": _alike([each.result() for each in alike], asked.pairs),
            "worse": _worse([[each.result() for each in row] for row in worse], some, asked.docs),
            "bakes": _bakes([each.result() for each in baked], [kind.name for kind in bakes], few),
        }
    page = asked.docs / "analysis.md"
    page.write_text(write(page.read_text(), found))


def _alike(found: Sequence[tuple[float, ...]], pairs: int) -> str:
    head = [f"{pairs:,} pairs each, alike", "judge", "plain Mann-Whitney", f"mean > {LIMIT} x"]
    rows = [[kind.name, *(f"{value:.2f} %" for value in values)] for kind, values in zip(ALIKE, found, strict=True)]
    return table(head, rows)


def _worse(found: Sequence[Sequence[tuple[float, ...]]], pairs: int, docs: Path) -> str:
    head = [f"{pairs:,} pairs each, worse", "by", "judge", "plain Mann-Whitney", f"mean > {LIMIT} x"]
    rows = []
    for place, ((kind, factors), values) in enumerate(zip(WORSE, found, strict=True)):
        rows += [
            [kind.name, f"x {factor:g}", *(f"{value:.0f} %" for value in each)]
            for factor, each in zip(factors, values, strict=True)
        ]
        lines = {"judge": [each[0] for each in values], f"mean > {LIMIT} x": [each[2] for each in values]}
        ticks = [f"x {factor:g}" for factor in factors]
        drawn = draw(f"Found: {kind.name}", ticks, lines, f"per cent of {pairs} pairs, by how much worse")
        (docs / f"analysis-{place + 1}.svg").write_text(drawn)
    return table(head, rows)


def _bakes(found: Sequence[tuple[float, float]], names: Sequence[str], bakes: int) -> str:
    head = [f"{bakes:,} bakes each, looked at every minute", "as the gate looks", "2 % at each look"]
    rows = [[name, *(f"{value:.1f} %" for value in values)] for name, values in zip(names, found, strict=True)]
    return table(head, rows)


if __name__ == "__main__":
    main()
