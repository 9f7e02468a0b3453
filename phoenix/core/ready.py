"""Is a generation able to carry traffic? Counts instances, and turns counts and clocks into a verdict. Pure.

The rule: only InService instances of the generation's own template version that every health source calls healthy
count. InService alone is not healthy, registered is not healthy, and an instance that nobody lists is not there.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from phoenix.core.capacity import enough, share, to_carry
from phoenix.core.explain import ago, counted
from phoenix.core.fence import unrefused
from phoenix.core.generation import Generation
from phoenix.core.model import Cause, Instance, Judgement, Observation, Slot, SlotState, Step, TargetState, Verdict
from phoenix.core.rotation import Rotation

_MOST_TOLD = 2
LEAST_REPLACEMENT = timedelta(minutes=1)
"""What one replacement takes at least, for a generation that has not shown how long it needs."""


def is_ready(instance: Instance, target_health: bool) -> bool:
    """True when every source of health agrees that it serves; a load balancer is one where `target_health`."""
    serves = instance.in_service and instance.healthy
    return serves and (not target_health or instance.target is TargetState.HEALTHY)


def ready_instances(state: SlotState, generation: Generation | None, target_health: bool) -> tuple[Instance, ...]:
    """The slot's ready instances of one generation; None counts all of them."""
    instances = state.instances if generation is None else generation.of(state)
    return tuple(i for i in instances if is_ready(i, target_health))


def ready_count(rotation: Rotation, seen: Observation, slot: Slot) -> int:
    """How many instances in that slot are ready. The old slot's drifted ones count: they serve as well as the rest;
    those that are known to run an image which the old generation never had do not."""
    if slot is rotation.new.slot:
        return len(ready_instances(seen.slots[slot], rotation.new, rotation.terms.serving.health))
    ready = ready_instances(seen.slots[slot], None, rotation.terms.serving.health)
    return sum(not rotation.old.is_foreign(instance) for instance in ready)


def candidate_goal(rotation: Rotation) -> int:
    """How many instances the candidate has to have for the current step; a ratchet."""
    step = rotation.current
    return max(rotation.candidate.target, _carrying(rotation, step.new_capacity, step.new_weight))


def old_goal(rotation: Rotation, step: Step) -> int:
    """How many instances the old generation keeps once that step has shrunk it."""
    return _carrying(rotation, step.old_capacity, 100 - step.new_weight)


def _carrying(rotation: Rotation, percent: int, weight: int) -> int:
    if not rotation.terms.serving.weights:
        return share(rotation.need, percent)
    carrying = to_carry(rotation.need, percent, weight, rotation.terms.min_healthy_percentage)
    return max(carrying, rotation.terms.zones) if weight else carrying


def is_enough(rotation: Rotation, seen: Observation) -> bool:
    """True when the candidate is ready for the current step right now, its zones included."""
    goal = candidate_goal(rotation)
    state = seen.slots[rotation.new.slot]
    ready = ready_instances(state, rotation.new, rotation.terms.serving.health)
    wanted = enough(goal, rotation.terms.max_unhealthy_percent)
    if len(ready) < wanted:
        return False
    zones_wanted = rotation.terms.zones or min(2, len(_zones(seen.slots[rotation.old.slot])), wanted)
    return len({i.zone for i in ready}) >= zones_wanted


def is_short(rotation: Rotation, seen: Observation) -> bool:
    """True when the candidate has fewer than what it carries now needs: while it grows, that is the step before's."""
    grows = rotation.clocks.proved_at is None and rotation.step >= 2
    step = rotation.terms.steps[rotation.step - 2] if grows else rotation.current
    goal = _carrying(rotation, step.new_capacity, step.new_weight) if grows else candidate_goal(rotation)
    ready = ready_count(rotation, seen, rotation.new.slot)
    return ready < enough(goal, rotation.terms.max_unhealthy_percent)


def replacement_time(rotation: Rotation) -> timedelta:
    """How long this generation needs to replace one instance, as far as it has shown."""
    return max(rotation.candidate.grew_in or LEAST_REPLACEMENT, LEAST_REPLACEMENT)


