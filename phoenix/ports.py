"""The protocols between the engine and its adapters; every adapter and every fake passes the same contract tests.

Adapters translate: AWS's spellings and exceptions stop here. They raise TransientError or PermanentError and nothing
else, never return half an answer, and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from phoenix.arrival_port import ArrivalPort
from phoenix.core.action import Action, SetFailover, SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.difference import Difference
from phoenix.core.drift import Compared
from phoenix.core.generation import Generation
from phoenix.core.image import Candidate, Image
from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.model import Fence, Observation, Route, Slot, SlotState, TargetState, Verdict
from phoenix.core.note import Note
from phoenix.core.notice import Notice
from phoenix.core.record import GroupRecord
from phoenix.core.remedy import Remedy
from phoenix.core.rotation import Rotation
from phoenix.core.trigger import LiveInstance
from phoenix.opt_in_port import OptInPort

GATE_BUDGET: Final = timedelta(seconds=22)
"""The time that a gate's check may take. An observation is acted upon for 30 s; the rest is for reads and actions."""


class Clock(Protocol):
    """The only source of time. Virtual in tests and in the sandbox."""

    @property
    def stopping(self) -> bool:
        """True once the driver is asked to stop; it then ends between two ticks."""
        ...

    def now(self) -> datetime:
        """The time now, aware, in UTC."""

    def elapsed(self) -> float:
        """Seconds since a fixed moment, the machine's sleep included; a change of the wall clock does not matter."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass; return early if a signal asks the driver to stop."""


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet's answer at one instant: both slots, without target health."""

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
        """Read both slots; in flight also failed launches and the version. An ended rotation says who lives."""

    def apply(self, action: Action) -> None:
        """Carry out one action of the fleet's kind; repeating it changes nothing."""

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        """The slot's instances as EC2 describes them; several calls for a big group."""

    def images_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The image of each of these instances, by id; ids that EC2 does not know are left out. Read once for each."""

    def launched_at(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each of these was launched; the same read, made once for both."""

    def resolve_version(self, slot: Slot) -> str:
        """The number of the template version that the slot launches from now, behind `$Latest` or `$Default`."""

    def identify(self, generation: Generation) -> Generation:
        """With the template and version that launch its image now; no template where a version's image may change."""

    def find_losses(self, generation: Generation) -> Sequence[Blocker]:
        """The blockers of any relaunch of an earlier generation, however much room there is; two reads at most."""

    def has_scaling_policies(self, slot: Slot) -> bool:
        """True when an autoscaler may move the slot's desired capacity."""

    def compare(self, *, deep: bool = False) -> Mapping[str, Compared]:
        """Every instance of both slots beside what a fresh one would be, by id. `deep`: two calls more for each."""

    def mark_tainted(self, instances: Sequence[str], value: str | None) -> None:
        """Tag these instances as changed by hand; None takes the tag away. Repeating it changes nothing."""

    def has_schedules(self, slot: Slot) -> bool:
        """True when scheduled actions may change the slot's sizes."""

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        """The owner's changes since the live generation's template version, besides the image: in words, no values."""

    def differences(self, live: Slot) -> Sequence[Difference]:
        """What the next generation has otherwise than the live one, besides its image; for people."""

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """The blockers of a start in groups, template and instances, a dry run included. Read-only."""

    def find_revival_blockers(self, generation: Generation, count: int) -> Sequence[Blocker]:
        """The blockers of `count` more instances of an earlier generation: image, template, room."""

    def console_of(self, instance: str) -> str:
        """The last lines of the instance's console, without what looks like a secret; empty before it has any."""

    def command(self, remedy: Remedy) -> str:
        """The commands of the AWS CLI that a person types for this remedy; nothing is run."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The load balancers' answer. `health` is by slot and instance id; `words` are AWS's printable reasons for it."""

    routes: tuple[Route, ...] = ()
    health: Mapping[Slot, Mapping[str, TargetState]] = field(default_factory=dict)
    words: Mapping[Slot, Mapping[str, str]] = field(default_factory=dict)


class Router(OptInPort, ArrivalPort, Protocol):
    """How traffic reaches the slots."""

    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """Find every route that sends traffic to these target groups; several calls."""

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """Read the weights of the known routes (ARNs), and the health of the targets of these slots."""

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        """Set the weights on these routes (ARNs), read them back, and return them.

        All other members of the action lists are kept. All lists are read again, in one call, right before the first
        write.

        Raises:
            ForeignWeights: a route to be raised had a percentage outside `only_from`; it was not written.
        """

    def read_failover(self, target_groups: Mapping[Slot, Sequence[str]]) -> Mapping[Slot, str]:
        """The healthy targets that each slot needs, or DNS fails away from it; `unknown` if the read is denied."""

    def set_failover(self, action: SetFailover, target_groups: Mapping[Slot, Sequence[str]]) -> None:
        """Set the thresholds on all target groups of the slot; repeating it changes nothing."""

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        """True if each zone serves its own share, in either slot: one without a healthy target answers with errors."""

    def find_blockers(
        self, slots: Mapping[Slot, SlotState], live: Slot, ahead: Ahead = UNKNOWN_AHEAD
    ) -> Sequence[Blocker]:
        """The blockers of a start in listeners, rules, target groups and load balancers. Read-only."""


