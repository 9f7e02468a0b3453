"""What a group's fleet and its traffic make possible together. Pure.

Must never be asked which kinds they are: a new kind gives its own answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Serving:
    """What a group's fleet and traffic make possible.

    `weights`: traffic is moved between the slots by weights. `health`: a load balancer says of each instance whether it
    serves; without that, in service is all that can be known. `keeps_hot`: the generation before keeps running after a
    success without doing work, so that a rollback takes seconds.
    """

    weights: bool = True
    health: bool = True
    keeps_hot: bool = True

    @classmethod
    def of(cls, *, weights: bool, health: bool, reserve: bool) -> Serving:
        """What a kind of traffic and a kind of fleet make of each other. Instances that have no weight do no work; a
        fleet with a `reserve` can keep them out of service as well."""
        return cls(weights, health, keeps_hot=weights or reserve)

    @property
    def reserve(self) -> bool:
        """True when the generation before is kept out of service: what leaves service leaves traffic, and both slots
        are in one Auto Scaling group, which launches one generation at a time."""
        return self.keeps_hot and not self.weights


NO_TRAFFIC: Final = Serving(weights=False, health=False, keeps_hot=False)
"""A pair without a load balancer: both slots work side by side while both run."""
