"""The actions on AWS, and the decision that carries them.

Pure: frozen values only. Every action is an absolute target ("set", never "add"), so it may be repeated at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phoenix.core.model import Role, Slot
from phoenix.core.opt_in import OptIn
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Capacity


@dataclass(frozen=True, slots=True)
class WriteTags:
    """Set these tags on the slots' Auto Scaling groups, all in one call; never propagated to instances."""

    tags: Mapping[Slot, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """Remove these tag keys from the slots' Auto Scaling groups, all in one call."""

    keys: Mapping[Slot, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class MakeTemplateVersion:
    """Make the generation's template version from the newest one that phoenix did not make; once per rotation."""

    slot: Slot
    rotation: str
    generation: int
    image: str


@dataclass(frozen=True, slots=True)
class SetRole:
    """Bring the slot into this role with `count` instances, and to a template version where one is given; one call.

    `owner` are the bounds that the owner's autoscaler has there; None: the slot has exactly `count`. The role table
    knows the numbers. `template` identifies the launch template of the version; None: the one that the slot has.
    `leaving` are the instances that have been drained for it, and no others are to go; empty: any.
    `serving`, where both slots are one group: the instances that served at the look; others leave or end before them.
    """

    slot: Slot
    role: Role
    count: int
    owner: Capacity | None = None
    version: str | None = None
    template: str | None = None
    leaving: tuple[str, ...] = ()
    serving: frozenset[str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Drain:
    """Let no new work come to these instances, and let the present work leave; `station` counts in the order of the
    policy."""

    slot: Slot
    instances: tuple[str, ...]
    station: int = 0


@dataclass(frozen=True, slots=True)
class Undrain:
    """Let these instances take work again, at all stations of `before_leaving`."""

    slot: Slot
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Let clients find these instances, in every registry of the policy's `discovery`."""

    slot: Slot
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Let the slot's instances that are held before traffic go on into service: all that are held by then."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class SetSchedules:
    """Let the slot's scheduled actions run, or suspend them."""

    slot: Slot
    running: bool


@dataclass(frozen=True, slots=True)
class SetFailover:
    """Set the thresholds below which DNS fails away from the slot's target groups: `count/percentage`, each may be
    `off`. One for all of them, or one for each in the order of their ARNs, with commas."""

    slot: Slot
    thresholds: str


@dataclass(frozen=True, slots=True)
class ReplaceInstance:
    """Hand an instance that is in service and stays unhealthy to AWS for replacement (SetInstanceHealth)."""

    slot: Slot
    instance: str


@dataclass(frozen=True, slots=True)
class EndInstance:
    """End an instance on purpose, for a drill; its group replaces it. One that is gone stays gone.

    `hard` ends the machine under the group, as a crash does: no hook runs, nothing drains.
    """

    slot: Slot
    instance: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Send `percent` of the pair's traffic to `slot`, the rest to the other, on every route.

    `only_from` are the percentages of `slot` that may be found right before the write; empty means any (the way back).
    Raises of weight are refused by the router when it finds anything else. `suspend_stickiness` switches group
    stickiness off while weights move; `restore_stickiness` switches it on again, in seconds by route ARN. `unrefer`
    lists routes (ARNs) that are to stop naming the slot at all, once its share is nothing.
    """

    slot: Slot
    percent: int
    only_from: frozenset[int] = frozenset()
    suspend_stickiness: bool = False
    restore_stickiness: Mapping[str, int] = field(default_factory=dict)
    unrefer: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SetOptIns:
    """Have exactly these rules of phoenix's own, on every listener of the pair, that send requests which ask for it to
    `slot`; none takes all of them away. `rotation` is the id on their tags."""

    slot: Slot
    opt_ins: tuple[OptIn, ...] = ()
    rotation: str = ""


Action = (
    WriteTags
    | RemoveTags
    | MakeTemplateVersion
    | SetRole
    | Drain
    | Undrain
    | Announce
    | Release
    | SetSchedules
    | SetFailover
    | ReplaceInstance
    | EndInstance
    | SetWeights
    | SetOptIns
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The record to save, the actions to take, when to look again (None: nothing is due), and why, in one sentence.

    `look_again_at` not later than now means at once. `moving` says that AWS is busy with something that has no known
    end: the driver polls, and `look_again_at` is only the latest time.
    """

    record: GroupRecord
    actions: tuple[Action, ...]
    look_again_at: datetime | None
    reason: str
    moving: bool = False
