"""Leftovers of an interrupted or lost rotation on a group at rest, and the actions that take them back. Pure.

Only what phoenix itself has noted on the groups is touched: a number without a note is the owner's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phoenix.core import failover, ledger, tags
from phoenix.core.action import Action, Announce, RemoveTags, SetFailover, SetOptIns, SetSchedules, SetWeights
from phoenix.core.announcing import gone, is_to_be_told, lacking, withdraw
from phoenix.core.closing import stale_notes
from phoenix.core.explain import counted
from phoenix.core.ledger import lost_stickiness, our_references
from phoenix.core.model import Observation, SlotState
from phoenix.core.record import GroupRecord
from phoenix.core.roles import COLD, at_rest, missing_role, set_role, was_candidate
from phoenix.core.routine import Routine
from phoenix.core.sides import ready_instances


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something temporary that has outlived its rotation, in words, and what undoes it."""

    text: str
    action: Action


def leftovers(record: GroupRecord, seen: Observation) -> tuple[Leftover, ...]:
    """Everything to take back; empty while a rotation is in flight, whose own business it is."""
    if record.in_flight is not None or record.live is None:
        return ()
    live = seen.slots[record.live.slot]
    other = seen.slots[record.live.slot.other]
    return (
        *_opt_ins(seen, other),
        *_weight(seen, live, other),
        *_pin(live),
        *_ledger(record, seen, live),
        *_stray(record, seen, other),
        *_failover(record, seen, live, other),
        *_notes(record, live, other),
    )


def astray(record: GroupRecord, seen: Observation) -> tuple[Leftover, ...]:
    """What clients find at rest and should not, or should and do not, as far as the registries were asked."""
    rotation = record.rotation
    if rotation is None or rotation.in_flight or record.live is None or not rotation.terms.discovery:
        return ()
    live, other = seen.slots[record.live.slot], seen.slots[record.live.slot.other]
    serving = [i.id for i in ready_instances(live, None, target_health=rotation.terms.serving.health)]
    missing = tuple(i for i in serving if is_to_be_told(i, rotation, seen))
    found: list[Leftover] = []
    if missing:
        text = f"{counted(len(missing), 'instance')} of {live.auto_scaling_group} not announced yet: {missing[0]}"
        found.append(Leftover(text, Announce(live.slot, missing)))
    idle = [] if any(r.percent(other.slot) for r in seen.routes) else [i.id for i in other.instances if not i.leaving]
    are_found = bool(serving) and not any(lacking(i, rotation, seen) for i in serving)
    for slot, ids in (*gone(seen, stands_by_too=True), *([(other.slot, idle)] if are_found else [])):
        for action in withdraw(slot, ids, rotation, seen):
            text = (
                f"{counted(len(action.instances), 'instance')} without traffic still announced: {action.instances[0]}"
            )
            found.append(Leftover(text, action))
    return tuple(found)


def _opt_ins(seen: Observation, other: SlotState) -> Iterator[Leftover]:
    """Rules of our own, by the tags on themselves."""
    text = ledger.describe_opt_ins(seen)
    if text is not None:
        yield Leftover(text, SetOptIns(other.slot))


def _weight(seen: Observation, live: SlotState, other: SlotState) -> Iterator[Leftover]:
    """Weight that an IaC re-apply left on no healthy target while the live slot is healthy; any other weight stays."""
    there, here = (ready_instances(state, None, target_health=True) for state in (other, live))
    carrying = next((route for route in seen.routes if route.percent(other.slot) > 0), None)
    if carrying is not None and here and not there:
        yield Leftover(
            f"{carrying.name} sends {carrying.percent(other.slot)} % to {other.auto_scaling_group}, where nothing"
            f" is healthy; all of it goes back to {live.auto_scaling_group}",
            SetWeights(live.slot, 100),
        )


