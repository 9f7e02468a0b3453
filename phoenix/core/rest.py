"""Decide for a group that is not being rotated: keep the retained generation in step, then let it go cold.

Pure. The live slot is never touched here: at rest its numbers are the owner's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from phoenix.core import failover, tags
from phoenix.core.action import Action, Decision, RemoveTags
from phoenix.core.explain import clock_time
from phoenix.core.fence import takes_away, unrefused
from phoenix.core.generation import Generation
from phoenix.core.janitor import astray, leftovers
from phoenix.core.leaving import Exit, let_leave, progress
from phoenix.core.model import Fence, Observation, Role, SlotState
from phoenix.core.record import GroupRecord
from phoenix.core.roles import COLD, Standing, missing_role, set_role

ASKED_AGAIN = timedelta(minutes=1)
"""Between two looks at instances that still have work."""
DRAINED_AFTER = timedelta(minutes=5)
"""The wait for instances of a generation that goes cold, where no rotation sets one."""


def rest(record: GroupRecord, seen: Observation) -> Decision:
    """The decision at rest, and the registries' part of it: that waits for nothing else, and nothing else for it."""
    decision = _rest(record, seen)
    left = astray(record, seen)
    if not left:
        return decision
    reason = "; ".join(filter(None, (decision.reason, *(each.text for each in left))))
    actions = (*decision.actions, *(each.action for each in left))
    later = min(decision.look_again_at or seen.at + ASKED_AGAIN, seen.at + ASKED_AGAIN)
    return replace(decision, actions=actions, look_again_at=later, reason=reason)


def _rest(record: GroupRecord, seen: Observation) -> Decision:
    """Take back what a lost rotation left; while hot follow the live slot's desired upward; then empty the slot."""
    late = unrefused(seen)
    left = leftovers(record, seen)
    found = tuple(f for f in left if late is None or not any(takes_away(f.action, s) for s in seen.slots.values()))
    if found:
        return _through_the_door(
            Decision(
                record, tuple(f.action for f in found), seen.at, f"cleaning up: {'; '.join(f.text for f in found)}"
            ),
            seen,
        )
    if left and late is not None:
        return _later(record, late, f"cleaning up: {'; '.join(f.text for f in left)}")
    if record.retained is None or record.hot_until is None:
        return Decision(record, (), None, "nothing to do")
    retained, live = seen.slots[record.retained.slot], seen.slots[record.retained.slot.other]
    number = record.retained.number
    carrying = next((r for r in seen.routes if r.percent(retained.slot) > 0), None)
    if carrying is not None:
        return Decision(
            record,
            (),
            None,
            f"{carrying.name} sends {carrying.percent(retained.slot)} % to retained generation {number}: "
            "another writer has changed the weights; it is left alone",
        )
    if seen.at < record.hot_until:
        # A reserve in the live slot's own group grows no more: that group launches the live generation.
        actions = () if seen.is_one_group else _follow(record.retained, retained, live)
        return Decision(
            record, actions, record.hot_until, f"generation {number} is hot until {clock_time(record.hot_until)}"
        )
    return _go_cold(record, seen, retained, live)


def _go_cold(record: GroupRecord, seen: Observation, retained: SlotState, live: SlotState) -> Decision:
    """Emptied, then waited for, then out of the rules: DNS takes a group without a target for an unhealthy one."""
    assert record.retained is not None and record.hot_until is not None  # noqa: S101, PT018 - the caller has seen to it
    late, number = unrefused(seen), record.retained.number
    actions = _let_go(retained)
    if late is not None and any(takes_away(action, retained) for action in actions):
        return _later(record, late, f"generation {number} goes cold")
    if actions:
        return _through_the_door(Decision(record, actions, seen.at, f"generation {number} goes cold"), seen)
    drained = record.hot_until + (record.rotation.terms.drain_timeout if record.rotation else DRAINED_AFTER)
    if not failover.is_empty(retained) and seen.at < drained:
        return Decision(record, (), drained, f"generation {number} leaves until {clock_time(drained)}", moving=True)
    leaving = tuple(failover.leave(retained, live, seen.routes))
    if leaving:
        return Decision(record, leaving, seen.at, f"generation {number} leaves the rules")
    return Decision(replace(record, hot_until=None), (), None, f"generation {number} is cold")


def _through_the_door(decision: Decision, seen: Observation) -> Decision:
    """Instances are drained before they leave at rest, too. Their time runs from the end of retention. Nothing can
    be held here: an instance that is to be waited for stays, and is asked about again."""
    record, rotation = decision.record, decision.record.rotation
    if rotation is None:
        return decision
    there = (i.id for state in seen.slots.values() for i in state.instances)
    began = dict.fromkeys(there, record.hot_until) if record.hot_until is not None else {}
    way = Exit(rotation.terms.stations, {each: at for each, at in began.items() if at is not None})
    found = let_leave(decision.actions, seen, way)
    if not found.waits:
        return replace(decision, actions=found.actions)
    told = f"{decision.reason}; first {progress(tuple(sorted(found.leaving)), seen, way)}"
    return Decision(record, found.actions, seen.at + ASKED_AGAIN, told, moving=True)


def _later(record: GroupRecord, late: Fence, what: str) -> Decision:
    """No slot loses instances while a former driver may still move traffic onto them."""
    until = clock_time(late.refused_from)
    why = f"a last request of {late.owner}, which was taken over from at {clock_time(late.taken_at)}, may arrive"
    return Decision(record, (), late.refused_from, f"{what} at {until}: until then {why}")


def _follow(generation: Generation, retained: SlotState, live: SlotState) -> tuple[Action, ...]:
    """Grow the retained generation only: a slot that would launch something else is set right, or left."""
    hot = Standing(Role.RETAINED, max(live.desired, retained.desired))
    grows = hot.count > retained.desired
    is_launchable = generation.template is not None and generation.is_launched_by(retained)
    if not grows or generation.is_set_in(retained) or generation.template_version is None:
        return tuple(missing_role(retained, hot))
    return (set_role(retained, hot, generation),) if is_launchable else ()


def _let_go(retained: SlotState) -> tuple[Action, ...]:
    actions: list[Action] = [*missing_role(retained, COLD)]
    if tags.CAPACITY in retained.tags:
        actions.append(RemoveTags({retained.slot: (tags.CAPACITY,)}))
    return tuple(actions)
