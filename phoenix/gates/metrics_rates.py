"""Is the candidate's rate of errors higher? Two series of counts, each with what they are a share of.

Pure. Ranks say little of errors that are rare: most minutes are 0 on the side with few requests, whatever it does. So
counts are compared as counts: given all errors of both sides, how many fall to the candidate if both err alike.
Must never take bursts for many errors: what comes together counts once, about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
)

if TYPE_CHECKING:
    from phoenix.gates.metrics_judge import Floats


DENSE: Final = 5.0
"""Events a minute, on both sides, from which on ranks can be trusted as well, and have to agree."""


@dataclass(frozen=True, slots=True)
class Counts:
    """By minute, in the order of time: how many, and of how many. A minute without any of the latter says nothing."""

    events: Sequence[float]
    of: Sequence[float]


def compare_rates(candidate: Counts, baseline: Counts, rule: Rule = USUAL) -> Comparison:
    """Compare two rates by the exact test of two Poisson rates (Przyborowski and Wilenski), on as many events as the
    counts are worth: they are divided by their dispersion, and by what minutes follow from one another. `shift` and its
    interval are differences of the rates over the whole time; `u` and `p` are those of the rates by minute."""
    load_analysis()
    new, old = _known(candidate), _known(baseline)
    rates = compare(_by_minute(new), _by_minute(old), replace(rule, least_points=1))
    few = min(len(new[0]), len(old[0])) < rule.least_points
    if not len(new[0]) or not len(old[0]):
        return rates
    events, of = (float(new[0].sum()), float(old[0].sum())), (float(new[1].sum()), float(old[1].sum()))
    dispersion = _dispersion(new, old)
    worth = (events[0] / dispersion, events[1] / dispersion)
    adjusted = _chance(worth, of, rule)
    if min(events[0] / len(new[0]), events[1] / len(old[0])) >= DENSE:
        adjusted = max(adjusted, rates.adjusted_p)
    shift = events[0] / of[0] - events[1] / of[1]
    reach = _reach(events, of, rule.alpha, dispersion)
    return Comparison(
        Finding.TOO_FEW if few else finding_of(adjusted, rule.alpha),
        len(new[0]),
        len(old[0]),
        rates.u,
        rates.p,
        adjusted,
        shift,
        shift - reach,
        shift + reach,
        (events[0] / of[0]) / (events[1] / of[1]) if events[1] else None,
        dispersion,
    )


def _known(counts: Counts) -> tuple[Floats, Floats]:
    import numpy as np

    events = np.asarray([float(value) for value in counts.events], dtype=np.float64)
    of = np.asarray([float(value) for value in counts.of], dtype=np.float64)
    known = np.isfinite(events) & np.isfinite(of) & (of > 0) & (events >= 0)
    return events[known], of[known]


def _by_minute(side: tuple[Floats, Floats]) -> Sequence[float]:
    return [float(value) for value in side[0] / side[1]]


def _dispersion(*sides: tuple[Floats, Floats]) -> float:
    """By how much the counts vary more than Poisson's would (Pearson's chi-squared by its freedom), and follow from one
    another; never less than 1."""
    residuals = []
    for events, of in sides:
        expected = of * (events.sum() / of.sum())
        residuals.append((events - expected) / expected**0.5 if events.sum() else events)
    freedom = sum(len(each) - 1 for each in residuals)
    if freedom <= 0:
        return 1.0
    raw = max(float(sum((each * each).sum() for each in residuals)) / freedom, 1.0)
    points = sum(len(each) for each in residuals) // len(residuals)
    return raw * inflation_of(follow(residuals), points)


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

    spread = sum((count + 0.5) * dispersion / total**2 for count, total in zip(events, of, strict=True)) ** 0.5
    return float(norm.isf(alpha / 2) * spread)
