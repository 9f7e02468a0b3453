"""Is the candidate worse than the baseline? Two series of one metric at the same time, judged by their ranks.

Pure: no clock, no I/O. Needs numpy and scipy, the extra `analysis`. Must never call the candidate worse because points
are missing, nor good because they are: too few points are a finding of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from phoenix.errors import PermanentError

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Floats = NDArray[float64]

Worse = Literal["higher", "lower"]
CONFIDENCE: Final = 0.98
LEAST_POINTS: Final = 10
"""Fewer on either side are too few: from ten on, one bake of noise does not look like a regression."""
MARGINAL: Final = 5.0
"""A chance below this many times the allowed one is marginal."""
_MOST_RHO: Final = 0.97
_DOUBT: Final = 2.0
_EVIDENT: Final = 1.5
"""Standard errors: how much is added to a correlation in time that is evident, and from when on it is."""
_HUGE: Final = 1e150
_MOST_PAIRS: Final = 4_000_000
_EXACT: Final = 50
"""R's limit: below it, and without ties, the interval is exact."""


class AnalysisMissing(PermanentError):
    """scipy is not installed here."""

    def __init__(self) -> None:
        super().__init__("metrics need scipy, which is not installed here; pip install 'phoenix-rotate[analysis]'")


class Finding(StrEnum):
    """What a comparison says of the candidate."""

    NOT_WORSE = "not proven worse"
    MARGINAL = "marginal"
    WORSE = "worse"
    TOO_FEW = "too few points"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a comparison is judged.

    `alpha` is the chance of a false alarm that is allowed. A candidate that is worse by the share `tolerate` of the
    baseline's middle, or by less, is not worse. With fewer than `least_points` on either side nothing is judged.
    """

    worse: Worse = "higher"
    alpha: float = 1 - CONFIDENCE
    tolerate: float = 0.0
    least_points: int = LEAST_POINTS


USUAL: Final = Rule()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate against the baseline.

    `u` counts the pairs in which the candidate is higher, ties half. `p` is Mann and Whitney's chance of that much or
    more in the direction that is worse, were both alike; `adjusted_p`, which decides, also allows for points that
    follow from one another and for unequal spreads. `shift` is Hodges and Lehmann's, candidate less baseline, between
    `low` and `high` with two-sided confidence; `ratio` is candidate to baseline, None where either has values of 0 or
    less. Numbers are NaN where there are no points. `inflation` is by how much following points widen the spread.
    """

    finding: Finding
    candidate_points: int
    baseline_points: int
    u: float
    p: float
    adjusted_p: float
    shift: float
    low: float
    high: float
    ratio: float | None
    inflation: float = 1.0


def load_analysis() -> None:
    """Import what the judge needs.

    Raises:
        AnalysisMissing: the extra is not installed.
    """
    try:
        import scipy.stats  # noqa: F401
    except ImportError as error:
        raise AnalysisMissing from error


def compare(candidate: Sequence[float | None], baseline: Sequence[float | None], rule: Rule = USUAL) -> Comparison:
    """Compare two series, each in the order of time; None and values that are not finite count as missing."""
    load_analysis()
    import numpy as np

    new, old = numbers_of(candidate), numbers_of(baseline)
    new, old = new[np.isfinite(new)], old[np.isfinite(old)]
    if not len(new) or not len(old):
        nan = float("nan")
        return Comparison(Finding.TOO_FEW, len(new), len(old), nan, 1.0, 1.0, nan, nan, nan, None)
    # Differences and means of the hugest numbers would overflow, and ranks do not mind a scale.
    scale = max(1.0, float(np.abs(new).max()) / _HUGE, float(np.abs(old).max()) / _HUGE)
    new, old = new / scale, old / scale
    sign, bar = (1.0, 1 + rule.tolerate) if rule.worse == "higher" else (-1.0, 1 - rule.tolerate)
    tolerated = new - (bar - 1) * np.abs(np.median(old))
    p = _mann_whitney(sign * tolerated, sign * old)
    robust, inflation = _placements(sign * tolerated, sign * old)
    shift, low, high = _shift(new, old, rule.alpha, inflation)
    adjusted = max(p, robust)
    few = min(len(new), len(old)) < rule.least_points
    return Comparison(
        Finding.TOO_FEW if few else finding_of(adjusted, p, rule.alpha),
        len(new),
        len(old),
        _u(new, old),
        p,
        adjusted,
        shift * scale,
        low * scale,
        high * scale,
        _ratio(new, old),
        inflation,
    )


def finding_of(adjusted: float, plain: float, alpha: float, whole: float | None = None) -> Finding:
    """What these chances mean where `alpha` is allowed. What only few independent points keep from being proven is
    marginal, too: more of them tell. `whole` is what a look with a smaller share than others calls marginal by."""
    if adjusted <= alpha:
        return Finding.WORSE
    measure = alpha if whole is None else whole
    return Finding.MARGINAL if adjusted <= min(MARGINAL * measure, 0.5) or plain <= measure else Finding.NOT_WORSE


def follow(residuals: Sequence[Floats]) -> float:
    """How much each point tells of the next one, in several series together: their correlation at lag 1, without
    Kendall's bias of short series, and with two standard errors on top where it is evident: short series show too
    little of it. From 0 to 0.97."""
    import numpy as np

    above = sum(float((r[1:] * r[:-1]).sum()) for r in residuals)
    below = sum(float((r * r).sum()) for r in residuals)
    points = sum(len(r) for r in residuals)
    mean = points / len(residuals)
    if below <= 1e-9 * points or mean < 5:
        return 0.0
    rho = (above / below + 1 / mean) / (1 - 3 / mean)
    error = (max(1 - rho**2, 0.05) / points) ** 0.5
    evidence = min(max(rho / (_EVIDENT * error), 0.0), 1.0)
    return float(np.clip(rho + _DOUBT * error * evidence, 0.0, _MOST_RHO))


