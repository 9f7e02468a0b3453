"""What a thousand groups cost a month: measured invocations, reads and writes, times what AWS asks for each.

The rotations are canaries with the steps of `policies/web.yaml` and one gate, in virtual time (see `account`), from the
sweep that finds them due until the generation before has gone cold. The sweeps are those that topic 6 measures.
Prices are us-east-1's; nothing is taken off for free tiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tests.bench.account import CALL_TAKES_S, Account, account
from tests.bench.arena import ROOT
from tests.bench.figures import Figure
from tests.bench.idle import Idle
from tests.bench.sweeps import Swept, swept

TOPIC: Final = "9. Cost of {groups} groups and month, {rotations} rotations each"
GROUPS, ROTATIONS = 1000, 4
MINUTES_A_MONTH: Final = 30 * 24 * 60
QUARTERS_A_MONTH: Final = MINUTES_A_MONTH // 15
SAMPLES: Final = 3
LASTS: Final = 120
"""Minutes in which a canary, its hour of being hot and its end fit."""
MODULE: Final = ROOT / "infra" / "terraform" / "controller" / "main.tf"
MEBIBYTES: Final = int(re.findall(r"memory_size\s*=\s*(\d+)", MODULE.read_text())[0])
"""What the module gives each function, and with it a share of a processor."""
LITTLE: Final = 256
"""What would be enough for `advance` alone."""
A_PROCESSOR: Final = 1769
"""MiB that come with a whole one."""
COLD_CPU_S: Final = 0.6
"""Initialisation, billed like the rest; topic 8 measures it. A call after a pause is taken for a cold one."""
SIDE_BY_SIDE: Final = 8
WAYS: Final = {"phoenix": MEBIBYTES, f"phoenix with {LITTLE} MB": LITTLE}
TRANSITIONS_A_LOOK: Final = 3
"""Step Functions: wait, look, choose."""
POLICY: Final[dict[str, Any]] = {
    "strategy": {
        "kind": "canary",
        "steps": [{"weight": 5, "bake": "10m"}, {"weight": 50, "bake": "10m"}],
        "bake": "10m",
    },
    "gates": [{"kind": "target_health", "healthy_for": "30s"}],
    "retain": {"hot_for": "1h"},
}


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars, us-east-1, x86."""

    invocation: float = 0.20 / 1e6
    gb_second: float = 0.0000166667
    read_unit: float = 0.125 / 1e6
    write_unit: float = 0.625 / 1e6
    scheduled: float = 1.00 / 1e6
    transition: float = 0.025 / 1e3


@dataclass(frozen=True, slots=True)
class PerRotation:
    """What one rotation takes, its hour of being hot included. `stays_s` is what its invocations last together, less
    their initialisation, `busy_s` what they spend on calls; `looks` are ticks, `lasts_s` is start to success."""

    invocations: float
    stays_s: float
    busy_s: float
    reads: float
    writes: float
    looks: float
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Sweeping:
    """The cost of a month of sweeps, whichever groups rotate."""

    invocations: int
    billed_s: float
    reads: float
    writes: float


def measure(samples: int = SAMPLES, idle: Idle | None = None) -> Iterator[Figure]:
    """Topic 9."""
    idle = idle or Idle(GROUPS)
    with account(samples, POLICY) as place:
        place.run(LASTS)
        one = per_rotation(place)
    found = sweeping(swept(idle), idle.groups)
    topic = TOPIC.format(groups=idle.groups, rotations=ROTATIONS)
    yield from _measured(topic, one, found)
    for name, dollars, note in bill(one, found, idle.groups * ROTATIONS):
        yield Figure(topic, name, round(dollars, 2), "$", note=note)


def per_rotation(place: Account) -> PerRotation:
    """The mean of the rotations there."""
    notes, ended = place.notes, place.rotations()
    times = [rotation.ended_at - rotation.started_at for rotation in ended if rotation.ended_at is not None]
    count = len(place.names)
    assert len(times) == count, "some have not ended"
    return PerRotation(
        invocations=notes.advances / count,
        stays_s=notes.seconds / count,
        busy_s=notes.busy_seconds / count,
        reads=notes.meter.read / count,
        writes=notes.meter.written / count,
        looks=notes.meter.claims / count,
        lasts_s=sum(times, timedelta()).total_seconds() / count,
    )


