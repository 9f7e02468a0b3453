"""A little traffic first, then more: each stage shows the new generation to more users than the one before.

Pure. The old generation keeps its full capacity throughout: going back must never wait for a launch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from phoenix.core.terms import Step


@dataclass(frozen=True, slots=True)
class Stage:
    """One resting place before the last: per cent of the traffic, and per cent of the need that carries it.

    `bake` None means: until a person promotes it.
    """

    weight: int
    bake: timedelta | None
    capacity: int = 100


def canary(stages: Sequence[Stage], bake: timedelta | None, *, gives_way: bool = False) -> tuple[Step, ...]:
    """The stages in their order, then everything; `bake` is the rest after that.

    `gives_way`: there are no weights, so a stage's share is that of the instances in service. As much of the old
    generation leaves service, into a reserve, as the new one has taken over.

    Raises:
        ValueError: weights do not rise, reach 100, or exceed the capacity that is to carry them.
    """
    weights = [*(stage.weight for stage in stages), 100]
    # The first may be 0: then only requests that ask for it meet the new generation.
    if weights[0] < 0 or any(later <= earlier for earlier, later in pairwise(weights)):
        raise ValueError("weights must rise from stage to stage and stay between 0 and 99")
    if any(not stage.weight <= stage.capacity <= 100 for stage in stages):
        raise ValueError("a stage needs at least as much capacity as weight, and at most 100")
    # Capacity is a ratchet: a later stage that asks for less gets what is there.
    most = [max(stage.capacity for stage in stages[: number + 1]) for number in range(len(stages))]
    steps = (
        Step(capacity, 100 - stage.weight if gives_way else 100, stage.weight, stage.bake)
        for capacity, stage in zip(most, stages, strict=True)
    )
    return (*steps, Step(100, 0 if gives_way else 100, 100, bake))
