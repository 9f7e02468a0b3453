"""Make sense of a group without a record: from its weights, its instances and the tags that phoenix left on it. Pure.

Where they disagree: weights say who is live, instances what it is, tags which number. Used the first time a group is
seen, and for a rollback when the store is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from phoenix.core import ledger, tags
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.model import Cause, Observation, Outcome, Slot, SlotState
from phoenix.core.record import GroupRecord, Quarantined
from phoenix.core.roles import is_pinned
from phoenix.core.rotation import Rotation
from phoenix.core.serving import NO_TRAFFIC, Serving
from phoenix.core.story import Ask, Origin, WayBack
from phoenix.core.temporary import Ledger, SchedulesEntry, Upkeep
from phoenix.core.terms import Capacity, Step, Terms

_FOUND = "found on the tags of the groups"


def live_slot(seen: Observation) -> Slot | None:
    """The slot that has the traffic, or, without a load balancer, the capacity; None when it is both or neither.

    None also where a target group is both slots': its traffic may be anybody's.
    """
    if seen.shared_target_groups:
        return None
    if seen.is_one_group:
        carrying = {slot for slot in Slot if any(i.counts for i in seen.slots[slot].instances)}
    elif seen.routes:
        carrying = {slot for slot in Slot if any(route.percent(slot) > 0 for route in seen.routes)}
    else:
        carrying = {slot for slot in Slot if seen.slots[slot].desired > 0}
    return next(iter(carrying)) if len(carrying) == 1 else None


def generation_in(state: SlotState, *, number: int | None = None) -> Generation | None:
    """The generation that a slot's tags speak of; with `number`, one of that number when there are no tags."""
    noted = tags.noted_generation(state.tags, state.slot)
    if noted is not None:
        return noted
    if number is None:
        return None
    return Generation(number, state.slot, UNKNOWN_IMAGE, template_version=state.template_version)


def adopt(group: str, seen: Observation, terms: Terms | None = None, *, number: int = 1) -> GroupRecord:
    """A record for a group that the store knows nothing of. `live` is None when it cannot be told who is live.

    `terms` are the policy's, where there is one. `number` is the least for what lives there without a tag of its own.

    What the tags say of a rotation becomes one that has succeeded, so that it can be rolled back like any other.
    """
    live = live_slot(seen)
    notes = {slot: tags.read_rotation(seen.slots[slot].tags) for slot in Slot}
    note = notes[Slot.BLUE] or notes[Slot.GREEN]
    found = {slot: generation_in(seen.slots[slot]) for slot in Slot}
    highest = max([g.number for g in found.values() if g] + ([note.new] if note else []), default=0)
    record = GroupRecord(
        group=group,
        slots={slot: seen.slots[slot].auto_scaling_group for slot in Slot},
        target_groups={slot: seen.slots[slot].sources for slot in Slot},
        routes={r.arn: r.name for r in seen.routes},
        highest_number=max(highest, 1),
        known=tuple(g for g in found.values() if g),
        quarantine=_quarantine(seen),
    )
    if live is not None:
        record = _with_live(record, seen, live, max(number, highest + 1))
    if note is None:
        return record
    old, new = _both(seen, note, found)
    if old is None or new is None or old.slot is new.slot:
        return record
    adopted = _with_rotation(record, seen, note, old, new)
    return adopted if terms is None else _on_terms(adopted, terms)


def _both(
    seen: Observation, note: tags.RotationNote, found: Mapping[Slot, Generation | None]
) -> tuple[Generation | None, Generation | None]:
    """The generations that the note tells of. The candidate's own tag is written before it grows: while the live slot
    is pinned and there is no such tag, nothing of it was launched, and a way back has nothing of it to let go."""
    by_number = {g.number: g for g in found.values() if g}
    old, new = by_number.get(note.old), by_number.get(note.new)
    live = live_slot(seen)
    if live is None or not is_pinned(seen.slots[live]):
        return old, new
    if old is None and found[live] is None:
        old = generation_in(seen.slots[live], number=note.old)
    if new is None and old is not None and old.slot is live:
        new = Generation(note.new, live.other, UNKNOWN_IMAGE)
    return old, new


def _quarantine(seen: Observation) -> tuple[Quarantined, ...]:
    images = dict.fromkeys(i for state in seen.slots.values() for i in tags.read_quarantine(state.tags))
    return tuple(Quarantined(i, seen.at, Cause.IMAGE, "", _FOUND) for i in images)


