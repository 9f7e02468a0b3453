"""How a rotation moves on: clocks, then from one resting place to the next. Pure: the new record is a function of the
old one and of what was seen. What has to change in AWS for it is converge's business.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core.closing import stays_hot
from phoenix.core.converge import is_empty_for, step_before
from phoenix.core.fence import answering
from phoenix.core.model import Judgement, Observation
from phoenix.core.ready import (
    back_at_the_latest,
    candidate_goal,
    has_settled,
    is_enough,
    is_short,
    leaves_enough,
    may_go_back,
    may_shrink,
    old_goal,
    ready_count,
    sick_since,
)
from phoenix.core.record import Event, Rotation, longer

UNWATCHED = timedelta(minutes=1)
"""A driver looks at least this often at a launch that it awaits. Longer, and no driver was there."""
LEAST_LAST_BAKE = timedelta(minutes=5)
"""What a last bake lasts at least where scaling policies exist: they need that long to see the load they will carry."""


def advance_clocks(rotation: Rotation, seen: Observation) -> Rotation:
    """Note what was seen: the ratchets, since when the candidate is ready, short or sick, and which weight is real."""
    need = rotation.need if rotation.back else _need(rotation, seen)
    last_look = rotation.looked_at
    launched_at = rotation.launched_at or (seen.at if _is_there(rotation, seen) else None)
    rotation = replace(rotation, need=need, looked_at=seen.at, verdicts=seen.verdicts, launched_at=launched_at)
    if rotation.back is not None:
        whole = ready_count(rotation, seen, rotation.old.slot) >= rotation.need
        if rotation.exposed_at is None and not weights_are(rotation, seen, 0):
            # Whoever gave it traffic: requests are on their way there.
            rotation = replace(rotation, exposed_at=seen.at)
        return replace(rotation, ready_since=_since(rotation.ready_since, whole, seen.at))
    if rotation.new.template_version is None or rotation.step == 0:
        return rotation
    rotation = _without_gap(rotation, seen, last_look)
    running = sum(i.in_service for i in rotation.new.of(seen.slots[rotation.new.slot]))
    if running > rotation.in_service_high:
        rotation = replace(rotation, in_service_high=running, progress_at=seen.at)
    enough_now = is_enough(rotation, seen)
    goal = candidate_goal(rotation)
    if goal > rotation.candidate_target:
        # More is wanted than a moment ago: that it is not there yet is not the candidate's failure.
        rotation = replace(rotation, short_since=None)
    if rotation.ready_since is not None and not enough_now and rotation.proved_at is None:
        longest = max(rotation.longest_ready or timedelta(0), seen.at - rotation.ready_since)
        rotation = replace(rotation, times_ready=rotation.times_ready + 1, longest_ready=longest)
    return replace(
        rotation,
        candidate_target=goal,
        sick=sick_since(rotation, seen),
        ready_since=_since(rotation.ready_since, enough_now, seen.at),
        short_since=_since(rotation.short_since, is_short(rotation, seen), seen.at),
    )


def _without_gap(rotation: Rotation, seen: Observation, last_look: datetime | None) -> Rotation:
    """A launch that AWS was never asked for is not overdue: its driver may have died between the record and the call.

    The time that passed until the next driver came does not count then. Where AWS refuses what it is asked, a driver
    looks all the time, and the launch's time-out runs.
    """
    asked = seen.slots[rotation.new.slot].desired >= candidate_goal(rotation)
    if asked or rotation.grown_since is None or last_look is None or seen.at - last_look <= UNWATCHED:
        return rotation
    began = max(rotation.grown_since, last_look)
    return replace(rotation, grown_since=rotation.grown_since + (seen.at - began))


def _is_there(rotation: Rotation, seen: Observation) -> bool:
    """True when the slot lists any instance of the new generation, in whatever state."""
    instances = seen.slots[rotation.new.slot].instances
    return rotation.new.template_version is not None and any(map(rotation.new.has_launched, instances))


def _need(rotation: Rotation, seen: Observation) -> int:
    """The high-water mark of what autoscaling wanted: of the old generation, and of the new one once it has traffic."""
    new = seen.slots[rotation.new.slot].desired if rotation.weight > 0 else 0
    return max(rotation.need, seen.slots[rotation.old.slot].desired, new)


def _since(before: datetime | None, holds: bool, at: datetime) -> datetime | None:
    return (before or at) if holds else None


def advance(rotation: Rotation, seen: Observation) -> Rotation:
    """Move on as far as this observation allows; several resting places in one go when nothing has to be waited for."""
    for _ in range(4 * len(rotation.terms.steps) + 4):
        moved = _back(rotation, seen) if rotation.back is not None else _onward(rotation, seen)
        if moved == rotation:
            break
        rotation = moved
    return rotation


def all_pass(seen: Observation) -> bool:
    """True when no gate objects or hesitates."""
    return all(v.judgement is Judgement.PASS for v in seen.verdicts)


def weights_are(rotation: Rotation, seen: Observation, percent: int) -> bool:
    """True when every route was seen to send that much to the new generation."""
    return all(route.percent(rotation.new.slot) == percent for route in seen.routes)


def bake_ends_at(rotation: Rotation) -> datetime | None:
    """When the current bake is over; None while it does not rest, or rests until a person promotes it."""
    bake = rotation.current.bake
    if rotation.baking_since is None or bake is None:
        return None
    return rotation.baking_since if rotation.promoted is not None else rotation.baking_since + bake


def drained_at(rotation: Rotation, seen: Observation) -> datetime | None:
    """Until when instances that are leaving for good are waited for at most; None when there are none, or no longer."""
    loser = rotation.new if rotation.back is not None else rotation.old
    state = seen.slots[loser.slot]
    if rotation.closing_since is None or state.desired > 0 or not any(i.leaving or i.counts for i in state.instances):
        return None
    latest = rotation.closing_since + rotation.terms.drain_timeout
    return latest if seen.at < latest else None


def noted(rotation: Rotation, seen: Observation, name: str, text: str) -> Rotation:
    """The rotation with one more line in its story."""
    return replace(rotation, events=longer(rotation.events, Event(seen.at, name, text)))


# --- forward ---------------------------------------------------------------------------------------------------------


def _onward(rotation: Rotation, seen: Observation) -> Rotation:
    if rotation.closing_since is not None:
        return rotation
    if rotation.step == 0:
        return _begin(rotation, seen)
    if rotation.proved_at is None:
        return _prove(rotation, seen)
    if rotation.shifted_at is None:
        return _note_shift(rotation, seen)
    if rotation.baking_since is None:
        return _begin_bake(rotation, seen)
    return _end_bake(rotation, seen)


def _begin(rotation: Rotation, seen: Observation) -> Rotation:
    if rotation.new.template_version is None:
        if seen.prepared_version is None:
            return rotation
        template = seen.slots[rotation.new.slot].template or None
        new = replace(rotation.new, template_version=seen.prepared_version, template=template)
        return replace(rotation, new=new)
    if not is_empty_for(rotation, seen.slots[rotation.new.slot]):
        return rotation
    return replace(rotation, step=1, grown_since=seen.at, progress_at=seen.at)


def _prove(rotation: Rotation, seen: Observation) -> Rotation:
    if not is_enough(rotation, seen) or not all_pass(seen):
        return rotation
    ready_since = rotation.ready_since or seen.at
    if seen.at - ready_since < rotation.terms.healthy_for:
        return replace(rotation, ready_since=ready_since)
    weight = rotation.current.new_weight
    grew_in = rotation.grew_in or (ready_since - rotation.grown_since if rotation.grown_since else None)
    proved = replace(
        rotation,
        proved_at=seen.at,
        ready_since=ready_since,
        intended_weight=weight,
        grew_in=grew_in,
        exposed_at=rotation.exposed_at or (seen.at if weight else None),
    )
    return noted(proved, seen, f"step {rotation.step}", f"gates passed; {weight} %")


def _note_shift(rotation: Rotation, seen: Observation) -> Rotation:
    weight = rotation.current.new_weight
    if not weights_are(rotation, seen, weight):
        return rotation
    return replace(rotation, weight=weight, shifted_at=seen.at)


def _begin_bake(rotation: Rotation, seen: Observation) -> Rotation:
    if rotation.current.old_capacity >= step_before(rotation).old_capacity:
        return replace(rotation, baking_since=seen.at)
    if rotation.shrunk_at is None:
        # Decided once: a blip of the candidate afterwards must not launch old instances again.
        goal = old_goal(rotation, rotation.current)
        decided = may_shrink(rotation, seen) and is_enough(rotation, seen) and leaves_enough(rotation, seen, goal)
        return replace(rotation, shrunk_at=seen.at) if decided else rotation
    old, goal = seen.slots[rotation.old.slot], old_goal(rotation, rotation.current)
    staying = sum(i.counts for i in old.instances)
    return rotation if old.desired > goal or staying > goal else replace(rotation, baking_since=seen.at)


def _end_bake(rotation: Rotation, seen: Observation) -> Rotation:
    ends_at = bake_ends_at(rotation)
    waived = rotation.promoted is not None
    if (ends_at is None and not waived) or (ends_at is not None and seen.at < ends_at):
        return rotation
    if not is_enough(rotation, seen) or not all_pass(seen):
        return rotation
    if rotation.is_last_step:
        # A generation that stays hot loses nobody by it.
        goes = has_settled(rotation, seen) if stays_hot(rotation) else may_shrink(rotation, seen)
        return replace(rotation, closing_since=seen.at) if goes and answering(seen) is None else rotation
    goal_now = candidate_goal(rotation)
    following = replace(
        rotation,
        step=rotation.step + 1,
        proved_at=None,
        shifted_at=None,
        shrunk_at=None,
        baking_since=None,
        promoted=rotation.promoted if rotation.promoted_to_end else None,
    )
    grows = candidate_goal(following) > goal_now
    if not grows:
        return following
    return replace(
        following,
        candidate_target=candidate_goal(following),
        ready_since=None,
        times_ready=0,
        longest_ready=None,
        grown_since=seen.at,
        progress_at=seen.at,
    )


# --- the way back ----------------------------------------------------------------------------------------------------


def _back(rotation: Rotation, seen: Observation) -> Rotation:
    old = seen.slots[rotation.old.slot]
    if seen.prepared_version is not None and not rotation.old.is_launched_by(old):
        made = replace(rotation.old, template_version=seen.prepared_version, template=old.template or None)
        text = f"generation {made.number} is launched by version {made.template_version} of {old.template} from now on"
        return noted(replace(rotation, old=made), seen, "replaced", text)
    if rotation.shifted_at is not None and not weights_are(rotation, seen, 0):
        # Somebody gave it traffic again: taken back once more, and waited for once more, before anything is removed.
        exposed_at = rotation.exposed_at or seen.at
        return replace(rotation, shifted_at=None, closing_since=None, exposed_at=exposed_at)
    if rotation.closing_since is not None:
        return rotation
    complete = seen.slots[rotation.old.slot].desired >= rotation.need
    if rotation.grown_since is None and not complete:
        return replace(rotation, grown_since=seen.at, ready_since=None)
    if rotation.shifted_at is None:
        goes = (rotation.exposed_at is None and complete) or may_go_back(rotation, seen)
        if goes and weights_are(rotation, seen, 0):
            return replace(rotation, weight=0, intended_weight=0, shifted_at=seen.at)
        return replace(rotation, intended_weight=0) if goes else rotation
    enough = ready_count(rotation, seen, rotation.old.slot) >= rotation.need or rotation.exposed_at is None
    whole = enough or seen.at >= back_at_the_latest(rotation)
    settled = may_shrink(rotation, seen) and weights_are(rotation, seen, 0)
    if not (settled and whole):
        return rotation
    return replace(rotation, closing_since=seen.at, cause=rotation.fair_cause)
