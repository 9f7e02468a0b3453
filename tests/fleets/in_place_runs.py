"""Rotations of one Auto Scaling group in the model, for the tests of the in-place fleet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Capacity, Step
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling
from tests.builders import a_generation, a_record, a_rotation, some_terms
from tests.one_group import SERVING, OneGroup

_BAKE = timedelta(minutes=5)
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


def numbers(world: OneGroup) -> tuple[int, int, int]:
    return world.min, world.max, world.desired
