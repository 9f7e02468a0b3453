"""The words of phoenix as values, and what AWS said at one instant.

Pure: frozen values only. How AWS spells these things stays in the adapters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from phoenix.core.launch_failure import LaunchFailure
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.opt_in import OptIns
from phoenix.core.routine import Routine
from phoenix.core.work import Work


class Slot(StrEnum):
    """One of the two places of a pair."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Slot:
        """The slot that this one trades places with."""
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


class Role(StrEnum):
    """A slot's role at this moment; decides its numbers. Pinned is live in a rotation, retained is kept hot."""

    LIVE = "live"
    PINNED = "pinned"
    CANDIDATE = "candidate"
    RETAINED = "retained"
    COLD = "cold"


class Phase(StrEnum):
    """The work that a rotation is busy with, for people; decisions depend on the record's facts, never on this word."""

    PREPARING = "preparing"
    GROWING = "growing"
    PROVING = "proving"
    SHIFTING = "shifting"
    SHRINKING = "shrinking"
    BAKING = "baking"
    CLOSING = "closing"
    ROLLING_BACK = "rolling_back"
    DONE = "done"


class Outcome(StrEnum):
    """How a rotation, or a command, stands or ended. phoenix never sets `FAILED`: it holds, or turns back."""

    NONE = "none"
    IN_PROGRESS = "in_progress"
    HELD = "held"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"

    @property
    def is_bad(self) -> bool:
        """True for a rotation that ended without the generation that it was to bring."""
        return self in (Outcome.ROLLED_BACK, Outcome.FAILED)


class Cause(StrEnum):
    """The kind of reason for a rollback; image and operator quarantine the image, environment is tried again later.

    An operator who goes back before any instance of the new generation was seen goes back from the environment.
    """

    IMAGE = "image"
    OPERATOR = "operator"
    ENVIRONMENT = "environment"


class OnFailure(StrEnum):
    """What a failed gate leads to."""

    ROLLBACK = "rollback"
    PAUSE = "pause"


class Judgement(StrEnum):
    """The three answers of a gate."""

    PASS = "PASS"
    WAIT = "WAIT"
    FAIL = "FAIL"


# --- what AWS said ---------------------------------------------------------------------------------------------------


class TargetState(StrEnum):
    """Health of one target as its load balancer sees it."""

    HEALTHY = "healthy"
    INITIAL = "initial"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    UNUSED = "unused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a slot, as its Auto Scaling group lists it.

    `lifecycle_words` is AWS's word for its lifecycle, for people; AWS adds new ones. `target` is None when no load
    balancer lists the instance, which never counts as ready. `target_words` is why it is not healthy there, in few
    words. A `protected` one is passed over by every scale-in, and may protect itself at any time. `template` identifies
    the version's launch template; `image` and `launched_at` are None where EC2 was not asked.
    """

    id: str
    zone: str
    lifecycle: Lifecycle
    healthy: bool
    template_version: str | None
    target: TargetState | None = None
    target_words: str = ""
    protected: bool = False
    template: str = ""
    image: str | None = None
    lifecycle_words: str = ""
    launched_at: datetime | None = None

    @property
    def in_service(self) -> bool:
        """True only in service: a reserve, a booting or leaving instance and one of an unknown state do not serve."""
        return self.lifecycle is Lifecycle.IN_SERVICE

    @property
    def counts(self) -> bool:
        """True for an instance that the group's desired capacity counts. A reserve is there, and is not counted."""
        return not self.leaving and not self.stands_by

    @property
    def stands_by(self) -> bool:
        """True for one that is kept out of service, or drains on its way there."""
        return self.lifecycle in (Lifecycle.RESERVE, Lifecycle.DRAINING)

    @property
    def leaving(self) -> bool:
        """True when it is on its way out and will not come back by itself."""
        return self.lifecycle in (Lifecycle.LEAVING, Lifecycle.KEPT)


