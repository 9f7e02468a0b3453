"""The actions of the way back: the old generation grows if it is too small, then the traffic moves. Pure.

Must never launch by a number alone, nor send traffic to an image that the generation never had.
"""

from __future__ import annotations

from collections.abc import Iterator

from phoenix.core import failover, tags
from phoenix.core.action import Action, MakeTemplateVersion, Release, ReplaceInstance, SetOptIns, SetWeights, WriteTags
from phoenix.core.fence import unrefused
from phoenix.core.generation import UNKNOWN_IMAGE
from phoenix.core.model import Observation, Role, SlotState
from phoenix.core.ready import may_go_back
from phoenix.core.roles import Standing, as_found, set_role
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, Sides, sides_of
from phoenix.core.terms import Step


def way_back(step: Step, rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Grow the old generation if it is too small, shift as soon as it can carry the need; shrinking is closing."""
    sides, slot = sides_of(rotation, seen), rotation.new.slot
    carries = may_go_back(rotation, sides, seen.at)
    if carries and _launches_new(rotation, sides.old.state):
        # Both share a group: whatever it launches from now on has to be of the old generation.
        yield from _grow_old(rotation, sides.old)
    if not carries:
        # What takes minutes is asked for first, and by rights that every rollback has had.
        yield from _grow_old(rotation, sides.old)
        yield from _refer_old(rotation, seen, sides.old.state)
        if unrefused(seen) is not None:
            yield from _lend(sides)
    if rotation.terms.holds and sides.old.held_count:
        # The old generation has passed its gates long ago; its new launches do not wait for them.
        yield Release(rotation.old.slot)
    if carries and not sides.new.has(step.new_weight):
        yield SetWeights(slot, step.new_weight, suspend_stickiness=rotation.terms.suspend_stickiness)
    # After the weights, which more users meet; whatever carries these by then, it is no worse for them.
    yield from close_to_opt_ins(rotation, seen)
    if carries and rotation.back is not None and rotation.back.now:
        yield from _grow_old(rotation, sides.old)
    yield from failover.hand_over(rotation, seen)


def close_to_opt_ins(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Take the rules of our own away: requests that ask for the candidate go where all others go."""
    if seen.opt_ins is not None and seen.opt_ins.rules:
        yield SetOptIns(rotation.new.slot, (), rotation.id)


def _launches_new(rotation: Rotation, old: SlotState) -> bool:
    return rotation.terms.serving.reserve and not rotation.old.is_set_in(old)


def _refer_old(rotation: Rotation, seen: Observation, old: SlotState) -> Iterator[Action]:
    """A generation that went cold left the rules: no target of it is health-checked before one names it again."""
    missing = any(old.slot not in route.weights for route in seen.routes)
    if missing and all(route.percent(rotation.new.slot) == 100 for route in seen.routes):
        yield from failover.note_and_suspend(rotation, old)
        yield SetWeights(rotation.new.slot, 100)


def _lend(sides: Sides) -> Iterator[Action]:
    """Traffic back to the new generation while a former driver's last request has just emptied the old one: better than
    to no instance, until the old one has grown again."""
    if sides.old.is_exposed and not sides.old.ready and sides.new.ready:
        yield SetWeights(sides.new.generation.slot, 100)


def _grow_old(rotation: Rotation, side: Side) -> Iterator[Action]:
    """Launch missing instances, and replace foreign ones, from the old generation's own template version."""
    old, foreign = side.state, side.foreign
    too_small = old.desired < rotation.need
    launches_new = _launches_new(rotation, old)
    if not foreign and not too_small and not launches_new:
        return
    if not rotation.old.is_launched_by(old):
        yield from make_old_again(rotation)
        return
    missing = {} if not too_small else _missing_notes(rotation, old)
    if missing:
        yield WriteTags({old.slot: missing})
    if too_small or not rotation.old.is_set_in(old):
        pinned = Standing(Role.PINNED, rotation.need, rotation.capacity)
        yield set_role(old, pinned if too_small or launches_new else as_found(old), rotation.old)
    yield from (ReplaceInstance(old.slot, instance.id) for instance in foreign if instance.healthy)


def _missing_notes(rotation: Rotation, old: SlotState) -> dict[str, str]:
    """The tags for a rollback without a record: the owner's numbers before they change, and the growing generation."""
    missing = {} if tags.CAPACITY in old.tags else {tags.CAPACITY: tags.write_capacity(rotation.capacity)}
    note, own = tags.read_generation(old.tags), rotation.old
    if own.template_version is None or own.image == UNKNOWN_IMAGE:
        return missing
    is_same = note is not None and (note.number, note.template_version) == (own.number, own.template_version)
    if note is None or not is_same or note.template not in (None, own.template):
        missing[tags.GENERATION] = tags.write_generation(own)
    return missing


def make_old_again(rotation: Rotation) -> Iterator[Action]:
    """The template, or its version, was replaced: the old image gets a version of its own in the one that is there."""
    old = rotation.old
    if old.image != UNKNOWN_IMAGE:
        yield MakeTemplateVersion(old.slot, rotation.id, old.number, old.image)
