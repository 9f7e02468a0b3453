"""From a record and an observation to what a command reports."""

from __future__ import annotations

from phoenix.core.model import Observation, Outcome
from phoenix.core.ownership import other_groups
from phoenix.core.readiness import NOTHING_RETAINED, rollback_readiness
from phoenix.core.record import GroupRecord
from phoenix.engine.group import Group
from phoenix.engine.report import Report

EXIT_STATUS = {
    Outcome.NONE: 0,
    Outcome.IN_PROGRESS: 0,
    Outcome.SUCCEEDED: 0,
    Outcome.ROLLED_BACK: 3,
    Outcome.HELD: 1,
    Outcome.FAILED: 1,
}
"""What `rotate` exits with; other commands say for themselves what they count as done."""


def report_on(
    group: Group,
    record: GroupRecord,
    seen: Observation | None = None,
    *,
    sentence: str | None = None,
    outcome: Outcome | None = None,
) -> Report:
    """How the group stands. Without `outcome`: that of the rotation in flight, or of the last one.

    `sentence` empty: there is nothing to say; None: the record says how it stands.
    """
    rotation = record.rotation
    told = outcome or (rotation.outcome if rotation else Outcome.NONE)
    return Report(
        group=group.name,
        at=seen.at if seen else group.clock.now(),
        outcome=told,
        sentence=_sentence(record) if sentence is None else sentence,
        record=record,
        seen=seen,
        rollback_ready=rollback_readiness(record, seen) if seen else NOTHING_RETAINED,
        about=group.about,
        exit_status=EXIT_STATUS[told],
        other_groups=other_groups(record, group.awaited),
    )


def _sentence(record: GroupRecord) -> str:
    rotation = record.rotation
    if rotation is None:
        return f"{record.group} has not been rotated yet"
    if rotation.in_flight:
        return rotation.waiting_for or "starting"
    return rotation.events[-1].text if rotation.events else rotation.outcome.value
