"""What phoenix remembers of a group: its generations, the rotation in flight or the last one, its quarantine.

Pure: frozen values only; how they are written down is the stores' business. All times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phoenix.core.model import Capacity, Cause, Outcome, Phase, Slot, Step, Terms, Verdict


@dataclass(frozen=True, slots=True)
class Generation:
    """Instances that share one image and one launch template version. `template_version` None: not made yet."""

    number: int
    slot: Slot
    image: str
    image_name: str | None = None
    template_version: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a rotation's story."""

    at: datetime
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What an operator asked of a rotation, and who did."""

    at: datetime
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Replacing the live generation with the next one; all that a tick needs to go on after a crash.

    `step` is 1-based, 0 before the first. `back` set means: the target is the old generation.

    Times are the memory of the clocks, as nothing sleeps: `grown_since` when the candidate began to grow for this step,
    `progress_at` when it last had more instances in service than ever (`in_service_high`), `ready_since` since when it
    has been ready without a break, `short_since` since when it has been under its floor, `sick` since when each
    instance has been in service and unhealthy, `proved_at` when this step's gates had all passed, `shifted_at` when its
    weights were read back, `shrunk_at` when it was decided that the old generation may shrink, `baking_since` since
    when it rests, `closing_since` since when only the clean-up is left. `exposed_at` is when the new generation was
    first meant to get any traffic; `succeeded_at` survives a rollback that comes after a success.

    `weight` is the last one that was verified, `intended_weight` the one that may be on its way, both in per cent for
    the new generation. `store` is the location that `phoenix:store` names, `sticky` the group stickiness of routes
    (ARN: seconds) that is suspended meanwhile, `referred` the routes (ARNs) that did not name the new slot before.
    """

    id: str
    group: str
    old: Generation
    new: Generation
    terms: Terms
    started_at: datetime
    deadline: datetime
    trigger: str
    by: str
    need: int
    capacity: Capacity
    policy: str = ""
    store: str = ""
    sticky: Mapping[str, int] = field(default_factory=dict)
    referred: tuple[str, ...] = ()
    step: int = 0
    candidate_target: int = 0
    grown_since: datetime | None = None
    progress_at: datetime | None = None
    in_service_high: int = 0
    sick: Mapping[str, datetime] = field(default_factory=dict)
    ready_since: datetime | None = None
    short_since: datetime | None = None
    grew_in: timedelta | None = None
    proved_at: datetime | None = None
    shifted_at: datetime | None = None
    shrunk_at: datetime | None = None
    baking_since: datetime | None = None
    closing_since: datetime | None = None
    looked_at: datetime | None = None
    weight: int = 0
    intended_weight: int = 0
    exposed_at: datetime | None = None
    promoted: Ask | None = None
    promoted_to_end: bool = False
    paused: Ask | None = None
    held: str | None = None
    back: Ask | None = None
    back_now: bool = False
    cause: Cause | None = None
    reason: str | None = None
    replaced: int = 0
    succeeded_at: datetime | None = None
    phase: Phase = Phase.PREPARING
    outcome: Outcome = Outcome.IN_PROGRESS
    ended_at: datetime | None = None
    waiting_for: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def in_flight(self) -> bool:
        """True until a terminal outcome has been recorded."""
        return self.ended_at is None

    @property
    def current(self) -> Step:
        """The step that the engine brings the world to; the way back is a step like any other."""
        if self.back is not None:
            return Step(new_capacity=0, old_capacity=100, new_weight=0)
        return self.terms.steps[max(self.step, 1) - 1]

    @property
    def is_last_step(self) -> bool:
        """True once no further step follows."""
        return self.step >= len(self.terms.steps)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An image that was rolled back from."""

    image: str
    at: datetime
    cause: Cause
    rotation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Setback:
    """Failures of the environment in a row, and until when `tick` waits before it tries again."""

    count: int
    not_before: datetime


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """What the store knows of one group. `version` is the store's, 0 for a record that was never saved.

    `live` and `retained` are the generations at rest; during a rotation they are still those from before it.
    `hot_until` None with a retained generation means it is cold. `slots` are the Auto Scaling group names, `routes`
    the names by ARN last found to carry the pair: with both, a rollback needs no search and no policy.
    """

    group: str
    version: int = 0
    account: str | None = None
    region: str | None = None
    slots: Mapping[Slot, str] = field(default_factory=dict)
    target_groups: Mapping[Slot, tuple[str, ...]] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    live: Generation | None = None
    retained: Generation | None = None
    hot_until: datetime | None = None
    highest_number: int = 0
    known: tuple[Generation, ...] = ()
    rotation: Rotation | None = None
    quarantine: tuple[Quarantined, ...] = ()
    setback: Setback | None = None
    paused: Ask | None = None

    @property
    def in_flight(self) -> Rotation | None:
        """The rotation under way, if there is one."""
        return self.rotation if self.rotation is not None and self.rotation.in_flight else None
