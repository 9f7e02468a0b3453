"""Turn a step and an observation into the actions that are missing: grow, then shift, then shrink.

Pure: no clock, no randomness, no I/O. Emits absolute targets, never increments, so any action may be repeated. Going
forward, resuming after a crash, rolling back and cleaning up are this one function with another target.
"""

from __future__ import annotations

from collections.abc import Iterator

from phoenix.core import tags
from phoenix.core.action import (
    Action,
    MakeTemplateVersion,
    RemoveTags,
    SetCapacity,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.capacity import to_carry
from phoenix.core.fence import answering, unrefused
from phoenix.core.ledger import SCHEDULES, lost_stickiness, our_references, schedules_ran
from phoenix.core.model import Cause, Observation, Slot, SlotState, Step
from phoenix.core.ready import (
    candidate_goal,
    is_enough,
    leaves_enough,
    may_shrink,
    old_goal,
    ready_count,
)
from phoenix.core.record import UNKNOWN_IMAGE, Generation, Rotation
from phoenix.core.way_back import make_old_again, sized, way_back

UNTOUCHED = Step(new_capacity=0, old_capacity=100, new_weight=0)


def converge(step: Step, rotation: Rotation, seen: Observation) -> tuple[Action, ...]:
    """What is missing between the world and the step; empty when they agree, or when AWS is still busy."""
    if rotation.closing_since is not None:
        return tuple(_close(rotation, seen))
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
    if not live.template_version.isdigit():
        # A new version would change what `$Latest` launches while nobody looks: pin the number first.
        yield from _write_tags(rotation, seen)
        yield from _pin_live(rotation, live)
    new = rotation.new
    yield MakeTemplateVersion(new.slot, rotation.id, new.number, new.image)


def _forward(step: Step, rotation: Rotation, seen: Observation) -> Iterator[Action]:
    live, candidate = seen.slots[rotation.old.slot], seen.slots[rotation.new.slot]
    yield from _write_tags(rotation, seen)
    if _shrunk_by(step, rotation).old_capacity >= 100:
        yield from _pin_live(rotation, live)
    yield from _grow_candidate(rotation, seen, candidate)
    yield from _shift(step, rotation, seen)
    yield from _shrink_live(step, rotation, seen)


def _write_tags(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    missing = {}
    for slot, wanted in tags.rotation_tags(rotation, rotation.store).items():
        differing = {key: value for key, value in wanted.items() if seen.slots[slot].tags.get(key) != value}
        if differing:
            missing[slot] = differing
    if missing:
        yield WriteTags(missing)


def _pin_live(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    least, most = rotation.need, max(rotation.capacity.max, rotation.need)
    version = None if live.template_version.isdigit() else rotation.pin or rotation.old.template_version
    if (live.min, live.max) != (least, most) or version is not None:
        yield SetCapacity(live.slot, min=least, max=most, template_version=version)


def _grow_candidate(rotation: Rotation, seen: Observation, candidate: SlotState) -> Iterator[Action]:
    if SCHEDULES not in candidate.suspended:
        yield SetSchedules(candidate.slot, running=False)
    if rotation.grown_since is None and not is_empty_for(rotation, candidate):
        has_settled = rotation.exposed_at is None or seen.at - rotation.exposed_at >= rotation.terms.propagation
        if has_settled and unrefused(seen) is None:
            yield from _set(candidate, 0, 0, desired=0)
        return
    goal = candidate_goal(rotation)
    if goal == 0:
        return
    if rotation.terms.has_traffic and any(candidate.slot not in r.weights for r in seen.routes):
        # A target group that nothing refers to is never health-checked: refer to it, at the weight it has.
        yield SetWeights(candidate.slot, rotation.weight, only_from=frozenset({rotation.weight}))
    yield from _set(candidate, goal, max(rotation.capacity.max, goal), generation=rotation.new)


def _shift(step: Step, rotation: Rotation, seen: Observation) -> Iterator[Action]:
    slot = rotation.new.slot
    if rotation.proved_at is None or all(r.percent(slot) == step.new_weight for r in seen.routes):
        return
    if answering(seen) is not None:
        return  # what comes after our own write would be the last word
    if any(r.percent(slot) > step.new_weight for r in seen.routes) and not _old_carries(step, rotation, seen):
        return
    if is_enough(rotation, seen) and ready_count(rotation, seen, slot) > 0:
        yield SetWeights(
            slot,
            step.new_weight,
            only_from=frozenset({rotation.weight, step.new_weight}),
            suspend_stickiness=rotation.terms.suspend_stickiness,
        )


def _old_carries(step: Step, rotation: Rotation, seen: Observation) -> bool:
    """True when the old generation can carry the share it is to get back from where somebody else has moved it."""
    share = to_carry(rotation.need, 0, 100 - step.new_weight, rotation.terms.min_healthy_percentage)
    return ready_count(rotation, seen, rotation.old.slot) >= share


def step_before(rotation: Rotation) -> Step:
    """The step that the current one follows; before the first the old generation has everything."""
    return rotation.terms.steps[rotation.step - 2] if rotation.step >= 2 else UNTOUCHED


def _shrunk_by(step: Step, rotation: Rotation) -> Step:
    """The step that says how small the old generation is now: the current one once its shrink is decided."""
    return step_before(rotation) if rotation.shrunk_at is None else step


def _shrink_live(step: Step, rotation: Rotation, seen: Observation) -> Iterator[Action]:
    shrunk_by, live = _shrunk_by(step, rotation), seen.slots[rotation.old.slot]
    if shrunk_by.old_capacity < 100:
        goal = min(old_goal(rotation, shrunk_by), live.max)
        # Decided once, but the weights may have been elsewhere since: then they settle once more before anybody goes.
        if live.desired <= goal or (may_shrink(rotation, seen) and leaves_enough(rotation, seen, goal)):
            yield from _set(live, goal, goal)


# --- closing ---------------------------------------------------------------------------------------------------------


def _close(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Put every slot into the role that it ends with, and take back what was temporary."""
    ends_back = rotation.back is not None
    winner, loser = (rotation.old, rotation.new) if ends_back else (rotation.new, rotation.old)
    live, other = seen.slots[winner.slot], seen.slots[loser.slot]
    if any(route.percent(winner.slot) != 100 for route in seen.routes):
        # Somebody has moved weights since they settled; nothing may shrink now. Only the way back insists.
        if ends_back:
            yield SetWeights(loser.slot, 0)
        return
    if answering(seen) is not None:
        return
    lost = lost_stickiness(rotation.ledger, seen)
    if lost:
        # Weights are settled by now; writing them once more brings the suspended stickiness back with them.
        yield SetWeights(live.slot, 100, restore_stickiness=lost)
    yield from _unrefer(rotation, seen)
    yield from _at_rest(rotation, live)
    ran, runs = schedules_ran(rotation), SCHEDULES not in live.suspended
    if ran is not None and ran is not runs and (not ends_back or rotation.succeeded_at is not None):
        yield SetSchedules(live.slot, running=ran)
    if is_untouched(rotation):
        yield from _drop_notes(rotation, live, other, hot=other.desired > 0)
        return
    if SCHEDULES not in other.suspended:
        yield SetSchedules(other.slot, running=False)
    hot = max(live.desired, other.desired if other.min == other.max else 0) if stays_hot(rotation) else 0
    if hot < other.desired and unrefused(seen) is not None:
        return
    if hot or _may_let_go(rotation, seen, winner.slot):
        yield from _set(other, hot, hot, desired=hot)
    yield from _note_quarantine(rotation, live)
    yield from _drop_notes(rotation, live, other, hot=hot > 0)


def is_closed(rotation: Rotation, seen: Observation) -> bool:
    """True unless something keeps the losing slot from its last role: strange weights, or a winner that is not whole.

    Nothing to do is not the same as done.
    """
    winner = (rotation.old if rotation.back is not None else rotation.new).slot
    if answering(seen) is not None or any(route.percent(winner) != 100 for route in seen.routes):
        return False
    if not stays_hot(rotation) and not is_untouched(rotation) and unrefused(seen) is not None:
        return False
    is_let_go = is_untouched(rotation) or seen.slots[winner.other].max == 0
    return is_let_go or _may_let_go(rotation, seen, winner)


def is_untouched(rotation: Rotation) -> bool:
    """True for one that was turned back before it had made anything: the other slot is still as it was."""
    return rotation.back is not None and rotation.new.template_version is None


def _may_let_go(rotation: Rotation, seen: Observation, winner: Slot) -> bool:
    """Without weights the losing instances serve until they are gone: the winner has to be whole right then."""
    wanted = min(rotation.need, seen.slots[winner].desired)
    return rotation.terms.has_traffic or ready_count(rotation, seen, winner) >= wanted


def _unrefer(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Routes that name the losing slot only because we made them stop doing so."""
    if rotation.back is None or rotation.succeeded_at is not None:
        return
    ours = our_references(rotation.ledger, rotation.new.slot, seen)
    if ours:
        yield SetWeights(rotation.new.slot, 0, unrefer=ours)


def _note_quarantine(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    """On the group itself, so that the image stays out even if the store is lost; one that has succeeded is free."""
    noted = tags.read_quarantine(live.tags)
    if rotation.back is None:
        if rotation.new.image in noted:
            left = [image for image in noted if image != rotation.new.image]
            yield WriteTags({live.slot: {tags.QUARANTINE: tags.write_quarantine(left)}})
    elif rotation.cause is not Cause.ENVIRONMENT and rotation.new.image not in noted:
        yield WriteTags({live.slot: {tags.QUARANTINE: tags.write_quarantine((*noted, rotation.new.image))}})


def stays_hot(rotation: Rotation) -> bool:
    """True when the old generation keeps its instances after a success: only then is a rollback a matter of seconds."""
    terms = rotation.terms
    kept_whole = terms.steps[-1].old_capacity >= 100
    return rotation.back is None and terms.has_traffic and kept_whole and terms.hot_for.total_seconds() > 0


def _at_rest(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    """The owner's numbers; but AWS would lower desired to a maximum below it, and cut into what is running.

    A generation that is live again is what its slot launches from now on: somebody may have set it to another version.
    """
    owner, old = rotation.capacity, rotation.old
    most = max(owner.max, live.desired)
    differs = (live.min, live.max) != (owner.min, most)
    is_known = old.template is not None and old.image != UNKNOWN_IMAGE
    comes_back = rotation.back is not None and is_known and not is_untouched(rotation)
    if comes_back and not old.is_launched_by(live):
        yield from make_old_again(rotation)
    elif differs or (comes_back and not old.is_set_in(live)):
        yield sized(live, owner.min, most, old if comes_back else None)


def _drop_notes(rotation: Rotation, live: SlotState, other: SlotState, *, hot: bool) -> Iterator[Action]:
    """The owner's numbers are in place, or not wanted any more; and word of a rollback has been heeded."""
    found: dict[Slot, tuple[str, ...]] = {}
    for state in (live, other):
        stale = [tags.LEDGER] if state is other and hot else list(tags.TEMPORARY)
        # Word that is meant for another store stays until that one has heard it.
        stale += [tags.HOLD] if state.tags.get(tags.STORE) == rotation.store else []
        present = tuple(key for key in stale if key in state.tags)
        if present:
            found[state.slot] = present
    if found:
        yield RemoveTags(found)


def _set(
    state: SlotState, least: int, most: int, *, desired: int | None = None, generation: Generation | None = None
) -> Iterator[Action]:
    """SetCapacity, when a number differs from what is there."""
    differs = (state.min, state.max) != (least, most) or (desired is not None and state.desired != desired)
    if differs or (generation is not None and not generation.is_set_in(state)):
        yield sized(state, least, most, generation, desired)
