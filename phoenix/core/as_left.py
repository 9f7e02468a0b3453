"""Compare a group at rest with what its last rotation left it as. Pure.

Must never blame a rotation in flight, a generation that is kept hot, or a group that its owner has made anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from phoenix.core import tags
from phoenix.core.drift import Difference
from phoenix.core.generation import Generation
from phoenix.core.janitor import leftovers
from phoenix.core.model import Observation, SlotState
from phoenix.core.ownership import made_anew
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine


def group_differences(record: GroupRecord, seen: Observation) -> tuple[Difference, ...]:
    """Everything about the live slot and its traffic that is not as it was left. Empty while a rotation is in flight.

    A group that phoenix has never rotated was left as nothing: only its weights and what stops its launches count.
    """
    live = record.live
    if record.in_flight is not None or live is None or live.slot in made_anew(record, seen):
        return ()
    state, last = seen.slots[live.slot], record.rotation
    known = last is not None and last.origin.by != "" and not last.outcome.is_bad
    return (
        *_weights(live, seen),
        *_processes(last, state),
        *(_left_by(last, live, state) if known and last is not None else ()),
        *(Difference("leftovers", each.text, "phoenix repair takes it back") for each in leftovers(record, seen)),
    )


def _left_by(last: Rotation, live: Generation, state: SlotState) -> Iterator[Difference]:
    name, left = state.auto_scaling_group, last.capacity
    if (state.min, state.max) != (left.min, left.max) and tags.CAPACITY not in state.tags:
        yield Difference("bounds", f"{name} has min {state.min} max {state.max}", f"left at {left.min} and {left.max}")
    if live.template_version is not None and not live.is_set_in(state):
        launches = state.template_version or "whatever is newest or default"
        yield Difference("template", f"{name} launches version {launches}", f"left at {live.template_version}")
    noted = tags.read_generation(state.tags)
    if noted is None or noted.number != live.number:
        now = "missing" if noted is None else f"says {noted.number}"
        yield Difference("tags", f"{tags.GENERATION} of {name} {now}", f"left at {live.number}")


def _weights(live: Generation, seen: Observation) -> Iterator[Difference]:
    for route in seen.routes:
        if sum(route.weights.values()) and route.percent(live.slot) != 100:
            yield Difference("weights", f"{route.name} sends it {route.percent(live.slot)} %", "left at 100 %")


_STOPS = {
    Routine.LAUNCHES: "launches are suspended",
    Routine.REGISTRATIONS: "registrations are suspended",
}


def _processes(last: Rotation | None, state: SlotState) -> Iterator[Difference]:
    """Processes without which a lost instance is not replaced; scheduled actions only where they are known to have
    run."""
    for routine, words in _STOPS.items():
        if routine in state.suspended:
            yield Difference("processes", f"{words} on {state.auto_scaling_group}", "a lost instance is not replaced")
    if Routine.SCHEDULES in state.suspended and last is not None and last.ledger.schedules_ran:
        yield Difference("processes", f"schedules are suspended on {state.auto_scaling_group}", "they ran before")
