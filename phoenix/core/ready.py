"""Is a generation able to carry traffic? Counts instances, and turns counts and clocks into a verdict. Pure.

The rule: only InService instances of the generation's own template version that every health source calls healthy
count. InService alone is not healthy, registered is not healthy, and an instance that is on no list is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from phoenix.core.capacity import enough, share, to_carry
from phoenix.core.clocks import CandidateFacts, Growth
from phoenix.core.explain import ago, counted
from phoenix.core.fence import unrefused
from phoenix.core.model import Cause, Instance, Judgement, Observation, SlotState, TargetState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Side, Sides, is_ready, sides_of
from phoenix.core.terms import Step, Terms

_MOST_TOLD = 2
LEAST_REPLACEMENT = timedelta(minutes=1)
"""The least time for one replacement, for a generation that has not shown how long it needs."""


def candidate_goal(rotation: Rotation) -> int:
    """The number of instances that the candidate has to have for the current step; a ratchet."""
    step = rotation.current
    return max(rotation.candidate.target, _carrying(rotation, step.new_capacity, step.new_weight))


def old_goal(rotation: Rotation, step: Step) -> int:
    """The number of instances that the old generation keeps once that step has shrunk it."""
    return _carrying(rotation, step.old_capacity, 100 - step.new_weight)


def _carrying(rotation: Rotation, percent: int, weight: int) -> int:
    if not rotation.terms.serving.weights:
        return share(rotation.need, percent)
    carrying = to_carry(rotation.need, percent, weight, rotation.terms.min_healthy_percentage)
    return max(carrying, rotation.terms.zones) if weight else carrying


def is_enough(rotation: Rotation, sides: Sides) -> bool:
    """True when the candidate is ready for the current step right now, its zones included."""
    wanted = enough(candidate_goal(rotation), rotation.terms.max_unhealthy_percent)
    if sides.new.ready_count < wanted:
        return False
    zones_wanted = rotation.terms.zones or min(2, len(sides.old.zones), wanted)
    return len(sides.new.ready_zones) >= zones_wanted


def is_held(rotation: Rotation, sides: Sides) -> bool:
    """True when as many as the current step wants are there to be asked before traffic, in service or held."""
    wanted = enough(candidate_goal(rotation), rotation.terms.max_unhealthy_percent)
    return sides.new.ready_count + sides.new.held_count >= wanted


def is_short(rotation: Rotation, ready: int) -> bool:
    """True when the candidate has fewer than what it carries now needs: while it grows, that is the step before's."""
    grows = rotation.clocks.proved_at is None and rotation.step >= 2
    step = rotation.terms.steps[rotation.step - 2] if grows else rotation.current
    goal = _carrying(rotation, step.new_capacity, step.new_weight) if grows else candidate_goal(rotation)
    return ready < enough(goal, rotation.terms.max_unhealthy_percent)


def patience(healthy_for: timedelta, candidate: CandidateFacts) -> timedelta:
    """The time that a generation with traffic may stay under its floor before that is a failure: as long as it needs
    to replace one instance, as far as it has shown."""
    return healthy_for + max(candidate.grew_in or LEAST_REPLACEMENT, LEAST_REPLACEMENT)


def shortcomings(state: SlotState, version: str | None, target_health: bool) -> tuple[tuple[int, str], ...]:
    """The reasons that keep instances from being ready, in AWS's words, counted; the most frequent first."""
    not_ready = (i for i in state.of_version(version) if not i.leaving and not is_ready(i, target_health))
    by_words = Counter(shortcoming(i) for i in not_ready)
    return tuple((count, words) for words, count in sorted(by_words.items(), key=lambda item: (-item[1], item[0])))


def shortcoming(instance: Instance) -> str:
    """Why an instance is not ready, in AWS's words as far as there are any."""
    if not instance.in_service:
        return instance.lifecycle_words or instance.lifecycle.value
    if not instance.healthy:
        return "unhealthy to Auto Scaling"
    if instance.target is None:
        return "not registered"
    return instance.target_words or instance.target.value


def common_reason(new: Side, goal: int) -> str:
    """The one reason that all instances of the generation give for not being healthy; empty unless as many run as are
    wanted, a load balancer has checked each of them, and they all say the same."""
    running = [i for i in new.own if i.in_service]
    checked = [i for i in running if i.target is TargetState.UNHEALTHY]
    words = {i.target_words or TargetState.UNHEALTHY.value for i in checked}
    is_told = len(running) >= goal > 0 and len(checked) == len(running) and len(words) == 1
    return words.pop() if is_told else ""


def why_not_ready(new: Side, growth: Growth, target_health: bool) -> str:
    """The candidate's shortcomings, and how often it has been ready all the same; empty where there is nothing to tell.

    How long it was ready is what the looks have seen: a moment between two of them is not known.
    """
    version = new.generation.template_version
    found = shortcomings(new.state, version, target_health) if version else ()
    told = ", ".join(f"{count}x {words}" for count, words in found[:_MOST_TOLD])
    if growth.times_ready:
        ready = "healthy" if target_health else "in service"
        longest = ago(growth.longest_ready or timedelta(0))
        told += f"{'; ' if told else ''}was {ready} {counted(growth.times_ready, 'time')}, longest {longest}"
    return f": {told}" if told else ""


