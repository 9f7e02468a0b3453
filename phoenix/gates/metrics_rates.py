"""Is the candidate's rate of errors higher? Two series of counts, each with what they are a share of.

Pure. Ranks say little of errors that are rare: most minutes are 0 on the side with few requests, whatever it does. So
counts are compared as counts: given all errors of both sides, how many fall to the candidate if both err alike.
Must never take bursts for many errors: what comes together counts once, about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import TYPE_CHECKING, Final

from phoenix.gates.metrics_judge import (
    USUAL,
    Comparison,
    Finding,
    Rule,
    compare,
    finding_of,
    follow,
    inflation_of,
    load_analysis,
    numbers_of,
)

if TYPE_CHECKING:
    from phoenix.gates.metrics_judge import Floats


_EVIDENT: Final = 1.5
"""Standard errors from which on a dispersion is evident."""


@dataclass(frozen=True, slots=True)
class Counts:
    """By minute, in the order of time: how many, and of how many. A minute without any of the latter says nothing."""

    events: Sequence[float | None]
    of: Sequence[float | None]


def compare_rates(candidate: Counts, baseline: Counts, rule: Rule = USUAL) -> Comparison:
    """Compare two rates by the exact test of two Poisson rates (Przyborowski and Wilenski), on as many events as the
    counts are worth: they are divided by their dispersion, and by what minutes follow from one another. `shift` and its
    interval are differences of the rates over the whole time; `u` and `p` are those of the rates by minute.

    Raises:
        ValueError: a side has not as many counts as it has what they are a share of.
    """
    load_analysis()
    new, old = _known(candidate), _known(baseline)
    rates = compare(_by_minute(new), _by_minute(old), replace(rule, least_points=1))
    few = min(len(new[0]), len(old[0])) < rule.least_points
    if not len(new[0]) or not len(old[0]):
        return rates
    events, of = (float(new[0].sum()), float(old[0].sum())), (float(new[1].sum()), float(old[1].sum()))
    bursts = _bursts(new, old)
    worth = (events[0] / bursts.dispersion, events[1] / bursts.dispersion)
    adjusted = _doubted(_chance(worth, of, rule), bursts)
    shift = events[0] / of[0] - events[1] / of[1]
    reach = _reach(events, of, rule.alpha, bursts.dispersion)
    return Comparison(
        Finding.TOO_FEW if few else finding_of(adjusted, rates.p, rule.alpha),
        len(new[0]),
        len(old[0]),
        rates.u,
        rates.p,
        adjusted,
        shift,
        shift - reach,
        shift + reach,
        (events[0] / of[0]) / (events[1] / of[1]) if events[1] else None,
        bursts.dispersion,
    )


def _known(counts: Counts) -> tuple[Floats, Floats]:
    import numpy as np

    events, of = numbers_of(counts.events), numbers_of(counts.of)
    if len(events) != len(of):
        raise ValueError(f"{len(events)} counts of {len(of)} minutes: each count needs what it is a share of")
    known = np.isfinite(events) & np.isfinite(of) & (of > 0) & (events >= 0)
    return events[known], of[known]


def _by_minute(side: tuple[Floats, Floats]) -> Sequence[float]:
    return [float(value) for value in side[0] / side[1]]


@dataclass(frozen=True, slots=True)
class _Bursts:
    """How counts come together: each is worth `1 / dispersion`, estimated from `freedom` free points. `evidence`
    is how sure it is that they do, from 0 to 1."""

    dispersion: float
    freedom: float
    evidence: float


def _bursts(*sides: tuple[Floats, Floats]) -> _Bursts:
    """By how much the counts vary more than Poisson's would (Pearson's chi-squared by its freedom), and follow from one
    another; never less than 1."""
    residuals = []
    for events, of in sides:
        expected = of * (events.sum() / of.sum())
        residuals.append((events - expected) / expected**0.5 if events.sum() else events)
    freedom = sum(len(each) - 1 for each in residuals)
    if freedom <= 0:
        return _Bursts(1.0, 1.0, 0.0)
    raw = max(float(sum((each * each).sum() for each in residuals)) / freedom, 1.0)
    error = (2 / freedom) ** 0.5
    evidence = min((raw - 1) / (_EVIDENT * error), 1.0)
    inflation = inflation_of(follow(residuals), sum(len(each) for each in residuals) // len(residuals))
    return _Bursts(raw * (1 + evidence * error) * inflation, max(freedom / inflation, 1.0), evidence)


def _doubted(p: float, bursts: _Bursts) -> float:
    """That chance where the spread is an estimate: its tails are longer, as Student's are."""
    from scipy.stats import norm, t

    longer = float(t.sf(norm.isf(min(max(p, 1e-300), 1.0)), bursts.freedom))
    return max(p, p + bursts.evidence * (longer - p))


def _chance(events: tuple[float, float], of: tuple[float, float], rule: Rule) -> float:
    """P(that many or more fall to the side that would be worse, of all of them)."""
    from scipy.special import betainc

    (mine, others), share = events, of[0] * (1 + rule.tolerate) / (of[0] * (1 + rule.tolerate) + of[1])
    if rule.worse == "lower":
        # Too few on the candidate's side are too many on the baseline's.
        mine, others = others, mine
        share = of[1] / (of[0] * max(1 - rule.tolerate, 1e-9) + of[1])
    return float(betainc(mine, others + 1, share)) if mine > 0 else 1.0


def _reach(events: tuple[float, float], of: tuple[float, float], alpha: float, dispersion: float) -> float:
    from scipy.stats import norm

    spreads = (((count + 0.5) * dispersion) ** 0.5 / total for count, total in zip(events, of, strict=True))
    return float(norm.isf(alpha / 2) * hypot(*spreads))
