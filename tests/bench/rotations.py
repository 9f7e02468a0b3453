"""What a rotation asks of AWS, and how long it takes beyond what no program can hurry.

Calls are counted where they arrive, in the sandbox, and split into ticks: whatever came between two reports of the
engine belongs to one tick. A tick that writes nothing is a poll.

The lower bound of a makespan is the time that passes whatever the program does:

    launch, boot, registration, health check   from the call that asks for capacity until the last instance is healthy
    + healthy_for                              the proof that the policy asks for
    + the bakes                                the rests that the policy asks for; none is shorter than what it grants
                                               the load balancer to follow (propagation)
    + one poll interval                        no driver can see sooner than the next look that something has happened

The first line is physics: the sandbox's own timeline says when each target became healthy, and its boots do not depend
on who asks. Whatever phoenix adds (looking late, waiting for nothing, acting in the wrong order) is above the bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean

from phoenix.core.model import Outcome, Phase
from phoenix.engine.report import Report
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.sandbox import Call
from tests.bench.arena import POLL_SECONDS, Arena, Case, arena
from tests.bench.figures import Figure

SIZES = (1, 10, 100)
CALLS = "1. Calls of a blue/green rotation"
MAKESPAN = "2. Makespan over the lower bound of physics"
BLUE_GREEN = Case(bake=300)
MAKESPANS = {
    "blue/green, bake 5m": BLUE_GREEN,
    "blue/green without a bake": Case(bake=0),
    "canary 5, 50, 100 %, bakes 10m, 10m, 5m": Case(bake=300, steps={5: 600, 50: 600}),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """The calls of one tick, and what the rotation was busy with after it."""

    calls: Sequence[Call]
    phase: Phase

    @property
    def reads(self) -> int:
        """Calls that change nothing."""
        return sum(not call.mutating for call in self.calls)

    @property
    def is_poll(self) -> bool:
        """True when it wrote nothing."""
        return self.reads == len(self.calls)


@dataclass(slots=True)
class Course:
    """One rotation from its first call to its last."""

    began: datetime
    ended: datetime
    asked: datetime
    healthy: datetime
    ticks: list[Tick] = field(default_factory=list)
    """The first one holds the preflight too."""

    @property
    def writes(self) -> int:
        """Mutating calls."""
        return sum(call.mutating for tick in self.ticks for call in tick.calls)

    @property
    def polls(self) -> list[Tick]:
        """The ticks that only looked, without the preflight."""
        return [tick for tick in self.ticks[1:] if tick.is_poll]

    @property
    def waiting(self) -> list[Tick]:
        """The polls while instances were on their way and had not been seen healthy yet."""
        return [tick for tick in self.polls if tick.phase is Phase.GROWING]

    @property
    def took(self) -> float:
        """The makespan in seconds."""
        return (self.ended - self.began).total_seconds()

    def bound(self, case: Case) -> float:
        """The lower bound of the makespan in seconds."""
        physics = (self.healthy - self.asked).total_seconds()
        return physics + case.healthy_for + sum(case.rests) + POLL_SECONDS


def run(place: Arena) -> Course:
    """Rotate once, to the end.

    Raises:
        AssertionError: it did not succeed, so that nothing about it is worth a figure.
    """
    group, calls = place.group(), place.box.calls
    marks, phases = [0], []
    healthy: list[datetime] = []
    timeline = place.box.world.timeline
    place.box.world.targets.on_healthy.append(lambda _: healthy.append(timeline.now))

    def watch(report: Report) -> None:
        rotation = report.record.rotation
        marks.append(len(calls))
        phases.append(rotation.phase if rotation else Phase.PREPARING)

    began = place.clock.now()
    report = rotate(group, RotateRequest(), watch)
    assert report.outcome is Outcome.SUCCEEDED, report.sentence
    return Course(
        began=began,
        ended=place.clock.now(),
        asked=next(call.at for call in calls if call.operation == "UpdateAutoScalingGroup" and _asks_green(call)),
        healthy=max(healthy),
        ticks=[Tick(calls[a:b], phase) for a, b, phase in zip(marks, marks[1:], phases, strict=False)],
    )


def _asks_green(call: Call) -> bool:
    return str(call.params.get("AutoScalingGroupName", "")).endswith("-green")


def measure() -> Iterator[Figure]:
    """Topics 1 and 2."""
    yield from _calls()
    yield from _makespans()


def _calls() -> Iterator[Figure]:
    for size in SIZES:
        with arena(BLUE_GREEN, size) as place:
            course = run(place)
        of = f"{size} instance{'s' if size > 1 else ''}"
        polls = [tick.reads for tick in course.polls]
        writing = [tick.reads for tick in course.ticks[1:] if not tick.is_poll]
        waiting = [tick.reads for tick in course.waiting]
        yield Figure(CALLS, f"{of}: writes", course.writes, target=12)
        yield Figure(CALLS, f"{of}: reads a poll, most", max(polls), target=6, note=f"{len(polls)} polls")
        yield Figure(CALLS, f"{of}: reads a poll, mean", round(mean(polls), 2), target=6)
        yield Figure(
            CALLS, f"{of}: reads a poll while instances boot, most", max(waiting), note=f"{len(waiting)} polls"
        )
        note = f"{len(writing)} ticks; a write is re-read before and verified after"
        yield Figure(CALLS, f"{of}: reads of a tick that writes, most", max(writing), note=note)
        yield Figure(CALLS, f"{of}: reads before the first write", _preflight(course), note="all checks of a start")


def _preflight(course: Course) -> int:
    calls = course.ticks[0].calls
    return next(number for number, call in enumerate(calls) if call.mutating)


def _makespans() -> Iterator[Figure]:
    for name, case in MAKESPANS.items():
        with arena(case) as place:
            course = run(place)
        took, bound = course.took, course.bound(case)
        yield Figure(MAKESPAN, name, round(took / bound, 3), "×", 1.05, f"{took:.1f} s of {bound:.1f} s")