def patience(rotation: Rotation) -> timedelta:
    """How long a generation that carries traffic may stay under its floor before that is a failure."""
    return rotation.terms.healthy_for + replacement_time(rotation)


def shortcomings(state: SlotState, version: str | None, target_health: bool) -> tuple[tuple[int, str], ...]:
    """What keeps instances from being ready, in AWS's words, counted; the most frequent first."""
    not_ready = (i for i in state.of_version(version) if not i.leaving and not is_ready(i, target_health))
    by_words = Counter(_shortcoming(i) for i in not_ready)
    return tuple((count, words) for words, count in sorted(by_words.items(), key=lambda item: (-item[1], item[0])))


def _shortcoming(instance: Instance) -> str:
    if not instance.in_service:
        return instance.lifecycle
    if not instance.healthy:
        return "unhealthy to Auto Scaling"
    if instance.target is None:
        return "not registered"
    return instance.target_words or instance.target.value


def why_not_ready(rotation: Rotation, seen: Observation) -> str:
    """The candidate's shortcomings, and how often it has been ready all the same; empty where there is nothing to tell.

    How long it was ready is what the looks have seen: a moment between two of them is not known.
    """
    version = rotation.new.template_version
    found = shortcomings(seen.slots[rotation.new.slot], version, rotation.terms.serving.health) if version else ()
    told = ", ".join(f"{count}x {words}" for count, words in found[:_MOST_TOLD])
    if rotation.growth.times_ready:
        ready = "healthy" if rotation.terms.serving.health else "in service"
        times = counted(rotation.growth.times_ready, "time")
        told += (
            f"{'; ' if told else ''}was {ready} {times}, longest {ago(rotation.growth.longest_ready or timedelta(0))}"
        )
    return f": {told}" if told else ""


def capacity_verdict(rotation: Rotation, seen: Observation, gate: str) -> Verdict:
    """What `target_health` and `in_service` say: enough ready instances, for long enough."""
    goal = candidate_goal(rotation)
    ready = ready_count(rotation, seen, rotation.new.slot)
    count = f"{ready} of {goal} {'healthy' if rotation.terms.serving.health else 'in service'}"
    if is_enough(rotation, seen):
        lasted = seen.at - (rotation.growth.ready_since or seen.at)
        if lasted >= rotation.terms.healthy_for:
            return Verdict(gate, Judgement.PASS, f"{count} for {ago(lasted)}")
        return Verdict(gate, Judgement.WAIT, f"{count} for {ago(lasted)}, {ago(rotation.terms.healthy_for)} needed")
    if rotation.weight == 0:
        note = _zone_note(rotation, seen, ready, goal) or why_not_ready(rotation, seen)
        return Verdict(gate, Judgement.WAIT, count + note)
    return _under_traffic(rotation, seen, gate, ready, count)


def _under_traffic(rotation: Rotation, seen: Observation, gate: str, ready: int, count: str) -> Verdict:
    why = why_not_ready(rotation, seen)
    if ready == 0:
        return Verdict(gate, Judgement.FAIL, f"{count}, with {rotation.weight} % of the traffic{why}")
    if not is_short(rotation, seen):
        # It grows for the next step, and carries what it has so far: how long that may take is the launch's time-out.
        return Verdict(gate, Judgement.WAIT, count + why)
    short_for = seen.at - (rotation.growth.short_since or seen.at)
    limit = patience(rotation)
    judgement = Judgement.FAIL if short_for > limit else Judgement.WAIT
    reason = f"{count} for {ago(short_for)}, at most {ago(limit)} is tolerated{why}"
    return Verdict(gate, judgement, reason, Cause.IMAGE)


def _zone_note(rotation: Rotation, seen: Observation, ready: int, goal: int) -> str:
    if ready < enough(goal, rotation.terms.max_unhealthy_percent):
        return ""
    ready_now = ready_instances(seen.slots[rotation.new.slot], rotation.new, rotation.terms.serving.health)
    zones = len({i.zone for i in ready_now})
    if rotation.terms.zones > zones:
        return f", in {zones} of {rotation.terms.zones} zones"
    return ", all in one zone" if zones < 2 else ""


