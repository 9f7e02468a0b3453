"""From a record and an observation to a decision. Pure: the heart of a tick, and nothing else is.

The order: clocks, then other writers, then failure, then progress, then the missing actions. The record that comes
out is saved before any action is taken; dying in between leaves a record whose step still differs from the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core import ledger, narrate
from phoenix.core.action import (
    Action,
    Announce,
    Decision,
    Drain,
    MakeTemplateVersion,
    ReplaceInstance,
    SetOptIns,
    SetRole,
    SetWeights,
)
from phoenix.core.announcing import announce
from phoenix.core.arriving import awaits_numbers, next_due, not_followed
from phoenix.core.back import heed_hold, turn_back
from phoenix.core.closing import is_closed, is_untouched
from phoenix.core.converge import converge, step_before
from phoenix.core.drilling import stopped
from phoenix.core.explain import name_of
from phoenix.core.failure import Failure, find_failure
from phoenix.core.generation import Generation
from phoenix.core.leaving import depart
from phoenix.core.model import Cause, Judgement, Observation, OnFailure, Outcome, Route
from phoenix.core.progress import advance, advance_clocks, bake_ends_at, drained_at
from phoenix.core.ready import candidate_goal, patience
from phoenix.core.record import GroupRecord, Quarantined, Setback
from phoenix.core.rest import rest
from phoenix.core.rotation import Rotation
from phoenix.core.sides import ready_instances, sides_of
from phoenix.core.story import Ask
from phoenix.core.temporary import STALE_READS
from phoenix.core.upkeep import check_ledger

MOST_REPLACEMENTS = 3
"""Sick instances handed back to AWS in one rotation; an image that makes more of them is bad."""
SETBACKS = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""The time that `tick` waits after the environment has prevented a rotation once, twice, three times in a row."""
PHOENIX = "phoenix"


def decide(record: GroupRecord, seen: Observation) -> Decision:
    """Return the record to save, the actions, the time of the next look, and the reason."""
    asked = record.in_flight
    record = heed_hold(record, seen)
    rotation = record.in_flight
    if rotation is None:
        return rest(record, seen)
    record = stopped(record, seen.at, f"{rotation.id} began")
    if rotation.held is not None:
        return Decision(record, (), None, f"held: {rotation.held.why}")
    if rotation.terms.serving.weights and not seen.routes:
        return _hold(record, rotation, seen, unrouted(seen))
    seen = _without_echo(rotation, seen)
    rotation = advance_clocks(rotation, seen)
    met = _other_writers(record, rotation, seen)
    if met is not None:
        return met
    failure = None if rotation.back is not None else find_failure(rotation, seen)
    if failure is not None:
        rotation = _fail(rotation, seen, failure)
        if rotation.held is not None:
            return _decision(record, rotation, seen, ())
    if _is_seen_otherwise(asked, rotation):
        return _look_anew(record, rotation, seen)
    if rotation.paused is not None:
        return _decision(record, rotation, seen, ())
    # Before it moves on: a way back may be closing by the end of its first tick.
    rotation = advance(ledger.open_entries(rotation, seen), seen)
    return _look_anew(record, rotation, seen) if _is_seen_otherwise(asked, rotation) else _go_on(record, rotation, seen)


def _is_seen_otherwise(asked: Rotation | None, rotation: Rotation) -> bool:
    """True when both generations are in one group, and the observation has divided it for another target than the one
    that the rotation has now."""
    if asked is None or not rotation.terms.serving.reserve:
        return False
    is_turned = (asked.back is None) is not (rotation.back is None)
    return is_turned or (asked.clocks.closing_since is None) is not (rotation.clocks.closing_since is None)


def _look_anew(record: GroupRecord, rotation: Rotation, seen: Observation) -> Decision:
    """Nothing is done by that division: the next look comes at once."""
    decision = _decision(record, rotation, seen, ())
    return replace(decision, look_again_at=seen.at)


