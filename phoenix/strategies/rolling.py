"""Batch by batch: the new generation grows while the old one shrinks, for groups that may not double.

Pure. Within a step the engine grows, then shifts, then shrinks; so the most that exist is what a step adds to what the
step before has left, and that must never exceed the maximum, nor what is left fall below the minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from phoenix.core.terms import Step


@dataclass(frozen=True, slots=True)
class Room:
    """The fewest that must serve and the most that may exist, in per cent of the need."""

    least: int = 100
    most: int = 200

    def __post_init__(self) -> None:
        """Refuse a room in which nothing can move."""
        if not (0 <= self.least <= 100 <= self.most and self.least < self.most):
            raise ValueError("least must be from 0 to 100, most at least 100, and they must differ")


def rolling(
    batch_percent: int, bake: timedelta | None, room: Room, pause: timedelta | None = timedelta(0)
) -> tuple[Step, ...]:
    """Replace `batch_percent` of the need at a time, or less where the room is narrower.

    `pause` is the rest after each batch, `bake` the one after the last. Weight is the new generation's share of what
    is left after the step, so that old and new instances work equally hard, to half a per cent.

    Raises:
        ValueError: the batch is not from 1 to 100.
    """
    if not 1 <= batch_percent <= 100:
        raise ValueError("a batch is from 1 to 100 per cent")
    new, old = 0, _left(0, 100, batch_percent, room)
    steps = [] if old == 100 else [Step(0, old, 0, timedelta(0))]
    while new < 100:
        new = min(100, new + batch_percent, room.most - old)
        old = _left(new, old, batch_percent, room)
        steps.append(Step(new, old, round(100 * new / (new + old)), pause))
    last = steps.pop()
    return (*steps, Step(last.new_capacity, last.old_capacity, last.new_weight, bake))


def _left(new: int, old: int, batch_percent: int, room: Room) -> int:
    """The part of the old generation that stays, so that the next batch fits and enough serve meanwhile.

    As long as it is alone, some of it does even if none need serve: weight must not rest on an empty group.
    """
    next_batch = min(batch_percent, 100 - new)
    fits = room.most - new - next_batch
    return max(0 if new else 1, room.least - new, min(old, 100 - new, fits))
