"""The role table of a pair: which numbers a slot has in a role, and in which role a slot stands. Pure.

Core says role and count. Nothing else in phoenix makes a MinSize, MaxSize or DesiredCapacity. A second kind of fleet
needs a table of its own; its doors are these two functions, `numbers` and `standing_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phoenix.core import tags
from phoenix.core.action import SetRole
from phoenix.core.generation import Generation
from phoenix.core.model import Role, SlotState
from phoenix.core.routine import Routine
from phoenix.core.terms import Capacity


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of an Auto Scaling group. `desired` None: it is left alone, because an autoscaler owns it."""

    min: int
    max: int
    desired: int | None = None

    def are_in(self, state: SlotState) -> bool:
        """True when the slot has them."""
        has_bounds = (state.min, state.max) == (self.min, self.max)
        return has_bounds and self.desired in (None, state.desired)


@dataclass(frozen=True, slots=True)
class Standing:
    """A role, how many instances it is about, and the bounds that an autoscaler has there; None: exactly the count."""

    role: Role
    count: int
    owner: Capacity | None = None

    @property
    def numbers(self) -> Numbers:
        """The numbers that a slot has in this standing."""
        return numbers(self.role, self.count, self.owner)


COLD = Standing(Role.COLD, 0)


def numbers(role: Role, count: int, owner: Capacity | None = None) -> Numbers:
    """The role table.

    `owner` are the bounds between which the owner's autoscaler moves the slot; None: the slot has exactly `count`. AWS
    lowers DesiredCapacity to a MaxSize below it, so no live slot has less room than it has instances.
    """
    least = count if owner is None else owner.min
    most = count if owner is None else max(owner.max, count)
    table = {
        Role.LIVE: Numbers(least, most),
        Role.PINNED: Numbers(count, most),
        Role.CANDIDATE: Numbers(count, most),
        Role.RETAINED: Numbers(count, count, count),
        Role.COLD: Numbers(0, 0, 0),
    }
    return table[role]


def standing_of(state: SlotState) -> Standing:
    """The role in which a slot stands, by its numbers and its tags; its numbers are those of that standing.

    The owner's numbers are noted on a pinned slot and on a retained one. Only the retained one has its scheduled
    actions suspended. Numbers without a note are the owner's.
    """
    is_even = state.min == state.max
    room = None if is_even else Capacity(state.min, state.max)
    is_hot = Routine.SCHEDULES in state.suspended and is_even and state.max == state.desired
    if tags.CAPACITY in state.tags and not is_hot:
        return Standing(Role.PINNED, state.min, room)
    if state.max == 0:
        return COLD
    if tags.CAPACITY in state.tags:
        return Standing(Role.RETAINED, state.desired)
    if Routine.SCHEDULES in state.suspended and was_candidate(state):
        return Standing(Role.CANDIDATE, state.min, room)
    return as_found(state)


def at_rest(state: SlotState, owner: Capacity) -> Standing:
    """Live, with the owner's numbers, and room for all that run there."""
    return Standing(Role.LIVE, state.desired, owner)


def as_found(state: SlotState) -> Standing:
    """Live, with the numbers that are there for the owner's."""
    return Standing(Role.LIVE, state.desired, Capacity(state.min, state.max))


def was_candidate(state: SlotState) -> bool:
    """True for a slot that the last rotation was to, by its tags."""
    note, rotation = tags.read_generation(state.tags), tags.read_rotation(state.tags)
    return note is not None and rotation is not None and note.number == rotation.new


def is_pinned(state: SlotState) -> bool:
    """True for a slot whose numbers are a rotation's at this moment."""
    return standing_of(state).role is Role.PINNED


def missing_role(state: SlotState, wanted: Standing, generation: Generation | None = None) -> Iterator[SetRole]:
    """SetRole, unless the slot stands so already; with a generation, unless it launches that one already."""
    is_set = generation is None or generation.is_set_in(state)
    if not wanted.numbers.are_in(state) or not is_set:
        yield set_role(state, wanted, generation)


def set_role(state: SlotState, wanted: Standing, generation: Generation | None = None) -> SetRole:
    """This standing, and with a generation its template version unless the slot has it."""
    plain = SetRole(state.slot, wanted.role, wanted.count, wanted.owner)
    if generation is None or generation.template_version is None or generation.is_set_in(state):
        return plain
    version, template = generation.template_version, generation.template
    return SetRole(state.slot, wanted.role, wanted.count, wanted.owner, version, template)
