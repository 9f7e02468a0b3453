"""The operator's requests to a rotation in flight: stand still, go on, skip this bake, try again.

These change the record only; the driver notices with its next tick. A driver that saves at the same moment makes
the change be applied again to what it saved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from phoenix.again import after, again
from phoenix.core import tags
from phoenix.core.action import Action, WriteTags
from phoenix.core.acts import acts_known
from phoenix.core.explain import clock_time
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.engine.drive import patiently
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.lease import claim, give_back
from phoenix.engine.look import current_record
from phoenix.engine.observe import observe
from phoenix.engine.report import Report, Watch, report_on, watch_nothing
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.errors import Blocked, LeaseHeld, LostRecord, StateConflict, TransientError

log = logging.getLogger(__name__)

_ATTEMPTS = 10

Change = Callable[[GroupRecord], tuple[GroupRecord, str]]


def _change(group: Group, change: Change) -> tuple[GroupRecord, str]:
    """Load, change, save, on top of what others save at that moment; nothing is saved when nothing changed."""
    return again(partial(_change_once, group, change), StateConflict, give_up=after(_ATTEMPTS))


def _change_once(group: Group, change: Change) -> tuple[GroupRecord, str]:
    record = _present_record(group)
    changed, sentence = change(record)
    if changed == record:
        return record, sentence
    saved = group.store.save(changed)
    _log(group, saved)
    if saved.in_flight is not None:
        _wake(group)
    return saved, sentence


def _log(group: Desk, saved: GroupRecord) -> None:
    act = acts_known(saved)[-1]
    told = {"act": act.name, "by": act.by, "reason": act.reason, "text": act.text, "rotation": act.rotation}
    log.info("act.saved", extra={"group": group.name, **told})


def _wake(group: Desk) -> None:
    """Have the next sweep look at the group: a held one is on no list, and its clocks run again."""
    if group.store.lease_of(group.name) is not None:
        return  # its driver notices with the next tick; and once a lease has expired, its group is due
    try:
        lease = claim(group)
    except (LeaseHeld, TransientError):
        return  # another driver was faster; or else the next look at all groups finds it
    give_back(group, lease, group.clock.now())


def _present_record(group: Group) -> GroupRecord:
    """The record to change; never one of a rotation that belongs to another store, or that another driver has ended."""
    kept = group.store.load(group.name)
    if kept is not None and kept.in_flight is None:
        return kept
    record = patiently(group, partial(current_record, group), reached=False)
    if kept is None and record.in_flight is not None:
        raise LostRecord(group.name, record.in_flight.id)
    return record


def _said(group: Group, change: Change) -> Report:
    record, sentence = _change(group, change)
    outcome = record.in_flight.outcome if record.in_flight else Outcome.NONE
    report = report_on(group, record, sentence=sentence, outcome=outcome)
    return replace(report, lease=group.store.lease_of(group.name), exit_status=0)


def pause(group: Group, reason: str | None) -> Report:
    """Stop steps, their clocks, and new starts, until `resume`. A failing gate still rolls back."""
    ask = Ask(group.clock.now(), group.by, reason)

    def change(record: GroupRecord) -> tuple[GroupRecord, str]:
        if record.paused is not None:
            return record, f"{group.name} is paused already, by {record.paused.by} since {clock_time(record.paused.at)}"
        rotation = record.in_flight
        if rotation is None:
            paused_at_rest = replace(record, paused=ask).note(ask, "paused", "no rotation starts until resumed")
            return paused_at_rest, f"{group.name} is paused: no rotation will start until it is resumed"
        if rotation.back is not None:
            return record, f"{group.name} is being rolled back; that is never paused"
        paused = rotation.pause(ask)
        return replace(record, paused=ask, rotation=paused), f"{group.name} is paused: {rotation.waiting_for}"

    return _said(group, change)


def resume(group: Group, reason: str | None = None) -> Report:
    """Go on after a pause or a hold. What another writer changed while it was held counts as seen and accepted."""
    now = group.clock.now()
    ask = Ask(now, group.by, reason)

    def change(record: GroupRecord) -> tuple[GroupRecord, str]:
        rotation = record.in_flight
        held = rotation is not None and rotation.held is not None
        if record.paused is None and not held:
            return record, f"nothing to resume: {group.name} is neither paused nor held"
        if rotation is None:
            resumed = replace(record, paused=None).note(ask, "resumed", "rotations may start again")
            return resumed, f"{group.name} is resumed: rotations may start again"
        going = rotation.stand_still(now - _still_since(rotation, now)).resume(ask)
        if held:
            # The step's own weight is set again from there, and has to be verified again before the next one follows.
            going = going.resume_from(_weight_found(group, record, rotation), now)
        return replace(record, paused=None, rotation=going), f"{group.name} goes on with {rotation.id}"

    return _said(group, change)


def promote(group: Group, reason: str | None = None, *, full: bool = False) -> Report:
    """Skip the current bake, or with `full` all that are left; gates still count. Also ends a pause."""
    now = group.clock.now()
    ask = Ask(now, group.by, reason)

    def change(record: GroupRecord) -> tuple[GroupRecord, str]:
        rotation = record.in_flight
        if rotation is None or rotation.back is not None:
            return record, f"nothing to promote: no rotation of {group.name} is going forward"
        if rotation.held is not None:
            return record, f"nothing to promote: it is held ({rotation.held.why}); resume it first"
        if rotation.clocks.baking_since is None and not full:
            return record, f"nothing to promote: {rotation.waiting_for}"
        is_paused = rotation.paused is not None
        going = rotation.stand_still(now - _still_since(rotation, now)) if is_paused else rotation
        what = "all bakes that are left are skipped" if full else f"the bake of step {rotation.step} is skipped"
        what += ", and the pause is over" if is_paused else ""
        promoted = going.promote(ask, to_end=full)
        return replace(record, paused=None, rotation=promoted), f"{what}; gates still count"

    return _said(group, change)


def release_image(group: Group, image: str, reason: str | None = None) -> Report:
    """End the quarantine of an image, in the record and on the groups' tags."""
    ask = Ask(group.clock.now(), group.by, reason)

    def change(record: GroupRecord) -> tuple[GroupRecord, str]:
        kept = tuple(q for q in record.quarantine if q.image != image)
        if kept == record.quarantine:
            return record, f"{image} is not quarantined for {group.name}"
        released = replace(record, quarantine=kept).note(ask, "released", f"{image} may be used again")
        return released, f"{image} may be used for {group.name} again"

    report = _said(group, change)
    for action in _untagged(group, image):
        group.fleet.apply(action)
    return report


