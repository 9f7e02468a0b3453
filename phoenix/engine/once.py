"""One tick: observe, decide, record, act; once, for one group that we hold the lease of.

The order is the promise: the intent is saved before it is acted upon, so that death anywhere leaves a record whose step
still differs from the world, and the next tick emits the missing actions.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from phoenix.core import tags
from phoenix.core.action import Decision, WriteTags
from phoenix.core.converge import write_tags
from phoenix.core.decide import decide
from phoenix.core.milestones import with_first_healthy
from phoenix.core.model import Observation
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Hold
from phoenix.core.upkeep import record_taken, watch
from phoenix.engine.apply import apply
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import kept, permit_under
from phoenix.engine.look import refuse_outdated
from phoenix.engine.observe import Sight, observe, with_failover, with_origin
from phoenix.engine.outbox import save_telling, send
from phoenix.engine.working import with_works
from phoenix.errors import LimitReached, PermanentError, PhoenixError
from phoenix.permit import permitted
from phoenix.ports import Lease

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticked:
    """A tick's observation and decision; `record` is the one that was saved."""

    record: GroupRecord
    seen: Observation
    decision: Decision


def tick_once(group: Group, lease: Lease, record: GroupRecord) -> Ticked:
    """Look, then act on what was seen.

    Raises:
        ForeignStore: another store has rotated this group since; nothing was changed.
    """
    rotation = record.in_flight
    # The way back has shifted only when every route that exists by then is empty, not just those known at its start.
    shifting_back = rotation is not None and rotation.back is not None and rotation.intended_weight == 0
    search = shifting_back and rotation is not None and rotation.clocks.shifted_at is None
    sight = observe(group, record, search=search, driving=True)
    refuse_outdated(group, record, sight.seen)
    return act_on(group, lease, record, sight)


def told_on_groups(group: Group, lease: Lease, ticked: Ticked) -> Ticked:
    """The same, once the groups tell of the rotation: the first tick only makes the template version, and the tags come
    with the next one, which knows its number. A rotation left in between has to be found with another store as well."""
    rotation = ticked.record.in_flight
    if rotation is None or rotation.held is not None or rotation.back is not None:
        return ticked
    notes = () if rotation.new.template_version is not None else tuple(write_tags(rotation, ticked.seen))
    if not notes or any(isinstance(action, WriteTags) for action in ticked.decision.actions):
        return ticked
    intended = replace(ticked.record, rotation=watch(rotation, ticked.seen, notes))
    record = save_telling(group, ticked.record, intended)
    try:
        return replace(ticked, record=apply(group, lease, record, notes, ticked.seen.at))
    except PermanentError as error:
        return replace(ticked, record=_hold(group, record, error))


def leave_word(group: Group, lease: Lease, first: Ticked) -> None:
    """After the first tick of a way back: nothing where the rotation is this store's own."""
    rotation = first.record.in_flight
    stores = {state.tags[tags.STORE] for state in first.seen.slots.values() if tags.STORE in state.tags}
    if rotation is not None and stores - {group.store.location}:
        word = {tags.HOLD: tags.write_hold(rotation)}
        try:
            with permitted(permit_under(group, kept(group, lease))):
                group.fleet.apply(WriteTags({rotation.old.slot: word, rotation.new.slot: word}))
        except PhoenixError as error:
            # Traffic is back already; that the other store finds out later must not stop the clean-up.
            log.warning("word.not_left", extra={"group": group.name, "reason": error.message})


def act_on(group: Group, lease: Lease, before: GroupRecord, sight: Sight) -> Ticked:
    """Decide, record, act, tell. `before` is the record as the store has it; `sight` may carry a changed one."""
    sight = replace(sight, seen=replace(sight.seen, fences=lease.fences))
    with group.tracer.about(sight.record.in_flight):
        ticked = _decided(group, lease, before, sight)
        # Last: whatever has to be loaded for it, or waited for, nothing that users notice waits for news.
        return replace(ticked, record=send(group, ticked.record))


def _decided(group: Group, lease: Lease, before: GroupRecord, sight: Sight) -> Ticked:
    sight = with_works(group, with_origin(group, with_failover(group, sight)))
    with group.tracer.span("decide", group=group.name):
        decision = decide(sight.record, sight.seen)
    record = with_first_healthy(decision.record, sight.seen)
    with group.tracer.span("record", group=group.name):
        if record != before:
            record = save_telling(group, before, record)
    _log(group, before.in_flight, record, decision)
    try:
        acted = apply(group, lease, record, decision.actions, sight.seen.at)
    except PermanentError as error:
        record = _hold(group, record, error)
        return Ticked(record, sight.seen, replace(decision, record=record, look_again_at=None, moving=False))
    acted = _carried_out(acted, Ticked(acted, sight.seen, decision))
    if acted != record:
        record = save_telling(group, record, acted)
    return Ticked(record, sight.seen, decision)


def _carried_out(record: GroupRecord, ticked: Ticked) -> GroupRecord:
    """Actions are remembered where another writer might undo them before the next look."""
    rotation = record.in_flight
    if rotation is None:
        return record
    return replace(record, rotation=record_taken(rotation, ticked.seen, ticked.decision.actions))


def _hold(group: Desk, record: GroupRecord, error: PermanentError) -> GroupRecord:
    """Stand still until a person acts. At rest there is nothing to hold: the error goes to the caller."""
    rotation = record.in_flight
    if rotation is None:
        raise error
    reason = error.message
    if isinstance(error, LimitReached):
        reason += f"; {error.hint}, then: phoenix resume --group {group.name}"
    log.error("rotation.held", extra={"group": group.name, "rotation": rotation.id, "reason": reason})
    held = replace(rotation, held=Hold(reason)).wait_for(f"held: {reason}")
    return save_telling(group, record, replace(record, rotation=held))


def _log(group: Desk, before: Rotation | None, record: GroupRecord, decision: Decision) -> None:
    """`before` was in flight when the tick began: the tick that ends a rotation is still about it."""
    last = record.rotation
    ended = last if before is not None and last is not None and last.id == before.id else before
    rotation = record.in_flight or ended
    facts = {
        "group": group.name,
        "rotation": rotation.id if rotation else "",
        "step": rotation.step if rotation else 0,
        "actions": len(decision.actions),
        "reason": decision.reason,
    }
    log.log(logging.INFO if decision.actions else logging.DEBUG, "tick.decided", extra=facts)
