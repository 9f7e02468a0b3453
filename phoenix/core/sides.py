"""The two sides of a rotation at one instant: each generation in its slot, its ready instances and its share. Pure.

Made from (rotation, seen) where a module begins to decide; its functions take the side that they use. Must never count
an instance that only one source of health calls healthy.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from phoenix.core.generation import Generation
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Instance, Observation, SlotState, TargetState
from phoenix.core.rotation import Rotation


def is_ready(instance: Instance, target_health: bool) -> bool:
    """True when every source of health agrees that it serves; a load balancer is one where `target_health`."""
    serves = instance.in_service and instance.healthy
    return serves and (not target_health or instance.target is TargetState.HEALTHY)


def ready_instances(state: SlotState, generation: Generation | None, target_health: bool) -> tuple[Instance, ...]:
    """The slot's ready instances of one generation; None counts all of them."""
    instances = state.instances if generation is None else generation.of(state)
    return tuple(i for i in instances if is_ready(i, target_health))


@dataclass(frozen=True, slots=True)
class Side:
    """A generation in its slot. `shares` are its shares of the pair's traffic, in per cent, one for each route.

    `ready` are the instances that serve for it. The old slot's drifted ones count: they serve as well as the rest;
    those that are known to run an image which the old generation never had do not.
    """

    generation: Generation
    state: SlotState
    ready: tuple[Instance, ...]
    shares: tuple[int, ...]

    @property
    def ready_count(self) -> int:
        """The number of ready instances."""
        return len(self.ready)

    @property
    def held_count(self) -> int:
        """How many instances are held before traffic."""
        return sum(i.lifecycle is Lifecycle.HELD for i in self.own)

    @property
    def reserve_count(self) -> int:
        """How many instances are kept out of service, and answer."""
        return sum(i.stands_by and i.healthy for i in self.own)

    @property
    def own(self) -> tuple[Instance, ...]:
        """The slot's instances of this generation."""
        return self.generation.of(self.state)

    @property
    def foreign(self) -> tuple[Instance, ...]:
        """Instances in service that run an image which this generation never had: traffic waits until they go."""
        return tuple(i for i in self.state.instances if i.in_service and self.generation.is_foreign(i))

    @property
    def zones(self) -> frozenset[str]:
        """Zones of all instances in service."""
        return frozenset(i.zone for i in self.state.instances if i.in_service)

    @property
    def ready_zones(self) -> frozenset[str]:
        """Zones of the ready instances."""
        return frozenset(i.zone for i in self.ready)

    @property
    def is_exposed(self) -> bool:
        """True when any route sends traffic here."""
        return any(self.shares)

    def has(self, percent: int) -> bool:
        """True when every route was seen to send that much here."""
        return all(share == percent for share in self.shares)

    def keeps(self, goal: int, drained: Collection[str] = frozenset()) -> bool:
        """True when `goal` stay ready whichever instances AWS takes: it does not take the sick ones first. Those that
        were drained for it are taken before any other, and may look sick by then."""
        counted = [i.id for i in self.state.instances if i.counts]
        first = sum(each in drained for each in counted)
        taken = max(len(counted) - first - goal, 0)
        return goal == 0 or sum(i.id not in drained for i in self.ready) - taken >= goal


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a rotation."""

    old: Side
    new: Side

    def end(self, *, back: bool) -> tuple[Side, Side]:
        """The side that has all traffic at the end, and the side that loses it."""
        return (self.old, self.new) if back else (self.new, self.old)


def sides_of(rotation: Rotation, seen: Observation) -> Sides:
    """Both sides as that observation shows them."""
    old, new, target_health = rotation.old, rotation.new, rotation.terms.serving.health
    of_old = ready_instances(seen.slots[old.slot], None, target_health)
    of_new = ready_instances(seen.slots[new.slot], new, target_health)
    return Sides(
        old=_side(old, seen, tuple(instance for instance in of_old if not old.is_foreign(instance))),
        new=_side(new, seen, of_new),
    )


def has_traffic(rotation: Rotation, seen: Observation) -> bool:
    """True once the new generation answers users: with any weight, or from its first instance in service on where there
    are no weights."""
    new = rotation.new
    if rotation.terms.serving.weights or new.template_version is None:
        return rotation.weight > 0
    return rotation.weight > 0 or any(i.in_service for i in new.of(seen.slots[new.slot]))


def _side(own: Generation, seen: Observation, ready: tuple[Instance, ...]) -> Side:
    return Side(own, seen.slots[own.slot], ready, tuple(route.percent(own.slot) for route in seen.routes))
