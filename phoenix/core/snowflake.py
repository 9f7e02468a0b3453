"""Find the instances that are not what their generation is, and a group that is not as it was left. Pure.

Must never call an instance converged that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.as_left import group_differences
from phoenix.core.drift import Compared, Difference, Found, differences, ignored, of_generation
from phoenix.core.generation import Generation
from phoenix.core.model import Instance, Observation, Slot
from phoenix.core.ownership import made_anew
from phoenix.core.record import GroupRecord
from phoenix.core.tags import TAINTED
from phoenix.core.taint import Taint, read_taint

APART: Final = timedelta(days=1)
"""After a rotation because of drift, drift alone makes none due for this long: what comes back with each boot is the
image's or the server's own doing, and would rotate the group for ever."""
DRIFTED: Final = "drifted"
"""The word by which a rotation's trigger says that."""


@dataclass(frozen=True, slots=True)
class Snowflake:
    """One running instance as judged. `generation` None: no generation of the group has launched it. `known` False: its
    template version is gone, so only its image and age could be compared."""

    found: Found
    slot: Slot
    lifecycle: str
    generation: Generation | None
    differences: tuple[Difference, ...] = ()
    taint: Taint | None = None
    known: bool = True

    @property
    def is_one(self) -> bool:
        """True for one that has diverged, or that a person has marked."""
        return bool(self.differences) or self.taint is not None


@dataclass(frozen=True, slots=True)
class Drift:
    """A group's findings. `instances` are all that run, the diverged ones first, the oldest first among them."""

    at: datetime
    instances: tuple[Snowflake, ...]
    group: tuple[Difference, ...]

    @property
    def snowflakes(self) -> tuple[Snowflake, ...]:
        """The instances that have diverged or are tainted."""
        return tuple(each for each in self.instances if each.is_one)

    @property
    def diverged(self) -> bool:
        """True if anything has."""
        return bool(self.group or self.snowflakes)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the owner's policy says of drift: the age that instances may have, and kinds that are not to be told."""

    max_age: timedelta | None = None
    ignore: tuple[str, ...] = ()


def judge(record: GroupRecord, seen: Observation, compared: Mapping[str, Compared], bounds: Bounds = Bounds()) -> Drift:
    """Hold every instance that runs in either slot against its generation, and the group against its record.

    Instances on their way in or out are left out: AWS itself still changes those.
    """
    scene = _Scene(record, seen.at, bounds, made_anew(record, seen))
    judged = [
        _judged(scene, slot, instance, compared[instance.id])
        for slot, state in seen.slots.items()
        for instance in state.instances
        if instance.id in compared and (instance.in_service or instance.stands_by)
    ]
    ordered = sorted(judged, key=lambda each: (not each.is_one, each.found.launched_at, each.found.id))
    group = tuple(each for each in group_differences(record, seen) if not ignored(each.what, bounds.ignore))
    return Drift(seen.at, tuple(ordered), group)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every instance is held against; `anew` are slots whose group its owner has made anew."""

    record: GroupRecord
    at: datetime
    bounds: Bounds
    anew: frozenset[Slot]


def _judged(scene: _Scene, slot: Slot, instance: Instance, compared: Compared) -> Snowflake:
    found, ignore = compared.found, scene.bounds.ignore
    others = [each for each in _generations(scene.record) if each.slot is slot]
    own = next((each for each in others if each.has_launched(instance)), others[0] if others else None)
    told = () if slot in scene.anew else of_generation(found, own, others)
    told += differences(compared, scene.at, scene.bounds.max_age)
    kept = tuple(each for each in told if not ignored(each.what, ignore))
    value = None if ignored("tainted", ignore) else found.tags.get(TAINTED)
    taint = None if value is None else read_taint(value)
    return Snowflake(found, slot, instance.lifecycle_words, own, kept, taint, compared.fresh is not None)


def _generations(record: GroupRecord) -> Sequence[Generation]:
    """Those that may run now, the live one first. The retained one is no drift: it is the way back."""
    rotation = record.in_flight
    pair = (rotation.old, rotation.new) if rotation is not None else (record.live, record.retained)
    return [each for each in pair if each is not None]


def is_repeated(record: GroupRecord, at: datetime) -> bool:
    """True shortly after a rotation whose reason was drift."""
    last = record.rotation
    if last is None or last.ended_at is None or DRIFTED not in last.origin.trigger:
        return False
    return at - last.ended_at < APART
