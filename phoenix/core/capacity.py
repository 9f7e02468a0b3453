"""Per cent of the need, in instances. Pure. Everything rounds up: a fraction of an instance serves no request."""

from __future__ import annotations

from dataclasses import dataclass

from phoenix.core.terms import Step


def share(need: int, percent: int) -> int:
    """`percent` of the need, rounded up."""
    return -(-need * percent // 100)


def to_carry(need: int, percent: int, weight: int, floor_percent: int) -> int:
    """The instances that a generation needs for `percent` of the need when it has `weight` per cent of the traffic.

    Rounding must not leave fewer than its share of the floor: of two instances, 50 % is one, yet one cannot carry 67 %.
    """
    floor = share(need, floor_percent)
    return max(share(need, percent), share(floor, weight))


def enough(target: int, max_unhealthy_percent: int) -> int:
    """The part of `target` that must be ready, given the budget for sick ones; at least one unless the target is 0."""
    return max(target - target * max_unhealthy_percent // 100, min(target, 1))


@dataclass(frozen=True, slots=True)
class Extremes:
    """The fewest instances that serve and the most that exist, over all steps."""

    worst: int
    peak: int


def extremes(need: int, steps: tuple[Step, ...]) -> Extremes:
    """Walk the steps in the engine's order: grow, shift, shrink. `worst` counts generations that carry weight."""
    worst, peak = need, need
    old = share(need, 100)
    for step in steps:
        new = share(need, step.new_capacity)
        peak = max(peak, new + old)
        old = share(need, step.old_capacity)
        serving = (new if step.new_weight else 0) + (old if step.new_weight < 100 else 0)
        worst = min(worst, serving)
    return Extremes(worst=worst, peak=peak)