def _zones(state: SlotState) -> frozenset[str]:
    return frozenset(i.zone for i in state.instances if i.in_service)


def sick_since(rotation: Rotation, seen: Observation) -> dict[str, datetime]:
    """Since when each candidate instance has been in service and called unhealthy; the rest is forgotten.

    One that Auto Scaling calls unhealthy is being replaced already: handing it over twice would use up the limit.
    """
    state = seen.slots[rotation.new.slot]
    return {
        i.id: rotation.candidate.sick.get(i.id, seen.at)
        for i in rotation.new.of(state)
        if i.in_service and i.healthy and i.target is TargetState.UNHEALTHY
    }


# --- what may be done about it ----------------------------------------------------------------------------------------


def may_shrink(rotation: Rotation, seen: Observation) -> bool:
    """True when the step's weights have settled, and no former driver can move them any more."""
    return has_settled(rotation, seen) and unrefused(seen) is None


def has_settled(rotation: Rotation, seen: Observation) -> bool:
    """True when the step's weights were read back long enough ago for the data plane to have followed."""
    if rotation.clocks.shifted_at is None:
        return False
    settle = rotation.terms.propagation if rotation.terms.serving.weights and rotation.exposed_at else None
    return settle is None or seen.at - rotation.clocks.shifted_at >= settle


def leaves_enough(rotation: Rotation, seen: Observation, goal: int) -> bool:
    """True when the old generation keeps `goal` whichever instances AWS takes: it does not take the sick ones first."""
    old = seen.slots[rotation.old.slot]
    taken = max(sum(i.counts for i in old.instances) - goal, 0)
    return goal == 0 or ready_count(rotation, seen, old.slot) - taken >= goal


def may_go_back(rotation: Rotation, seen: Observation) -> bool:
    """True when the old generation can take the traffic: enough of it is ready, or what it has beats what carries the
    traffic now. Never onto nobody."""
    ready = ready_count(rotation, seen, rotation.old.slot)
    if ready == 0:
        return False
    if seen.at >= back_at_the_latest(rotation):
        return True
    if rotation.back is not None and rotation.back.now:
        return True
    if foreign_instances(rotation, seen.slots[rotation.old.slot]):
        return False
    if ready >= rotation.need:
        return _has_proved_itself(rotation, seen)
    grown = not old_is_too_small(rotation, seen.slots[rotation.old.slot])
    return grown and ready >= _carried_now(rotation, seen)


def back_at_the_latest(rotation: Rotation) -> datetime:
    """Until when the old generation may take to become whole; afterwards what there is of it has to do."""
    asked = rotation.back.ask.at if rotation.back is not None else rotation.started_at
    return asked + rotation.terms.launch_timeout


def _carried_now(rotation: Rotation, seen: Observation) -> int:
    """How many instances' worth of traffic are carried now, each generation by its share, on the worst route.

    Two and two that share it carry four: moving all of it to two because they are as many would halve what serves.
    """
    ready = {slot: ready_count(rotation, seen, slot) for slot in Slot}
    carried = [
        100 * ready[slot] // route.percent(slot) for route in seen.routes for slot in Slot if route.percent(slot)
    ]
    return min([*carried, rotation.need]) if carried else ready[rotation.new.slot]


def _has_proved_itself(rotation: Rotation, seen: Observation) -> bool:
    """An old generation that had to be launched again is watched for `healthy_for` first; one that stayed is not."""
    if rotation.growth.since is None:
        return True
    return (
        rotation.growth.ready_since is not None and seen.at - rotation.growth.ready_since >= rotation.terms.healthy_for
    )


def foreign_instances(rotation: Rotation, old: SlotState) -> tuple[Instance, ...]:
    """Instances in the old slot that run an image which the old generation never had: traffic waits until they go."""
    return tuple(i for i in old.instances if i.in_service and rotation.old.is_foreign(i))


def old_is_too_small(rotation: Rotation, old: SlotState) -> bool:
    return old.desired < rotation.need
