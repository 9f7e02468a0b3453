"""The keys of `fleet:` in a policy, a class a kind.

Apart from the fleets themselves, which must never wait for pydantic: a rollback needs them, and no policy.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from phoenix.core.model import Slot
from phoenix.core.terms import Capacity
from phoenix.keys import AutoScalingGroupName, Keys, Kind, Whole, wrong

_Instances = Annotated[int, Whole(0, 10_000)]


class Bounds(Keys):
    """MinSize and MaxSize of the live slot at rest."""

    min: _Instances = Field(description="MinSize of the live slot at rest.")
    max: _Instances = Field(description="MaxSize of the live slot at rest.")

    @model_validator(mode="after")
    def _check_order(self) -> Bounds:
        if self.max < max(self.min, 1):
            raise wrong(f"must be at least {max(self.min, 1)}", at=("max",))
        return self


class FleetKeys(Kind):
    """A fleet's keys. Each kind narrows `kind` to one word, and answers what a policy asks of any of them."""

    @abstractmethod
    def slots(self) -> Mapping[Slot, str]:
        """The name of the Auto Scaling group in which each slot is."""

    @property
    @abstractmethod
    def bounds(self) -> Capacity | None:
        """MinSize and MaxSize of the live slot at rest; None: as they are found there."""

    @property
    def hooks_harmless(self) -> bool:
        """True where the owner's lifecycle hooks need not run for instances that leave service, or come back."""
        return False


class Pair(FleetKeys):
    """The keys of `fleet: {kind: pair}`."""

    kind: Literal["pair"] = "pair"
    blue: AutoScalingGroupName = Field(description="Name of the Auto Scaling group in the blue slot.")
    green: AutoScalingGroupName = Field(description="Name of the Auto Scaling group in the green slot.")
    capacity: Bounds | None = Field(
        default=None, description="MinSize and MaxSize of the live slot at rest; default: as found there, once."
    )

    def slots(self) -> Mapping[Slot, str]:
        """A group each."""
        return {Slot.BLUE: self.blue, Slot.GREEN: self.green}

    @property
    def bounds(self) -> Capacity | None:
        """As written."""
        return Capacity(self.capacity.min, self.capacity.max) if self.capacity is not None else None

    @model_validator(mode="after")
    def _check_names(self) -> Pair:
        if self.blue == self.green:
            raise wrong("blue and green must be two different Auto Scaling groups", at=("green",))
        return self


class InPlace(FleetKeys):
    """The keys of `fleet: {kind: in_place}`."""

    kind: Literal["in_place"] = "in_place"
    auto_scaling_group: AutoScalingGroupName = Field(description="Name of the one Auto Scaling group.")
    capacity: Bounds | None = Field(
        default=None, description="MinSize and MaxSize of the group at rest; default: as found there, once."
    )
    hooks: Literal["refuse", "harmless"] = Field(
        default="refuse",
        description="Lifecycle hooks do not run for instances that leave service into Standby or come back; where there"
        " are any, a start is refused, unless they are said to be harmless.",
    )

    def slots(self) -> Mapping[Slot, str]:
        """Both in the one group."""
        return dict.fromkeys(Slot, self.auto_scaling_group)

    @property
    def bounds(self) -> Capacity | None:
        """As written."""
        return Capacity(self.capacity.min, self.capacity.max) if self.capacity is not None else None

    @property
    def hooks_harmless(self) -> bool:
        """As written."""
        return self.hooks == "harmless"


KEYS: Final[Mapping[str, type[FleetKeys]]] = {"pair": Pair, "in_place": InPlace}
