"""The keys of each strategy, and their steps.

Must never decide about steps: phoenix.strategies does; this module has only the owner's keys.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from phoenix.core.opt_in import OptIn
from phoenix.core.serving import Serving
from phoenix.core.terms import Step
from phoenix.keys import DURATION_PATTERN, Keys, Kind, Percent, Share, parse_duration, render_duration
from phoenix.policy.opt_ins import OptInKeys
from phoenix.strategies.blue_green import blue_green
from phoenix.strategies.canary import Stage, canary
from phoenix.strategies.rolling import Room, rolling

MOST_ROUTES: Final = 10
"""Each is a rule for each of the owner's, and AWS counts 100 rules a load balancer unless asked for more."""
UNTIL_PROMOTED: Final = "until_promoted"


def _read_bake(value: object) -> object:
    return value if value == UNTIL_PROMOTED else parse_duration(value)


def _write_bake(bake: timedelta | str) -> str:
    return bake if isinstance(bake, str) else render_duration(bake)


Bake = Annotated[
    timedelta | Literal["until_promoted"],
    BeforeValidator(_read_bake),
    PlainSerializer(_write_bake, return_type=str),
    WithJsonSchema({"anyOf": [{"const": UNTIL_PROMOTED}, {"type": "string", "pattern": DURATION_PATTERN}]}),
]
"""The time to rest: a duration, or until a person promotes the step."""


def length(bake: timedelta | str) -> timedelta | None:
    """Return the bake as a step has it: None means until a person promotes it."""
    return None if isinstance(bake, str) else bake


class Strategy(Kind):
    """The keys that all strategies share."""

    bake: Bake = Field(
        default=timedelta(minutes=5),
        description="Rest after the last step, before the old generation is let go; or until_promoted.",
    )

    @property
    def opt_ins(self) -> tuple[OptIn, ...]:
        """Return the requests that ask for the candidate; none unless a strategy has them."""
        return ()

    @property
    @abstractmethod
    def rests(self) -> tuple[timedelta | str, ...]:
        """Return all bakes and pauses that are certain to happen."""

    @abstractmethod
    def peak(self) -> int:
        """Return the least `max_healthy_percentage` that the strategy needs."""

    @abstractmethod
    def to_steps(self, room: Room, *, serving: Serving) -> tuple[Step, ...]:
        """Return the stages, the last one included; without weights a stage's weight is its capacity. Where what leaves
        service is kept in reserve, the old generation gives way as the new one takes over."""


class BlueGreen(Strategy):
    """The keys of `strategy: {kind: blue_green}`: a whole new generation, then all traffic at once."""

    kind: Literal["blue_green"] = "blue_green"

    @property
    def rests(self) -> tuple[timedelta | str, ...]:
        """The bake."""
        return (self.bake,)

    def peak(self) -> int:
        """Two whole generations."""
        return 200

    def to_steps(self, room: Room, *, serving: Serving) -> tuple[Step, ...]:
        """One step."""
        return blue_green(length(self.bake), gives_way=serving.reserve)


class CanaryStage(Keys):
    """One step of a canary."""

    weight: Percent = Field(
        description="Per cent of the traffic for the new generation, from 1 to 99, rising; the first may be 0 where"
        " routes are given: a dark launch."
    )
    bake: Bake = Field(description="How long the step rests, watched by its gates; or until_promoted.")
    capacity: Percent | None = Field(
        default=None,
        description="Capacity of the new generation in per cent of the need; default 100, without traffic: the weight.",
    )

    def capacity_percent(self, *, serving: Serving) -> int:
        """The capacity with its default filled in."""
        if self.capacity is not None:
            return self.capacity
        return 100 if serving.weights else self.weight


class Canary(Strategy):
    """The keys of `strategy: {kind: canary}`: a little traffic first, then more; 100 is always last and implied."""

    kind: Literal["canary"] = "canary"
    steps: Annotated[tuple[CanaryStage, ...], Field(min_length=1, max_length=50)] = Field(
        description="The steps before the last; 100 is always last and implied."
    )

    routes: Annotated[tuple[OptInKeys, ...], Field(max_length=MOST_ROUTES)] = Field(
        default=(),
        description="Requests that reach the new generation before any weight does, from the moment when the gates of"
        " the first step have passed until the rotation ends.",
    )

    @property
    def opt_ins(self) -> tuple[OptIn, ...]:
        """The routes."""
        return tuple(route.to_opt_in() for route in self.routes)

    @property
    def rests(self) -> tuple[timedelta | str, ...]:
        """The bakes of all steps, the last one included."""
        return (*(stage.bake for stage in self.steps), self.bake)

    def peak(self) -> int:
        """Return the share of two whole generations: the last step needs them, whatever the earlier ones do."""
        return 200

    def to_steps(self, room: Room, *, serving: Serving) -> tuple[Step, ...]:
        """The stages, then everything."""
        stages = [
            Stage(stage.weight, length(stage.bake), stage.capacity_percent(serving=serving)) for stage in self.steps
        ]
        return canary(stages, length(self.bake), gives_way=serving.reserve)


class Rolling(Strategy):
    """The keys of `strategy: {kind: rolling}`: batch by batch, for groups that may not double."""

    kind: Literal["rolling"] = "rolling"
    batch: Share = Field(
        default=25,
        description="Share of the group that is replaced at a time; less where the capacity allows less.",
        json_schema_extra={"default": "25%"},
    )
    pause: Bake = Field(default=timedelta(0), description="Rest after each batch but the last; or until_promoted.")

    @property
    def rests(self) -> tuple[timedelta | str, ...]:
        """Return the pauses between the least number of batches, and the bake."""
        batches = -(-100 // self.batch)
        return (*[self.pause] * (batches - 1), self.bake)

    def peak(self) -> int:
        """Return the whole group: if it may shrink, it need not grow."""
        return 100

    def to_steps(self, room: Room, *, serving: Serving) -> tuple[Step, ...]:
        """The batches."""
        return rolling(self.batch, length(self.bake), room, length(self.pause))


KINDS: Final[Mapping[str, type[Strategy]]] = {"blue_green": BlueGreen, "canary": Canary, "rolling": Rolling}
