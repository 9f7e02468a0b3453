"""A rotation and its slots as they should be, and what is missing where they are not."""

from __future__ import annotations

from typing import Any

from phoenix.core.action import Action
from phoenix.core.converge import converge
from phoenix.core.model import Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.ready import is_enough, may_go_back
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.sides import sides_of
from phoenix.core.story import Ask
from tests.builders import CANARY, NOON, a_rotation, a_slot, an_observation, tags_of

BLUE, GREEN = Slot.BLUE, Slot.GREEN
SHIFTED: dict[str, Any] = {"exposed_at": NOON, "weight": 100, "intended_weight": 100}
BACK: dict[str, Any] = {**SHIFTED, "back": Ask(NOON, "oncall"), "grown_since": None}
CLOSING: dict[str, Any] = {**SHIFTED, "closing_since": NOON}
QUIET = frozenset({Routine.SCHEDULES})
ONCALL = Ask(NOON, "oncall", "INC-1")
FAIL = Verdict("alarm", Judgement.FAIL, "web-5xx is in ALARM")
DOUBT = Verdict("alarm", Judgement.WAIT, "no data yet")
BAKING: dict[str, Any] = {"proved_at": NOON, "shifted_at": NOON, "baking_since": NOON, "exposed_at": NOON}


def blue(rotation: Rotation, healthy: int = 4, **changes: Any) -> SlotState:
    """The live slot as it should be in a rotation: tagged and pinned."""
    return a_slot(healthy=healthy, **{"min": 4, "max": 8, "tags": tags_of(rotation)[BLUE], **changes})


def green(rotation: Rotation, healthy: int = 4, **changes: Any) -> SlotState:
    """The candidate as it should be: tagged, grown, its schedules suspended."""
    standard = {"version": "2", "max": 8, "suspended": QUIET, "tags": tags_of(rotation)[GREEN]}
    return a_slot(GREEN, healthy, **{**standard, **changes})


def goes_back(rotation: Rotation, seen: Observation) -> bool:
    return may_go_back(rotation, sides_of(rotation, seen), seen.at)


def has_enough(rotation: Rotation, seen: Observation) -> bool:
    return is_enough(rotation, sides_of(rotation, seen))


def missing(rotation: Rotation, seen: Observation) -> tuple[Action, ...]:
    return converge(rotation.current, rotation, seen)


def kinds(actions: tuple[Action, ...]) -> list[str]:
    return [type(action).__name__ for action in actions]


def settled(rotation: Rotation, weight: int = 0, **changes: Any) -> Observation:
    """A world in which nothing is missing for this rotation."""
    tags = tags_of(rotation)
    blue = a_slot(min=4, max=8, tags=tags[BLUE])
    green = a_slot(GREEN, 4, "2", max=8, suspended=frozenset({Routine.SCHEDULES}), tags=tags[GREEN])
    return an_observation(blue, green, weight, **changes)


def baking(**changes: Any) -> Rotation:
    return a_rotation(CANARY, **{**BAKING, "weight": 5, "intended_weight": 5, **changes})


def decided(record: GroupRecord) -> Rotation:
    assert record.rotation is not None
    return record.rotation
