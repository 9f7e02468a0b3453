"""The reports of finished commands, as values, and the report on a record. Rendering is the views' business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phoenix.core.blocker import Blocker
from phoenix.core.difference import Difference
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate, Image
from phoenix.core.model import Observation, Outcome
from phoenix.core.opt_in import OptIn
from phoenix.core.outlook import Outlook
from phoenix.core.ownership import other_groups
from phoenix.core.planned_call import PlannedCall
from phoenix.core.readiness import NOTHING_RETAINED, RollbackReady, rollback_readiness
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Step
from phoenix.core.trail import Trace
from phoenix.core.work import Station
from phoenix.engine.group import About, Group
from phoenix.errors import Blocked
from phoenix.ports import Lease


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a group. `outcome` is that of the command; `sentence` says it in one line; `seen` None: not looked.

    `exit_status` is the one of section 7. `lease` names the driver of the group, None if there is none.
    `other_groups` says that the policy names others than those in which something has to be finished first.
    `outlook` is what comes next at rest, None: in flight, or not asked. `traces` are the writers
    of settings that are not as phoenix left them.
    """

    group: str
    at: datetime
    outcome: Outcome
    sentence: str
    record: GroupRecord
    seen: Observation | None = None
    lease: Lease | None = None
    rollback_ready: RollbackReady = NOTHING_RETAINED
    about: About = About()
    exit_status: int = 0
    other_groups: str | None = None
    outlook: Outlook | None = None
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One row of a plan: capacities in instances, weight in per cent, how long after now it starts at the earliest."""

    number: int
    new: int
    old: int
    weight: int
    gates: tuple[str, ...]
    bake: timedelta | None
    starts_after: timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """A rotation that would start now, and everything in its way. `live` None: this group has never been seen before.

    `reasons` empty: nothing is due. `worst_case` and `peak` are instances, `needed` is the need; `starts` is the step 0
    state. `ends_after` is how long it takes at the earliest, None when a step waits for a person. `calls` are those
    that change AWS, None where they cannot be told; those of `before_leaving` and `discovery` come on top, as they
    depend on what runs there. `differences` are those of template and group, `live_image` is what
    EC2 says of the live image, None where it knows none. `reserve`: a rollback takes instances out of Standby.
    `prices` are what gates cost, by name.
    """

    group: str
    at: datetime
    reasons: tuple[str, ...]
    live: Generation
    next: Generation | None
    candidates: tuple[Candidate, ...]
    steps: tuple[Step, ...]
    rows: tuple[PlannedStep, ...]
    blockers: tuple[Blocker, ...]
    needed: int
    worst_case: int
    peak: int
    ends_after: timedelta | None
    hot_for: timedelta
    extra_instance_hours: float
    calls: tuple[PlannedCall, ...] | None = None
    differences: tuple[Difference, ...] = ()
    live_image: Image | None = None
    instance_type: str | None = None
    reserve: bool = False
    before_leaving: tuple[Station, ...] = ()
    discovery: tuple[Station, ...] = ()
    prices: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    about: About = About()
    record: GroupRecord | None = None
    opt_ins: tuple[OptIn, ...] = ()

    @property
    def due(self) -> bool:
        """True when a rotation would start if nothing were in its way."""
        return bool(self.reasons)

    @property
    def writes(self) -> int | None:
        """The number of calls that change AWS; None where they cannot be told."""
        return None if self.calls is None else len(self.calls)

    @property
    def in_the_way(self) -> tuple[Blocker, ...]:
        """The blockers without the warnings."""
        return tuple(b for b in self.blockers if not b.warning)


class NotStarted(Blocked):
    """Blockers stand in the way of a start. `plan` holds them all; nothing was changed."""

    def __init__(self, plan: Plan) -> None:
        names = ", ".join(b.name for b in plan.in_the_way)
        super().__init__(
            f"{plan.group} is blocked by {names}; nothing was changed", hint=f"phoenix plan --group {plan.group}"
        )
        self.plan = plan


Watch = Callable[[Report], None]
"""Called after every tick with how things stand, for a live view or progress lines."""


def watch_nothing(_: Report) -> None:
    """Watch nothing."""


EXIT_STATUS = {
    Outcome.NONE: 0,
    Outcome.IN_PROGRESS: 0,
    Outcome.SUCCEEDED: 0,
    Outcome.ROLLED_BACK: 3,
    Outcome.HELD: 1,
    Outcome.FAILED: 1,
}
"""The exit statuses of `rotate`; each other command says for itself when it is done."""


def report_on(
    group: Group,
    record: GroupRecord,
    seen: Observation | None = None,
    *,
    sentence: str | None = None,
    outcome: Outcome | None = None,
) -> Report:
    """Report on the group. Without `outcome`: that of the rotation in flight, or of the last one.

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