def _go_on(record: GroupRecord, rotation: Rotation, seen: Observation) -> Decision:
    """Emit the missing actions, unless another writer undoes them again and again; end the rotation if none is."""
    wanted = (*converge(rotation.current, rotation, seen), *_replacements(rotation, seen))
    announced = announce(rotation, seen, wanted)
    rotation, departure = depart(rotation, seen, announced.passed)
    overdue = announced.overdue or departure.overdue
    if overdue is not None:
        return _hold(record, rotation, seen, overdue)
    actions = (*departure.actions, *announced.told)
    checked = check_ledger(rotation, seen, actions)
    rotation = checked.rotation
    if checked.conflict is not None:
        return _hold(record, rotation, seen, checked.conflict)
    for text in checked.healed:
        rotation = rotation.note(seen.at, "healed", text)
    handed_over = sum(isinstance(a, ReplaceInstance) for a in actions)
    rotation = replace(
        rotation, candidate=replace(rotation.candidate, replaced=rotation.candidate.replaced + handed_over)
    )
    is_done = not wanted and not actions
    is_over = rotation.clocks.closing_since is not None and is_done and is_closed(rotation, seen)
    if is_over and drained_at(rotation, seen) is None:
        return _finish(record, rotation, seen)
    return _decision(
        record, rotation, seen, _naming_who_serves(actions, rotation, seen) if seen.is_one_group else actions
    )


def _naming_who_serves(actions: tuple[Action, ...], rotation: Rotation, seen: Observation) -> tuple[Action, ...]:
    """In one group the fleet chooses who leaves. Auto Scaling does not tell it which instances a load balancer sends
    requests to: without that, one that has just been launched would stay in the place of one that serves."""
    health = rotation.terms.serving.health
    ready = (i.id for state in seen.slots.values() for i in ready_instances(state, None, target_health=health))
    serving = frozenset(ready)
    return tuple(replace(a, serving=serving) if isinstance(a, SetRole) else a for a in actions)


