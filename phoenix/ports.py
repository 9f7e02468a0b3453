"""What the engine needs from the outside, as protocols; every adapter and every fake passes the same contract tests.

Adapters translate: AWS's spellings and exceptions stop here. They raise TransientError or PermanentError and nothing
else, never return half an answer, and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from phoenix.core.action import Action, SetFailover, SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate, Image
from phoenix.core.model import Fence, LaunchFailure, Observation, Route, Slot, SlotState, TargetState, Verdict
from phoenix.core.note import Note
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.trigger import LiveInstance

GATE_BUDGET: Final = timedelta(seconds=22)
"""How long the check of a gate may take. What was seen is acted upon for 30 s; the rest is for looking and acting."""


class Clock(Protocol):
    """The only source of time. Virtual in tests and in the sandbox."""

    @property
    def stopping(self) -> bool:
        """True once somebody has asked the driver to stop; it then ends between two ticks."""
        ...

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        ...

    def elapsed(self) -> float:
        """Seconds since some moment, the machine's sleep included, whatever has been done to the time since."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that much time pass; returns early when a signal has asked the driver to stop."""
        ...


@dataclass(frozen=True, slots=True)
class FleetView:
    """What the fleet said at one instant: both slots, without target health."""

    slots: Mapping[Slot, SlotState]
    failures: tuple[LaunchFailure, ...] = ()
    prepared_version: str | None = None


class Fleet(Protocol):
    """How the group's capacity exists in AWS."""

    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""
    revival_checks: ClassVar[tuple[str, ...]]
    """The same for `find_revival_blockers`."""

    def observe(self, rotation: Rotation | None) -> FleetView:
        """Read both slots; with a rotation in flight also what only it needs: failed launches, its template version."""

    def apply(self, action: Action) -> None:
        """Carry out one action of the fleet's kind; repeating it changes nothing."""

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        """The slot's instances as EC2 describes them; several calls for a big group."""

    def images_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The image that each of these runs, by id; ids that EC2 does not know are left out. It is asked once about
        each instance, as that never changes."""

    def resolve_version(self, slot: Slot) -> str:
        """The number of the template version that the slot launches from now, behind `$Latest` or `$Default`."""

    def identify(self, generation: Generation) -> Generation:
        """The generation with the template and version that launch its image from its slot now. Without a version: that
        template has none. Without a template: the version's image may change, so it is read each time."""

    def find_losses(self, generation: Generation) -> Sequence[Blocker]:
        """What makes it impossible to launch an earlier generation again, whatever room there is; two reads at most."""

    def has_scaling_policies(self, slot: Slot) -> bool:
        """True when an autoscaler may move the slot's desired capacity."""

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        """What the owner has changed, besides the image, since the live generation's template version was made; empty
        when nothing. Words for people, without values."""

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """All about groups, template and instances that stands in the way of a start, a dry run included. Read-only."""

    def find_revival_blockers(self, generation: Generation, count: int) -> Sequence[Blocker]:
        """What would keep `count` more instances of an earlier generation from launching: image, template, room."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the load balancers said. `health` is by slot and instance id; `words` why it is not, in printable words."""

    routes: tuple[Route, ...] = ()
    health: Mapping[Slot, Mapping[str, TargetState]] = field(default_factory=dict)
    words: Mapping[Slot, Mapping[str, str]] = field(default_factory=dict)


class Router(Protocol):
    """How traffic reaches the slots."""

    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """Search for everything that sends traffic to these target groups; several calls."""

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """Read the weights of the known routes (ARNs) and the health of the targets of the slots asked for."""

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        """Set the weights on these routes (ARNs), read them back, return what was read.

        Everything else in the action lists is kept. Re-reads all of them, in one call, right before the first write.

        Raises:
            ForeignWeights: a raise found a percentage outside `only_from`; that route was not written.
        """

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        """Below how many healthy targets DNS fails away from each slot; `unknown` where that may not be read."""

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        """Set the thresholds on all target groups of the slot; repeating it changes nothing."""

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        """True when each zone serves its own share of the traffic, in either slot: a zone without a healthy target
        then answers with errors, however many there are elsewhere."""

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """Everything about listeners, rules, target groups and load balancers that stands in the way of a start.
        Read-only."""


