"""What a benchmark says: figures, each with its unit and, where there is one, its target; and how they are shown.

Must never measure anything: a figure is a value, so that the same ones go to the table and into the JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `value` None: it could not be measured, and the note says why. Targets are upper limits."""

    topic: str
    name: str
    value: float | None
    unit: str = ""
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over target: 1 or less is good; None without either, or when the target is 0."""
        if self.value is None or not self.target:
            return None
        return self.value / self.target

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is nothing to compare."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "topic": self.topic,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "ratio": self.ratio,
            "met": self.met,
            "note": self.note,
        }


def interleaved(runs: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each contender measures, taking turns A B A B: a machine that gets slower meanwhile slows all alike."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def middle(numbers: Sequence[float]) -> float:
    """The median, rounded to what a clock of this kind can tell."""
    return round(median(numbers), 1)


def table(figures: Iterable[Figure]) -> Table:
    """All figures, by topic."""
    shown = Table(title="phoenix, measured", title_justify="left", title_style="bold")
    for heading, side in (("figure", "left"), ("measured", "right"), ("target", "right"), ("ratio", "right")):
        shown.add_column(heading, justify="right" if side == "right" else "left")
    shown.add_column("")
    shown.add_column("note", overflow="fold")
    topic = None
    for figure in figures:
        if figure.topic != topic:
            topic = figure.topic
            shown.add_section()
            shown.add_row(Text(topic, style="bold"))
        shown.add_row(*_cells(figure))
    return shown


def _cells(figure: Figure) -> tuple[str | Text, ...]:
    target = "" if figure.target is None else f"≤ {number(figure.target, figure.unit)}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = {None: Text(""), True: Text("met", style="green"), False: Text("missed", style="red")}[figure.met]
    value = "not measured" if figure.value is None else number(figure.value, figure.unit)
    return f"  {figure.name}", value, target, ratio, verdict, figure.note


def number(value: float, unit: str) -> str:
    """`12`, `1.04`, `151 ms`."""
    text = f"{value:.0f}" if value == int(value) else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{text} {unit}".rstrip()