def _decision(record: GroupRecord, rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> Decision:
    waiting_for = narrate.waiting_for(rotation, seen)
    rotation = rotation.wait_for(waiting_for)
    due, moving = _next_look(rotation, seen, actions)
    return Decision(replace(record, rotation=rotation), actions, due, waiting_for, moving)


# --- other writers ---------------------------------------------------------------------------------------------------


def _other_writers(record: GroupRecord, rotation: Rotation, seen: Observation) -> Decision | None:
    """The decision if another writer has been here since the last look, or the load balancer does not follow its
    weights; else None."""
    replaced = not_followed(seen) or next(_replaced(rotation, seen), None) or _shared(rotation, seen)
    if replaced is not None:
        return _hold(record, rotation, seen, replaced)
    stranger = _stranger(rotation, seen)
    return _meet(stranger, record, rotation, seen) if stranger is not None else None


def _without_echo(rotation: Rotation, seen: Observation) -> Observation:
    """An answer may be half a minute old. Right after a shift was read back, the weight from before it is no news."""
    shifted_at = rotation.clocks.shifted_at
    if rotation.back is not None or shifted_at is None or seen.at - shifted_at > STALE_READS:
        return seen
    new, before = rotation.new.slot, step_before(rotation).new_weight
    shown = {new: rotation.weight, new.other: 100 - rotation.weight}
    routes = tuple(replace(r, weights=shown) if r.percent(new) == before else r for r in seen.routes)
    return replace(seen, routes=routes)


def _stranger(rotation: Rotation, seen: Observation) -> Route | None:
    """A route whose weight is neither the last one verified nor the one on its way. The way back takes any."""
    if rotation.back is not None:
        return None
    # Before the first step the slot may still hold the generation of the time before, which is about to be removed.
    ours = {rotation.weight, rotation.intended_weight} if rotation.step else {0}
    return next((r for r in seen.routes if r.percent(rotation.new.slot) not in ours), None)


def _meet(route: Route, record: GroupRecord, rotation: Rotation, seen: Observation) -> Decision:
    """Put weight back that an IaC re-apply moved onto no healthy target while the other side is healthy; else hold."""
    sides, new = sides_of(rotation, seen), rotation.new.slot
    rotation, found = ledger.open_entries(rotation, seen), route.percent(new)
    gained, lost = (sides.new, sides.old) if found > rotation.weight else (sides.old, sides.new)
    if rotation.step == 0 and found > 0:
        # Instances in that slot have had requests: the data plane needs its time before it may be emptied.
        rotation = replace(rotation, exposed_at=seen.at)
    is_safe = lost.ready_count > 0 and rotation.weight in (0, 100)
    if gained.ready_count == 0 and is_safe:
        slot = gained.generation.slot
        sent = f"{route.name} sent {route.percent(slot)} % to {slot.value}, which has no healthy instance; put back"
        rotation = rotation.note(seen.at, "healed", sent)
        return _decision(record, rotation, seen, (SetWeights(new, rotation.weight),))
    held = (
        f"{route.name} sends {found} % to generation {rotation.new.number}, not {rotation.weight} %: "
        "another writer has changed the weights"
    )
    return _hold(record, rotation, seen, held)


def _replaced(rotation: Rotation, seen: Observation) -> Iterator[str]:
    """Name the groups and templates that were replaced since the start. The way back makes do with the new ones."""
    for slot, state in seen.slots.items() if rotation.back is None else ():
        name, was, group = state.auto_scaling_group, rotation.origin.templates.get(slot), rotation.origin.arns.get(slot)
        onward = f"phoenix rollback --group {rotation.group} goes back"
        if group and state.arn and state.arn != group:
            yield f"{name} was deleted and made anew by another writer since the rotation began; {onward}"
        is_open = slot is rotation.new.slot and rotation.new.template_version is None
        if was and state.template and state.template != was and not is_open:
            yield (
                f"{name} launches from {state.template} now, not from {was}: its launch template was replaced by "
                f"another writer. {onward}; or let it launch from {was} again and "
                f"phoenix resume --group {rotation.group}"
            )


def _shared(rotation: Rotation, seen: Observation) -> str | None:
    """A weight on a target group of both slots would move both generations. The way back makes do with what is."""
    shared = seen.shared_target_groups if rotation.back is None and rotation.terms.serving.weights else ()
    if not shared:
        return None
    names = " and ".join(state.auto_scaling_group for state in seen.slots.values())
    return (
        f"{names} both register with target group {' and '.join(map(name_of, shared))} since another "
        f"writer has attached it: no weight can tell the generations apart. Once each has its own again: "
        f"phoenix resume --group {rotation.group}"
    )


def unrouted(seen: Observation) -> str:
    """Must stop everything: without any route, every claim about all of them would hold."""
    names = " nor ".join(state.auto_scaling_group for state in seen.slots.values())
    return (
        f"no listener and no rule forwards to a target group of {names} any more: the load balancer, its rules or the "
        "target groups were replaced by another writer; attach the new target groups, and let a rule forward to them"
    )


def _hold(record: GroupRecord, rotation: Rotation, seen: Observation, why: str) -> Decision:
    return _decision(record, rotation.hold(seen.at, why), seen, ())


# --- failure and end -------------------------------------------------------------------------------------------------


def _fail(rotation: Rotation, seen: Observation, failure: Failure) -> Rotation:
    if rotation.terms.on_failure is OnFailure.PAUSE:
        return rotation.hold(seen.at, f"{failure.reason}; on_failure: pause", failure.cause)
    ask = Ask(seen.at, PHOENIX, failure.reason)
    return turn_back(rotation, seen, ask, failure.cause)


def _finish(record: GroupRecord, rotation: Rotation, seen: Observation) -> Decision:
    back = rotation.back is not None
    outcome = Outcome.ROLLED_BACK if back else Outcome.SUCCEEDED
    winner, loser = (rotation.old, rotation.new) if back else (rotation.new, rotation.old)
    text = f"generation {winner.number} has all traffic; {_left_of(loser, seen)}"
    rotation = rotation.note(seen.at, outcome.value.replace("_", " "), text).end(seen.at, outcome)
    settled = _rolled_back(record, rotation, seen) if back else _succeeded(record, rotation, seen)
    return Decision(settled, (), settled.hot_until, narrate.ended(rotation))


def _left_of(loser: Generation, seen: Observation) -> str:
    """Name the instances that are still there after the drain time-out: they run, and cost."""
    state = seen.slots[loser.slot]
    told = narrate.stayers(state) if state.desired == 0 else ""
    return f"generation {loser.number} has not gone: {told}" if told else "nothing temporary is left"


def _succeeded(record: GroupRecord, rotation: Rotation, seen: Observation) -> GroupRecord:
    hot = seen.slots[rotation.old.slot].desired > 0
    return replace(
        record,
        rotation=rotation,
        live=rotation.new,
        retained=rotation.old,
        hot_until=seen.at + rotation.terms.hot_for if hot else None,
        known=_known(record, rotation),
        setback=None,
        quarantine=tuple(q for q in record.quarantine if q.image != rotation.new.image),
    )


def _rolled_back(record: GroupRecord, rotation: Rotation, seen: Observation) -> GroupRecord:
    environment = rotation.cause is Cause.ENVIRONMENT
    count = min((record.setback.count if record.setback else 0) + 1, len(SETBACKS))
    entry = Quarantined(
        rotation.new.image, seen.at, rotation.cause or Cause.OPERATOR, rotation.id, rotation.reason or ""
    )
    others = tuple(q for q in record.quarantine if q.image != rotation.new.image)
    return replace(
        record,
        rotation=rotation,
        live=rotation.old,
        retained=record.retained if is_untouched(rotation) else None,
        hot_until=record.hot_until if is_untouched(rotation) else None,
        known=_known(record, rotation),
        quarantine=record.quarantine if environment else (*others, entry),
        setback=Setback(count, seen.at + SETBACKS[count - 1]) if environment else record.setback,
    )


def _known(record: GroupRecord, rotation: Rotation) -> tuple[Generation, ...]:
    """The generations that `rollback --to` can name: those with a template version, the last few."""
    numbers = {g.number: g for g in (*record.known, rotation.old, rotation.new) if g.template_version is not None}
    return tuple(numbers[n] for n in sorted(numbers)[-10:])


# --- upkeep and timing -----------------------------------------------------------------------------------------------


def _replacements(rotation: Rotation, seen: Observation) -> tuple[Action, ...]:
    """Candidate instances that stay unhealthy, for AWS to replace: the ELB health check alone may never do it.

    Only once most of the generation is healthy: while none is, the image may just be slow to boot, and replacing its
    instances would begin their boot anew.
    """
    most_are_well = 2 * sides_of(rotation, seen).new.ready_count >= candidate_goal(rotation)
    if rotation.back is not None or rotation.clocks.closing_since is not None or not most_are_well:
        return ()
    sick, left = rotation.candidate.sick, MOST_REPLACEMENTS - rotation.candidate.replaced
    limit = patience(rotation.terms.healthy_for, rotation.candidate)
    overdue = [i for i, since in sorted(sick.items()) if seen.at - since > limit]
    return tuple(ReplaceInstance(rotation.new.slot, i) for i in overdue[:left])


def _next_look(rotation: Rotation, seen: Observation, actions: tuple[Action, ...]) -> tuple[datetime | None, bool]:
    """The next time at which something is known to be due, and True if AWS is busy meanwhile."""
    if rotation.held is not None:
        return None, False
    is_at_once = any(isinstance(a, SetWeights | SetOptIns | MakeTemplateVersion) for a in actions)
    if (is_at_once and not seen.is_spreading) or (rotation.clocks.closing_since is not None and actions):
        return seen.at, True
    fences = (at for fence in seen.fences for at in (fence.answered_by, fence.refused_from))
    due = [d for d in (*_known_dues(rotation), *fences) if d > seen.at]
    hesitates = any(v.judgement is not Judgement.PASS for v in seen.verdicts)
    # A registry takes its time, and so do clients.
    tells = any(isinstance(a, Announce | Drain) for a in actions)
    rests = (rotation.clocks.baking_since is not None and not hesitates) or awaits_numbers(rotation, seen)
    resting = rests and not tells
    return min(due, default=None), not resting and rotation.paused is None


def _known_dues(rotation: Rotation) -> list[datetime]:
    terms = rotation.terms
    dues = [bake_ends_at(rotation), next_due(rotation)]
    if rotation.back is None:
        dues.append(rotation.deadline)
    if rotation.clocks.proved_at is None and rotation.growth.ready_since is not None:
        dues.append(rotation.growth.ready_since + terms.healthy_for)
    if rotation.clocks.shifted_at is not None and rotation.exposed_at is not None and terms.serving.weights:
        dues.append(rotation.clocks.shifted_at + terms.propagation)
    return [d for d in dues if d is not None]
