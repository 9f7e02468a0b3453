"""What phoenix writes on the groups themselves, so that a rollback needs neither store nor policy file. Pure.

Every value is a few words with spaces between them; a value that does not read back is as good as absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from phoenix.core.model import Capacity, Slot
from phoenix.core.record import Generation, Rotation

GROUP = "phoenix:group"
STORE = "phoenix:store"
ROTATION = "phoenix:rotation"
GENERATION = "phoenix:generation"
CAPACITY = "phoenix:capacity"
HOLD = "phoenix:hold"
QUARANTINE = "phoenix:quarantine"
MOST_QUARANTINED = 10
"""Images that fit into one tag value of 256 characters; the oldest are left out."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class RotationNote:
    """What `phoenix:rotation` says: `id from to deadline`; numbers are generations'."""

    id: str
    old: int
    new: int
    deadline: datetime


@dataclass(frozen=True, slots=True)
class GenerationNote:
    """What `phoenix:generation` says of a slot: `number image template-version`."""

    number: int
    image: str
    template_version: str


def rotation_tags(rotation: Rotation, store: str) -> dict[Slot, dict[str, str]]:
    """All tags that both slots carry while this rotation lasts. The candidate's generation comes with its version."""
    shared = {GROUP: rotation.group, STORE: store, ROTATION: write_rotation(rotation)}
    old = shared | {CAPACITY: write_capacity(rotation.capacity)}
    if rotation.old.template_version is not None:
        old[GENERATION] = write_generation(rotation.old)
    new = dict(shared)
    if rotation.new.template_version is not None:
        new[GENERATION] = write_generation(rotation.new)
    return {rotation.old.slot: old, rotation.new.slot: new}


def write_rotation(rotation: Rotation) -> str:
    """`web-42-7k3f 41 42 2026-11-18T04:41:12Z`."""
    deadline = rotation.deadline.astimezone(UTC).strftime(_TIME)
    return f"{rotation.id} {rotation.old.number} {rotation.new.number} {deadline}"


def read_rotation(tags: Mapping[str, str]) -> RotationNote | None:
    """The rotation that a slot's tags speak of; None when they do not, or not understandably."""
    words = tags.get(ROTATION, "").split()
    try:
        rotation_id, old, new, deadline = words
        return RotationNote(rotation_id, int(old), int(new), datetime.strptime(deadline, _TIME).replace(tzinfo=UTC))
    except ValueError:
        return None


def write_generation(generation: Generation) -> str:
    """`42 ami-0d3c5e71a9f4b2086 58`."""
    return f"{generation.number} {generation.image} {generation.template_version}"


def read_generation(tags: Mapping[str, str]) -> GenerationNote | None:
    """The generation that a slot's tags speak of; None when they do not, or not understandably."""
    words = tags.get(GENERATION, "").split()
    try:
        number, image, version = words
        return GenerationNote(int(number), image, version)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class HoldNote:
    """What `phoenix:hold` says: `id who`. A rollback without a store leaves it; the next tick with one heeds it."""

    rotation: str
    by: str


def write_hold(rotation: Rotation) -> str:
    """`web-42-7k3f oncall@laptop`."""
    return f"{rotation.id} {rotation.back.by if rotation.back else rotation.by}"[:256]


def read_hold(tags: Mapping[str, str]) -> HoldNote | None:
    """The store-less rollback that a slot's tags speak of; None when there was none."""
    rotation_id, _, by = tags.get(HOLD, "").partition(" ")
    return HoldNote(rotation_id, by) if rotation_id and by else None


def write_quarantine(images: Sequence[str]) -> str:
    """Image ids, oldest first; `none` when there are none, as a tag's removal is a call of its own."""
    return " ".join(images[-MOST_QUARANTINED:]) or "none"


def read_quarantine(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Images that must not be rotated to, according to a slot's tags."""
    return tuple(word for word in tags.get(QUARANTINE, "").split() if word.startswith("ami-"))


def write_capacity(capacity: Capacity) -> str:
    """`4 24`: MinSize and MaxSize as the owner set them."""
    return f"{capacity.min} {capacity.max}"


def read_capacity(tags: Mapping[str, str]) -> Capacity | None:
    """The owner's numbers noted on a slot; None when there is no note, or none that can be understood."""
    words = tags.get(CAPACITY, "").split()
    try:
        least, most = (int(word) for word in words)
    except ValueError:
        return None
    return Capacity(least, most)
