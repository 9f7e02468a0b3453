"""What the engine needs from the outside, as protocols; every adapter and every fake passes the same contract tests.

Adapters translate: AWS's spellings and exceptions stop here. They raise TransientError or PermanentError and nothing
else, never return half an answer, and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from phoenix.core.action import Action, SetWeights
from phoenix.core.blocker import UNKNOWN_AHEAD, Ahead, Blocker
from phoenix.core.image import Candidate, Image
from phoenix.core.model import LaunchFailure, Observation, Route, Slot, SlotState, TargetState, Verdict
from phoenix.core.record import GroupRecord, Rotation
from phoenix.core.trigger import LiveInstance


class Clock(Protocol):
    """The only source of time. Virtual in tests and in the sandbox."""

    @property
    def stopping(self) -> bool:
        """True once somebody has asked the driver to stop; it then ends between two ticks."""
        ...

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
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

    def observe(self, rotation: Rotation | None) -> FleetView:
        """Read both slots. With a rotation in flight also what only it needs: failed launches while its candidate
        grows, its template version while that has no number yet."""
        ...

    def apply(self, action: Action) -> None:
        """Carry out one action of the fleet's kind; repeating it changes nothing."""
        ...

    def live_instances(self, slot: Slot) -> Sequence[LiveInstance]:
        """The slot's instances as EC2 describes them; several calls for a big group."""
        ...

    def instances(self, ids: Sequence[str]) -> Sequence[LiveInstance]:
        """These instances as EC2 describes them; ids that EC2 does not know are left out."""
        ...

    def resolve_version(self, slot: Slot) -> str:
        """The number of the template version that the slot launches from now, behind `$Latest` or `$Default`."""
        ...

    def has_scaling_policies(self, slot: Slot) -> bool:
        """True when an autoscaler may move the slot's desired capacity."""
        ...

    def template_changes(self, live: Slot) -> tuple[str, ...]:
        """What the owner has changed, besides the image, since the live generation's template version was made; empty
        when nothing. Words for people, without values."""
        ...

    def find_blockers(self, live: Slot, image: Image, need: int, ahead: Ahead = UNKNOWN_AHEAD) -> Sequence[Blocker]:
        """Everything about the groups, their template and their instances that stands in the way of a start,
        a dry run of the launch included. Read-only."""
        ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the load balancers said at one instant. `health` is by slot and instance id."""

    routes: tuple[Route, ...] = ()
    health: Mapping[Slot, Mapping[str, TargetState]] = field(default_factory=dict)


class Router(Protocol):
    """How traffic reaches the slots."""

    balances: bool
    """False for groups without a load balancer: there are no weights, and in service is all that can be known."""
    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def find(self, target_groups: Mapping[Slot, Sequence[str]]) -> tuple[Route, ...]:
        """Search for everything that sends traffic to these target groups; several calls."""
        ...

    def observe(
        self, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str], want_health: frozenset[Slot]
    ) -> Traffic:
        """Read the weights of the known routes (ARNs) and the health of the targets of the slots asked for."""
        ...

    def shift(
        self, action: SetWeights, target_groups: Mapping[Slot, Sequence[str]], routes: Sequence[str]
    ) -> tuple[Route, ...]:
        """Set the weights on these routes (ARNs), read them back, return what was read.

        Everything else in the action lists is kept. Re-reads all of them, in one call, right before the first write.

        Raises:
            ForeignWeights: a raise found a percentage outside `only_from`; that route was not written.
        """
        ...

    def serves_by_zone(self, target_groups: Mapping[Slot, Sequence[str]]) -> bool:
        """True when each zone serves its own share of the traffic, in either slot: a zone without a healthy target
        then answers with errors, however many there are elsewhere."""
        ...

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Everything about listeners, rules and target groups that stands in the way of a start. Read-only."""
        ...


class Gate(Protocol):
    """A check on the candidate."""

    name: str
    before_traffic_only: bool
    """True for checks that are made once, before the candidate gets traffic; False for those watched while baking."""
    checks: ClassVar[tuple[str, ...]]
    """Names of everything that `find_blockers` looks for, and of the blockers it returns."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """Judge the candidate now. `seen` holds slots and routes; its verdicts are those of the gates before."""
        ...

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """What would make this gate fail or wait for ever, whatever the candidate: an unknown alarm, one already
        in ALARM, a path that not even the live instances answer. Read-only."""
        ...


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
    """The right to drive a group. `epoch` rises with every new holder, so that an old one can tell it has lost."""

    group: str
    owner: str
    epoch: int
    since: datetime
    until: datetime


class Store(Protocol):
    """Where records live between ticks. Reading never creates anything."""

    location: str
    """What `phoenix:store` says on the groups, to notice two stores for one group; without secrets."""

    def load(self, group: str) -> GroupRecord | None:
        """The group's record; None when there never was one."""
        ...

    def save(self, record: GroupRecord) -> GroupRecord:
        """Write the record if nobody has since `record.version`; returns it with its new version. A rotation in it
        is filed in the history in the same transaction.

        Raises:
            StateConflict: somebody else saved first; nothing was written.
        """
        ...

    def claim(self, group: str, owner: str, now: datetime, ttl: timedelta, *, force: bool = False) -> Lease:
        """Take the lease, or renew one's own (same owner: same epoch). `force` takes it from whoever has it.

        Raises:
            LeaseHeld: somebody else's lease has not expired and its process is not known to be dead.
        """
        ...

    def holds(self, lease: Lease) -> bool:
        """True while nobody has taken the lease since; asked before every single action."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it is somebody else's by now."""
        ...

    def lease_of(self, group: str) -> Lease | None:
        """Who drives the group, for `status`; None when nobody does. An expired one is returned as it is."""
        ...

    def history(self, group: str, limit: int = 20) -> Sequence[Rotation]:
        """Rotations of the group, newest first."""
        ...


class Notifier(Protocol):
    """Where news go."""

    def notify(self, subject: str, text: str, facts: Mapping[str, str]) -> None:
        """Send one piece of news. `subject` is one line, `facts` go along for machines."""
        ...


class Tracer(Protocol):
    """Where spans go; costs next to nothing when nobody listens."""

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
        """A span around the block; an exception that leaves it is recorded there."""
        ...
