"""`rollback` and `abort`: bring the generation before back. Never asks, takes over from whoever drives."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from phoenix.core.back import reopen, turn_back
from phoenix.core.explain import ago
from phoenix.core.model import Cause, Observation, Outcome, Phase, Slot
from phoenix.core.ready import ready_count
from phoenix.core.record import Ask, GroupRecord, Rotation
from phoenix.engine.drive import PATIENCE, claim, drive, patiently
from phoenix.engine.group import Group
from phoenix.engine.look import refuse_outdated, sight_of
from phoenix.engine.news import tell
from phoenix.engine.observe import Sight, observe
from phoenix.engine.once import Ticked, act_on, tick_once
from phoenix.engine.report import Report, Watch, nobody
from phoenix.engine.reporting import report_on
from phoenix.engine.request import RollbackRequest
from phoenix.engine.word import leave_word
from phoenix.errors import Blocked, ForeignStore, LeaseLost
from phoenix.ports import Lease

log = logging.getLogger(__name__)


def rollback(group: Group, request: RollbackRequest, watch: Watch = nobody) -> Report:
    """Pre-empt the rotation in flight, or return to the retained generation. A second call writes nothing.

    An AWS that is slow to answer, as it often is when somebody needs this, is asked again.

    Raises:
        Blocked: there is nothing to go back to.
    """
    return patiently(group, partial(_roll_back, group, request, watch), reached=False)


def _roll_back(group: Group, request: RollbackRequest, watch: Watch) -> Report:
    kept = group.store.load(group.name)
    if kept is not None and (kept.rotation is not None or kept.retained is not None):
        try:
            return _roll_back_from(group, request, watch, kept, None)
        except ForeignStore as elsewhere:
            log.warning("store.left_out", extra={"group": group.name, "reason": elsewhere.message})
    sight = sight_of(group)
    return _roll_back_from(group, request, watch, sight.record, sight)


def _roll_back_from(
    group: Group, request: RollbackRequest, watch: Watch, kept: GroupRecord, searched: Sight | None
) -> Report:
    """Roll back what the record tells of; with `searched` that record was made from what was seen."""
    if request.to is not None and not _is_the_one_before(kept, request.to):
        from phoenix.engine.forward import go_to  # all that a start needs; the way back does not wait for it

        return go_to(group, request, kept, watch)
    done = _already_back(group, kept)
    if done is not None:
        return done
    intended = _intend(group, request, kept)
    lease = claim(group, force=True)
    try:
        if intended is not kept:
            try:
                first = act_on(group, lease, intended, _as_intended(group, intended, searched))
            finally:  # only now: traffic waits for no notifier, whatever it has to load, or to wait for itself
                tell(group, kept, intended)
        else:
            first = _turn(group, lease, request, kept, searched)
        leave_word(group, first)
        return _follow(group, lease, request, watch, first)
    finally:
        group.store.release(lease)


def abort(group: Group, reason: str | None, watch: Watch = nobody) -> Report:
    """Roll back the rotation in flight; with none in flight there is nothing to do."""
    record = group.store.load(group.name) or sight_of(group).record
    if record.in_flight is None:
        sentence = f"nothing to abort: no rotation of {group.name} is in flight"
        return report_on(group, record, sentence=sentence, outcome=Outcome.NONE)
    return rollback(group, RollbackRequest(reason=reason or "aborted"), watch)


def _is_the_one_before(record: GroupRecord, number: int) -> bool:
    rotation = record.rotation
    if record.in_flight is not None and rotation is not None:
        return number == rotation.old.number
    return record.retained is not None and record.retained.number == number


def _already_back(group: Group, record: GroupRecord) -> Report | None:
    """What there is to say when the generation before already has the traffic; None when there is work to do."""
    rotation = record.rotation
    # What a rotation had not touched when it was rolled back is still retained, and is no reason to go back further.
    is_back = rotation is not None and rotation.outcome is Outcome.ROLLED_BACK
    if record.in_flight is not None or (record.retained is not None and rotation is not None and not is_back):
        return None
    if rotation is None or rotation.outcome is not Outcome.ROLLED_BACK or rotation.ended_at is None:
        raise Blocked(_nothing_retained(record), hint=f"phoenix images --group {group.name}")
    when = f"{rotation.ended_at:%H:%M:%S} UTC, {ago(group.clock.now() - rotation.ended_at)} ago"
    by = rotation.back.by if rotation.back else "phoenix"
    sentence = (
        f"Nothing to do: {group.name} is already back on {rotation.old.number}. "
        f'Rolled back {when}, by {by}: "{rotation.reason}".'
    )
    sight = observe(group, record)
    refuse_outdated(group, record, sight.seen)
    return report_on(group, record, sight.seen, sentence=sentence, outcome=Outcome.NONE)


def _nothing_retained(record: GroupRecord) -> str:
    live = f"generation {record.live.number} ({record.live.image})" if record.live else "what is there"
    others = [g for g in record.known if record.live is None or g.number != record.live.number]
    offer = f"; `--to {others[-1].number}` launches generation {others[-1].number} again" if others else ""
    return f"nothing to go back to: {record.group} is on {live} and nothing is retained{offer}"


def _intend(group: Group, request: RollbackRequest, kept: GroupRecord) -> GroupRecord:
    """Turn round what is in flight, in the record, before anything is asked of AWS; what is turned already stays.

    A driver that loses its lease finds in the record why: it has been pre-empted. Had the lease gone first, it might
    look before there is anything to find.
    """
    rotation = kept.in_flight
    if rotation is None or (rotation.back is not None and (rotation.back_now or not request.now)):
        return kept
    now = group.clock.now()
    ask = Ask(now, group.by, request.reason)
    turned = turn_back(rotation, Observation(now, slots={}), ask, Cause.OPERATOR, now=request.now)
    waiting_for = f"rolling back to {rotation.old.number}"
    turned = replace(turned, phase=Phase.ROLLING_BACK, outcome=Outcome.IN_PROGRESS, waiting_for=waiting_for)
    return group.store.save(replace(kept, rotation=turned))


def _as_intended(group: Group, intended: GroupRecord, searched: Sight | None) -> Sight:
    """What there is to see at the turn. Where the old generation can carry the need, the first write is the shift."""
    rotation = intended.rotation
    if rotation is None:
        raise Blocked(_nothing_retained(intended))
    sight = searched or _quick_look(group, intended, rotation)
    return Sight(replace(sight.record, rotation=rotation), sight.seen)


def _turn(group: Group, lease: Lease, request: RollbackRequest, kept: GroupRecord, searched: Sight | None) -> Ticked:
    """The next tick of a way back that is under way, or the first of one that follows a success."""
    rotation = kept.rotation
    if rotation is None:
        raise Blocked(_nothing_retained(kept))
    if rotation.in_flight:
        return tick_once(group, lease, kept) if rotation.held is None else _once_more(group, lease, kept, rotation)
    sight = searched or _quick_look(group, kept, rotation)
    ask = Ask(sight.seen.at, group.by, request.reason)
    turned = turn_back(reopen(kept, rotation, sight.seen), sight.seen, ask, Cause.OPERATOR, now=request.now)
    record = replace(sight.record, rotation=turned)
    return act_on(group, lease, kept, Sight(record, sight.seen))


def _once_more(group: Group, lease: Lease, kept: GroupRecord, rotation: Rotation) -> Ticked:
    """A way back that was held is tried again: whoever types this has been told why it stood still."""
    sight = observe(group, kept, search=True)
    going = replace(rotation, held=None, outcome=Outcome.IN_PROGRESS)
    return act_on(group, lease, kept, Sight(replace(sight.record, rotation=going), sight.seen))


def _quick_look(group: Group, kept: GroupRecord, rotation: Rotation) -> Sight:
    """Three reads, side by side, if they show the old generation whole; the new one's health only where it matters."""
    at_rest = replace(kept, rotation=replace(rotation, ended_at=rotation.ended_at or group.clock.now()))
    sight = observe(group, at_rest, health_of=frozenset({rotation.old.slot}))
    need = rotation.need if rotation.in_flight else sight.seen.slots[rotation.new.slot].desired
    if ready_count(rotation, sight.seen, rotation.old.slot) < need:
        sight = observe(group, at_rest, health_of=frozenset(Slot))
    refuse_outdated(group, at_rest, sight.seen)
    return Sight(replace(sight.record, rotation=rotation), sight.seen)


def _follow(group: Group, lease: Lease, request: RollbackRequest, watch: Watch, first: Ticked) -> Report:
    if not request.wait:
        report = report_on(group, first.record, first.seen)
        return replace(report, exit_status=0)
    try:
        report = drive(group, lease, watch, first)
    except LeaseLost as lost:
        report = _finished_by(group, lost)
    return replace(report, exit_status=0 if report.outcome is Outcome.ROLLED_BACK else report.exit_status)


def _finished_by(group: Group, lost: LeaseLost) -> Report:
    """Two people typed it at once: the other one's driver goes on with the same way back, and ends it."""
    give_up_at = group.clock.now() + PATIENCE
    while group.clock.now() < give_up_at and not group.clock.stopping:
        record = group.store.load(group.name)
        rotation = record.rotation if record is not None else None
        if record is None or rotation is None or rotation.back is None:
            raise lost
        if not rotation.in_flight or rotation.held is not None:
            return report_on(group, record, observe(group, record).seen)
        group.clock.sleep(group.poll_seconds)
    raise lost
