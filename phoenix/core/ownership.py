"""Compare the groups' tags with a store's record: is the rotation this store's, or another one's? Pure.

Two stores for one group would each think they own it: a laptop's and a server's, say. The tags are on the groups
themselves, so they are right about who was there last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from phoenix.core import tags
from phoenix.core.adopt import live_slot
from phoenix.core.explain import clock_time
from phoenix.core.model import Observation, Slot
from phoenix.core.record import GroupRecord
from phoenix.core.roles import is_pinned


def foreign_store(seen: Observation, location: str) -> str | None:
    """The other store that the tags name; None where they name ours, or none at all."""
    named = {state.tags.get(tags.STORE) for state in seen.slots.values()} - {None, location}
    return min((name for name in named if name), default=None)


def was_replaced(seen: Observation, location: str) -> bool:
    """True when the store that the tags name stood where ours stands now: it was deleted, and ours made afresh.

    Only if a person has asked for a repair: two machines of one name, each with its own disk, look the same.
    """
    other, place = foreign_store(seen, location), location.partition("@")[2]
    return other is not None and place != "" and other.partition("@")[2] == place


def foreign_rotation(seen: Observation, location: str) -> str | None:
    """The store in which a rotation of this group is in flight, if that is not ours."""
    live = live_slot(seen)
    pinned = any(is_pinned(state) and (live is None or state.desired > 0) for state in seen.slots.values())
    return foreign_store(seen, location) if pinned else None


def is_outdated(record: GroupRecord, seen: Observation, location: str) -> bool:
    """True when the tags tell of a later rotation, by another store, than the last one this record knows.

    A rotation that has just been recorded has not written its tags yet.
    """
    rotation = record.rotation
    if rotation is None or rotation.step == 0 or foreign_store(seen, location) is None:
        return False
    notes = [tags.read_rotation(state.tags) for state in seen.slots.values()]
    return any(note is not None and note.id != rotation.id and note.new >= rotation.new.number for note in notes)


def made_anew(record: GroupRecord, seen: Observation) -> frozenset[Slot]:
    """Slots whose Auto Scaling group has the name, but not the ARN, of the one that the last rotation began with: it
    was deleted and made anew, and whatever it has launched is its owner's choice."""
    arns = record.rotation.origin.arns if record.rotation is not None else {}
    found = {slot: (arns.get(slot), state.arn) for slot, state in seen.slots.items()}
    return frozenset(slot for slot, (was, now) in found.items() if was and now and was != now)


# --- a policy that names other groups ---------------------------------------------------------------------------------


def is_elsewhere(record: GroupRecord, slots: Mapping[Slot, str]) -> bool:
    """True when the record is about other Auto Scaling groups than these. Two that have traded places are the same."""
    both = set(record.slots) == set(slots) == set(Slot)
    return both and set(record.slots.values()) != set(slots.values())


def is_unfinished(record: GroupRecord) -> bool:
    """True while the groups that the record is about still need it: in flight, or kept hot."""
    return record.in_flight is not None or (record.retained is not None and record.hot_until is not None)


def slots_that_count(record: GroupRecord | None, slots: Mapping[Slot, str]) -> Mapping[Slot, str]:
    """Which Auto Scaling group is which slot: the record's word, while it needs its groups or means the same two."""
    if record is None or set(record.slots) != set(Slot):
        return slots
    return dict(record.slots) if is_unfinished(record) or not is_elsewhere(record, slots) else slots


def begun_anew(record: GroupRecord, slots: Mapping[Slot, str]) -> GroupRecord:
    """A record that is finished with other groups, as one of these: what lives here is not known, numbers go on."""
    if is_unfinished(record) or not is_elsewhere(record, slots):
        return record
    return replace(
        record,
        slots={},
        target_groups={},
        routes={},
        live=None,
        retained=None,
        hot_until=None,
        known=(),
        rotation=None,
        blocked=None,
        noted_at=None,
    )


def other_groups(record: GroupRecord, names: tuple[str, ...]) -> str | None:
    """The sentence for a policy that names other groups while something has to be finished in the former ones."""
    if not names or not is_unfinished(record):
        return None
    old, new, group = " and ".join(record.slots.values()), " and ".join(names), record.group
    flying, hot = record.in_flight, record.hot_until
    if flying is not None:
        what = f"{flying.id} is in flight in {old}, and ends there"
        type_this = f"to end it now: phoenix rollback --group {group}"
    else:
        number = record.retained.number if record.retained else "?"
        until = f" until {clock_time(hot)}" if hot else ""
        what = f"generation {number} is kept hot in {old}{until}"
        type_this = f"to go back to it: phoenix rollback --group {group}; else phoenix tick --group {group} then"
    return f"the policy names {new}; {what}; those are taken up after that; {type_this}"