class Gate(Protocol):
    """A check on the candidate."""

    name: str
    before_traffic_only: bool
    """True for a check that is made at each look until the candidate gets traffic, and not afterwards; False for one
    that is also made at each look while it bakes."""
    judges_alone: bool
    """True for a check of what was seen alone: where it comes first and does not pass before there is traffic, the
    gates after it are not asked."""
    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the candidate now, within GATE_BUDGET; later than that the answer counts as WAIT.

        `seen` has no verdicts: all gates are asked side by side. While a check has not returned, it is not made again.
        """

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """What would make this gate fail or wait for ever, whatever the candidate: an unknown alarm, one already
        in ALARM, a path that not even the live instances answer. Read-only."""


class ImageSource(Protocol):
    """Where the next image comes from."""

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        """All images looked at, the chosen one first with `rejected` None; nobody is chosen when all are rejected."""
        ...

    def named(self, image: str, at: datetime) -> Candidate:
        """One image asked for by id: name, tags and min_age do not count, owners, architecture and state do."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a group. `epoch` rises with every new holder, so that an old one can tell it has lost.
    `fences` are the former holders that may not know it yet. `ends` is when it ends by `elapsed`; no store keeps it.
    """

    group: str
    owner: str
    epoch: int
    since: datetime
    until: datetime
    fences: tuple[Fence, ...] = field(default=(), compare=False)
    ends: float | None = field(default=None, compare=False)


class Store(Protocol):
    """Where records live between ticks. Reading never creates anything."""

    @property
    def location(self) -> str:
        """What `phoenix:store` says on the groups, to notice two stores for one group; without secrets."""
        ...

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        ...

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """The records of those groups that have one, in as few calls as the store can."""
        ...

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record if nobody has since `record.version`; returns it with its new version. A rotation in it
        is filed in the history in the same transaction.

        Raises:
            StateConflict: somebody else saved first; nothing was written.
        """
        ...

    def note(self, key: str) -> Note | None:
        """What is remembered under the key; None when nothing ever was."""
        ...

    def save_note(self, note: Note) -> Note:
        """Write the note if it is still at `note.version`; returns it with its new version.

        Raises:
            StateConflict: another driver saved first; nothing was written.
        """
        ...

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease, or renew one's own (same owner: same epoch). `force` takes it from whoever has it. One that
        was not given back leaves a fence: until AWS would refuse its last request, or it is released after all.
        The group is then due when the lease expires: where its driver dies, that alone brings the next one.

        Raises:
            LeaseHeld: somebody else's lease has not expired and its process is not known to be dead.
        """
        ...

    def holds(self, lease: Lease) -> bool:
        """True while nobody has taken the lease since; asked before every single action."""
        ...

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back, and say when somebody must look at the group again; None: nobody has to, until
        something new comes. One that is somebody else's by now stays theirs, and its fence goes.
        """
        ...

    def due(self, now: datetime) -> Sequence[str]:
        """Groups whose time has come, the longest due first: what releases asked for, and leases that have expired.
        Must be claimed to be believed: in a store of many machines the answer may be a moment old.
        """
        ...

    def lease_of(self, group: str) -> Lease | None:
        """Who drives the group, for `status`; None when nobody does. An expired one is returned as it is."""
        ...

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first."""
        ...


class Notifier(Protocol):
    """Where news go."""

    name: str
    """Which one of a group's notifiers this is, the same in every process; without secrets."""

    def notify(self, notice: Notice) -> None:
        """Send one piece of news; its id goes along, so that one who gets it twice can tell.

        Raises:
            TransientError: it has not arrived; somebody tries again.
        """
        ...


class Tracer(Protocol):
    """Where spans and measures go; costs next to nothing when nobody listens."""

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
        """A span around the block; an exception that leaves it is recorded there."""
        ...

    def about(self, rotation: Rotation | None) -> AbstractContextManager[None]:
        """What is done in the block is done for this rotation: its spans hang below the rotation's root, its log lines
        carry the trace, its calls the rotation's id as session name. None changes nothing."""
        ...

    def recorded(self, before: GroupRecord, after: GroupRecord) -> None:
        """A record has been saved: what that says of outcomes, phases and times is measured; an end closes the root."""
        ...

    def oldest_instance(self, group: str, age: timedelta) -> None:
        """How old the oldest live instance of a group is."""
        ...


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call to AWS, over all its tries. Times are nanoseconds since 1970; `error` is AWS's code, or empty."""

    service: str
    operation: str
    began_ns: int
    ended_ns: int
    throttles: int = 0
    error: str = ""


class CallObserver(Protocol):
    """Who watches calls to AWS, and knows on whose behalf they are made."""

    listens: bool
    """False: nobody wants to know, and nothing is reported."""

    def rotation(self) -> str:
        """The id of the rotation that is worked on here and now, for the name of the session; empty when none is."""
        ...

    def called(self, call: AwsCall) -> None:
        """A call has ended, in whichever thread it was made."""
        ...
