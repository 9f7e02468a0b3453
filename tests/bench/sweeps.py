"""What a sweep over many groups at rest costs: calls, processor time and memory of the function alone.

AWS is another process (see `cloud`), so its work is not counted. Three invocations of one function: a cold one, which
imports everything, judges all policies and looks at all groups; one of the minutes in between, with no group due;
and one of the quarters of an hour that follow, warm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.arena import outside
from tests.bench.cloud import cloud_of, tally
from tests.bench.figures import Figure
from tests.bench.idle import Idle, write_policies
from tests.bench.worker import Cost, worker

TOPIC: Final = "6. A sweep over {groups} idle groups of 10 instances, {images}"
SIZES: Final = (Idle(100), Idle(1000), Idle(1000, sharing=20))
ALL_SIZES: Final = (*SIZES, Idle(5000))
PROMISED: Final = 1000
"""The size that has targets."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The three invocations, and what was asked in the first."""

    cold: Cost
    minute: Cost
    warm: Cost
    asked: dict[str, int]
    asked_in_a_minute: int


@cache
def swept(idle: Idle) -> Swept:
    """Sweep that many groups."""
    with TemporaryDirectory() as folder, cloud_of(idle) as url:
        write_policies(Path(folder), idle)
        environment = outside(
            url, PHOENIX_POLICIES=folder, PHOENIX_STORE="dynamodb://phoenix", PHOENIX_ADVANCE="phoenix-advance"
        )
        with worker("sweep", environment) as function:
            cold = function.invoke(time="2026-11-18T12:00:00Z")
            asked = tally(url)
            minute = function.invoke(time="2026-11-18T12:01:00Z")
            asked_in_a_minute = sum(tally(url).values())
            warm = function.invoke(time="2026-11-18T12:15:00Z")
    assert cold.answer["looked_at"] == idle.groups, cold.answer
    assert cold.answer["invoked"] == warm.answer["invoked"] == 0, cold.answer
    return Swept(cold, minute, warm, asked, asked_in_a_minute)


def measure(sizes: Sequence[Idle] = SIZES) -> Iterator[Figure]:
    """Topic 6."""
    for idle in sizes:
        images = "images of their own" if idle.sharing == 1 else f"{idle.sharing} to an image"
        yield from _figures(swept(idle), idle.groups == PROMISED, TOPIC.format(groups=idle.groups, images=images))


def _figures(found: Swept, promised: bool, topic: str) -> Iterator[Figure]:
    named = ", ".join(f"{operation} {count}" for operation, count in sorted(found.asked.items()))
    calls, seconds, mib = (60, 3.0, 200) if promised else (None, None, None)
    yield Figure(topic, "calls", sum(found.asked.values()), target=calls, note=named)
    note = "start of Python, imports, all policies, all groups"
    yield Figure(topic, "own processor time, cold", round(found.cold.cpu_s, 2), "s", seconds, note)
    yield Figure(topic, "own processor time, warm", round(found.warm.cpu_s, 2), "s", seconds, "policies judged before")
    yield Figure(topic, "most memory, cold", round(found.cold.mib), "MiB", mib)
    yield Figure(topic, "most memory, warm", round(found.warm.mib), "MiB", mib)
    spent = round(1000 * found.minute.cpu_s)
    yield Figure(
        topic, "calls of a minute in which no group is due", found.asked_in_a_minute, note=f"{spent} ms of its own"
    )
