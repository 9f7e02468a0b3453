"""`rollback` and `abort`: bring the generation before back. Never asks, takes over from any driver."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from phoenix.core.back import last_good, last_good_image, reopen, turn_back
from phoenix.core.decide import unrouted
from phoenix.core.explain import ago
from phoenix.core.model import Cause, Observation, Outcome, Slot
from phoenix.core.readiness import short_by_now
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.sides import sides_of
from phoenix.core.story import Ask
from phoenix.engine.drive import PATIENCE, drive, patiently
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import claim, give_back
from phoenix.engine.look import current_record, refuse_outdated, sight_of
from phoenix.engine.observe import Sight, observe, with_images
from phoenix.engine.once import Ticked, act_on, leave_word, tick_once
from phoenix.engine.outbox import save_telling
from phoenix.engine.report import Report, Watch, report_on, watch_nothing
from phoenix.engine.request import RollbackRequest
from phoenix.errors import Blocked, ForeignStore, LeaseLost, PermanentError, TransientError
from phoenix.ports import Lease

log = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Called with a sentence that must be heard before anything is changed; it must return soon."""
NOW = "now"
"""The event that says what `--now` has left of the capacity."""


@dataclass(frozen=True, slots=True)
class Errand:
    """The request of a person, and how they are kept informed."""

    request: RollbackRequest
    watch: Watch
    say: Say


def rollback(group: Group, request: RollbackRequest, watch: Watch = watch_nothing, say: Say = lambda _: None) -> Report:
    """Pre-empt the rotation in flight, or return to the retained generation. A second call writes nothing.

    An AWS that is slow to answer, as it often is in an incident, is asked again. `say` hears what `--now`
    leaves of the capacity, before it acts.

    Raises:
        Blocked: there is nothing to go back to.
    """
    return patiently(group, partial(_roll_back, group, Errand(request, watch, say)), reached=False)


def _roll_back(group: Group, errand: Errand) -> Report:
    kept = group.store.load(group.name)
    if kept is not None and (kept.rotation is not None or kept.retained is not None):
        try:
            with group.tracer.about(kept.rotation):  # also while it is looked at as if it were over
                return _roll_back_from(group, errand, kept, None)
        except ForeignStore as elsewhere:
            log.warning("store.left_out", extra={"group": group.name, "reason": elsewhere.message})
    sight = sight_of(group)
    return _roll_back_from(group, errand, sight.record, sight)


def _roll_back_from(group: Group, errand: Errand, kept: GroupRecord, searched: Sight | None) -> Report:
    """Roll back what the record tells of; with `searched` that record was made from what was seen."""
    request = errand.request
    if request.to is not None and not _is_the_one_before(kept, request.to):
        from phoenix.engine.forward import go_to  # all that a start needs; the way back does not wait for it

        return go_to(group, request, kept, errand.watch)
    done = _already_back(group, kept, searched)
    if done is not None:
        return done
    intended = _intend(group, request, kept)
    lease = claim(group, force=True)
    try:
        if intended is not kept:
            sight = _as_intended(group, intended, searched)
            first = act_on(group, lease, intended, _said_first(sight, errand.say))
        else:
            first = _turn(group, lease, errand, kept, searched)
        leave_word(group, lease, first)
        return _follow(group, lease, errand, first)
    finally:
        give_back(group, lease)


def abort(group: Group, reason: str | None, watch: Watch = watch_nothing) -> Report:
    """Roll back the rotation in flight; with none in flight there is nothing to do.

    A rollback that finds its record overtaken goes by the tags, and so may undo a success; an abort never does.

    Raises:
        ForeignStore: the one in flight is another store's.
    """
    record = patiently(group, partial(current_record, group), reached=False)
    if record.in_flight is None and record.drill_in_flight is not None:
        from phoenix.engine.drill import stop_measuring  # a rollback does without it

        drill = stop_measuring(group, reason)
        kept = group.store.load(group.name) or record
        return report_on(group, kept, sentence=drill.sentence if drill else "", outcome=Outcome.NONE)
    if record.in_flight is None:
        sentence = f"nothing to abort: no rotation of {group.name} is in flight"
        return report_on(group, record, sentence=sentence, outcome=Outcome.NONE)
    return rollback(group, RollbackRequest(reason=reason or "aborted"), watch)


def _is_the_one_before(record: GroupRecord, number: int) -> bool:
    rotation = record.rotation
    if record.in_flight is not None and rotation is not None:
        return number == rotation.old.number
    # Retained still, but rolled back to something else since: that way back is over, and this one a start of its own.
    is_back = rotation is not None and rotation.outcome is Outcome.ROLLED_BACK
    return record.retained is not None and record.retained.number == number and not is_back


