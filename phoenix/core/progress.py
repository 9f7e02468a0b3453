"""How a rotation moves on: clocks, then from one resting place to the next. Pure: the new record is a function of the
old one and of what was seen. What has to change in AWS for it is converge's business.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core.arriving import awaits_numbers
from phoenix.core.closing import stays_hot
from phoenix.core.converge import is_empty_for, step_before
from phoenix.core.fence import answering
from phoenix.core.model import Judgement, Observation, SlotState
from phoenix.core.ready import (
    back_at_the_latest,
    candidate_goal,
    common_reason,
    has_settled,
    is_enough,
    is_held,
    is_short,
    may_go_back,
    may_shrink,
    old_goal,
    sick_since,
)
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, Sides, sides_of

UNWATCHED = timedelta(minutes=1)
"""A driver looks at least this often at a launch that it awaits. Longer, and no driver was there."""
LEAST_LAST_BAKE = timedelta(minutes=5)
"""The shortest last bake where scaling policies exist: they need that long to see the load they will carry."""


def advance_clocks(rotation: Rotation, seen: Observation) -> Rotation:
    """Note what was seen: the ratchets, since when the candidate is ready, short or sick, and which weight is real."""
    sides, last_look = sides_of(rotation, seen), rotation.looked_at
    need = rotation.need if rotation.back else _need(rotation, sides)
    rotation = rotation.look(seen.at, need, seen.verdicts)
    if _is_there(sides.new) and rotation.candidate.launched_at is None:
        rotation = replace(rotation, candidate=replace(rotation.candidate, launched_at=seen.at))
    if rotation.back is not None:
        whole = sides.old.ready_count >= rotation.need
        if not sides.new.has(0):
            # Another writer gave it traffic: requests are on their way there.
            rotation = rotation.expose(seen.at)
        ready_since = _since(rotation.growth.ready_since, whole, seen.at)
        return replace(rotation, growth=replace(rotation.growth, ready_since=ready_since))
    if rotation.new.template_version is None or rotation.step == 0:
        return rotation
    return _watch_candidate(_without_gap(rotation, sides.new.state.desired, last_look), sides, seen.at)


def _watch_candidate(rotation: Rotation, sides: Sides, at: datetime) -> Rotation:
    growth, candidate, new = rotation.growth, rotation.candidate, sides.new
    running = sum(i.in_service for i in new.own)
    if running > candidate.in_service_high:
        candidate, growth = replace(candidate, in_service_high=running), replace(growth, progress_at=at)
    enough_now = is_enough(rotation, sides)
    goal = candidate_goal(rotation)
    if goal > candidate.target:
        # More is wanted than a moment ago: that it is not there yet is not the candidate's failure.
        growth = replace(growth, short_since=None)
    if growth.ready_since is not None and not enough_now and rotation.clocks.proved_at is None:
        longest = max(growth.longest_ready or timedelta(0), at - growth.ready_since)
        growth = replace(growth, times_ready=growth.times_ready + 1, longest_ready=longest)
    growth = replace(
        growth,
        ready_since=_since(growth.ready_since, enough_now, at),
        short_since=_since(growth.short_since, is_short(rotation, new.ready_count), at),
    )
    growth = growth.hear(common_reason(new, goal), at)
    sick = sick_since(new, candidate.sick, at)
    return replace(rotation, growth=growth, candidate=replace(candidate, target=goal, sick=sick))


def _without_gap(rotation: Rotation, desired: int, last_look: datetime | None) -> Rotation:
    """A launch that AWS was never asked for is not overdue: its driver may have died between the record and the call.

    The time that passed until the next driver came does not count then. Where AWS refuses what it is asked, a driver
    looks all the time, and the launch's time-out runs.
    """
    asked, since, at = desired >= candidate_goal(rotation), rotation.growth.since, rotation.looked_at
    if asked or since is None or last_look is None or at is None or at - last_look <= UNWATCHED:
        return rotation
    gap = at - max(since, last_look)
    return replace(rotation, growth=replace(rotation.growth, since=since + gap))


def _is_there(new: Side) -> bool:
    """True when the slot lists any instance of the new generation, in whatever state."""
    return new.generation.template_version is not None and bool(new.own)


def _need(rotation: Rotation, sides: Sides) -> int:
    """The high-water mark of what autoscaling wanted: of the old generation, and of the new one once it has traffic."""
    new = sides.new.state.desired if rotation.weight > 0 else 0
    return max(rotation.need, sides.old.state.desired, new)


def _since(before: datetime | None, holds: bool, at: datetime) -> datetime | None:
    return (before or at) if holds else None


def advance(rotation: Rotation, seen: Observation) -> Rotation:
    """Move on as far as this observation allows; several resting places in one go when nothing has to be waited for."""
    for _ in range(4 * len(rotation.terms.steps) + 4):
        # Made anew for each: a generation has its template version only from one resting place to the next.
        sides = sides_of(rotation, seen)
        moved = _back(rotation, sides, seen) if rotation.back is not None else _onward(rotation, sides, seen)
        if moved == rotation:
            break
        rotation = moved
    return rotation


def all_pass(seen: Observation) -> bool:
    """True when no gate objects or hesitates."""
    return all(v.judgement is Judgement.PASS for v in seen.verdicts)


def bake_ends_at(rotation: Rotation) -> datetime | None:
    """The end of the current bake; None while it does not rest, or rests until a person promotes it."""
    bake = rotation.current.bake
    if rotation.clocks.baking_since is None or bake is None:
        return None
    return rotation.clocks.baking_since if rotation.clocks.promoted is not None else rotation.clocks.baking_since + bake


def drained_at(rotation: Rotation, seen: Observation) -> datetime | None:
    """Until when instances that are leaving for good are waited for at most; None when there are none, or no longer."""
    loser = rotation.new if rotation.back is not None else rotation.old
    state = seen.slots[loser.slot]
    if (
        rotation.clocks.closing_since is None
        or state.desired > 0
        or not any(i.leaving or i.counts for i in state.instances)
    ):
        return None
    latest = rotation.clocks.closing_since + rotation.terms.drain_timeout
    return latest if seen.at < latest else None


# --- forward ---------------------------------------------------------------------------------------------------------


def _onward(rotation: Rotation, sides: Sides, seen: Observation) -> Rotation:
    if rotation.clocks.closing_since is not None:
        return rotation
    if rotation.step == 0:
        return _begin(rotation, sides.new.state, seen)
    if rotation.clocks.proved_at is None:
        return _prove(rotation, sides, seen)
    if rotation.clocks.shifted_at is None:
        is_open = not rotation.terms.opt_ins or (seen.opt_ins is not None and seen.opt_ins.are_in_place)
        is_shifted = is_open and sides.new.has(rotation.current.new_weight) and not seen.is_spreading
        return rotation.verify_shift(seen.at) if is_shifted else rotation
    if rotation.clocks.baking_since is None:
        return _begin_bake(rotation, sides, seen)
    return _end_bake(rotation, sides, seen)


def _begin(rotation: Rotation, slot: SlotState, seen: Observation) -> Rotation:
    if rotation.new.template_version is None:
        if seen.prepared_version is None:
            return rotation
        new = replace(rotation.new, template_version=seen.prepared_version, template=slot.template or None)
        return replace(rotation, new=new)
    return rotation.begin(seen.at) if is_empty_for(rotation, slot) else rotation


def _prove(rotation: Rotation, sides: Sides, seen: Observation) -> Rotation:
    if rotation.is_holding:
        return rotation.release(seen.at) if is_held(rotation, sides) and all_pass(seen) else rotation
    if not is_enough(rotation, sides) or not all_pass(seen):
        return rotation
    ready_since = rotation.growth.ready_since or seen.at
    if seen.at - ready_since < rotation.terms.healthy_for:
        return replace(rotation, growth=replace(rotation.growth, ready_since=ready_since))
    proved = rotation.prove(seen.at, ready_since)
    return proved.note(seen.at, f"step {rotation.step}", f"gates passed; {rotation.current.new_weight} %")


def _begin_bake(rotation: Rotation, sides: Sides, seen: Observation) -> Rotation:
    if rotation.current.old_capacity >= step_before(rotation).old_capacity:
        return rotation.bake(seen.at)
    goal = old_goal(rotation, rotation.current)
    if rotation.clocks.shrunk_at is None:
        # Decided once: a blip of the candidate afterwards must not launch old instances again.
        decided = (
            may_shrink(rotation, seen) and is_enough(rotation, sides) and sides.old.keeps(goal, rotation.ledger.drains)
        )
        return rotation.shrink(seen.at) if decided else rotation
    old = sides.old.state
    staying = sum(i.counts for i in old.instances)
    return rotation if old.desired > goal or staying > goal else rotation.bake(seen.at)


def _end_bake(rotation: Rotation, sides: Sides, seen: Observation) -> Rotation:
    ends_at = bake_ends_at(rotation)
    waived = rotation.clocks.promoted is not None
    if (ends_at is None and not waived) or (ends_at is not None and seen.at < ends_at):
        return rotation
    if not is_enough(rotation, sides) or not all_pass(seen):
        return rotation
    if rotation.is_last_step:
        # A generation that stays hot loses nothing by it.
        goes = has_settled(rotation, seen.at) if stays_hot(rotation) else may_shrink(rotation, seen)
        return rotation.close(seen.at) if goes and answering(seen) is None else rotation
    following = rotation.go_on()
    goal = candidate_goal(following)
    return following.grow(seen.at, goal) if goal > candidate_goal(rotation) else following


# --- the way back ----------------------------------------------------------------------------------------------------


def _back(rotation: Rotation, sides: Sides, seen: Observation) -> Rotation:
    old = sides.old.state
    if seen.prepared_version is not None and not rotation.old.is_launched_by(old):
        made = replace(rotation.old, template_version=seen.prepared_version, template=old.template or None)
        text = f"generation {made.number} is launched by version {made.template_version} of {old.template} from now on"
        return replace(rotation, old=made).note(seen.at, "replaced", text)
    clocks = rotation.clocks
    if clocks.shifted_at is not None and not sides.new.has(0):
        # Another writer gave it traffic again: taken back once more, and waited for, before anything is removed.
        return rotation.doubt_shift(seen.at)
    if clocks.closing_since is not None:
        return rotation
    # A reserve was proved before: only new launches are watched first.
    complete = old.desired + sides.old.reserve_count >= rotation.need
    if rotation.growth.since is None and not complete:
        return replace(rotation, growth=replace(rotation.growth, since=seen.at, ready_since=None))
    if clocks.shifted_at is None:
        goes = (rotation.exposed_at is None and complete) or may_go_back(rotation, sides, seen.at)
        back = replace(rotation, intended_weight=0) if goes else rotation
        # Users who asked for the candidate are on it until its rules are gone, whatever the weights say.
        is_closed = seen.opt_ins is None or not seen.opt_ins.rules
        is_shifted = is_closed and sides.new.has(0) and not seen.is_spreading
        return back.verify_shift(seen.at) if goes and is_shifted else back
    enough = sides.old.ready_count >= rotation.need or rotation.exposed_at is None
    whole = enough or seen.at >= back_at_the_latest(rotation)
    # Where requests are counted, the candidate stays until none arrive at it any more, or that is not to be known.
    settled = may_shrink(rotation, seen) and sides.new.has(0) and not awaits_numbers(rotation, seen)
    return rotation.close(seen.at) if settled and whole else rotation
