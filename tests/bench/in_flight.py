"""Two hundred rotations in one account: how many calls a second that is, and what AWS would have refused.

Virtual time, real functions (see `account`). Two moments are measured, because they are different storms:

    the wave      an image is registered, and all groups are due at once
    the plateau   all of them are in flight: each rests in a bake, watched by its gates

Between the two there is an interval without limits and without figures, in which the rest of the wave gets in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tests.bench.account import DOCUMENTED, Account, account
from tests.bench.figures import Figure

TOPIC: Final = "7. {groups} rotations in one account: {moment}, {minutes} minutes"
GROUPS: Final = 200
MINUTES: Final = 5
ALL_MINUTES: Final = 30
HURRY: Final = 1000.0
"""Calls a second while nothing is measured."""
FAMILIES: Final = ("elbv2 reads", "elbv2 writes", "autoscaling reads", "autoscaling writes", "ec2 reads", "ec2 writes")
POLICY: Final[dict[str, Any]] = {
    "strategy": {"kind": "blue_green", "bake": "2h"},
    "gates": [{"kind": "target_health", "healthy_for": "30s"}],
    "timeouts": {"rotation": "4h"},
}


@dataclass(frozen=True, slots=True)
class Span:
    """A measured interval of virtual time."""

    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.ended - self.began).total_seconds()

    def of(self, times: Sequence[datetime]) -> list[datetime]:
        """Those within."""
        return [at for at in times if self.began <= at < self.ended]

    def rates(self, times: Sequence[datetime], window: int) -> list[float]:
        """Calls a second in each window of `window` seconds, the empty ones included."""
        found = Counter(int((at - self.began).total_seconds()) // window for at in self.of(times))
        return [found[number] / window for number in range(max(int(self.seconds) // window, 1))]


def measure(groups: int = GROUPS, minutes: int = MINUTES) -> Iterator[Figure]:
    """Topic 7."""
    with account(groups, POLICY) as place:
        wave = _passing(place, minutes)
        yield from _figures(place, wave, TOPIC.format(groups=groups, moment="all due at once", minutes=minutes))
        _bring_in_flight(place)
        plateau = _passing(place, minutes)
        yield from _figures(place, plateau, TOPIC.format(groups=groups, moment="all in flight", minutes=minutes))


def _passing(place: Account, minutes: int) -> Span:
    began = place.turns.now()
    place.run(minutes)
    return Span(began, place.turns.now())


def _bring_in_flight(place: Account) -> None:
    """The others, too, and wait until nothing moves any more."""
    kept = place.settings
    place.aws.is_generous = True
    place.configure(calls_per_second=HURRY, poll_seconds=60.0)
    place.run(6)
    place.configure(calls_per_second=kept.calls_per_second, poll_seconds=kept.poll_seconds)
    place.run(2)
    place.aws.is_generous = False


def _figures(place: Account, span: Span, topic: str) -> Iterator[Figure]:
    flying = sum(rotation.in_flight for rotation in place.rotations())
    yield Figure(topic, "in flight at the end", flying)
    for name in FAMILIES:
        times = place.notes.calls[name]
        rates = span.rates(times, 1)
        ten = max(span.rates(times, 10))
        size, refill = DOCUMENTED.get(name, (None, None))
        said = f"most in 1 s {max(rates):.0f}, p99 {percentile(rates):.0f}, in 10 s {ten:.1f} a second"
        known = f"bucket {size}, refilled with {refill} a second" if size is not None else "AWS publishes no rate"
        mean = round(len(span.of(times)) / span.seconds, 2)
        yield Figure(topic, f"{name} a second, mean", mean, target=refill, note=f"{said}; {known}")
    refused = {name: len(span.of(times)) for name, times in place.notes.refused.items()}
    asked = sum(len(span.of(place.notes.calls[name])) for name in DOCUMENTED)
    share = 100 * sum(refused.values()) / max(asked, 1)
    note = ", ".join(f"{count} {name}" for name, count in sorted(refused.items()) if count) or "none at all"
    yield Figure(topic, "calls that were throttled", round(share, 2), "%", 1.0, note)


def percentile(rates: Sequence[float], part: float = 0.99) -> float:
    """The rate that this part of all windows stays at or under."""
    ordered = sorted(rates)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
