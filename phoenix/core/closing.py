"""The end of a rotation: every slot gets the role that it ends with, and what was temporary is taken back. Pure.

Must never shrink anything while weights are not where they belong.
"""

from __future__ import annotations

from collections.abc import Iterator

from phoenix.core import failover, tags
from phoenix.core.action import (
    Action,
    RemoveTags,
    SetSchedules,
    SetWeights,
    WriteTags,
)
from phoenix.core.fence import answering, unrefused
from phoenix.core.generation import UNKNOWN_IMAGE
from phoenix.core.ledger import lost_stickiness, our_references
from phoenix.core.model import Cause, Observation, Role, Slot, SlotState
from phoenix.core.roles import COLD, Standing, at_rest, missing_role
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.sides import Side, sides_of
from phoenix.core.way_back import make_old_again


def close(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Put every slot into the role that it ends with, and take back what was temporary."""
    ends_back = rotation.back is not None
    winner, loser = sides_of(rotation, seen).end(back=ends_back)
    live, other = winner.state, loser.state
    if not winner.has(100):
        # Another writer has moved weights since they settled; nothing may shrink now. Only the way back insists.
        if ends_back:
            yield SetWeights(other.slot, 0)
        return
    if answering(seen) is not None:
        return
    lost = lost_stickiness(rotation.ledger, seen)
    if lost:
        # Weights are settled by now; writing them once more brings the suspended stickiness back with them.
        yield SetWeights(live.slot, 100, restore_stickiness=lost)
    yield from _unrefer(rotation, seen)
    yield from failover.restore(live)
    if rotation.terms.serving.weights or not _is_to_shrink(rotation, live, other):
        yield from _at_rest(rotation, live)
    else:
        # Without weights both serve until the other is emptied: before that the live slot keeps, or gets back, its pin.
        yield from missing_role(live, Standing(Role.PINNED, rotation.need, rotation.capacity), winner.generation)
    ran, runs = rotation.ledger.schedules_ran, Routine.SCHEDULES not in live.suspended
    moves_along = not ends_back or rotation.succeeded_at is not None or rotation.terms.serving.reserve
    if ran is not None and ran is not runs and moves_along:
        yield SetSchedules(live.slot, running=ran)
    if is_untouched(rotation):
        yield from _drop_notes(rotation, live, other, hot=other.desired > 0)
        return
    if Routine.SCHEDULES not in other.suspended:
        yield SetSchedules(other.slot, running=False)
    if not _waits_to_shrink(rotation, seen, live, other):
        yield from _retire(rotation, winner, other, seen)


def _retire(rotation: Rotation, winner: Side, other: SlotState, seen: Observation) -> Iterator[Action]:
    """Give the losing slot its last role, and take the notes off both."""
    live = winner.state
    hot = _hot(rotation, live, other)
    if hot or _may_let_go(rotation, winner.ready_count):
        yield from missing_role(other, Standing(Role.RETAINED, hot) if hot else COLD)
    yield from () if hot else _leave_rules(rotation, seen, live, other)
    yield from _note_quarantine(rotation, live)
    yield from _drop_notes(rotation, live, other, hot=hot > 0)


def _hot(rotation: Rotation, live: SlotState, other: SlotState) -> int:
    """How many instances the losing slot keeps. A reserve is what has left service: nothing is added to it."""
    if rotation.terms.serving.reserve:
        return other.desired if stays_hot(rotation) else 0
    return max(live.desired, other.desired if other.min == other.max else 0) if stays_hot(rotation) else 0


def _waits_to_shrink(rotation: Rotation, seen: Observation, live: SlotState, other: SlotState) -> bool:
    """True while the losing slot is to lose instances, and a former driver's last request might still need them."""
    return _is_to_shrink(rotation, live, other) and unrefused(seen) is not None


def _is_to_shrink(rotation: Rotation, live: SlotState, other: SlotState) -> bool:
    return not is_untouched(rotation) and _hot(rotation, live, other) < other.desired


def _leave_rules(rotation: Rotation, seen: Observation, live: SlotState, other: SlotState) -> Iterator[Action]:
    """The losing slot leaves the rules once it is empty, or has been waited for."""
    since = rotation.clocks.closing_since
    waited = since is not None and seen.at >= since + rotation.terms.drain_timeout
    if other.max == 0 and (waited or failover.is_empty(other)):
        yield from failover.leave(other, live, seen.routes)


def is_closed(rotation: Rotation, seen: Observation) -> bool:
    """True unless something keeps the losing slot from its last role: strange weights, or a winner that is not whole.

    Nothing to do is not the same as done.
    """
    winner, loser = sides_of(rotation, seen).end(back=rotation.back is not None)
    if answering(seen) is not None or not winner.has(100):
        return False
    if not stays_hot(rotation) and not is_untouched(rotation) and unrefused(seen) is not None:
        return False
    if _waits_to_shrink(rotation, seen, winner.state, loser.state):
        return False
    # A reserve serves no request: nothing has to be whole before it is left where it is.
    stays = rotation.terms.serving.reserve and not _is_to_shrink(rotation, winner.state, loser.state)
    is_let_go = is_untouched(rotation) or loser.state.max == 0 or stays
    return is_let_go or _may_let_go(rotation, winner.ready_count)


def is_untouched(rotation: Rotation) -> bool:
    """True for one that was turned back before it had made anything: the other slot is still as it was."""
    return rotation.back is not None and rotation.new.template_version is None


def _may_let_go(rotation: Rotation, ready: int) -> bool:
    """Without weights the losing instances serve until they are gone: the winner has to be whole right then."""
    return rotation.terms.serving.weights or ready >= rotation.need


def _unrefer(rotation: Rotation, seen: Observation) -> Iterator[Action]:
    """Routes that name the losing slot only because we made them stop doing so."""
    if rotation.back is None or rotation.succeeded_at is not None:
        return
    ours = our_references(rotation.ledger, rotation.new.slot, seen)
    if ours:
        yield SetWeights(rotation.new.slot, 0, unrefer=ours)


def _note_quarantine(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    """On the group itself, so that the image stays out even if the store is lost; one that has succeeded is free."""
    noted = tags.read_quarantine(live.tags)
    if rotation.back is None:
        if rotation.new.image in noted:
            left = [image for image in noted if image != rotation.new.image]
            yield WriteTags({live.slot: {tags.QUARANTINE: tags.write_quarantine(left)}})
    elif rotation.cause is not Cause.ENVIRONMENT and rotation.new.image not in noted:
        yield WriteTags({live.slot: {tags.QUARANTINE: tags.write_quarantine((*noted, rotation.new.image))}})


def stays_hot(rotation: Rotation) -> bool:
    """True when the old generation keeps its instances after a success: only then is a rollback a matter of seconds."""
    terms = rotation.terms
    kept_whole = terms.serving.reserve or terms.steps[-1].old_capacity >= 100
    return rotation.back is None and terms.serving.keeps_hot and kept_whole and terms.hot_for.total_seconds() > 0


def _at_rest(rotation: Rotation, live: SlotState) -> Iterator[Action]:
    """The owner's numbers. A generation that is live again is what its slot launches from now on: another writer may
    have set the slot to another version."""
    old, rests = rotation.old, at_rest(live, rotation.capacity)
    is_known = old.template is not None and old.image != UNKNOWN_IMAGE
    comes_back = rotation.back is not None and is_known and not is_untouched(rotation)
    if comes_back and not old.is_launched_by(live):
        yield from make_old_again(rotation)
        return
    ends_with = old if comes_back else None
    if rotation.terms.serving.reserve and not is_untouched(rotation):
        # One group launches for both: it has to be told which one stays, whatever is known of the other.
        own = rotation.new if rotation.back is None else old
        ends_with = own if own.is_launched_by(live) else None
    yield from missing_role(live, rests, ends_with)


def _drop_notes(rotation: Rotation, live: SlotState, other: SlotState, *, hot: bool) -> Iterator[Action]:
    """The owner's numbers are in place, or not wanted any more; and a store-less rollback has been heeded."""
    stale = stale_notes(live, other, rotation.origin.store, hot=hot)
    if stale:
        yield RemoveTags(stale)


def stale_notes(live: SlotState, other: SlotState, store: str, *, hot: bool) -> dict[Slot, tuple[str, ...]]:
    """The tags that no rotation of this store needs any more. The owner's numbers stay noted on a slot kept hot."""
    found: dict[Slot, tuple[str, ...]] = {}
    for state in (live, other):
        stale = [tags.LEDGER] if state is other and hot else list(tags.TEMPORARY)
        # A rollback without a store is noted for one store, and stays noted until that one has heeded it.
        stale += [tags.HOLD] if state.tags.get(tags.STORE) == store else []
        present = tuple(key for key in stale if key in state.tags)
        if present:
            found[state.slot] = present
    return found
