"""Turn a step and an observation into the actions that are missing: grow, then shift, then shrink.

Pure: no clock, no randomness, no I/O. Emits absolute targets, never increments, so any action may be repeated. Going
forward, resuming after a crash, rolling back and cleaning up are this one function with another target.
"""

from __future__ import annotations

from collections.abc import Iterator

from phoenix.core import failover, tags
from phoenix.core.action import (
    Action,
    MakeTemplateVersion,
    Release,
    SetOptIns,
    SetRole,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.capacity import to_carry
from phoenix.core.closing import close
from phoenix.core.fence import answering, unrefused
from phoenix.core.model import Observation, Role, SlotState
from phoenix.core.ready import (
    candidate_goal,
    is_enough,
    may_shrink,
    old_goal,
)
from phoenix.core.roles import COLD, Standing, missing_role
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.sides import Sides, sides_of
from phoenix.core.terms import Step
from phoenix.core.way_back import close_to_opt_ins, way_back

UNTOUCHED = Step(new_capacity=0, old_capacity=100, new_weight=0)


def converge(step: Step, rotation: Rotation, seen: Observation) -> tuple[Action, ...]:
    """The actions that bring the world to the step; empty when they agree, or when AWS is still busy."""
    if rotation.clocks.closing_since is not None:
        # Rules of our own first, and nothing else until they are gone: the note that tells of them goes last.
        return tuple(close_to_opt_ins(rotation, seen)) or tuple(close(rotation, seen))
    if rotation.back is not None:
        return tuple(way_back(step, rotation, seen))
    if rotation.new.template_version is None:
        return tuple(_make_template(rotation, seen))
    return tuple(_forward(step, rotation, seen))


def is_empty_for(rotation: Rotation, state: SlotState) -> bool:
    """True when nothing but the new generation's own instances is left in its slot, or all else is leaving."""
    return all(i.leaving or rotation.new.has_launched(i) for i in state.instances)


# --- forward ---------------------------------------------------------------------------------------------------------


def _make_template(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    live = seen.slots[rotation.old.slot]
    is_asked_again = rotation.ledger.is_in_place
    if is_asked_again or live.template_version is None:
        # A driver with another store has to find the rotation, also while EC2 does not show its version yet. The first
        # time they come with the version, which the tags name, and that saves a call.
        yield from write_tags(rotation, seen)
    if live.template_version is None:
        # A new version would change what the slot launches: its number is pinned first.
        yield from _pin_live(rotation, live)
    new = rotation.new
    yield MakeTemplateVersion(new.slot, rotation.id, new.number, new.image)


def _forward(step: Step, rotation: Rotation, seen: Observation) -> Iterator[Action]:
    sides = sides_of(rotation, seen)
    live, candidate = sides.old.state, sides.new.state
    yield from write_tags(rotation, seen)
    if _shrunk_by(step, rotation).old_capacity >= 100:
        yield from _pin_live(rotation, live)
    yield from _grow_candidate(rotation, seen, candidate)
    if rotation.growth.released_at is not None and sides.new.held_count:
        yield Release(candidate.slot)
    yield from _open_to_opt_ins(rotation, seen)
    yield from _shift(step, rotation, sides, seen)
    yield from failover.hand_over(rotation, seen)
    yield from _shrink_live(step, rotation, sides, seen)


def write_tags(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """The tags that are missing, in one action; without the candidate's generation while it has no version."""
    missing = {}
    noted = failover.notes(rotation)
    for slot, own in tags.rotation_tags(rotation, rotation.origin.store).items():
        wanted = own | ({tags.FAILOVER: noted[slot]} if slot in noted else {})
        differing = {key: value for key, value in wanted.items() if seen.slots[slot].tags.get(key) != value}
        if differing:
            missing[slot] = differing
    if missing:
        yield WriteTags(missing)


def _pin_live(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    need, owner = rotation.need, rotation.capacity
    version = rotation.origin.pin or rotation.old.template_version
    if live.template_version is None and version is not None:
        yield SetRole(live.slot, Role.PINNED, need, owner, version)
    else:
        yield from missing_role(live, Standing(Role.PINNED, need, owner))


def _grow_candidate(rotation: Rotation, seen: Observation, candidate: SlotState) -> Iterator[Action]:
    if Routine.SCHEDULES not in candidate.suspended:
        yield SetSchedules(candidate.slot, running=False)
    changes = tuple(_fill_candidate(rotation, seen, candidate))
    if changes or tags.FAILOVER not in candidate.tags:
        # Before a rule names it, and again before it changes: dying in between must not let DNS judge by it.
        yield from failover.suspend(rotation, candidate.slot)
    yield from changes


def _fill_candidate(rotation: Rotation, seen: Observation, candidate: SlotState) -> Iterator[Action]:
    if rotation.growth.since is None and not is_empty_for(rotation, candidate):
        has_settled = rotation.exposed_at is None or seen.at - rotation.exposed_at >= rotation.terms.propagation
        if has_settled and unrefused(seen) is None:
            yield from missing_role(candidate, COLD)
        return
    goal = candidate_goal(rotation)
    if goal == 0:
        return
    if rotation.terms.serving.weights and any(candidate.slot not in r.weights for r in seen.routes):
        # A target group that nothing refers to is never health-checked: refer to it, at the weight it has.
        yield SetWeights(candidate.slot, rotation.weight, only_from=frozenset({rotation.weight}))
    yield from missing_role(candidate, Standing(Role.CANDIDATE, goal, rotation.capacity), rotation.new)


def _open_to_opt_ins(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """From the first step whose gates have passed: requests that ask for the candidate reach it, before any weight."""
    wanted = rotation.terms.opt_ins
    if not wanted or rotation.exposed_at is None or answering(seen) is not None:
        return
    if seen.opt_ins is None or not seen.opt_ins.are_in_place:
        yield SetOptIns(rotation.new.slot, wanted, rotation.id)


def _shift(step: Step, rotation: Rotation, sides: Sides, seen: Observation) -> Iterator[Action]:
    slot = rotation.new.slot
    if rotation.clocks.proved_at is None or sides.new.has(step.new_weight):
        return
    if answering(seen) is not None:
        return  # what comes after our own write would be the last word
    falls = any(share > step.new_weight for share in sides.new.shares)
    if falls and not _old_carries(step, rotation, sides.old.ready_count):
        return
    if is_enough(rotation, sides) and sides.new.ready:
        yield from failover.suspend(rotation, slot.other)
        yield SetWeights(
            slot,
            step.new_weight,
            only_from=frozenset({rotation.weight, step.new_weight}),
            suspend_stickiness=rotation.terms.suspend_stickiness,
        )


def _old_carries(step: Step, rotation: Rotation, ready: int) -> bool:
    """True when the old generation can carry the share it is to get back from where another writer has moved it."""
    share = to_carry(rotation.need, 0, 100 - step.new_weight, rotation.terms.min_healthy_percentage)
    return ready >= share


def step_before(rotation: Rotation) -> Step:
    """The step that the current one follows; before the first the old generation has everything."""
    return rotation.terms.steps[rotation.step - 2] if rotation.step >= 2 else UNTOUCHED


def old_part(rotation: Rotation) -> int:
    """How many instances the old generation is to have in service now: the need until a shrink is decided, which is
    before anything leaves."""
    if rotation.back is not None:
        return rotation.need
    step = _shrunk_by(rotation.current, rotation)
    return rotation.need if step.old_capacity >= 100 else old_goal(rotation, step)


def is_shrunk(rotation: Rotation) -> bool:
    """True once it was decided that the old generation gives way, by however little."""
    return rotation.back is None and _shrunk_by(rotation.current, rotation).old_capacity < 100


def _shrunk_by(step: Step, rotation: Rotation) -> Step:
    """The step that says how small the old generation is now: the current one once its shrink is decided."""
    return step_before(rotation) if rotation.clocks.shrunk_at is None else step


def _shrink_live(step: Step, rotation: Rotation, sides: Sides, seen: Observation) -> Iterator[Action]:
    shrunk_by, live = _shrunk_by(step, rotation), sides.old.state
    if shrunk_by.old_capacity < 100:
        goal = min(old_goal(rotation, shrunk_by), live.max)
        # Decided once, but weights may have been elsewhere since, or candidates have failed: then it waits once more.
        goes = (
            may_shrink(rotation, seen) and is_enough(rotation, sides) and sides.old.keeps(goal, rotation.ledger.drains)
        )
        if live.desired <= goal or goes:
            yield from missing_role(live, Standing(Role.PINNED, goal))
