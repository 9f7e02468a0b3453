"""`rollback` and `abort`: bring the generation before back. Never asks, takes over from whoever drives."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from phoenix.core.back import reopen, turn_back, understood
from phoenix.core.explain import ago
from phoenix.core.model import Cause, Outcome, Slot
from phoenix.core.ready import ready_count
from phoenix.core.record import Ask, GroupRecord, Rotation
from phoenix.engine.drive import claim, drive, patiently
from phoenix.engine.forward import go_to
from phoenix.engine.group import Group
from phoenix.engine.look import sight_of
from phoenix.engine.observe import Sight, observe
from phoenix.engine.once import Ticked, act_on, tick_once
from phoenix.engine.report import Report, Watch, nobody
from phoenix.engine.reporting import report_on
from phoenix.engine.request import RollbackRequest
from phoenix.errors import Blocked
from phoenix.ports import Lease


def rollback(group: Group, request: RollbackRequest, watch: Watch = nobody) -> Report:
    """Pre-empt the rotation in flight, or return to the retained generation. A second call writes nothing.

    An AWS that is slow to answer, as it often is when somebody needs this, is asked again.

    Raises:
        Blocked: there is nothing to go back to.
    """
    return patiently(group, partial(_roll_back, group, request, watch))


def _roll_back(group: Group, request: RollbackRequest, watch: Watch) -> Report:
    kept = group.store.load(group.name)
    if kept is None or (kept.rotation is None and kept.retained is None):
        sight = sight_of(group)
        kept, searched = sight.record, sight
    else:
        searched = None
    if request.to is not None and not _is_the_one_before(kept, request.to):
        return go_to(group, request, kept, watch)
    done = _already_back(group, kept)
    if done is not None:
        return done
    lease = claim(group, force=True)
    try:
        first = _turn(group, lease, request, kept, searched)
        return _follow(group, lease, request, watch, first)
    finally:
        group.store.release(lease)


def abort(group: Group, reason: str | None, watch: Watch = nobody) -> Report:
    """Roll back the rotation in flight; with none in flight there is nothing to do."""
    kept = group.store.load(group.name)
    if kept is None or kept.in_flight is None:
        record = kept or GroupRecord(group.name)
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
    if record.in_flight is not None or (record.retained is not None and rotation is not None):
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
    return report_on(group, record, sight.seen, sentence=sentence, outcome=Outcome.NONE)


def _nothing_retained(record: GroupRecord) -> str:
    live = f"generation {record.live.number} ({record.live.image})" if record.live else "what is there"
    others = [g for g in record.known if record.live is None or g.number != record.live.number]
    offer = f"; `--to {others[-1].number}` launches generation {others[-1].number} again" if others else ""
    return f"nothing to go back to: {record.group} is on {live} and nothing is retained{offer}"


def _turn(group: Group, lease: Lease, request: RollbackRequest, kept: GroupRecord, searched: Sight | None) -> Ticked:
    """The first tick of the way back. Where the old generation can carry the need, its first write is the shift."""
    rotation = kept.rotation
    if rotation is None:
        raise Blocked(_nothing_retained(kept))
    if rotation.back is not None and rotation.in_flight and (rotation.back_now or not request.now):
        return tick_once(group, lease, kept)
    sight = searched or _quick_look(group, kept, rotation)
    if not rotation.in_flight and understood(sight.record, sight.seen) != sight.record:
        return tick_once(group, lease, kept)
    ask = Ask(sight.seen.at, group.by, request.reason)
    turned = rotation if rotation.in_flight else reopen(kept, rotation, sight.seen)
    turned = turn_back(turned, sight.seen, ask, Cause.OPERATOR, now=request.now)
    record = replace(sight.record, rotation=turned)
    return act_on(group, lease, kept, Sight(record, sight.seen))


def _quick_look(group: Group, kept: GroupRecord, rotation: Rotation) -> Sight:
    """Three reads, side by side, if they show the old generation whole; the new one's health only where it matters."""
    at_rest = replace(kept, rotation=replace(rotation, ended_at=rotation.ended_at or group.clock.now()))
    sight = observe(group, at_rest, health_of=frozenset({rotation.old.slot}))
    need = rotation.need if rotation.in_flight else sight.seen.slots[rotation.new.slot].desired
    if ready_count(rotation, sight.seen, rotation.old.slot) < need:
        sight = observe(group, at_rest, health_of=frozenset(Slot))
    return Sight(replace(sight.record, rotation=rotation), sight.seen)


def _follow(group: Group, lease: Lease, request: RollbackRequest, watch: Watch, first: Ticked) -> Report:
    if not request.wait:
        report = report_on(group, first.record, first.seen)
        return replace(report, exit_status=0)
    report = drive(group, lease, watch, first)
    return replace(report, exit_status=0 if report.outcome is Outcome.ROLLED_BACK else report.exit_status)
