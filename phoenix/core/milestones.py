"""The times of a rotation's milestones, for those who measure it; nothing is decided by them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from phoenix.core.action import Action
from phoenix.core.chronicle import MOST_INSTANCES, MOST_WORDS, Evidence, FailedInstance, Judged, Sample
from phoenix.core.deeds import describe_action
from phoenix.core.model import Cause, Instance, Judgement, Observation, Phase
from phoenix.core.ready import shortcomings
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import Sides, is_ready, sides_of


def with_phase_since(before: GroupRecord, after: GroupRecord, at: datetime) -> GroupRecord:
    """The record with the time at which its rotation came into another phase than it was in before."""
    now, then = after.rotation, before.rotation
    if now is None or then is None or then.id != now.id or then.phase is now.phase:
        return after
    return replace(after, rotation=replace(now, phase_since=at))


def with_first_healthy(record: GroupRecord, seen: Observation) -> GroupRecord:
    """The record with the time at which the new generation was first seen to have a healthy instance."""
    rotation = record.rotation
    if rotation is None or rotation.candidate.first_healthy_at is not None or not _has_healthy_one(rotation, seen):
        return record
    return replace(record, rotation=replace(rotation, candidate=replace(rotation.candidate, first_healthy_at=seen.at)))


def _has_healthy_one(rotation: Rotation, seen: Observation) -> bool:
    """Only what was launched for this rotation counts: its template version has to be known."""
    forward = rotation.in_flight and rotation.back is None and rotation.new.template_version is not None
    return forward and sides_of(rotation, seen).new.ready_count > 0


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as its rotation remembers it, and the calls of the look before it, counted by name."""

    why: str
    actions: tuple[Action, ...]
    reads: Mapping[str, int]


def with_chronicle(before: GroupRecord, after: GroupRecord, seen: Observation, told: Told) -> GroupRecord:
    """The record whose rotation remembers this look and this decision; the one that ends it is the last."""
    rotation, then = after.rotation, before.in_flight
    if rotation is None or (not rotation.in_flight and (then is None or then.id != rotation.id)):
        return after
    sides, kept = sides_of(rotation, seen), rotation.chronicle
    kept = kept.sample(_sample(rotation, sides, seen))
    kept = kept.judge([Judged(seen.at, v.gate, v.judgement, v.reason[:MOST_WORDS]) for v in seen.verdicts])
    kept = kept.decide(seen.at, told.why, tuple(map(describe_action, told.actions))).read(told.reads)
    if kept.evidence is None and _is_given_up(rotation, sides):
        kept = replace(kept, evidence=_evidence(rotation, sides, seen))
    return after if kept == rotation.chronicle else replace(after, rotation=replace(rotation, chronicle=kept))


def _sample(rotation: Rotation, sides: Sides, seen: Observation) -> Sample:
    phase = rotation.phase if rotation.back is None or not rotation.in_flight else Phase.ROLLING_BACK
    if rotation.terms.serving.weights:
        weight = min(sides.new.shares, default=0)
    else:
        ready = sides.old.ready_count + sides.new.ready_count
        weight = -(-100 * sides.new.ready_count // ready) if ready else 0
    new = sides.new.ready_count if rotation.new.template_version is not None else 0
    return Sample(seen.at, sides.old.ready_count, new, weight if new or rotation.terms.serving.weights else 0, phase)


def _is_given_up(rotation: Rotation, sides: Sides) -> bool:
    """True where a gate, a launch, a deadline or a person ended the way forward. A person who goes back before there is
    an instance has seen none, and leaves nothing to ask; the first look of that way back leaves out the new
    generation's health, and the next one has it."""
    if not rotation.in_flight or rotation.cause is None:
        return False
    there, health = newest(rotation, sides), rotation.terms.serving.health
    is_known = all(i.target is not None or not i.in_service or not health for i in there)
    return rotation.cause is not Cause.OPERATOR or (bool(there) and is_known)


def newest(rotation: Rotation, sides: Sides) -> tuple[Instance, ...]:
    """The instances of the new generation that are not on their way out, those in service first."""
    there = (i for i in sides.new.own if rotation.new.template_version and not i.leaving)
    return tuple(sorted(there, key=lambda i: (not i.in_service, i.id)))


def _evidence(rotation: Rotation, sides: Sides, seen: Observation) -> Evidence:
    health = rotation.terms.serving.health
    bad = [i for i in newest(rotation, sides) if not is_ready(i, health)]
    verdicts = (Judged(seen.at, v.gate, v.judgement, v.reason[:MOST_WORDS]) for v in seen.verdicts)
    instances = (
        FailedInstance(i.id, i.zone, i.lifecycle_words or i.lifecycle.value, _why(sides, i, health))
        for i in bad[:MOST_INSTANCES]
    )
    return Evidence(
        seen.at,
        rotation.reason or (rotation.held.why if rotation.held is not None else ""),
        tuple(judged for judged in verdicts if judged.judgement is not Judgement.PASS),
        tuple(instances),
        tuple(dict.fromkeys(failure.words[:MOST_WORDS] for failure in seen.failures))[:5],
    )


def _why(sides: Sides, instance: Instance, target_health: bool) -> str:
    alone = replace(sides.new.state, instances=(instance,))
    return ", ".join(words for _, words in shortcomings(alone, None, target_health))[:MOST_WORDS]