class Gate(Protocol):
    """A check on the candidate."""

    name: str
    before_traffic_only: bool
    """True for a check at every tick until the candidate gets traffic; False for one that goes on while it bakes."""
    judges_alone: bool
    """True for a check of the observation alone: if it is first and does not pass before there is traffic, the gates
    after it are not asked."""
    begins_something: bool
    """True for a check that begins something in the owner's world: only a driver asks it, no `plan` and no `status`."""
    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the candidate within GATE_BUDGET; a later answer counts as WAIT.

        `seen` has no verdicts: all gates are asked side by side. A check that has not returned is not started again.
        The next look has the verdict's `memo` as `rotation.memo_of(name)`: the function makes a gate anew for every
        look, and a gate has no other memory.
        """

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """The blockers that make this gate fail or wait for ever with any candidate: an unknown alarm. Read-only."""


class ImageSource(Protocol):
    """Where the next image comes from."""

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        """All images found, the chosen one first with `rejected` None; none is chosen if all are rejected."""
        ...

    def named(self, image: str, at: datetime) -> Candidate:
        """The image with this id: owners, architecture and state count; name, tags and min_age do not."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a group. `epoch` rises with every new owner, so that a former one can tell its loss. `fences`
    are the former owners that may not know it yet. `ends` is the lease's end by `elapsed`; no store keeps it.
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
        """The value of the tag `phoenix:store`, which shows two stores for one group; without secrets."""
        ...

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        ...

    def load_many(self, groups: Sequence[str]) -> Mapping[str, GroupRecord]:
        """The records of those groups that have one, in as few calls as possible."""
        ...

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record if the stored version is still `record.version`; return it with its new version. Its
        rotation is filed in the history in the same transaction.

        Raises:
            StateConflict: another driver saved first; nothing was written.
        """
        ...

    def note(self, key: str) -> Note | None:
        """The note under the key; None when there never was one."""
        ...

    def save_note(self, note: Note) -> Note:
        """Write the note if it is still at `note.version`; returns it with its new version.

        Raises:
            StateConflict: another driver saved first; nothing was written.
        """
        ...

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease, or renew the owner's own (same epoch). `force` takes it from its present owner. A lease that
        was not given back leaves a fence, until AWS would refuse its last request or it is released after all. The
        group is due when the lease expires: if its driver dies, that brings the next one.

        Raises:
            LeaseHeld: another owner's lease has not expired, and its process is not known to be dead.
        """
        ...

    def holds(self, lease: Lease) -> bool:
        """True until another driver takes the lease; asked before every action."""
        ...

    def release(self, lease: Lease, due_at: datetime | None = None) -> None:
        """Give the lease back, and say when the group is due again; None: not until something new comes. If another
        driver has the lease by now it keeps it, and our fence goes."""
        ...

    def due(self, now: datetime) -> Sequence[str]:
        """The groups that are due, the longest due first: at the time their release named, or because their lease
        expired. The answer may be a moment old: only a claim of the lease tells.
        """
        ...

    def lease_of(self, group: str) -> Lease | None:
        """The group's lease, expired or not, for `status`; None if there is none."""
        ...

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first."""
        ...


class Notifier(Protocol):
    """Where news go."""

    name: str
    """Tells this notifier from the group's others, the same in every process; without secrets."""

    def notify(self, notice: Notice) -> None:
        """Send one piece of news with its id, by which a receiver can tell a repetition.

        Raises:
            TransientError: it has not arrived; the engine tries again.
        """
        ...


class Tracer(Protocol):
    """Takes spans and measures; costs next to nothing while telemetry is off."""

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
        """A span around the block; an exception that leaves the block is recorded in it."""
        ...

    def about(self, rotation: Rotation | None) -> AbstractContextManager[None]:
        """Do the block's work for this rotation: spans below its root, its trace in log lines, its id in sessions."""
        ...

    def recorded(self, before: GroupRecord, after: GroupRecord) -> None:
        """Measure the outcomes, phases and times of a saved record; a rotation's end closes the root."""
        ...

    def oldest_instance(self, group: str, age: timedelta) -> None:
        """Note the age of the group's oldest live instance."""
        ...

    def snowflakes(self, group: str, kind: str, count: int) -> None:
        """Note the number of the group's instances that are `tainted`, or have `drifted`."""
        ...
