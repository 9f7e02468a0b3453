"""The one sentence that says what is going on: what, since when, until when at most, then what. Pure."""

from __future__ import annotations

from collections.abc import Callable

from phoenix.core.converge import back_at_the_latest
from phoenix.core.explain import ago, clock_time, counted
from phoenix.core.model import Judgement, Observation, Outcome
from phoenix.core.progress import bake_ends_at, drained_at
from phoenix.core.ready import candidate_goal, ready_count
from phoenix.core.record import Rotation


def waiting_for(rotation: Rotation, seen: Observation) -> str:
    """What the rotation waits for at this moment."""
    if rotation.held is not None:
        return f"held: {rotation.held}; waiting for a person (resume, abort)"
    if rotation.back is not None and drained_at(rotation, seen) is None:
        return _going_back(rotation, seen)
    if rotation.paused is not None:
        return f"paused by {rotation.paused.by} since {clock_time(rotation.paused.at)}; waiting for `resume`"
    draining = drained_at(rotation, seen)
    if draining is not None:
        loser = rotation.new if rotation.back is not None else rotation.old
        left = counted(len(seen.slots[loser.slot].instances), "instance")
        return f"draining: {left} of generation {loser.number} leave, at most until {clock_time(draining)}"
    if rotation.closing_since is not None:
        return f"closing: generation {rotation.new.number} becomes live at rest, {rotation.old.number} is retained"
    if rotation.step == 0:
        return _preparing(rotation)
    return f"step {rotation.step} of {len(rotation.terms.steps)}: {_stage(rotation)(rotation, seen)}"


def ended(rotation: Rotation) -> str:
    """How a finished rotation went, in one sentence."""
    took = ago((rotation.ended_at or rotation.started_at) - rotation.started_at)
    if rotation.outcome is Outcome.SUCCEEDED:
        return f"generation {rotation.new.number} is live after {took}"
    return f"rolled back to generation {rotation.old.number} after {took}: {rotation.reason}"


def _preparing(rotation: Rotation) -> str:
    if rotation.new.template_version is None:
        return f"preparing: the template version of generation {rotation.new.number} is being made"
    return f"preparing: slot {rotation.new.slot.value} is being emptied for generation {rotation.new.number}"


def _stage(rotation: Rotation) -> Callable[[Rotation, Observation], str]:
    if rotation.baking_since is not None:
        return _baking
    if rotation.shifted_at is not None:
        return _shrinking
    if rotation.proved_at is not None:
        return _shifting
    return _proving


def _proving(rotation: Rotation, seen: Observation) -> str:
    goal, ready = candidate_goal(rotation), ready_count(rotation, seen, rotation.new.slot)
    doubt = next((v for v in seen.verdicts if v.judgement is not Judgement.PASS), None)
    what = f"{doubt.gate}: {doubt.reason}" if doubt else f"{ready} of {goal} ready"
    failed = f"; {seen.failures[0].words}" if seen.failures else ""
    until = (rotation.grown_since or seen.at) + rotation.terms.launch_timeout
    return f"waiting for generation {rotation.new.number}, {what}{failed}, at most until {clock_time(until)}, then back"


def _shifting(rotation: Rotation, _: Observation) -> str:
    return f"moving {rotation.current.new_weight} % to generation {rotation.new.number}"


def _shrinking(rotation: Rotation, seen: Observation) -> str:
    if rotation.shrunk_at is not None:
        return f"waiting for the old instances of generation {rotation.old.number} to leave"
    settled = (rotation.shifted_at or rotation.started_at) + rotation.terms.propagation
    number = rotation.old.number
    if seen.at >= settled:
        ready, all_told = ready_count(rotation, seen, rotation.old.slot), seen.slots[rotation.old.slot].desired
        until = clock_time(rotation.deadline)
        count = f"{ready} of {all_told} healthy"
        return f"generation {number} shrinks once it is whole: {count}, at most until {until}, then back"
    return f"settling until {clock_time(settled)}, then generation {number} shrinks"


def _baking(rotation: Rotation, seen: Observation) -> str:
    then = (
        f"generation {rotation.old.number} is let go"
        if rotation.is_last_step
        else f"{rotation.terms.steps[rotation.step].new_weight} % to generation {rotation.new.number}"
    )
    rest = f"baking at {rotation.current.new_weight} %"
    ends_at = bake_ends_at(rotation)
    if ends_at is None and rotation.promoted is None:
        return f"{rest} until promoted, then {then}"
    doubt = next((v for v in seen.verdicts if v.judgement is not Judgement.PASS), None)
    if doubt is not None and (ends_at is None or seen.at >= ends_at):
        until = clock_time(rotation.deadline)
        return f"{rest}, waiting for {doubt.gate}: {doubt.reason}, at most until {until}, then back"
    return f"{rest} until {clock_time(ends_at or seen.at)}, then {then}"


def _going_back(rotation: Rotation, seen: Observation) -> str:
    old, new = rotation.old.number, rotation.new.number
    if rotation.closing_since is not None:
        return f"rolling back to {old}: traffic is back, generation {new} is being removed"
    if rotation.shifted_at is not None:
        settled = rotation.shifted_at + rotation.terms.propagation
        return f"rolling back to {old}: traffic is back, settling until {clock_time(settled)}"
    ready = ready_count(rotation, seen, rotation.old.slot)
    until = clock_time(back_at_the_latest(rotation))
    return f"rolling back to {old}: {ready} of {rotation.need} ready to take the traffic, at most until {until}"
