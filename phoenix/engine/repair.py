"""`repair`: find what an interrupted, a lost or a foreign rotation has left on a group, and undo it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from phoenix.core.action import Undrain
from phoenix.core.back import turn_back
from phoenix.core.janitor import Leftover, astray, leftovers, moved_weights
from phoenix.core.ledger import describe
from phoenix.core.model import Cause, Outcome
from phoenix.core.ownership import was_replaced
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.story import Ask
from phoenix.engine.apply import OLDEST, apply
from phoenix.engine.drive import drive
from phoenix.engine.group import Desk, Group
from phoenix.engine.lease import claim, give_back
from phoenix.engine.look import sight_of
from phoenix.engine.observe import Sight
from phoenix.engine.once import act_on, leave_word
from phoenix.engine.report import Report, Watch, report_on, watch_nothing
from phoenix.engine.survey import refuse_foreign_store
from phoenix.engine.working import find_idle, with_registries
from phoenix.errors import Blocked


@dataclass(frozen=True, slots=True)
class Repairs:
    """The repairs to make, in words; empty when there are none. `adopt` says that adopting was asked for."""

    sight: Sight
    texts: tuple[str, ...]
    adopt: bool = False
    weights: Leftover | None = None
    idle: tuple[str, ...] = ()
    """Live instances that take no work, though they serve."""


def find_repairs(group: Group, *, adopt: bool = False, weights: bool = False) -> Repairs:
    """Look for leftovers. Writes nothing. `adopt` takes over what another store has in flight. `weights`, which only a
    person asks for: put back what another writer has moved at rest, and give drained instances that serve work again.

    Raises:
        ForeignStore: a rotation is in flight in another store, and `adopt` was not asked for.
        PhoenixError: a station of `before_leaving` does not answer.
    """
    kept = group.store.load(group.name)
    sight = with_registries(group, sight_of(group))
    if kept is not None and kept.in_flight is not None:
        return Repairs(sight, ())
    if not adopt and not was_replaced(sight.seen, group.store.location):
        refuse_foreign_store(group, sight.seen)
    lost = sight.record.in_flight
    if lost is not None:
        text = (
            f"rotation {lost.id} was in flight and its record is lost: generation {lost.new.number} has "
            f"{lost.weight} %; {_what_becomes_of(lost)}"
        )
        temporary = (describe(entry, lost, sight.seen) for entry in lost.ledger)
        return Repairs(sight, (text, *filter(None, temporary)), adopt)
    left = (*leftovers(sight.record, sight.seen), *astray(sight.record, sight.seen))
    found = tuple(each.text for each in left)
    moved = moved_weights(sight.record, sight.seen) if weights and not found else None
    if found or moved is not None:
        texts = found or ((moved.text,) if moved is not None else ())
        return Repairs(sight, texts, adopt, moved)
    idle = _find_idle(group, sight) if weights else {}
    texts = tuple(
        f"{i} serves and takes no work: {station}; it is told to take work again" for i, station in idle.items()
    )
    return Repairs(sight, texts, adopt, idle=tuple(idle))


def _find_idle(group: Group, sight: Sight) -> Mapping[str, str]:
    """Drained by a rotation that was lost, or by another hand: a station does not tell, so a person decides."""
    live = sight.record.live
    serving = [i.id for i in sight.seen.slots[live.slot].instances if i.in_service] if live is not None else []
    return find_idle(group, sight.record, serving)


def repair(
    group: Group, repairs: Repairs, watch: Watch = watch_nothing, *, wait: bool = True, reason: str | None = None
) -> Report:
    """Undo what was found, and follow it to its end; without `wait` the next ticks do. `reason` is the person's.

    Raises:
        Blocked: a person took so long to say yes that something else is to be repaired by now.
    """
    repairs = _looked_at_again(group, repairs)
    record, seen = repairs.sight.record, repairs.sight.seen
    if not repairs.texts:
        return report_on(group, record, seen, sentence=_nothing(record), outcome=Outcome.NONE)
    lease = claim(group)
    try:
        if repairs.weights is not None:
            apply(group, lease, record, (repairs.weights.action,), seen.at)
        if repairs.idle and record.live is not None:
            apply(group, lease, record, (Undrain(record.live.slot, repairs.idle),), seen.at)
        if repairs.weights is not None or repairs.idle:
            repairs = replace(repairs, sight=with_registries(group, sight_of(group)))
            record, seen = repairs.sight.record, repairs.sight.seen
        ask = Ask(group.clock.now(), group.by, reason)
        turned = _turned(group, repairs.sight).note(ask, "repaired", "; ".join(repairs.texts))
        first = act_on(group, lease, record, Sight(turned, seen))
        if not was_replaced(repairs.sight.seen, group.store.location):
            leave_word(group, lease, first)
        report = drive(group, lease, watch, first) if wait else report_on(group, first.record, first.seen)
    finally:
        give_back(group, lease)
    sentence = f"repaired: {'; '.join(repairs.texts)}"
    return replace(report, sentence=sentence, exit_status=1 if report.outcome is Outcome.HELD else 0)


def _looked_at_again(group: Group, repairs: Repairs) -> Repairs:
    """Look again if a person has answered minutes after the repairs were shown; undo only the ones that were shown."""
    if group.clock.now() - repairs.sight.seen.at < OLDEST / 2:
        return repairs
    asked = repairs.weights is not None or bool(repairs.idle)
    again = find_repairs(group, adopt=repairs.adopt, weights=asked)
    if again.texts != repairs.texts:
        raise Blocked(
            f"what there is to repair on {group.name} has changed since it was shown",
            hint=f"phoenix repair --dry-run --group {group.name}",
        )
    return again


def _turned(group: Desk, sight: Sight) -> GroupRecord:
    """A rotation without its record cannot go on: only the way back is known, and how to clean up."""
    lost = sight.record.in_flight
    if lost is None or lost.clocks.closing_since is not None:
        return sight.record
    ask = Ask(sight.seen.at, group.by, "its record was lost")
    return replace(sight.record, rotation=turn_back(lost, sight.seen, ask, Cause.ENVIRONMENT))


def _what_becomes_of(lost: Rotation) -> str:
    if lost.clocks.closing_since is not None:
        return "it stays, and the clean-up is finished"
    return f"it is rolled back to generation {lost.old.number}"


def _nothing(record: GroupRecord) -> str:
    rotation = record.in_flight
    if rotation is not None:
        return f"nothing to repair: {rotation.id} is in flight, and the next tick goes on with it"
    return f"nothing to repair: {record.group} has nothing temporary left on it"