@dataclass(frozen=True, slots=True)
class SlotState:
    """One slot at one instant. `template_version` is the number that the group names; None where it names none, and
    launches from whichever version is the newest or the default.

    `template` identifies the launch template, `arn` the group: one that was made anew has another, and the same name.
    `tags` are those with the prefix `phoenix:` only. `failover` are the thresholds of its target groups for DNS
    failover, empty unless a tick needs them. `zones` are those it launches in; after `max_instance_lifetime` AWS itself
    replaces an instance, None for never; `health_grace` is the time to become healthy. `writer_words` says where to
    read who has changed it. Only in place: `other_sources`, which are Classic Load Balancers and target groups of VPC
    Lattice, and `surplus`, the instances in service that end with the group's next size, as it has more than it needs.
    """

    slot: Slot
    auto_scaling_group: str
    min: int
    max: int
    desired: int
    template_version: str | None
    template: str = ""
    instances: tuple[Instance, ...] = ()
    suspended: frozenset[Routine] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    target_groups: tuple[str, ...] = ()
    other_sources: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    arn: str = ""
    failover: str = ""
    zones: tuple[str, ...] = ()
    max_instance_lifetime: timedelta | None = None
    health_grace: timedelta = timedelta(0)
    writer_words: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Everything that sends requests to its instances."""
        return (*self.target_groups, *self.other_sources)

    def of_version(self, version: str | None) -> tuple[Instance, ...]:
        """The instances launched from this template version; all of them for None."""
        return tuple(i for i in self.instances if version is None or i.template_version == version)


UNTIMED: Final = 2_147_483_647
"""Seconds of a stickiness without a duration: some load balancers know only on and off."""


@dataclass(frozen=True, slots=True)
class Route:
    """One place that sends traffic to the pair: a listener's default action, a rule, or records of one name and type.

    `name` is for people, `arn` for AWS. `weights` are as AWS has them; a missing slot is not referenced at all.
    `spreading`: not all of AWS's servers follow them yet. `stays`: it goes on naming an emptied slot, at weight 0.
    """

    arn: str
    name: str
    weights: Mapping[Slot, int]
    sticky_seconds: int = 0
    spreading: bool = False
    stays: bool = False

    def percent(self, slot: Slot) -> int:
        """The slot's share of the pair's traffic here, in whole per cent; 0 where neither has any. Only nothing at all
        is 0, and only everything is 100: one in a thousand still is a request."""
        weight, total = self.weights.get(slot, 0), sum(self.weights.values())
        if weight in (0, total):
            return 100 if weight else 0
        return min(max(round(100 * weight / total), 1), 99)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's judgement of the candidate, and its reason in one sentence. `cause` matters for FAIL only.

    `memo` is what the gate has to know at the next look, in whichever process that is made; empty keeps nothing.
    """

    gate: str
    judgement: Judgement
    reason: str
    cause: Cause = Cause.IMAGE
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Fence:
    """A former holder of the lease, which was taken from it at `taken_at`; it may not know that yet.

    `answered_by` is when its last request has been answered or given up. One that its machine has held back, because
    it froze at that very moment, AWS refuses from `refused_from` on: nothing can take effect after that.
    """

    owner: str
    epoch: int
    taken_at: datetime
    answered_by: datetime
    refused_from: datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything AWS said at one instant. `routes` is empty for a pair without a load balancer; `prepared_version` is
    the number of the template version that the rotation in flight has made. `failures` are failed launches of the
    candidate, newest first. `fences` are former drivers whose last request may still take effect. `asks_health` False:
    no target health was asked for. `works` has each station's answer for every instance that was asked about, by id.
    `opt_ins` None: rules of our own were not looked for.
    """

    at: datetime
    slots: Mapping[Slot, SlotState]
    routes: tuple[Route, ...] = ()
    failures: tuple[LaunchFailure, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    prepared_version: str | None = None
    fences: tuple[Fence, ...] = ()
    asks_health: bool = True
    opt_ins: OptIns | None = None
    works: Mapping[str, tuple[Work, ...]] = field(default_factory=dict)

    @property
    def is_spreading(self) -> bool:
        """True while AWS says of a route that not all of its servers follow the weights yet."""
        return any(route.spreading for route in self.routes)

    @property
    def is_one_group(self) -> bool:
        """True when both slots are in one Auto Scaling group."""
        return len({state.auto_scaling_group for state in self.slots.values()}) == 1

    @property
    def shared_target_groups(self) -> tuple[str, ...]:
        """Target groups (ARNs) that both slots of a pair register with: their weight says nothing of a generation."""
        if self.is_one_group:
            return ()
        blue, green = (set(self.slots[slot].target_groups) if slot in self.slots else set() for slot in Slot)
        return tuple(sorted(blue & green))
