"""Each load balancer's share of the clients of a name, by moto's weighted records, as it takes effect.

The API's echo is immediate. A change is PENDING until all of Route 53's servers have it, and a client follows when it
asks again: between the first that does and the last one, both the old and the new weights are in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.physics import Physics

if TYPE_CHECKING:
    from moto.elbv2.models import ELBv2Backend
    from moto.route53.models import Route53Backend

    from phoenix.sandbox.timeline import Timeline

ALIAS_TTL = 60
"""Seconds; an alias has that of its target, and a load balancer's is 60 ("Choosing between alias and non-alias")."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One weighted record: the load balancer (name) it answers with, its weight, and whether its health counts."""

    balancer: str
    weight: int
    judged: bool


@dataclass(frozen=True, slots=True)
class Name:
    """The records of one name and type: before, and from `since` on for the first clients; `until` for all."""

    before: tuple[Answer, ...]
    after: tuple[Answer, ...]
    since: datetime
    until: datetime

    def at(self, moment: datetime) -> list[tuple[Answer, ...]]:
        """The answers that clients go by then: two where some have asked again, and others have not."""
        if moment < self.since:
            return [self.before]
        return [self.before, self.after] if moment < self.until else [self.after]


class DnsRecords:
    """All weighted records of all hosted zones, and the changes that Route 53 has taken."""

    def __init__(self, timeline: Timeline, physics: Physics, route53: Callable[[], Route53Backend]) -> None:
        self.physics = physics
        self._timeline, self._route53 = timeline, route53
        self._names: dict[tuple[str, str, str], Name] = {}
        self._changes: dict[str, datetime] = {}
        self.elbv2: Callable[[], ELBv2Backend]
        self.is_healthy: Callable[[str], bool]
        self.on_change: list[Callable[[], None]] = []

    def note_change(self) -> str:
        """A change was made: read moto's records again; return the change's id."""
        now = self._timeline.now
        spread = now + timedelta(seconds=self.physics.dns_spread)
        read = self._read()
        self._names = {key: each for key, each in self._names.items() if key in read}
        for key, (answers, ttl) in read.items():
            known = self._names.get(key)
            if known is None:
                self._names[key] = Name(answers, answers, now, now)
            elif known.after != answers:
                # What some clients have not followed yet is the oldest that any of them goes by.
                before = known.at(now)[0]
                self._names[key] = Name(before, answers, spread, spread + timedelta(seconds=ttl))
                for seconds in (self.physics.dns_spread, self.physics.dns_spread + ttl):
                    self._timeline.after(seconds, self._changed)
        change = f"C{len(self._changes) + 1:013d}"
        self._changes[change] = spread
        return change

    def status_of(self, change: str) -> str | None:
        """`PENDING` or `INSYNC`; None for a change that was never made."""
        ends = self._changes.get(change)
        return None if ends is None else "PENDING" if self._timeline.now < ends else "INSYNC"

    def shares_of(self, balancer: str) -> list[float]:
        """The shares of the clients that reach this load balancer (ARN): one for each name, type and state of clients.
        All of them reach one that no weighted record answers with."""
        found: Any = self.elbv2().load_balancers[balancer]
        name = str(found.dns_name).lower()
        moment = self._timeline.now
        named = [each for each in self._names.values() if any(a.balancer == name for a in (*each.before, *each.after))]
        if not named:
            return [1.0]
        groups = [group for each in named for group in each.at(moment)]
        return [self._share(name, group) for group in groups]

    def _share(self, name: str, answers: tuple[Answer, ...]) -> float:
        considered = self._considered(answers)
        total = sum(each.weight for each in considered)
        if not total:
            return sum(each.balancer == name for each in considered) / len(considered) if considered else 0.0
        return sum(each.weight for each in considered if each.balancer == name) / total

    def _considered(self, answers: tuple[Answer, ...]) -> list[Answer]:
        """Nonzero weights first, then those of 0; where nothing is healthy, all count as healthy.

        "Route 53 initially considers only the nonzero weighted records", "If all the records that have a weight greater
        than 0 are unhealthy, then Route 53 considers the zero-weighted records": Weighted routing, in the guide.
        """
        weighted = [each for each in answers if each.weight]
        for group in (weighted, [each for each in answers if not each.weight]):
            well = [each for each in group if not each.judged or self._is_well(each.balancer)]
            if well:
                return well
        return weighted or list(answers)

    def _is_well(self, name: str) -> bool:
        balancers: Any = self.elbv2().load_balancers
        arn = next((arn for arn, each in balancers.items() if each.dns_name.lower() == name), None)
        return arn is not None and self.is_healthy(arn)

    def _read(self) -> Mapping[tuple[str, str, str], tuple[tuple[Answer, ...], int]]:
        found: dict[tuple[str, str, str], list[Any]] = {}
        for zone, record in self._records():
            if record.weight is not None:
                found.setdefault((zone, record.name, record.type), []).append(record)
        return {
            key: (tuple(map(_answer, records)), max(int(r.ttl or ALIAS_TTL) for r in records))
            for key, records in found.items()
        }

    def _records(self) -> Iterator[tuple[str, Any]]:
        zones: Any = self._route53().zones
        for zone in zones.values():
            yield from ((zone.resource_id, record) for record in zone.rrsets)

    def _changed(self) -> None:
        for listener in self.on_change:
            listener()


def _answer(record: Any) -> Answer:
    alias = record.alias_target or {}
    target = alias.get("DNSName") or (record.records or [""])[0]
    name = str(target).lower().removesuffix(".").removeprefix("dualstack.")
    judged = str(alias.get("EvaluateTargetHealth", False)).lower() == "true"
    return Answer(name, int(record.weight), judged)
