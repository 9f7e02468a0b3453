"""The tags that phoenix writes on the groups themselves, so that a rollback needs neither store nor policy file. Pure.

Every value is a few words with spaces between them; a value that does not read back is as good as absent. Must never
hold what AWS refuses in a tag: the refusal would come in the middle of a rotation.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from phoenix.core.generation import Generation
from phoenix.core.model import Route, Slot
from phoenix.core.rotation import Rotation
from phoenix.core.temporary import (
    CapacityEntry,
    DrainEntry,
    Entry,
    FailoverEntry,
    OptInEntry,
    ReferenceEntry,
    SchedulesEntry,
    StickinessEntry,
    TagsEntry,
    Upkeep,
)
from phoenix.core.terms import Capacity

GROUP = "phoenix:group"
STORE = "phoenix:store"
ROTATION = "phoenix:rotation"
GENERATION = "phoenix:generation"
CAPACITY = "phoenix:capacity"
LEDGER = "phoenix:ledger"
HOLD = "phoenix:hold"
QUARANTINE = "phoenix:quarantine"
FAILOVER = "phoenix:failover"
"""The owner's thresholds for DNS failover, on a slot that DNS may not judge the load balancer by."""
WRITTEN = (CAPACITY, FAILOVER, GENERATION, GROUP, HOLD, LEDGER, QUARANTINE, ROTATION, STORE)
"""All keys on a slot that is a group of its own."""
OF_A_SLOT = (CAPACITY, FAILOVER, GENERATION, LEDGER)
"""The keys about one slot alone. Where both are in one Auto Scaling group, each slot has a key of its own."""
MANAGED = "phoenix:managed"
"""Never written: `true` is the owner's word that phoenix may change what carries it. Its rights hang on that."""
TAINTED = "phoenix:tainted"
"""On an instance, never on a group: a person has changed it, and it is to be replaced (core/taint.py has its value)."""
TEMPORARY = (CAPACITY, LEDGER)
"""The tags that only a rotation in flight needs, or a generation that is kept hot."""
MOST_QUARANTINED = 10
"""Images that are noted at most; the oldest are left out."""
MOST_LETTERS = 256
"""A value's, says botocore's model of Auto Scaling."""

_RUNNING, _SUSPENDED = "running", "suspended"
_OPT_INS = "opt-ins:none"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SIGNS = frozenset("_.:/=+-@")
_DIGEST_LETTERS = 12


@dataclass(frozen=True, slots=True)
class RotationNote:
    """The value of `phoenix:rotation`: `id from to deadline`; numbers are generations'."""

    id: str
    old: int
    new: int
    deadline: datetime


@dataclass(frozen=True, slots=True)
class GenerationNote:
    """The value of `phoenix:generation` on a slot: `number image template-version template`.

    `template` None: version 0.1.0 did not write it, or it was not known.
    """

    number: int
    image: str
    template_version: str
    template: str | None = None


def in_one_group(key: str, slot: Slot) -> str:
    """The key on an Auto Scaling group that both slots are in: `phoenix:generation:blue`."""
    return f"{key}:{slot.value}" if key in OF_A_SLOT else key


def all_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """These keys as they are written on a group with one slot, and on a group with both."""
    return tuple(sorted({key for each in keys for key in (each, *(in_one_group(each, slot) for slot in Slot))}))


IN_ONE_GROUP = tuple(sorted({in_one_group(key, slot) for key in WRITTEN for slot in Slot}))
"""All keys on a group that both slots are in."""
ALL_WRITTEN = all_keys(WRITTEN)
"""All keys that are ever written; phoenix's rights end there."""


def fitting(text: str, most: int = MOST_LETTERS) -> str:
    """The text where a tag takes it; else with `_` for what it does not take, cut, and with a digest of the whole.

    Texts that differ stay different, and what fits stays as it is.
    """
    written = _in_letters_of_tags(text)
    if written == text and len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_LETTERS]
    return f"{written[: most - _DIGEST_LETTERS - 1]}={digest}"


def _in_letters_of_tags(text: str) -> str:
    """AWS's own list: letters, digits and spaces of any script, and `_ . : / = + - @`."""
    return "".join(sign if sign in _SIGNS or _is_word(sign) else "_" for sign in unicodedata.normalize("NFC", text))


def _is_word(sign: str) -> bool:
    return sign == " " or (unicodedata.category(sign)[0] in "LN" and sign <= "\uffff")


def rotation_tags(rotation: Rotation, store: str) -> dict[Slot, dict[str, str]]:
    """All tags that both slots carry while this rotation lasts. The candidate's generation comes with its version."""
    shared = {GROUP: rotation.group, STORE: fitting(store), ROTATION: write_rotation(rotation)}
    old = shared | {CAPACITY: write_capacity(rotation.capacity)}
    if rotation.old.template_version is not None:
        old[GENERATION] = write_generation(rotation.old)
    new = dict(shared)
    if rotation.new.template_version is not None:
        new[GENERATION] = write_generation(rotation.new)
    written = {rotation.old.slot: old, rotation.new.slot: new}
    for slot, entries in _by_slot(rotation).items():
        written[slot][LEDGER] = write_ledger(entries)
    return written


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
    """`42 ami-0d3c5e71a9f4b2086 58 lt-0a1b2c3d4e5f60718`; without the template where it is not known."""
    words = (str(generation.number), generation.image, str(generation.template_version), generation.template or "")
    return " ".join(words).rstrip()