def capacity_verdict(rotation: Rotation, seen: Observation, gate: str) -> Verdict:
    """The verdict of `target_health` and `in_service`: enough ready instances, for long enough."""
    sides, growth, terms = sides_of(rotation, seen), rotation.growth, rotation.terms
    goal, ready = candidate_goal(rotation), sides.new.ready_count
    count = f"{ready} of {goal} {'healthy' if terms.serving.health else 'in service'}"
    if is_enough(rotation, sides):
        lasted = seen.at - (growth.ready_since or seen.at)
        if lasted >= terms.healthy_for:
            return Verdict(gate, Judgement.PASS, f"{count} for {ago(lasted)}")
        return Verdict(gate, Judgement.WAIT, f"{count} for {ago(lasted)}, {ago(terms.healthy_for)} needed")
    why = why_not_ready(sides.new, growth, terms.serving.health)
    if rotation.is_holding and is_held(rotation, sides) and (rotation.weight == 0 or not is_short(rotation, ready)):
        return Verdict(gate, Judgement.PASS, f"{ready + sides.new.held_count} of {goal} run, held before traffic")
    if rotation.weight == 0:
        return Verdict(gate, Judgement.WAIT, count + (_zone_note(sides.new, terms, goal) or why))
    if ready == 0:
        return Verdict(gate, Judgement.FAIL, f"{count}, with {rotation.weight} % of the traffic{why}")
    if not is_short(rotation, ready):
        # It grows for the next step, and carries what it has so far: how long that may take is the launch's time-out.
        return Verdict(gate, Judgement.WAIT, count + why)
    short_for = seen.at - (growth.short_since or seen.at)
    limit = patience(terms.healthy_for, rotation.candidate)
    judgement = Judgement.FAIL if short_for > limit else Judgement.WAIT
    reason = f"{count} for {ago(short_for)}, at most {ago(limit)} is tolerated{why}"
    return Verdict(gate, judgement, reason, Cause.IMAGE)


def _zone_note(new: Side, terms: Terms, goal: int) -> str:
    if new.ready_count < enough(goal, terms.max_unhealthy_percent):
        return ""
    zones = len(new.ready_zones)
    if terms.zones > zones:
        return f", in {zones} of {terms.zones} zones"
    return ", all in one zone" if zones < 2 else ""


def sick_since(new: Side, known: Mapping[str, datetime], at: datetime) -> dict[str, datetime]:
    """Since when each candidate instance has been in service and called unhealthy; the rest is forgotten.

    One that Auto Scaling calls unhealthy is being replaced already: handing it over twice would use up the limit.
    """
    sick = (i for i in new.own if i.in_service and i.healthy and i.target is TargetState.UNHEALTHY)
    return {i.id: known.get(i.id, at) for i in sick}


# --- what may be done about it ----------------------------------------------------------------------------------------


def may_shrink(rotation: Rotation, seen: Observation) -> bool:
    """True when the step's weights have settled, and no former driver can move them any more."""
    return has_settled(rotation, seen.at) and unrefused(seen) is None


def has_settled(rotation: Rotation, at: datetime) -> bool:
    """True when the step's weights were read back long enough ago for the data plane to have followed."""
    if rotation.clocks.shifted_at is None:
        return False
    settle = rotation.terms.propagation if rotation.terms.serving.weights and rotation.exposed_at else None
    return settle is None or at - rotation.clocks.shifted_at >= settle


def may_go_back(rotation: Rotation, sides: Sides, at: datetime) -> bool:
    """True when the old generation can take the traffic: enough of it is ready, or what it has beats what carries the
    traffic now. Never onto an empty slot."""
    old, need = sides.old, rotation.need
    if old.ready_count == 0:
        return False
    if at >= back_at_the_latest(rotation):
        return True
    if rotation.back is not None and rotation.back.now:
        return True
    if old.foreign:
        return False
    if old.ready_count >= need:
        return _has_proved_itself(rotation.growth, rotation.terms.healthy_for, at)
    return old.state.desired >= need and old.ready_count >= _carried_now(sides, need)


def back_at_the_latest(rotation: Rotation) -> datetime:
    """Until when the old generation may take to become whole; afterwards what there is of it has to do."""
    asked = rotation.back.ask.at if rotation.back is not None else rotation.started_at
    return asked + rotation.terms.launch_timeout


def _carried_now(sides: Sides, need: int) -> int:
    """The traffic carried now, in instances, each generation by its share, on the worst route.

    Two and two that share it carry four: moving all of it to two because they are as many would halve what serves.
    """
    carried = [100 * side.ready_count // share for side in (sides.old, sides.new) for share in side.shares if share]
    return min([*carried, need]) if carried else sides.new.ready_count


def _has_proved_itself(growth: Growth, healthy_for: timedelta, at: datetime) -> bool:
    """An old generation that had to be launched again is watched for `healthy_for` first; one that stayed is not."""
    if growth.since is None:
        return True
    return growth.ready_since is not None and at - growth.ready_since >= healthy_for
