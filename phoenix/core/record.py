"""What phoenix remembers of a group: its generations, the rotation in flight or the last one, its quarantine.

Pure: frozen values only; how they are written down is the stores' business. All times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from phoenix.core.model import Capacity, Cause, Instance, Outcome, Phase, Slot, SlotState, Step, Terms, Verdict
from phoenix.core.notice import Notice

UNKNOWN_IMAGE = "unknown"
MOST_EVENTS = 200
"""Lines that a rotation's story keeps; two hundred of 80 letters take some 28 KB."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Instances that share one image and one launch template version. `template_version` None: not made yet.

    No instance of it is older than `since`, the start of its rotation or its oldest instance; None: not known.

    A version number says nothing by itself: the template may have been replaced by one whose numbers begin again.
    `template` is the id of the template whose version of that number is known to launch the image; None: not known, so
    it has to be read before it launches anything. `images` are those that its instances ran when its rotation began.
    """

    number: int
    slot: Slot
    image: str
    image_name: str | None = None
    template_version: str | None = None
    since: datetime | None = None
    template: str | None = None
    images: tuple[str, ...] = ()

    def is_launched_by(self, state: SlotState) -> bool:
        """True when the slot's template has a version that launches this generation, as far as is known."""
        return self.template_version is not None and self.template in (None, state.template)

    def is_set_in(self, state: SlotState) -> bool:
        """True when the slot would launch this generation as it stands."""
        return self.is_launched_by(state) and state.template_version == self.template_version

    def has_launched(self, instance: Instance) -> bool:
        """True for an instance of this generation's template version; the ids count where both are known."""
        same = instance.template_version == self.template_version
        return same and (not self.template or not instance.template or instance.template == self.template)

    def of(self, state: SlotState) -> tuple[Instance, ...]:
        """The slot's instances of this generation; all of them while it has no template version."""
        return tuple(i for i in state.instances if self.template_version is None or self.has_launched(i))

    def is_foreign(self, instance: Instance) -> bool:
        """True for an instance that is known to run an image which this generation never had."""
        own = {self.image, *self.images}
        return instance.image is not None and UNKNOWN_IMAGE not in own and instance.image not in own


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a rotation's story."""

    at: datetime
    name: str
    text: str


def longer(events: tuple[Event, ...], newest: Event) -> tuple[Event, ...]:
    """The story with one more line. Of a long one the first line and the newest are kept: a record has to fit into its
    store, and a rotation that waits for a person may be told of for weeks."""
    left_out = max(len(events) + 1 - MOST_EVENTS, 0)
    return (*events[:1], *events[1 + left_out :], newest)


@dataclass(frozen=True, slots=True)
class Ask:
    """What an operator asked of a rotation, and who did."""

    at: datetime
    by: str
    reason: str | None = None


class Temporary(StrEnum):
    """What a rotation changes for as long as it lasts."""

    CAPACITY = "capacity"
    SCHEDULES = "schedules"
    TAGS = "tags"
    STICKINESS = "stickiness"
    REFERENCE = "reference"
    FAILOVER = "failover"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: what is changed where (a slot, or a route's ARN), and what there `had` been before.

    `made` is what was there when nothing was missing any more, `since` since when; empty while it is being changed, and
    then `asked` is what AWS has been asked for and has taken. `mended` counts how often somebody else has changed it
    since, and phoenix has put it back.
    """

    kind: Temporary
    where: str
    had: str
    since: datetime
    made: str = ""
    mended: int = 0
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Replacing the live generation with the next one; all that a tick needs to go on after a crash.

    `step` is 1-based, 0 before the first. `back` set means: the target is the old generation.

    Times are the memory of the clocks, as nothing sleeps: `grown_since` when the candidate began to grow for this step,
    `progress_at` when it last had more instances in service than ever (`in_service_high`), `ready_since` since when it
    has been ready without a break (`times_ready` counts the breaks, `longest_ready` is the longest time before one),
    `short_since` since when it has been under its floor, `sick` since when each
    instance has been in service and unhealthy, `proved_at` when this step's gates had all passed, `shifted_at` when its
    weights were read back, `shrunk_at` when it was decided that the old generation may shrink, `baking_since` since
    when it rests, `closing_since` since when only the clean-up is left. `exposed_at` is when the new generation was
    first meant to get any traffic; `succeeded_at` survives a rollback that comes after a success.

    `weight` is the last one that was verified, `intended_weight` the one that may be on its way, both in per cent for
    the new generation. `ignored` is what was in the way of the start and was passed over by name (`alarm:web-5xx`), by
    whom and why. `store` is the location that `phoenix:store` names, `capacity` what the live slot is to have at
    rest, `ledger` what is changed for as long as this lasts: empty before the first change and after the end.

    `pin` is the number that a live slot on `$Latest` or `$Default` is pinned to. `templates` and `arns` identify the
    slots' launch templates and groups as they were at the start; empty for a rotation that did not note them.

    `trace` is a W3C traceparent: the trace of the whole rotation, and the span that is its root. `phase_since` None:
    since the start. `launched_at` is when the first instance of the new generation was seen, whatever became of it, and
    `first_healthy_at` when the first instance of the new generation was ready.
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
    trace: str = ""
    ignored: Mapping[str, Ask] = field(default_factory=dict)
    ledger: tuple[Entry, ...] = ()
    step: int = 0
    candidate_target: int = 0
    grown_since: datetime | None = None
    progress_at: datetime | None = None
    in_service_high: int = 0
    sick: Mapping[str, datetime] = field(default_factory=dict)
    ready_since: datetime | None = None
    times_ready: int = 0
    longest_ready: timedelta | None = None
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
    phase_since: datetime | None = None
    launched_at: datetime | None = None
    first_healthy_at: datetime | None = None
    pin: str | None = None
    templates: Mapping[Slot, str] = field(default_factory=dict)
    arns: Mapping[Slot, str] = field(default_factory=dict)
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
    def has_run(self) -> bool:
        """True once an instance of the new generation was seen. Until then nothing is known of its image."""
        known = (self.launched_at, self.first_healthy_at, self.succeeded_at)
        return self.in_service_high > 0 or any(at is not None for at in known)

    @property
    def fair_cause(self) -> Cause | None:
        """The cause of a way back: who goes back from an image that never ran blames something else than the image."""
        return Cause.ENVIRONMENT if self.cause is Cause.OPERATOR and not self.has_run else self.cause

    @property
    def known_end(self) -> datetime | None:
        """When it ended; None also for one that was found on the tags after its end. `by` empty: found so."""
        return None if not self.by and self.ended_at == self.started_at else self.ended_at

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
class Standstill:
    """A rotation is due and something is in its way that does not go away by itself. `blockers` are names;
    `told_at` is when that last became news."""

    since: datetime
    blockers: tuple[str, ...]
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """What the store knows of one group. `version` is the store's, 0 for a record that was never saved.

    `live` and `retained` are the generations at rest; during a rotation they are still those from before it.
    `hot_until` None with a retained generation means it is cold. `slots` are the Auto Scaling group names, `routes`
    the names by ARN last found to carry the pair: with both, a rollback needs no search and no policy. `outbox` is news
    that has not reached everybody yet. `noted_at` is when `live` was noted of a group that was never rotated.
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
    blocked: Standstill | None = None
    outbox: tuple[Notice, ...] = ()
    noted_at: datetime | None = None

    @property
    def in_flight(self) -> Rotation | None:
        """The rotation under way, if there is one."""
        return self.rotation if self.rotation is not None and self.rotation.in_flight else None
