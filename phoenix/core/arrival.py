"""Does the share of the requests that arrive fit the weight? Pure, in plain Python.

A load balancer draws a target group for each request, by weight. Requests of one page come together, so `BURST` of them
count as one draw, and more where the minutes differ by more. Must never call a shift not followed by chance: a
finding has a chance of `CHANCE` at most (Chernoff's bound, which is never too small).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

CHANCE: Final = 1e-6
"""That a tolerated share shows as another one; a rotation has some hundred looks at the very most, and
is held only where two of them say the same."""
BURST: Final = 5.0
"""Requests that count as one draw, at the least."""
TOLERATED: Final = 0.3
"""By which part of the smaller one of both weights the share may differ."""
ROUNDING: Final = 0.005
"""The difference, as a share, that is tolerated: weights are whole numbers, and a weight of 1 % is a small one."""
STRAY: Final = 0.01
"""The share that may arrive at a weight of nothing: requests that were on their way for long."""
TOLD_APART: Final = 0.1
"""At a weight of nothing there were enough requests once this share of them would have been found."""
_LEAST_MINUTES: Final = 3
"""Before the spread between minutes is known."""


class Finding(StrEnum):
    """What the numbers say of a shift."""

    FOLLOWED = "followed"
    TOO_LITTLE = "too little arrives"
    TOO_MUCH = "too much arrives"
    UNTOLD = "not to be told yet"

    @property
    def is_off(self) -> bool:
        """True where the data plane was found not to follow."""
        return self in (Finding.TOO_LITTLE, Finding.TOO_MUCH)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The requests of one minute, by generation."""

    new: float
    old: float

    @property
    def total(self) -> float:
        """Of both."""
        return self.new + self.old


def minutes_of(new: Mapping[datetime, float], old: Mapping[datetime, float]) -> tuple[Arrived, ...]:
    """The minutes of which either has a count; a load balancer reports no zeros."""
    return tuple(Arrived(new.get(minute, 0.0), old.get(minute, 0.0)) for minute in sorted({*new, *old}))


def judge(minutes: Sequence[Arrived], percent: int, *, more_may_ask: bool = False) -> Finding:
    """Compare what has arrived at the new generation with its weight in per cent.

    `more_may_ask`: rules send it requests besides its weight, so that more than that is no finding. A finding has
    to hold for the newest minute, too: a data plane that was slow has followed all the same.
    """
    total = sum(each.total for each in minutes)
    if not total:
        return Finding.UNTOLD
    share, newest = sum(each.new for each in minutes) / total, minutes[-1]
    draws = total / max(BURST, _spread(minutes, share))
    low, high = tolerated(percent)
    now = newest.new / newest.total if newest.total else share
    if share < low and now < low and _is_beyond(share, low, draws):
        return Finding.TOO_LITTLE
    if share > high and now > high and not more_may_ask and _is_beyond(share, high, draws):
        return Finding.TOO_MUCH
    return Finding.FOLLOWED if _has_followed(share, percent, draws) else Finding.UNTOLD


def tolerated(percent: int) -> tuple[float, float]:
    """The shares between which what arrives fits the weight."""
    weight = percent / 100
    smaller = min(weight, 1 - weight)
    width = max(TOLERATED * smaller, ROUNDING) if smaller else STRAY
    return weight - width, weight + width


def _has_followed(share: float, percent: int, draws: float) -> bool:
    """True when half of the smaller weight, and twice as much, can be ruled out."""
    low, high = tolerated(percent)
    if not low <= share <= high:
        return False
    weight = percent / 100
    if percent in (0, 100):
        return draws * _divergence(TOLD_APART, STRAY) >= -math.log(CHANCE)
    smaller, part = min(weight, 1 - weight), share if percent <= 50 else 1 - share
    twice = min(2 * smaller, (1 + smaller) / 2)
    return _is_beyond(part, smaller / 2, draws) and _is_beyond(part, twice, draws)


def _is_beyond(share: float, limit: float, draws: float) -> bool:
    """True where draws with a chance of `limit` would show that share, or one further off, by less than `CHANCE`."""
    return draws * _divergence(share, limit) >= -math.log(CHANCE)


def _divergence(share: float, of: float) -> float:
    """Kullback and Leibler's, of two coins."""
    return _term(share, of) + _term(1 - share, 1 - of)


def _term(share: float, of: float) -> float:
    if share <= 0:
        return 0.0
    return share * math.log(share / of) if of > 0 else math.inf


def _spread(minutes: Sequence[Arrived], share: float) -> float:
    """By how much the minutes differ more than draws one by one would: Pearson's statistic by degrees of freedom."""
    counted = [each for each in minutes if each.total]
    if len(counted) < _LEAST_MINUTES or not 0 < share < 1:
        return 1.0
    squares = ((each.new - each.total * share) ** 2 / (each.total * share * (1 - share)) for each in counted)
    return sum(squares) / (len(counted) - 1)
