"""The meaning of a report's numbers, before they become words or JSON: one row for each known slot.

Must never guess: a value that was not observed is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from phoenix.core.generation import Generation
from phoenix.core.model import Observation, Role, Slot
from phoenix.core.ready import shortcomings
from phoenix.core.record import GroupRecord
from phoenix.core.sides import is_ready


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A generation in its slot. Counts and weight are None if they were not observed; weight also for a pair without a
    load balancer. In one group it is the share of the instances in service.

    `reserve` are instances that are kept out of service, `not_ready` counts the reasons that keep instances from being
    ready.
    """

    generation: Generation
    role: Role
    auto_scaling_group: str | None
    desired: int | None = None
    in_service: int | None = None
    healthy: int | None = None
    weight: int | None = None
    not_ready: tuple[tuple[int, str], ...] = ()
    reserve: int = 0


def rows(record: GroupRecord, seen: Observation | None) -> tuple[SlotRow, ...]:
    """Return every slot with a known generation, the newest generation first."""
    found = [_row(generation, role, record, seen) for generation, role in _roles(record)]
    return tuple(sorted(found, key=lambda row: row.generation.number, reverse=True))


def row_of(record: GroupRecord, seen: Observation | None, role: Role) -> SlotRow | None:
    """The slot in this role, if there is one."""
    return next((row for row in rows(record, seen) if row.role is role), None)


def _roles(record: GroupRecord) -> list[tuple[Generation, Role]]:
    rotation = record.in_flight
    if rotation is not None:
        return [(rotation.new, Role.CANDIDATE), (rotation.old, Role.LIVE)]
    live, retained = record.live, record.retained
    found = [(live, Role.LIVE)] if live is not None else []
    if retained is not None:
        found.append((retained, Role.COLD if record.hot_until is None else Role.RETAINED))
    taken = {generation.slot for generation, _ in found}
    return found + [(last, Role.COLD) for slot in Slot if slot not in taken and (last := _last_in(record, slot))]


def _last_in(record: GroupRecord, slot: Slot) -> Generation | None:
    known = [generation for generation in record.known if generation.slot is slot]
    if record.rotation is not None and record.rotation.new.slot is slot:
        known.append(record.rotation.new)
    return max(known, key=lambda generation: generation.number, default=None)


def _row(generation: Generation, role: Role, record: GroupRecord, seen: Observation | None) -> SlotRow:
    state = seen.slots.get(generation.slot) if seen is not None else None
    name = state.auto_scaling_group if state is not None else record.slots.get(generation.slot)
    if seen is None or state is None:
        return SlotRow(generation, role, name)
    # The live slot serves with all its instances; a candidate is proved by instances of its own version only.
    counted = state.instances if role is Role.LIVE else generation.of(state)
    in_service = [instance for instance in counted if instance.in_service]
    has_health = tells_health(seen)
    is_known = seen.asks_health or not has_health
    healthy = sum(is_ready(instance, has_health) for instance in in_service) if is_known else None
    reserve = sum(instance.stands_by for instance in counted) if seen.is_one_group else 0
    weight = weight_of(generation.slot, seen)
    version = None if role is Role.LIVE else generation.template_version
    not_ready = () if reserve or not is_known else shortcomings(state, version, has_health)
    desired = max(state.desired - reserve, 0)
    return SlotRow(generation, role, name, desired, len(in_service), healthy, weight, not_ready, reserve)


def tells_health(seen: Observation) -> bool:
    """True where a load balancer says of instances whether they serve."""
    return bool(seen.routes) or any(i.target is not None for state in seen.slots.values() for i in state.instances)


def weight_of(slot: Slot, seen: Observation) -> int | None:
    """Return the slot's share of the traffic in per cent; if the routes differ, the least of them for this slot. In one
    group it is the share of instances: only none at all is 0, and only all of them are 100."""
    if seen.is_one_group:
        serving = {s: sum(i.in_service for i in state.instances) for s, state in seen.slots.items()}
        share, total = serving[slot], sum(serving.values())
        return None if not total else 100 if share == total else min(-(-100 * share // total), 99)
    return min((route.percent(slot) for route in seen.routes), default=None)


def carrying(seen: Observation) -> tuple[Slot, ...]:
    """Return the slots that users reach: by weight on any route or, without a load balancer, by capacity."""
    if seen.is_one_group:
        return tuple(slot for slot in Slot if any(i.in_service for i in seen.slots[slot].instances))
    if seen.routes:
        return tuple(slot for slot in Slot if any(route.percent(slot) > 0 for route in seen.routes))
    return tuple(slot for slot in Slot if slot in seen.slots and seen.slots[slot].desired > 0)


def is_moved(record: GroupRecord, seen: Observation | None) -> bool:
    """True if a group at rest is not as phoenix left it: on some route the live generation has not all the traffic."""
    live = record.live
    if seen is None or live is None or record.in_flight is not None:
        return False
    return any(route.percent(live.slot) != 100 for route in seen.routes)


def is_unclear(record: GroupRecord, seen: Observation | None) -> bool:
    """True if AWS was asked, and neither it nor the record tells the live slot."""
    return seen is not None and record.live is None and record.in_flight is None
