"""Whole rotations told tick by tick: why, what is done, what the record remembers, when to look again.

The stories are tests/golden/story_*.txt, one per test. A line that changes there is a decision that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from phoenix.core.action import Decision
from phoenix.core.clocks import CandidateFacts, Growth, StepClocks
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import OnFailure, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.serving import NO_TRAFFIC
from phoenix.core.story import Ask
from phoenix.core.terms import Step
from tests.builders import CANARY, NOON, ROLLING
from tests.core.telling import shown
from tests.core.test_rotation import a_start
from tests.world import World, tick, turned

BLUE, GREEN = Slot.BLUE, Slot.GREEN
Golden = Callable[[str, str], None]
Happening = Callable[[World, GroupRecord], GroupRecord | None]
SHOWN_ELSEWHERE = {"events", "waiting_for", "phase", "verdicts", "looked_at", "rotation", "version"}
MOST_TICKS = 2000


def story(world: World, record: GroupRecord, happenings: Mapping[int, Happening] | None = None) -> str:
    """Tick every ten seconds until nothing is due; `happenings` come after that many seconds."""
    left, before = dict(happenings or {}), ""
    lines: list[str] = []
    for _ in range(MOST_TICKS):
        passed = int((world.now - NOON).total_seconds())
        for second in [s for s in left if s <= passed]:
            record = left.pop(second)(world, record) or record
            lines.append(f"{world.now:%H:%M:%S} -- something happens --")
        decision = tick(world, record)
        told = _told(record, decision, world.now)
        if told != before or decision.actions:
            lines.append(f"{world.now:%H:%M:%S} {told}")
        before, record = told, decision.record
        if decision.look_again_at is None and not left and not decision.moving:
            return "\n".join(lines)
        if decision.actions or decision.look_again_at is None or decision.look_again_at > world.now:
            world.pass_time(10)
    raise AssertionError("the story has no end")


def _told(record: GroupRecord, decision: Decision, now: datetime) -> str:
    due = decision.look_again_at
    when = "nothing is due" if due is None else "again at once" if due <= now else f"again at {due:%H:%M:%S}"
    phase = decision.record.rotation.phase.value if decision.record.rotation else "at rest"
    lines = [f"[{phase}] {decision.reason} ({when}{', AWS is busy' if decision.moving else ''})"]
    lines += [f"    do {type(a).__name__} {shown(a)}" for a in decision.actions]
    told = len(record.rotation.events) if record.rotation else 0
    events = decision.record.rotation.events[told:] if decision.record.rotation else ()
    lines += [f"    note {event.name}: {event.text}" for event in events]
    facts = _facts(record, decision.record)
    return "\n".join([*lines, f"    remember {facts}"] if facts else lines)


def _facts(before: GroupRecord, after: GroupRecord) -> str:
    """The fields that differ, the record's before the rotation's."""
    return " ".join((*_differing(before, after), *_differing(before.rotation, after.rotation)))


def _differing(old: Any, new: Any, within: str = "") -> Iterator[str]:
    """`name=value` of what differs; the groups of a rotation field by field."""
    names = [f.name for f in fields(new) if f.name not in SHOWN_ELSEWHERE] if old and new else []
    for name in names:
        was, value = getattr(old, name), getattr(new, name)
        if isinstance(value, CandidateFacts | Growth | StepClocks):
            yield from _differing(was, value, f"{name}.")
        elif value != was:
            yield f"{within}{name}={shown(value)}"


def back(world: World, record: GroupRecord) -> GroupRecord:
    return turned(world, record)


def paused(world: World, record: GroupRecord) -> GroupRecord:
    assert record.rotation is not None
    return replace(record, rotation=replace(record.rotation, paused=Ask(world.now, "oncall")))


def weight(percent: int) -> Happening:
    def moved(world: World, record: GroupRecord) -> None:
        world.weight = percent

    return moved


def scaled(slot: Slot, desired: int) -> Happening:
    def more(world: World, record: GroupRecord) -> None:
        world.scale(slot, desired)

    return more


STORIES: dict[str, tuple[tuple[Step, ...], dict[str, object], dict[int, Happening]]] = {
    "canary": (CANARY, {}, {}),
    "canary_grows_with_the_load": (CANARY, {}, {400: scaled(BLUE, 6), 1600: scaled(GREEN, 7)}),
    "canary_turned_back": (CANARY, {}, {800: back}),
    "canary_paused_and_turned_back": (CANARY, {}, {300: paused, 400: back}),
    "canary_met_a_stranger": (CANARY, {}, {300: weight(30)}),
    "canary_healed": (CANARY, {}, {5: weight(100)}),
    "succeeded_then_turned_back": ((CANARY[-1],), {}, {1000: back}),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_story_of_a_rotation_behind_a_load_balancer(name: str, golden: Golden) -> None:
    steps, terms, happenings = STORIES[name]

    golden(f"story_{name}", story(World(4), a_start(steps, **terms), happenings))  # type: ignore[arg-type]


def test_the_story_of_a_rolling_rotation(golden: Golden) -> None:
    golden("story_rolling", story(World(4, floor=50), a_start(ROLLING, min_healthy_percentage=50)))


@pytest.mark.parametrize("turned_back", [False, True])
def test_the_story_of_a_rolling_rotation_without_a_load_balancer(turned_back: bool, golden: Golden) -> None:
    world, start = World(4, balanced=False, floor=50), a_start(ROLLING, serving=NO_TRAFFIC, min_healthy_percentage=50)

    name = "story_rolling_without_traffic" + ("_turned_back" if turned_back else "")
    golden(name, story(world, start, {60: back} if turned_back else {}))


@pytest.mark.parametrize("on_failure", OnFailure)
def test_the_story_of_a_bad_image(on_failure: OnFailure, golden: Golden) -> None:
    world = World(4)
    world.bad_versions = {"2"}

    golden(f"story_bad_image_{on_failure.value}", story(world, a_start(on_failure=on_failure)))


@pytest.mark.parametrize("permanent", [True, False])
def test_the_story_of_instances_that_never_come(permanent: bool, golden: Golden) -> None:
    world = World(4)
    world.launch_error = LaunchFailure(NOON + timedelta(minutes=1), permanent, False, "no capacity in eu-west-1a")

    golden(f"story_no_launch{'_ever' if permanent else ''}", story(world, a_start()))
