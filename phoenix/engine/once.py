"""One tick: observe, decide, record, act; once, for one group that we hold the lease of.

The order is the promise: the intent is saved before it is acted upon, so that death anywhere leaves a record whose step
still differs from the world, and the next tick emits the missing actions.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from phoenix.calls import Noted, counted_reads, noted_calls
from phoenix.core import tags
from phoenix.core.action import Decision, WriteTags
from phoenix.core.chronicle import Write
from phoenix.core.converge import write_tags
from phoenix.core.decide import decide
from phoenix.core.milestones import Told, with_chronicle, with_first_healthy
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
    with noted_calls(group.clock.now) as calls:
        sight = observe(group, record, search=search, driving=True)
    refuse_outdated(group, record, sight.seen)
    return act_on(group, lease, record, sight, calls)


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


def act_on(group: Group, lease: Lease, before: GroupRecord, sight: Sight, calls: Sequence[Noted] = ()) -> Ticked:
    """Decide, record, act, tell. `before` is the record as the store has it; `sight` may carry a changed one. `calls`
    are those that the look has made."""
    sight = replace(sight, seen=replace(sight.seen, fences=lease.fences))
    with group.tracer.about(sight.record.in_flight):
        ticked = _decided(group, lease, before, sight, calls)
        if ticked.decision.actions or ticked.decision.look_again_at != ticked.seen.at:
            # After the first shift back, and not before the look that comes at once.
            ticked = replace(ticked, record=_with_evidence(group, ticked.record, ticked.seen))
        # Last: whatever has to be loaded for it, or waited for, nothing that users notice waits for news.
        return replace(ticked, record=send(group, ticked.record))


def _decided(group: Group, lease: Lease, before: GroupRecord, sight: Sight, calls: Sequence[Noted]) -> Ticked:
    sight = with_works(group, with_origin(group, with_failover(group, sight)))
    with group.tracer.span("decide", group=group.name):
        decision = decide(sight.record, sight.seen)
    told = Told(decision.reason, decision.actions, counted_reads(calls))
    record = with_chronicle(before, with_first_healthy(decision.record, sight.seen), sight.seen, told)
    with group.tracer.span("record", group=group.name):
        if record != before:
            record = save_telling(group, before, record)
    _log(group, before.in_flight, record, decision)
    with noted_calls(group.clock.now) as made:
        try:
            acted = apply(group, lease, record, decision.actions, sight.seen.at)
        except PermanentError as error:
            record = _hold(group, record, error, made)
            return Ticked(record, sight.seen, replace(decision, record=record, look_again_at=None, moving=False))
    acted = _with_writes(_carried_out(acted, Ticked(acted, sight.seen, decision)), made)
    if acted != record:
        record = save_telling(group, record, acted)
    return Ticked(record, sight.seen, decision)


def _carried_out(record: GroupRecord, ticked: Ticked) -> GroupRecord:
    """Actions are remembered where another writer might undo them before the next look."""
    rotation = record.in_flight
    if rotation is None:
        return record
    return replace(record, rotation=record_taken(rotation, ticked.seen, ticked.decision.actions))


def _with_writes(record: GroupRecord, made: Sequence[Noted]) -> GroupRecord:
    rotation = record.in_flight
    writes = [Write(*call) for call in made if not call.is_read]
    if rotation is None or not writes:
        return record
    return replace(record, rotation=replace(rotation, chronicle=rotation.chronicle.write(writes)))


def _with_evidence(group: Group, record: GroupRecord, seen: Observation) -> GroupRecord:
    """Save what can only be asked for now: the instances of a generation that has failed are soon gone."""
    rotation = record.rotation
    evidence = rotation.chronicle.evidence if rotation is not None else None
    if evidence is None or evidence.asked_at is not None:
        return record
    from phoenix.engine.evidence import ask_for_evidence

    return save_telling(group, record, ask_for_evidence(group, record, seen))


def _hold(group: Desk, record: GroupRecord, error: PermanentError, made: Sequence[Noted] = ()) -> GroupRecord:
    """Stand still until a person acts. At rest there is nothing to hold: the error goes to the caller."""
    rotation = record.in_flight
    if rotation is None:
        raise error
    reason = error.message
    if isinstance(error, LimitReached):
        reason += f"; {error.hint}, then: phoenix resume --group {group.name}"
    log.error("rotation.held", extra={"group": group.name, "rotation": rotation.id, "reason": reason})
    held = replace(rotation, held=Hold(reason)).wait_for(f"held: {reason}")
    return save_telling(group, record, _with_writes(replace(record, rotation=held), made))


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