def _already_back(group: Group, record: GroupRecord, searched: Sight | None) -> Report | None:
    """The report if the generation before already has the traffic; None when there is work to do.

    Raises:
        Blocked: there is nothing to go back to.
        ForeignStore: there is, but by another store; this record knows nothing of it.
    """
    rotation = record.rotation
    # What a rotation had not touched when it was rolled back is still retained, and is no reason to go back further.
    is_back = rotation is not None and rotation.outcome is Outcome.ROLLED_BACK
    if record.in_flight is not None or (record.retained is not None and rotation is not None and not is_back):
        return None
    seen = searched.seen if searched is not None else observe(group, record).seen
    refuse_outdated(group, record, seen)
    if rotation is None or rotation.outcome is not Outcome.ROLLED_BACK or rotation.ended_at is None:
        raise _nothing_retained(group, record)
    ended = rotation.known_end
    told = f" {ended:%H:%M:%S} UTC, {ago(group.clock.now() - ended)} ago" if ended is not None else ""
    told += f", by {rotation.back.ask.by if rotation.back else 'phoenix'}" if rotation.origin.by else ""
    sentence = (
        f'Nothing to do: {group.name} is already back on {rotation.old.number}. Rolled back{told}: "{rotation.reason}".'
    )
    return report_on(group, record, seen, sentence=sentence, outcome=Outcome.NONE)


def _nothing_retained(group: Desk, record: GroupRecord) -> Blocked:
    """With the last good image that is known of, and what to type to go there."""
    live = f"generation {record.live.number} ({record.live.image})" if record.live else "what is there"
    told = f"nothing to go back to: {record.group} is on {live} and nothing is retained"
    good = last_good(record)
    if good is not None:
        return Blocked(
            f"{told}; the last good image was {good.image}, of generation {good.number}",
            hint=f"phoenix rollback --group {group.name} --to {good.number}",
        )
    image = last_good_image(record, group.store.history(group.name, limit=10))
    if image is not None:
        hint = f"phoenix rotate --group {group.name} --image {image} --force"
        return Blocked(f"{told}; the last good image was {image}", hint=hint)
    return Blocked(f"{told}; no image before it is known", hint=f"phoenix images --group {group.name}")


def _intend(group: Desk, request: RollbackRequest, kept: GroupRecord) -> GroupRecord:
    """Turn round a rotation in flight, in the record, before anything is asked of AWS; one turned already stays so.

    A driver that loses its lease finds in the record why: it has been pre-empted. Had the lease gone first, it might
    look before there is anything to find.
    """
    rotation = kept.in_flight
    if rotation is None or (rotation.back is not None and (rotation.back.now or not request.now)):
        return kept
    now = group.clock.now()
    ask = Ask(now, group.by, request.reason)
    turned = turn_back(rotation, Observation(now, slots={}), ask, Cause.OPERATOR, now=request.now)
    waiting_for = f"rolling back to {rotation.old.number}"
    return save_telling(group, kept, replace(kept, rotation=turned.wait_for(waiting_for)))


def _as_intended(group: Group, intended: GroupRecord, searched: Sight | None) -> Sight:
    """Observe before the turn. If the old generation can carry the need, the first write is the shift."""
    rotation = intended.rotation
    if rotation is None:
        raise _nothing_retained(group, intended)
    sight = searched or _quick_look(group, intended, rotation, now=rotation.back is not None and rotation.back.now)
    again = _relaunchable(group, rotation, sight.seen, refuse=False)
    return Sight(replace(sight.record, rotation=again), with_images(group, again, sight.seen))


def _relaunchable(group: Group, rotation: Rotation, seen: Observation, *, refuse: bool) -> Rotation:
    """With what launches the old generation, where it has to be launched: read from its slot unless that is certain.

    A way back from a rotation in flight is never refused: some of the old generation is there, and it is better.

    Raises:
        Blocked: it cannot be launched again, its image is gone for example; nothing was changed.
    """
    old, state = rotation.old, seen.slots[rotation.old.slot]
    is_certain = old.template is not None and old.is_launched_by(state) and state.desired > 0
    if state.desired >= rotation.need or is_certain:
        return rotation
    again = group.fleet.identify(old)
    losses = [each for each in group.fleet.find_losses(again) if not each.warning] if refuse else []
    if losses:
        told = f"generation {old.number} cannot be launched again: {' '.join(each.text for each in losses)}"
        raise Blocked(told, hint=losses[0].remedy or f"phoenix images --group {group.name}")
    return replace(rotation, old=again)