def _untagged(group: Ports, image: str) -> Iterator[Action]:
    for slot, state in group.fleet.observe(None).slots.items():
        noted = tags.read_quarantine(state.tags)
        if image in noted:
            left = tags.write_quarantine([i for i in noted if i != image])
            yield WriteTags({slot: {tags.QUARANTINE: left}})


def retry(group: Group, request: RotateRequest, watch: Watch = watch_nothing) -> Report:
    """Rotate once more to the image that was rolled back, whatever the cause was.

    Raises:
        Blocked: no rotation of this group was rolled back, or one is in flight.
    """
    image = retry_image(group)
    ignore = request.ignore | {"quarantine"}
    report = rotate(group, replace(request, image=image, ignore=ignore, force=True), watch)
    if report.outcome is Outcome.SUCCEEDED:
        release_image(group, image, request.reason)
    return report


def retry_image(group: Desk) -> str:
    """The image that `retry` would go to."""
    record = group.store.load(group.name)
    rotation = record.rotation if record else None
    if record is not None and record.in_flight is not None:
        raise Blocked(f"{group.name} is being rotated: {record.in_flight.waiting_for}")
    if rotation is None or rotation.outcome is not Outcome.ROLLED_BACK:
        raise Blocked(f"nothing to retry: the last rotation of {group.name} was not rolled back")
    return rotation.new.image


def _still_since(rotation: Rotation, now: datetime) -> datetime:
    if rotation.paused is not None:
        return rotation.paused.at
    return rotation.looked_at or now


def _weight_found(group: Group, record: GroupRecord, rotation: Rotation) -> int:
    """The weight that is there now; the greatest, where routes differ. One that has the weight on its way says nothing:
    a shift may have been refused half way."""
    at_rest = replace(record, rotation=None)
    found = {r.percent(rotation.new.slot) for r in observe(group, at_rest, search=True).seen.routes}
    return max(found - {rotation.intended_weight} or found, default=rotation.weight)
