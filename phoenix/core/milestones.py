"""The times of a rotation's milestones, for those who measure it; nothing is decided by them. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from phoenix.core.model import Observation
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import sides_of


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