def _turn(group: Group, lease: Lease, errand: Errand, kept: GroupRecord, searched: Sight | None) -> Ticked:
    """The next tick of a way back that is under way, or the first of one that follows a success."""
    rotation, request = kept.rotation, errand.request
    if rotation is None:
        raise _nothing_retained(group, kept)
    if rotation.in_flight:
        return tick_once(group, lease, kept) if rotation.held is None else _once_more(group, lease, kept, rotation)
    sight = searched or _quick_look(group, kept, rotation, now=request.now)
    _refuse_unrouted(group, sight.seen)
    ask = Ask(sight.seen.at, group.by, request.reason)
    again = _relaunchable(group, reopen(kept, rotation, sight.seen), sight.seen, refuse=True)
    seen = with_images(group, again, sight.seen)
    turned = turn_back(again, seen, ask, Cause.OPERATOR, now=request.now)
    sight = Sight(replace(sight.record, rotation=turned), seen)
    return act_on(group, lease, kept, _said_first(sight, errand.say))


def _refuse_unrouted(group: Group, seen: Observation) -> None:
    """Without a route there is no traffic to move, and nothing may be launched, or let go, as if it had been moved."""
    if group.terms.serving.weights and not seen.routes:
        raise Blocked(
            f"no traffic to move: {unrouted(seen)}",
            hint=f"phoenix plan --group {group.name}   says which target group needs a rule",
        )


def _said_first(sight: Sight, say: Say) -> Sight:
    """Say how much capacity `--now` leaves, and note it in the rotation's story, before anything is changed."""
    rotation = sight.record.rotation
    short = short_by_now(rotation, sight.seen) if rotation is not None else None
    if rotation is None or short is None:
        return sight
    say(short)
    return Sight(replace(sight.record, rotation=rotation.note(sight.seen.at, NOW, short)), sight.seen)


def _once_more(group: Group, lease: Lease, kept: GroupRecord, rotation: Rotation) -> Ticked:
    """A way back that was held is tried again: the person who types this was told why it stood still."""
    going = replace(rotation, held=None, outcome=Outcome.IN_PROGRESS)
    return act_on(group, lease, kept, observe(group, replace(kept, rotation=going), search=True))


def _quick_look(group: Group, kept: GroupRecord, rotation: Rotation, *, now: bool) -> Sight:
    """Three reads, side by side; the new generation's health only where it matters.

    That is where some of the old one are healthy and it does not have to grow: do they beat those that serve now?
    """
    at_rest = replace(kept, rotation=replace(rotation, ended_at=rotation.ended_at or group.clock.now()))
    sight = observe(group, at_rest, health_of=frozenset({rotation.old.slot}))
    old, new = (sight.seen.slots[slot] for slot in (rotation.old.slot, rotation.new.slot))
    need = rotation.need if rotation.in_flight else new.desired
    if 0 < sides_of(rotation, sight.seen).old.ready_count < need <= old.desired and not now:
        sight = observe(group, at_rest, health_of=frozenset(Slot))
    refuse_outdated(group, at_rest, sight.seen)
    return Sight(replace(sight.record, rotation=rotation), sight.seen)


def _follow(group: Group, lease: Lease, errand: Errand, first: Ticked) -> Report:
    if not errand.request.wait:
        report = report_on(group, first.record, first.seen)
        return _with_what_now_left(replace(report, exit_status=0))
    try:
        report = drive(group, lease, errand.watch, first)
    except LeaseLost as lost:
        report = _finished_by(group, lost)
    status = 0 if report.outcome is Outcome.ROLLED_BACK else report.exit_status
    return _with_losses(group, _with_what_now_left(replace(report, exit_status=status)))


def _with_losses(group: Group, report: Report) -> Report:
    """Traffic is back, and the generation serves: that AWS cannot launch it again is said before that is needed."""
    rotation = report.record.rotation
    if report.outcome is not Outcome.ROLLED_BACK or rotation is None:
        return report
    try:
        losses = [each for each in group.fleet.find_losses(rotation.old) if not each.warning]
    except (TransientError, PermanentError) as error:
        log.warning("losses.not_checked", extra={"group": group.name, "reason": error.message})
        return report
    if not losses:
        return report
    remedy = f" Try: {losses[0].remedy}" if losses[0].remedy else ""
    told = f"generation {rotation.old.number} serves, and cannot be launched again: {losses[0].text}{remedy}"
    return replace(report, sentence=f"{report.sentence}; but {told}")


def _with_what_now_left(report: Report) -> Report:
    rotation = report.record.rotation
    told = next((event.text for event in rotation.events if event.name == NOW), None) if rotation else None
    return report if told is None else replace(report, sentence=f"{told}; {report.sentence}")


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
