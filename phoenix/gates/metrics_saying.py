"""Comparisons as sentences: effect, interval and sample sizes of each metric. Pure.

Must never sound surer than the numbers are.
"""

from __future__ import annotations

import math

from phoenix.gates.metrics_judge import Comparison, Finding
from phoenix.gates.metrics_source import Metric


def sentence(metric: Metric, found: Comparison, finding: Finding, confidence: int) -> str:
    """One metric: how it stands, by how much, how sure, and of how many minutes."""
    points = f"{found.candidate_points} and {found.baseline_points} minutes"
    if not found.candidate_points or not found.baseline_points:
        return f"{metric.name} {finding}: {points}"
    size = _times(found.ratio) if found.ratio is not None else ""
    if metric.per is not None:
        shift, low, high = (100 * value for value in (found.shift, found.low, found.high))
        effect = f"{_signed(shift)} points ({confidence} %: {_signed(low)} to {_signed(high)})"
    else:
        effect = f"{_signed(found.shift)} ({confidence} %: {_signed(found.low)} to {_signed(found.high)})"
    aside = "" if metric.critical else ", not critical"
    return f"{metric.name} {finding}: {size}{effect}, p {_chance(found.adjusted_p)}, {points}{aside}"


def _times(ratio: float) -> str:
    return f"x{ratio:.3g}, "


def _signed(value: float) -> str:
    return f"{value:+.3g}" if math.isfinite(value) else "unknown"


def _chance(p: float) -> str:
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"
