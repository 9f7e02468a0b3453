"""Pairs of series for the simulation: what two generations of one quality, or a worse one, look like by minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from phoenix.gates.metrics_judge import Comparison, compare
from phoenix.gates.metrics_rates import Counts, compare_rates

Dice = Any
"""A numpy Generator; numpy's own types are not needed here."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal times around 100 ms. `follows` is the correlation of a minute with the next; the candidate's are
    `factor` times as long, and spread `wider` times as much."""

    name: str
    minutes: int = 15
    baseline: int | None = None
    follows: float = 0.0
    factor: float = 1.0
    wider: float = 1.0
    sigma: float = 0.2

    def draw(self, dice: Dice) -> tuple[list[float], list[float]]:
        new = walk(dice, self.minutes, self.follows) * self.sigma * self.wider
        old = walk(dice, self.baseline or self.minutes, self.follows) * self.sigma
        return list(0.1 * self.factor * np.exp(new)), list(0.1 * np.exp(old))

    def judge(self, drawn: Any) -> Comparison:
        return compare(*drawn)

    def exceeds(self, drawn: Any, limit: float) -> bool:
        return bool(np.mean(drawn[0]) > limit * np.mean(drawn[1]))

    def worse(self, factor: float) -> Latency:
        return replace(self, factor=factor)


@dataclass(frozen=True, slots=True)
class Errors:
    """Poisson errors of a share of the requests, `weight` per cent of which the candidate gets. `bursts` is the spread
    of the rate itself between minutes, which follow from one another by `follows`."""

    name: str
    rate: float = 0.001
    requests: float = 6000
    weight: float = 10
    minutes: int = 15
    bursts: float = 0.0
    follows: float = 0.0
    factor: float = 1.0

    def draw(self, dice: Dice) -> tuple[Counts, Counts]:
        share = self.weight / 100
        return self._side(dice, share, self.factor), self._side(dice, 1 - share, 1.0)

    def _side(self, dice: Dice, share: float, factor: float) -> Counts:
        of = dice.poisson(self.requests * share, self.minutes)
        drift = walk(dice, self.minutes, self.follows) * self.bursts - self.bursts**2 / 2
        return Counts(list(dice.poisson(of * self.rate * factor * np.exp(drift))), list(of))

    def judge(self, drawn: Any) -> Comparison:
        return compare_rates(*drawn)

    def exceeds(self, drawn: Any, limit: float) -> bool:
        new, old = (float(np.sum(side.events)) / max(float(np.sum(side.of)), 1.0) for side in drawn)
        return new > limit * old

    def worse(self, factor: float) -> Errors:
        return replace(self, factor=factor)


Kind = Latency | Errors
Draw = Callable[[Dice], Any]

ALIKE: tuple[Kind, ...] = (
    Latency("latency, 15 and 15 minutes"),
    Latency("latency, 10 and 10 minutes", minutes=10),
    Latency("latency, 10 and 40 minutes, candidate 3 x as spread", minutes=10, baseline=40, wider=3),
    Latency("latency, each minute follows, AR(1) 0.3", follows=0.3),
    Latency("latency, AR(1) 0.6", follows=0.6),
    Latency("latency, AR(1) 0.8, 30 minutes", minutes=30, follows=0.8),
    Latency("latency, AR(1) 0.9, 60 minutes", minutes=60, follows=0.9),
    Errors("errors, sparse: 0.05 and 0.95 a minute", requests=1000, weight=5),
    Errors("errors, 0.6 and 5.4 a minute"),
    Errors("errors, dense: 30 and 30 a minute", rate=0.01, weight=50),
    Errors("errors, dense, bursts that follow, AR(1) 0.6", rate=0.01, weight=50, bursts=0.5, follows=0.6),
)
WORSE: tuple[tuple[Kind, tuple[float, ...]], ...] = (
    (ALIKE[0], (1.1, 1.2, 1.3, 1.5, 2.0)),
    (ALIKE[4], (1.1, 1.2, 1.3, 1.5, 2.0)),
    (Latency("latency, AR(1) 0.6, 45 minutes", minutes=45, follows=0.6), (1.1, 1.2, 1.3, 1.5, 2.0)),
    (ALIKE[8], (2.0, 3.0, 5.0, 10.0, 20.0)),
    (ALIKE[7], (2.0, 3.0, 5.0, 10.0, 20.0)),
    (ALIKE[9], (1.1, 1.2, 1.3, 1.5, 2.0)),
)


def walk(dice: Dice, minutes: int, follows: float) -> Any:
    """A standard normal series in which each value follows from the one before: AR(1)."""
    found = dice.standard_normal(minutes)
    if follows:
        fresh = (1 - follows**2) ** 0.5
        for minute in range(1, minutes):
            found[minute] = follows * found[minute - 1] + fresh * found[minute]
    return found
