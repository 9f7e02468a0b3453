"""Rotations of one Auto Scaling group in the model, for the tests of the in-place fleet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import pytest

from phoenix.core.back import reopen, turn_back
from phoenix.core.model import Capacity, Cause, Slot, Step
from phoenix.core.record import GroupRecord
from phoenix.core.story import Ask
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling
from tests.builders import NOON, a_generation, a_record, a_rotation, some_terms
from tests.one_group import SERVING, OneGroup, tick

_BAKE = timedelta(minutes=5)
ASK = Ask(NOON, "oncall", "INC-1")
ALL_AT_ONCE = blue_green(_BAKE, gives_way=True)
CANARY = canary([Stage(5, _BAKE, 5), Stage(50, _BAKE, 50)], _BAKE, gives_way=True)
ROLLING = rolling(25, _BAKE, Room(100, 125))
STRATEGIES = {"blue_green": ALL_AT_ONCE, "canary": CANARY, "rolling": ROLLING}
every_strategy = pytest.mark.parametrize("steps", STRATEGIES.values(), ids=STRATEGIES)


def a_start(steps: tuple[Step, ...] = ALL_AT_ONCE, *, need: int = 4, **terms: object) -> GroupRecord:
    """A record whose rotation has been decided and nothing else."""
    named = {"healthy_for": timedelta(seconds=30), "serving": SERVING, **terms}
    rotation = a_rotation(
        terms=some_terms(steps, **named),
        new=a_generation(42, template_version=None),
        need=need,
        capacity=Capacity(min(2, need), need * 2),
        step=0,
        grown_since=None,
    )
    return a_record(rotation, slots=dict.fromkeys(Slot, "web"), target_groups={}, routes={})


def until(world: OneGroup, record: GroupRecord, condition: str) -> GroupRecord:
    """Tick until a fact of the rotation (a field's name) has come true."""
    for _ in range(1000):
        record = tick(world, record).record
        if record.rotation is not None and attrgetter(condition)(record.rotation):
            return record
        world.pass_time(5)
    raise AssertionError(f"{condition} never came true")


def turned(world: OneGroup, record: GroupRecord) -> GroupRecord:
    """The record after an operator's rollback."""
    seen = world.look(record)
    rotation = record.rotation
    assert rotation is not None
    forward = rotation if rotation.in_flight else reopen(record, rotation, seen)
    return replace(record, rotation=turn_back(forward, seen, ASK, Cause.OPERATOR))


def numbers(world: OneGroup) -> tuple[int, int, int]:
    return world.min, world.max, world.desired