def read_generation(tags: Mapping[str, str]) -> GenerationNote | None:
    """The generation that a slot's tags speak of; None when they do not, or not understandably."""
    words = tags.get(GENERATION, "").split()
    try:
        number, image, version, *templates = words
        if any(not template.startswith("lt-") for template in templates):
            return None
        return GenerationNote(int(number), image, version, *templates)
    except (ValueError, TypeError):  # too few words, or too many
        return None


def noted_generation(tags: Mapping[str, str], slot: Slot) -> Generation | None:
    """The same as a generation in that slot."""
    note = read_generation(tags)
    if note is None:
        return None
    return Generation(note.number, slot, note.image, template_version=note.template_version, template=note.template)


@dataclass(frozen=True, slots=True)
class HoldNote:
    """The value of `phoenix:hold`: `id who`. A rollback without a store leaves it; the next tick with one heeds it."""

    rotation: str
    by: str


def write_hold(rotation: Rotation) -> str:
    """`web-42-7k3f oncall@laptop`."""
    by = rotation.back.ask.by if rotation.back else rotation.origin.by
    return f"{rotation.id} {_in_letters_of_tags(by)}"[:MOST_LETTERS]


def read_hold(tags: Mapping[str, str]) -> HoldNote | None:
    """The store-less rollback that a slot's tags speak of; None when there was none."""
    rotation_id, _, by = tags.get(HOLD, "").partition(" ")
    return HoldNote(rotation_id, by) if rotation_id and by else None


def write_quarantine(images: Sequence[str]) -> str:
    """Image ids, oldest first; `none` when there are none, as a tag's removal is a call of its own."""
    kept = list(images[-MOST_QUARANTINED:])
    while len(" ".join(kept)) > MOST_LETTERS:
        del kept[0]
    return " ".join(kept) or "none"


def read_quarantine(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Images that must not be rotated to, according to a slot's tags."""
    return tuple(word for word in tags.get(QUARANTINE, "").split() if word.startswith("ami-"))


def _by_slot(rotation: Rotation) -> dict[Slot, list[Entry]]:
    """The value of the candidate's tag: the changes on routes, and that the owner had suspended the schedules.

    Capacity has a tag of its own, tags need none, and that schedules ran is the rule: most rotations have no such tag,
    which saves the call that removes it.
    """
    found: dict[Slot, list[Entry]] = {}
    for entry in rotation.ledger:
        match entry:
            case SchedulesEntry(slot, ran):
                found.setdefault(slot, []).extend(() if ran else (entry,))
            case StickinessEntry() | ReferenceEntry() | OptInEntry():
                found.setdefault(rotation.new.slot, []).append(entry)
            case CapacityEntry() | TagsEntry() | FailoverEntry() | DrainEntry():
                pass
            case _:
                assert_never(entry)
    return {slot: entries for slot, entries in found.items() if entries}


def write_ledger(entries: Iterable[Entry]) -> str:
    """`schedules:suspended stickiness:9683b2d02a6cabee:3600`: what was there before, a route by the end of its ARN.

    As many as fit; the record has them all.
    """
    words = [word for entry in entries if (word := _write_entry(entry))]
    while len(" ".join(words)) > MOST_LETTERS:
        words.pop()
    return " ".join(words)


def _write_entry(entry: Entry) -> str:
    match entry:
        case SchedulesEntry(had=ran):
            return f"schedules:{_RUNNING if ran else _SUSPENDED}"
        case StickinessEntry(route, seconds):
            return f"stickiness:{_last_part(route)}:{seconds}"
        case ReferenceEntry(route):
            return f"reference:{_last_part(route)}:none"
        case OptInEntry():
            return _OPT_INS
        case CapacityEntry() | TagsEntry() | FailoverEntry() | DrainEntry():
            return ""  # capacity and failover have tags of their own
        case _:
            assert_never(entry)


def read_ledger(tags: Mapping[str, str], slot: Slot, routes: Sequence[Route], at: datetime) -> tuple[Entry, ...]:
    """The former values that a slot's tags note; words that make no sense, and routes that are gone, are left out."""
    entries: list[Entry] = []
    arns = {_last_part(route.arn): route.arn for route in routes}
    for word in tags.get(LEDGER, "").split():
        match word.split(":"):
            case ["opt-ins", _]:
                entries.append(OptInEntry(Upkeep(at)))
            case ["schedules", ("running" | "suspended") as ran]:
                entries.append(SchedulesEntry(slot, ran == _RUNNING, Upkeep(at)))
            case ["stickiness", part, had] if part in arns and had.isdigit():
                entries.append(StickinessEntry(arns[part], int(had), Upkeep(at)))
            case ["reference", part, _] if part in arns:
                entries.append(ReferenceEntry(arns[part], Upkeep(at)))
    return tuple(entries)


def notes_opt_ins(tags: Mapping[str, str]) -> bool:
    """True when a slot's tags tell of a rotation that has rules of its own, or may have."""
    return _OPT_INS in tags.get(LEDGER, "").split()


def _last_part(arn: str) -> str:
    """The part that tells one rule from another within an account: the whole ARN would not fit into a tag."""
    return arn.rpartition("/")[2].replace(":", "")


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