def sweeping(found: Swept, groups: int) -> Sweeping:
    """A month of sweeps with no group due: the calls of a rotation are counted with it."""
    idle_s = _lasting(found.warm.cpu_s) + sum(found.asked.values()) / SIDE_BY_SIDE * CALL_TAKES_S
    minute_s = _lasting(found.minute.cpu_s) + found.asked_in_a_minute * CALL_TAKES_S
    others = MINUTES_A_MONTH - QUARTERS_A_MONTH
    # A record has 5 KB, which is two units; a lease read once and written twice, for the index, too.
    return Sweeping(
        invocations=MINUTES_A_MONTH,
        billed_s=QUARTERS_A_MONTH * idle_s + others * minute_s,
        reads=QUARTERS_A_MONTH * (2 * groups + 1) + MINUTES_A_MONTH * 0.5,
        writes=QUARTERS_A_MONTH * 4,
    )


def bill(
    one: PerRotation, swept: Sweeping, rotations: int, prices: Prices | None = None
) -> Iterator[tuple[str, float, str]]:
    """Name, dollars a month, and how they come about."""
    prices = prices or Prices()
    lines = dict(_lines(one, swept, rotations, prices))
    yield from ((name, dollars, note) for name, (dollars, note) in lines.items())
    noticing = sum(dollars for name, (dollars, _) in lines.items() if name.startswith("noticing"))
    for way in (*WAYS, "busy waiting", "Step Functions"):
        driving = sum(dollars for name, (dollars, _) in lines.items() if name.startswith(f"{way}:"))
        yield f"{way}, in all", noticing + driving, "with noticing, which all of them need"


def _lasting(cpu_s: float, mebibytes: int = MEBIBYTES) -> float:
    """How long a function with so much memory takes for this much work."""
    return cpu_s * max(A_PROCESSOR / mebibytes, 1.0)


def _lines(
    one: PerRotation, swept: Sweeping, rotations: int, prices: Prices
) -> Iterator[tuple[str, tuple[float, str]]]:
    def function(
        invocations: float, seconds: float, cold: float = 0.0, mebibytes: int = MEBIBYTES
    ) -> tuple[float, str]:
        seconds += cold * _lasting(COLD_CPU_S, mebibytes)
        dollars = invocations * prices.invocation + seconds * mebibytes / 1024 * prices.gb_second
        return dollars, f"{invocations:,.0f} invocations, {seconds:,.0f} s of {mebibytes} MB"

    def table(reads: float, writes: float) -> tuple[float, str]:
        dollars = reads * prices.read_unit + writes * prices.write_unit
        return dollars, f"{reads:,.0f} read units, {writes:,.0f} write units"

    looks, advances, stays = (rotations * each for each in (one.looks, one.invocations, one.stays_s))
    yield "noticing: Lambda", function(swept.invocations, swept.billed_s)
    yield "noticing: DynamoDB", table(swept.reads, swept.writes)
    yield "noticing: schedule", (swept.invocations * prices.scheduled, f"{swept.invocations:,} times")
    for way, mebibytes in WAYS.items():
        yield f"{way}: Lambda", function(advances, stays, advances, mebibytes)
        yield f"{way}: DynamoDB", table(rotations * one.reads, rotations * one.writes)
    yield "busy waiting: Lambda", function(rotations * max(one.lasts_s / 900, 1), rotations * one.lasts_s)
    yield "busy waiting: DynamoDB", table(rotations * one.reads, rotations * one.writes)
    yield (
        "Step Functions: transitions",
        (
            looks * TRANSITIONS_A_LOOK * prices.transition,
            f"{looks:,.0f} looks, {TRANSITIONS_A_LOOK} transitions each",
        ),
    )
    yield "Step Functions: Lambda", function(looks, rotations * one.busy_s, advances)


def _measured(topic: str, one: PerRotation, found: Sweeping) -> Iterator[Figure]:
    named: Mapping[str, tuple[float, str]] = {
        "a rotation: invocations": (one.invocations, ""),
        "a rotation: seconds in which a function runs": (one.stays_s, f"of which {one.busy_s:.0f} s are calls"),
        "a rotation: read units": (one.reads, ""),
        "a rotation: write units": (one.writes, ""),
        "a rotation: looks": (one.looks, f"it lasts {one.lasts_s / 60:.0f} minutes, and an hour hot"),
        "a month of sweeps: seconds that are billed": (found.billed_s, ""),
    }
    for name, (value, note) in named.items():
        yield Figure(topic, name, round(value, 1), note=note)