def _with_live(record: GroupRecord, seen: Observation, live: Slot, number: int) -> GroupRecord:
    """A live slot without a tag never gets an earlier generation's number; the old one of a rotation keeps its own."""
    state = seen.slots[live]
    note = tags.read_rotation(state.tags)
    if note is not None and tags.CAPACITY in state.tags:
        number = note.old
    return replace(record, live=generation_in(state, number=number))


def _with_rotation(
    record: GroupRecord, seen: Observation, note: tags.RotationNote, old: Generation, new: Generation
) -> GroupRecord:
    """The rotation that the tags tell of, as far as a way back needs it."""
    left = seen.slots[old.slot]
    rotation = Rotation(
        id=note.id,
        group=record.group,
        old=old,
        new=new,
        terms=_terms(seen),
        started_at=_start(note.deadline),
        deadline=note.deadline,
        origin=Origin(trigger=_FOUND, by=""),
        need=max(_needed(seen, old, new), 1),
        capacity=tags.read_capacity(left.tags) or Capacity(left.min, left.max),
        ledger=_ledger(seen, old, new),
        weight=max((r.percent(new.slot) for r in seen.routes), default=100),
        step=1,
        exposed_at=seen.at,
    )
    return _as_it_stands(record, rotation, seen)


def _terms(seen: Observation) -> Terms:
    """As much as a way back needs to know: not even the steps are written on the groups."""
    all_at_once = (Step(100, 100, 100, timedelta(0)),)
    return Terms(steps=all_at_once, strategy="unknown", serving=_serving(seen), holds=seen.is_one_group)


def _serving(seen: Observation) -> Serving:
    if seen.is_one_group:
        return Serving.of(weights=False, health=any(s.sources for s in seen.slots.values()), reserve=True)
    return Serving() if seen.routes else NO_TRAFFIC


def _needed(seen: Observation, old: Generation, new: Generation) -> int:
    """How many a way back needs: as many as the old generation has, its reserve included, or as many as serve."""
    left = seen.slots[old.slot]
    if live_slot(seen) is new.slot:
        return seen.slots[new.slot].desired
    return sum(not i.leaving for i in left.instances) if seen.is_one_group else left.desired


def _as_it_stands(record: GroupRecord, rotation: Rotation, seen: Observation) -> GroupRecord:
    """In flight, back again, over, or all but over: who has the traffic says so, and what is still pinned."""
    live, left = live_slot(seen), seen.slots[rotation.old.slot]
    if live is rotation.old.slot and tags.CAPACITY not in left.tags and seen.slots[rotation.new.slot].max == 0:
        turned = rotation.turn_back(WayBack(Ask(rotation.started_at, ""), None, _FOUND))
        return replace(record, rotation=turned.end(rotation.started_at, Outcome.ROLLED_BACK))
    if live is not rotation.new.slot:
        return replace(record, rotation=rotation)
    if is_pinned(left):
        return replace(record, rotation=rotation.close(seen.at))
    # `succeeded_at`, or a way back would take what the rotation suspended at its end for the owner's doing.
    over = replace(rotation, outcome=Outcome.SUCCEEDED, ended_at=rotation.started_at, succeeded_at=seen.at)
    hot_until = seen.at + timedelta(hours=1) if left.desired > 0 else None
    return replace(record, rotation=over, retained=rotation.old, hot_until=hot_until)


def _ledger(seen: Observation, old: Generation, new: Generation) -> Ledger:
    """The former values that the tags note; scheduled actions ran if no tag says otherwise."""
    noted = ledger.read_notes(seen)
    if ledger.is_left_suspended(noted, seen.slots[old.slot]):
        return noted.open([SchedulesEntry(new.slot, True, Upkeep(seen.at))])
    return noted


def _on_terms(record: GroupRecord, terms: Terms) -> GroupRecord:
    """With the policy's patience, but one step: which ones the rotation had is not known."""
    rotation = record.rotation
    if rotation is None:
        return record
    known = rotation.terms
    own = replace(terms, steps=known.steps, serving=known.serving, holds=known.holds)
    return replace(record, rotation=replace(rotation, terms=own))


def _start(deadline: datetime) -> datetime:
    """The deadline less the default time-out: no tag says when the rotation started. No tag says when it ended either,
    and then the two times are the same; see `Rotation.known_end`."""
    return deadline - timedelta(hours=2)