def moved_weights(record: GroupRecord, seen: Observation) -> Leftover | None:
    """Weights that another writer has moved at rest, onto instances that serve: put back only when a person says so."""
    if record.in_flight is not None or record.live is None:
        return None
    live = seen.slots[record.live.slot]
    astray = [r for r in seen.routes if sum(r.weights.values()) and r.percent(live.slot) != 100]
    if not astray or not ready_instances(live, None, target_health=True):
        return None
    shown = ", ".join(f"{route.name} {route.percent(live.slot)} %" for route in astray)
    text = f"generation {record.live.number} is live and has {shown}, changed by another writer; back to 100 %"
    return Leftover(text, SetWeights(live.slot, 100))


def _pin(live: SlotState) -> Iterator[Leftover]:
    """The live slot still has the numbers of a rotation: the owner's are noted beside them."""
    owner = tags.read_capacity(live.tags)
    if owner is None:
        return
    for action in missing_role(live, at_rest(live, owner)):
        text = (
            f"{live.auto_scaling_group}: min {live.min} max {live.max} are a rotation's; the owner's are "
            f"min {owner.min} max {owner.max}"
        )
        yield Leftover(text, action)


def _ledger(record: GroupRecord, seen: Observation, live: SlotState) -> Iterator[Leftover]:
    """Former values that the tags note: scheduled actions of the live slot, stickiness, references."""
    noted, other = ledger.read_notes(seen), live.slot.other
    if (
        Routine.SCHEDULES in live.suspended
        and was_candidate(live)
        and ledger.is_left_suspended(noted, seen.slots[other])
    ):
        text = f"{live.auto_scaling_group}: its scheduled actions are suspended, and ran before"
        yield Leftover(text, SetSchedules(live.slot, running=True))
    names = {route.arn: route.name for route in seen.routes}
    lost = lost_stickiness(noted, seen)
    if lost and all(route.percent(live.slot) == 100 for route in seen.routes):
        text = f"{', '.join(names[arn] for arn in lost)}: the stickiness that was suspended"
        yield Leftover(text, SetWeights(live.slot, 100, restore_stickiness=lost))
    is_retained = record.retained is not None and record.retained.slot is other
    ours = our_references(noted, other, seen)
    idle = frozenset(route.arn for route in seen.routes if route.arn in ours and route.percent(other) == 0)
    if idle and idle == ours and not is_retained:
        text = (
            f"{', '.join(sorted(names[arn] for arn in idle))}: names {seen.slots[other].auto_scaling_group} for nothing"
        )
        yield Leftover(text, SetWeights(other, 0, unrefer=idle))


def _failover(record: GroupRecord, seen: Observation, live: SlotState, other: SlotState) -> Iterator[Leftover]:
    """Thresholds that were switched off: the live slot needs them, and one that no rule names has no reason."""
    idle = record.hot_until is None and not any(other.slot in route.weights for route in seen.routes)
    for state in (live, *((other,) if idle else ())):
        for action in failover.restore(state):
            had = state.tags[tags.FAILOVER]
            if isinstance(action, SetFailover):
                yield Leftover(f"{state.auto_scaling_group}: DNS failover is off, it was {had}", action)
            else:
                yield Leftover(f"{state.auto_scaling_group}: the tag {tags.FAILOVER}", action)


def _stray(record: GroupRecord, seen: Observation, other: SlotState) -> Iterator[Leftover]:
    """A candidate that no rotation waits for any more: no weight, not retained, and phoenix's own by its tag."""
    carries = any(route.percent(other.slot) for route in seen.routes)
    is_retained = record.retained is not None and record.retained.slot is other.slot
    if was_candidate(other) and other.desired > 0 and not carries and not is_retained:
        yield Leftover(
            f"{other.auto_scaling_group}: {other.desired} instances of a candidate that was given up",
            set_role(other, COLD),
        )


def _notes(record: GroupRecord, live: SlotState, other: SlotState) -> Iterator[Leftover]:
    is_hot = record.retained is not None and record.hot_until is not None
    store = record.rotation.origin.store if record.rotation is not None else ""
    found = stale_notes(live, other, store, hot=is_hot)
    if found:
        names = sorted({key for keys in found.values() for key in keys})
        yield Leftover(f"tags {', '.join(names)} that no rotation needs any more", RemoveTags(found))