def inflation_of(rho: float, points: int) -> float:
    """By how much the variance of the mean of `points` points is greater where each follows from the one before."""
    if rho <= 0 or points < 2:
        return 1.0
    tail = 2 * rho * (1 - rho**points) / (points * (1 - rho) ** 2)
    return max((1 + rho) / (1 - rho) - tail, 1.0)


def numbers_of(values: Sequence[float | None]) -> Floats:
    """The values as numbers: None is NaN, and what no float can hold is infinite."""
    import numpy as np

    found: Floats = np.asarray([_number(value) for value in values], dtype=np.float64)
    return found


def _number(value: float | None) -> float:
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:
        return float("inf")


def _mann_whitney(new: Floats, old: Floats) -> float:
    """One-sided, exact for up to eight points on a side without ties, as scipy chooses it; 1 where all are the same."""
    from scipy.stats import mannwhitneyu

    if new.min() == new.max() == old.min() == old.max():
        return 1.0
    return float(mannwhitneyu(new, old, alternative="greater", method="auto").pvalue)


def _u(new: Floats, old: Floats) -> float:
    import numpy as np

    ordered = np.sort(old)
    below, upto = np.searchsorted(ordered, new, "left"), np.searchsorted(ordered, new, "right")
    return float((below + upto).sum() / 2)


def _placements(new: Floats, old: Floats) -> tuple[float, float]:
    """Brunner and Munzel's test with fewer points where they follow from one another; and the inflation.

    A point's placement is the share of the other side below it. Its spread is estimated on each side by itself, so that
    unequal spreads do no harm, and its correlation in time gives the number of points that the series is worth.
    """
    from scipy.special import comb
    from scipy.stats import t

    here, there = _placed(new, old), _placed(old, new)
    effect = float(here.mean()) - 0.5
    rho = follow([_ranked(new), _ranked(old)])
    inflations = inflation_of(rho, len(new)), inflation_of(rho, len(old))
    parts = [_spread(side) * by / len(side) for side, by in zip((here, there), inflations, strict=True)]
    total = sum(parts)
    inflation = sum(inflations) / 2
    # Not even complete separation is less likely than this, for as many points as the series are worth.
    worth = [max(int(len(side) / by), 1) for side, by in zip((here, there), inflations, strict=True)]
    least = float(1 / comb(sum(worth), worth[0]))
    if total <= 0:
        return (least if effect > 0 else 1.0), inflation
    worths = [max(len(side) / by - 1, 1.0) for side, by in zip((here, there), inflations, strict=True)]
    freedom = total**2 / sum(part**2 / worth for part, worth in zip(parts, worths, strict=True))
    return max(float(t.sf(effect / total**0.5, freedom)), least), inflation


def _ranked(side: Floats) -> Floats:
    """Its own ranks about their middle: they keep their order in time even where both sides lie apart."""
    from scipy.stats import rankdata

    found: Floats = rankdata(side) - (len(side) + 1) / 2
    return found


def _placed(points: Floats, others: Floats) -> Floats:
    import numpy as np

    ordered = np.sort(others)
    found: Floats = (np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")) / (
        2.0 * len(others)
    )
    return found


def _spread(side: Floats) -> float:
    return float(side.var(ddof=1)) if len(side) > 1 else 0.25


def _shift(new: Floats, old: Floats, alpha: float, inflation: float) -> tuple[float, float, float]:
    """The median of all differences and two of their order statistics: no solver, hence no residue of one."""
    import numpy as np

    new, old = _thinned(new, len(old)), _thinned(old, len(new))
    differences = np.sort(np.subtract.outer(new, old).ravel())
    place = _place(len(new), len(old), alpha, inflation)
    return float(np.median(differences)), float(differences[place - 1]), float(differences[len(differences) - place])


def _thinned(values: Floats, others: int) -> Floats:
    """Fewer order statistics of a very long series: all differences have to fit into memory."""
    import numpy as np

    most = max(_MOST_PAIRS // max(min(others, 2000), 1), 1)
    if len(values) <= most:
        return values
    found: Floats = np.quantile(values, (np.arange(most) + 0.5) / most, method="inverted_cdf")
    return found


def _place(m: int, n: int, alpha: float, inflation: float) -> int:
    """Which difference, from either end, bounds the interval; R's own for few points."""
    import numpy as np
    from scipy.stats import norm

    if m < _EXACT and n < _EXACT and inflation == 1.0:
        return max(_quantile(m, n, alpha / 2), 1)
    spread = (m * n * (m + n + 1) / 12 * inflation) ** 0.5
    return int(np.clip(m * n / 2 + norm.ppf(alpha / 2) * spread, 1, max(m * n // 2, 1)))


@lru_cache(maxsize=256)
def _quantile(m: int, n: int, q: float) -> int:
    """The smallest U of which the chance, or that of less, is at least `q`: R's qwilcox."""
    import numpy as np

    ways = np.zeros(m * n + 1)
    ways[0] = 1.0
    for i in range(1, m + 1):
        for u in range(m * n, n + i - 1, -1):
            ways[u] -= ways[u - n - i]
        for u in range(i, m * n + 1):
            ways[u] += ways[u - i]
    return int(np.searchsorted(np.cumsum(ways) / ways.sum(), q - 1e-15))


def _ratio(new: Floats, old: Floats) -> float | None:
    import numpy as np

    if new.min() <= 0 or old.min() <= 0:
        return None
    logs = np.subtract.outer(np.log(_thinned(new, len(old))), np.log(_thinned(old, len(new))))
    return float(np.exp(min(float(np.median(logs)), 700.0)))
