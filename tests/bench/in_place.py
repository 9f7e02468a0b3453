"""A rotation of one plain Auto Scaling group: calls by size, capacity, makespan, and the way back out of Standby.

Capacity is what the load balancer calls healthy after every call that arrives, over the need: a rotation that takes
service away shows as less than 1. The bounds are those of physics, as for a pair: until the last instance is healthy,
the proof, the bakes and one poll; and for the way back one registration and one health check after ExitStandby.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from phoenix.aws.session import Aws
from phoenix.core.model import Outcome
from phoenix.engine.group import Group
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.sandbox import Call, ManualClock, Sandbox
from phoenix.settings import Settings
from phoenix.wiring import Overrides, Wiring
from tests.bench.arena import POLL_SECONDS, SETTLING_S
from tests.bench.figures import Figure
from tests.bench.plain_refresh import Refresh
from tests.bench.plain_script import Pace

SIZES = (1, 6, 30, 100, 300)
CALLS = "10. Calls of a rotation in place"
TIMES = "11. Times of a rotation in place, over the bounds of physics"
BATCHES = "12. In place, beside a plain script with batches as in an instance refresh"
BESIDE = (6, 30)
BAKE_S, HEALTHY_FOR_S = 300, 30
NEWEST = "api-2026.11.18-9f2c1e"
POLICY: dict[str, Any] = {
    "version": 1,
    "group": "api",
    "fleet": {"kind": "in_place", "auto_scaling_group": "api", "hooks": "harmless"},
    "traffic": "attached",
    "image": {"kind": "search", "owners": ["self"], "name": "api-*", "tags": {"service": "api"}},
    "strategy": {"kind": "blue_green", "bake": f"{BAKE_S}s"},
    "gates": [{"kind": "target_health", "healthy_for": f"{HEALTHY_FOR_S}s"}],
    "timeouts": {"launch": "30m"},
}


@dataclass
class Place:
    """A sandbox with the group, and what was seen of it."""

    box: Sandbox
    clock: ManualClock
    folder: Path
    need: int
    least: int
    """The fewest healthy targets after any call."""
    ticks: list[int] = field(default_factory=list)
    """Where each tick began among the calls."""

    def group(self) -> Group:
        """The group as a new process would wire it."""
        settings = Settings(policies=str(self.folder), store=f"sqlite:///{self.folder}/db", poll_seconds=POLL_SECONDS)
        return Wiring(settings, Overrides(clock=self.clock, aws=Aws(session=self.box.session), by="bench")).group("api")

    def watch(self, _: Report) -> None:
        """Note where a tick ended."""
        self.ticks.append(len(self.box.calls))

    def look(self, _call: Call, _stage: str) -> None:
        """Count what serves."""
        self.least = min(self.least, self.healthy())

    def healthy(self) -> int:
        """Healthy targets."""
        return self.box.serving()["api"].healthy

    def polls(self) -> list[int]:
        """Reads of each tick that wrote nothing, without the preflight."""
        spans = zip(self.ticks, self.ticks[1:], strict=False)
        ticks = [self.box.calls[a:b] for a, b in spans]
        return [len(calls) for calls in ticks if not any(call.mutating for call in calls)]


@contextmanager
def a_place(size: int) -> Iterator[Place]:
    """The group at that size, at rest."""
    clock = ManualClock()
    with TemporaryDirectory() as folder, Sandbox(clock=clock, seed_group=False) as box:
        box.seed("api")
        Path(folder, "api.yaml").write_text(yaml.safe_dump(POLICY))
        box.session.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName="api", MinSize=size // 2, MaxSize=2 * size, DesiredCapacity=size
        )
        clock.advance(SETTLING_S)
        box.calls.clear()
        yield Place(box, clock, Path(folder), size, size)


def measure() -> Iterator[Figure]:
    """Topics 10 to 12."""
    for size in SIZES:
        with a_place(size) as place:
            yield from _forward(place)
            yield from _back(place)
    for size in BESIDE:
        yield from _beside(size)


def _beside(size: int) -> Iterator[Figure]:
    """The same rotation with the same bake, by phoenix and by the script."""
    for contender in ("phoenix", "plain script"):
        with a_place(size) as place:
            session = place.box.session
            (image,) = session.client("ec2").describe_images(Filters=[{"Name": "name", "Values": [NEWEST]}])["Images"]
            place.box.calls.clear()
            place.box.intercept(place.look)
            began = place.clock.now()
            if contender == "phoenix":
                assert rotate(place.group(), RotateRequest(), place.watch).outcome is Outcome.SUCCEEDED
            else:
                Refresh(session, "api", Pace(POLL_SECONDS, BAKE_S, place.clock.sleep)).run(image["ImageId"])
            took = (place.clock.now() - began).total_seconds()
            place.box.stop_intercepting()
            writes = sum(call.mutating for call in place.box.calls)
            of = f"{size} instances, {contender}"
            yield Figure(BATCHES, f"{of}: writes", writes)
            yield Figure(BATCHES, f"{of}: reads", len(place.box.calls) - writes)
            yield Figure(BATCHES, f"{of}: makespan", took, "s")
            yield Figure(BATCHES, f"{of}: least healthy over the need", round(place.least / size, 2), "×")


def _forward(place: Place) -> Iterator[Figure]:
    of = f"{place.need} instance{'s' if place.need > 1 else ''}"
    became = list[datetime]()
    timeline = place.box.world.timeline
    place.box.world.targets.on_healthy.append(lambda _: became.append(timeline.now))
    place.box.intercept(place.look)
    began = place.clock.now()
    report = rotate(place.group(), RotateRequest(), place.watch)
    place.box.stop_intercepting()
    assert report.outcome is Outcome.SUCCEEDED, report.sentence
    calls, took = place.box.calls, (place.clock.now() - began).total_seconds()
    writes = sum(call.mutating for call in calls)
    yield Figure(CALLS, f"{of}: writes", writes, target=12 + 2 * ceil(place.need / 20))
    polls = place.polls()
    yield Figure(CALLS, f"{of}: reads a poll, most", max(polls), target=6, note=f"{len(polls)} polls")
    yield Figure(CALLS, f"{of}: least healthy over the need", round(place.least / place.need, 2), "×", note="1 is all")
    asked = next(call.at for call in calls if "LaunchTemplate" in call.params and call.mutating)
    bound = (max(became) - asked).total_seconds() + HEALTHY_FOR_S + BAKE_S + POLL_SECONDS
    yield Figure(TIMES, f"{of}: makespan", round(took / bound, 3), "×", 1.05, f"{took:.0f} s of {bound:.0f} s")


def _back(place: Place) -> Iterator[Figure]:
    of = f"{place.need} instance{'s' if place.need > 1 else ''}"
    place.clock.advance(SETTLING_S)
    place.box.calls.clear()
    became = list[datetime]()
    timeline = place.box.world.timeline
    place.box.world.targets.on_healthy.append(lambda _: became.append(timeline.now))
    began = place.clock.now()
    serving = list[datetime]()

    def watch(report: Report) -> None:
        if not serving and "its capacity is back" in report.sentence:
            serving.append(place.clock.now())

    report = rollback(place.group(), RollbackRequest(reason="bench"), watch)
    assert report.outcome is Outcome.ROLLED_BACK, report.sentence
    calls = place.box.calls
    first = next(number for number, call in enumerate(calls) if call.mutating)
    yield Figure(CALLS, f"{of}: reads before a rollback's first write", first, target=4, note=calls[first].operation)
    left = next(call.at for call in calls if call.operation == "ExitStandby")
    bound = (max(became) - left).total_seconds() + POLL_SECONDS
    until = serving[0] if serving else place.clock.now()
    took = (until - began).total_seconds()
    note = f"{took:.0f} s of {bound:.0f} s"
    yield Figure(TIMES, f"{of}: rollback until all serve", round(took / bound, 2), "×", 1.1, note)
