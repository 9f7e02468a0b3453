"""The one sentence that says what is going on: what, since when, until when at most, then what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from phoenix.core.announcing import waiting_to_be_found
from phoenix.core.closing import stays_hot
from phoenix.core.converge import is_empty_for
from phoenix.core.explain import ago, clock_time, counted
from phoenix.core.failure import said_until
from phoenix.core.fence import answering, unrefused
from phoenix.core.leaving import waiting_to_leave
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Fence, Judgement, Observation, Outcome, SlotState
from phoenix.core.progress import bake_ends_at, drained_at
from phoenix.core.ready import back_at_the_latest, candidate_goal, has_settled
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, Sides, sides_of

MOST_SHOWN: Final = 3


def waiting_for(rotation: Rotation, seen: Observation) -> str:
    """Say what the rotation waits for at this moment."""
    if rotation.held is not None:
        return f"held: {rotation.held.why}; waiting for a person (resume, abort)"
    sides, draining = sides_of(rotation, seen), drained_at(rotation, seen)
    waits = (waiting_to_be_found(rotation, seen), waiting_to_leave(rotation, seen))
    at_work = "; ".join(filter(None, waits)) if rotation.paused is None else ""
    if at_work and rotation.back is None:
        return f"before instances leave: {at_work}"
    if rotation.back is not None and draining is None:
        told = _going_back(rotation, sides.old, seen)
        return f"{told}; {at_work}" if at_work else told
    if rotation.paused is not None:
        return f"paused by {rotation.paused.by} since {clock_time(rotation.paused.at)}; waiting for `resume`"
    if draining is not None:
        return _draining(sides.new if rotation.back is not None else sides.old, draining)
    if rotation.clocks.closing_since is not None:
        return _closing(rotation, seen)
    if rotation.step == 0:
        return _preparing(rotation, sides.new.state, seen)
    return f"step {rotation.step} of {len(rotation.terms.steps)}: {_stage(rotation, sides, seen)}"


def _closing(rotation: Rotation, seen: Observation) -> str:
    waits = _before_the_end(seen, hot=stays_hot(rotation))
    if waits:
        return f"closing waits {waits}, then generation {rotation.old.number} is retained"
    return f"closing: generation {rotation.new.number} becomes live at rest, {rotation.old.number} is retained"


def ended(rotation: Rotation) -> str:
    """Say in one sentence how a finished rotation went."""
    took = ago((rotation.ended_at or rotation.started_at) - rotation.started_at)
    if rotation.outcome is Outcome.SUCCEEDED:
        return f"generation {rotation.new.number} is live after {took}"
    return f"rolled back to generation {rotation.old.number} after {took}: {rotation.reason}"


def _for(late: Fence, until: datetime) -> str:
    """Until when a former driver is waited for, and why; the rest of the sentence says what comes then."""
    return (
        f"until {clock_time(until)}: a last request of {late.owner}, which was taken over from at "
        f"{clock_time(late.taken_at)}, may arrive until then"
    )


def _before_the_end(seen: Observation, *, hot: bool) -> str:
    """The same for the end of a success, which takes nothing away if the old one stays hot. Empty: nothing waits."""
    if hot:
        late = answering(seen)
        return _for(late, late.answered_by) if late is not None else ""
    late = unrefused(seen)
    return _for(late, late.refused_from) if late is not None else ""


def _draining(loser: Side, until: datetime) -> str:
    left, number = counted(len(loser.state.instances), "instance"), loser.generation.number
    return f"draining: {left} of generation {number} leave{_but(loser.state)}, at most until {clock_time(until)}"


def stayers(state: SlotState) -> str:
    """Name the instances that do not leave an emptied slot, and why; empty when all leave."""
    protected = [i.id for i in state.instances if i.protected and not i.leaving]
    # Its termination hook was abandoned, and the lifecycle policy says `retain`: it costs until a person ends it.
    kept = [i for i in state.instances if i.lifecycle is Lifecycle.KEPT]
    told = [f"{_some(protected)} protected from scale-in"] if protected else []
    words = kept[0].lifecycle_words if kept else ""
    told += [f"{_some([i.id for i in kept])} kept by the group's lifecycle policy ({words})"] if kept else []
    return " and ".join(told)


def _but(state: SlotState) -> str:
    told = stayers(state)
    return f", but {told}" if told else ""


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:MOST_SHOWN]) + (f" and {len(ids) - MOST_SHOWN} more" if len(ids) > MOST_SHOWN else "")
    return f"{shown} {'is' if len(ids) == 1 else 'are'}"


def _preparing(rotation: Rotation, state: SlotState, seen: Observation) -> str:
    if rotation.new.template_version is None:
        return f"preparing: the template version of generation {rotation.new.number} is being made"
    late = unrefused(seen)
    if late is not None and not is_empty_for(rotation, state):
        waits = _for(late, late.refused_from)
        return f"preparing waits {waits}, then slot {state.slot.value} is emptied"
    return f"preparing: slot {state.slot.value} is being emptied for generation {rotation.new.number}{_but(state)}"


def _stage(rotation: Rotation, sides: Sides, seen: Observation) -> str:
    if rotation.clocks.baking_since is not None:
        return _baking(rotation, seen)
    if rotation.clocks.shifted_at is not None:
        return _shrinking(rotation, sides.old, seen)
    if rotation.clocks.proved_at is not None:
        return _shifting(rotation.new.number, rotation.current.new_weight, seen)
    return _proving(rotation, sides.new.ready_count, seen)


def _proving(rotation: Rotation, ready: int, seen: Observation) -> str:
    goal = candidate_goal(rotation)
    doubt = next((v for v in seen.verdicts if v.judgement is not Judgement.PASS), None)
    what = f"{doubt.gate}: {doubt.reason}" if doubt else f"{ready} of {goal} ready"
    failed = f"; {seen.failures[0].words}" if seen.failures else ""
    until = (rotation.growth.since or seen.at) + rotation.terms.launch_timeout
    sooner = said_until(rotation, seen.slots[rotation.new.slot])
    told = clock_time(until)
    if sooner is not None and sooner < until:
        told = f"{clock_time(sooner)} if they go on saying so"
    return f"waiting for generation {rotation.new.number}, {what}{failed}, at most until {told}, then back"


def _shifting(number: int, percent: int, seen: Observation) -> str:
    late = answering(seen)
    if late is not None:
        waits = _for(late, late.answered_by)
        return f"generation {number} is ready and waits {waits}, then {percent} %"
    return f"moving {percent} % to generation {number}"


def _shrinking(rotation: Rotation, old: Side, seen: Observation) -> str:
    if rotation.clocks.shrunk_at is not None:
        but, until = _but(old.state), clock_time(rotation.deadline)
        end = f"{but}, at most until {until}, then back" if but else ""
        where = " service" if rotation.terms.serving.reserve else ""
        return f"waiting for the old instances of generation {rotation.old.number} to leave{where}{end}"
    settled = (rotation.clocks.shifted_at or rotation.started_at) + rotation.terms.propagation
    number, late = rotation.old.number, unrefused(seen)
    if has_settled(rotation, seen.at) and late is not None:
        return f"waiting {_for(late, late.refused_from)}, then generation {number} shrinks"
    if seen.at >= settled:
        until = clock_time(rotation.deadline)
        count = f"{old.ready_count} of {old.state.desired} healthy"
        return f"generation {number} shrinks once it is whole: {count}, at most until {until}, then back"
    return f"settling until {clock_time(settled)}, then generation {number} shrinks"


def _stays_in_reserve(rotation: Rotation) -> bool:
    return rotation.terms.serving.reserve and stays_hot(rotation)


def _baking(rotation: Rotation, seen: Observation) -> str:
    then = (
        f"generation {rotation.old.number} {'stays in reserve' if _stays_in_reserve(rotation) else 'is let go'}"
        if rotation.is_last_step
        else f"{rotation.terms.steps[rotation.step].new_weight} % to generation {rotation.new.number}"
    )
    rest = f"baking at {rotation.current.new_weight} %"
    ends_at = bake_ends_at(rotation)
    if ends_at is None and rotation.clocks.promoted is None:
        return f"{rest} until promoted, then {then}"
    doubt = next((v for v in seen.verdicts if v.judgement is not Judgement.PASS), None)
    if doubt is not None and (ends_at is None or seen.at >= ends_at):
        until = clock_time(rotation.deadline)
        return f"{rest}, waiting for {doubt.gate}: {doubt.reason}, at most until {until}, then back"
    late = answering(seen) if stays_hot(rotation) else unrefused(seen)
    if late is not None and rotation.is_last_step and (ends_at is None or seen.at >= ends_at):
        return (
            f"{rest}, waiting {_for(late, late.answered_by if stays_hot(rotation) else late.refused_from)}, then {then}"
        )
    return f"{rest} until {clock_time(ends_at or seen.at)}, then {then}"


def _going_back(rotation: Rotation, side: Side, seen: Observation) -> str:
    old, new, ready = rotation.old.number, rotation.new.number, side.ready_count
    if not rotation.terms.serving.weights:
        return _growing_back(rotation, side)
    late = unrefused(seen)
    is_back = rotation.clocks.closing_since is not None or (
        rotation.clocks.shifted_at is not None and has_settled(rotation, seen.at)
    )
    if late is not None and is_back:
        waits = _for(late, late.refused_from)
        return f"rolling back to {old}: traffic is back, waiting {waits}, then generation {new} is removed"
    if rotation.clocks.closing_since is not None:
        return f"rolling back to {old}: traffic is back, generation {new} is being removed"
    if rotation.clocks.shifted_at is not None:
        settled = rotation.clocks.shifted_at + rotation.terms.propagation
        return f"rolling back to {old}: traffic is back, settling until {clock_time(settled)}"
    until = clock_time(back_at_the_latest(rotation))
    return f"rolling back to {old}: {ready} of {rotation.need} ready to take the traffic, at most until {until}"


def _growing_back(rotation: Rotation, side: Side) -> str:
    """Without weights no traffic moves: the old generation grows, or its reserve comes back, and then the new one
    leaves."""
    old, new, ready = rotation.old.number, rotation.new.number, side.ready_count
    if rotation.clocks.closing_since is not None:
        return f"rolling back to {old}: its capacity is back, generation {new} is being removed"
    until = clock_time(back_at_the_latest(rotation))
    draining = sum(i.lifecycle is Lifecycle.DRAINING for i in side.state.instances)
    drains = f", {draining} still drain and come back then" if draining else ""
    first = "its reserve comes back" if rotation.terms.serving.reserve else "it grows first"
    count = f"{ready} of {rotation.need} {'healthy' if rotation.terms.serving.health else 'in service'}"
    return f"rolling back to {old}: {first}, {count}{drains}, at most until {until}"
