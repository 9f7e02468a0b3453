"""Would a rollback work right now, how, and if not, why not? From the record and what was seen. Pure.

Must never promise what the way back does not keep: it is turned round here as a rollback would turn it, and judged by
the functions that would then decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from phoenix.core.back import reopen, turn_back
from phoenix.core.blocker import Blocker
from phoenix.core.explain import ago, counted, name_of
from phoenix.core.generation import Generation
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Cause, Instance, Observation, Outcome, SlotState
from phoenix.core.ownership import made_anew
from phoenix.core.progress import advance, advance_clocks
from phoenix.core.ready import may_go_back
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.routine import Routine
from phoenix.core.sides import Side, ready_instances, sides_of
from phoenix.core.story import Ask

NEEDED_TO_GROW: Final = (Routine.LAUNCHES, Routine.REGISTRATIONS)


@dataclass(frozen=True, slots=True)
class Revival:
    """The launches before traffic goes back: `missing` more instances, as `healthy` of `needed` are there.

    `left` is what `--now`, which shifts first, would leave of the capacity, in per cent.
    """

    generation: Generation
    healthy: int
    needed: int
    missing: int

    @property
    def left(self) -> int:
        return percent_of(self.healthy, self.needed)


@dataclass(frozen=True, slots=True)
class RollbackReady:
    """`ready` is True if a rollback would work right now; `why` says why, or why not.

    `at_once` is True when its first write is the shift. `revival` is what it launches before that, None when nothing.
    `remedy` is the command that mends its blocker, where there is one.
    """

    ready: bool
    why: str
    at_once: bool = False
    revival: Revival | None = None
    remedy: str | None = None


NOTHING_RETAINED = RollbackReady(ready=False, why="nothing is retained")


def rollback_readiness(record: GroupRecord, seen: Observation) -> RollbackReady:
    """Say whether `rollback` would work right now, without asking AWS."""
    rotation = record.rotation
    if rotation is not None and rotation.in_flight:
        if rotation.back is not None:
            return RollbackReady(True, f"rolling back to {rotation.old.number} already", at_once=True)
        return _way_back(_turned(rotation, seen), seen)
    if rotation is None or record.retained is None:
        return NOTHING_RETAINED
    if rotation.outcome is Outcome.ROLLED_BACK:
        kept = record.retained.number
        return RollbackReady(False, f"already back on {rotation.old.number}; `--to {kept}` launches {kept} again")
    back = _turned(reopen(record, rotation, seen), seen)
    return _heed_changes(record, back, seen, _anew(back, seen) or _way_back(back, seen))


def with_blockers(found: RollbackReady, blockers: Sequence[Blocker]) -> RollbackReady:
    """The same in the light of what AWS says of the launch that it begins with."""
    in_the_way = [b for b in blockers if not b.warning]
    if found.revival is not None and in_the_way:
        remedy = next((b.remedy for b in in_the_way if b.remedy), None)
        return replace(_cannot_grow(found.revival, [b.text for b in in_the_way]), remedy=remedy)
    unchecked = ", ".join(b.where for b in blockers if b.warning)
    return replace(found, why=f"{found.why}; not checked: {unchecked}") if unchecked else found


def short_by_now(rotation: Rotation, seen: Observation) -> str | None:
    """Say what capacity `--now` leaves, before it acts; None where it changes nothing: the old generation is whole,
    or there are no weights to move."""
    if rotation.back is None or not rotation.back.now or not rotation.terms.serving.weights:
        return None
    old, need = rotation.old, rotation.need
    ready = sides_of(rotation, seen).old.ready_count
    if ready >= need:
        return None
    if ready == 0:
        return f"--now: generation {old.number} has no healthy instance, so traffic waits until it has one"
    left = percent_of(ready, need)
    return f"--now: traffic goes to generation {old.number} with {ready} of {need} healthy: {left} % of the capacity"


def percent_of(part: int, whole: int) -> int:
    """Rounded down: the reader decides whether that is enough."""
    return 100 * part // max(whole, 1)


def _turned(rotation: Rotation, seen: Observation) -> Rotation:
    """As the first tick of a rollback would have it, right before it decides on actions."""
    back = turn_back(rotation, seen, Ask(seen.at, ""), Cause.OPERATOR)
    return advance(advance_clocks(back, seen), seen)


def _way_back(back: Rotation, seen: Observation) -> RollbackReady:
    """The first action of the rollback, judged as its first tick would."""
    sides, old, need = sides_of(back, seen), back.old, back.need
    state, ready = sides.old.state, sides.old.ready_count
    revival = Revival(old, ready, need, need - state.desired) if state.desired < need else None
    if back.terms.serving.reserve:
        return _from_reserve(back, sides.old)
    if not back.terms.serving.weights:
        return _without_weights(back, ready, revival)
    count = f"{old.number} has {ready} of {need} healthy"
    if may_go_back(back, sides, seen.at):
        as_many = "" if ready >= need else ", as many as carry the traffic now"
        return RollbackReady(True, f"{count}{as_many}, weights move first", at_once=True)
    if revival is not None:
        if old.template_version is None:
            return RollbackReady(False, f"the template version of {old.number} is not known")
        why = f"{count}: it grows and is proved first, then weights move{_by_now(revival)}"
        return RollbackReady(True, why, revival=revival)
    if ready == 0:
        return RollbackReady(False, f"{old.number} has no healthy instance of {need}: traffic waits until it has one")
    at_most = ago(back.terms.launch_timeout)
    why = f"{count}: weights move when all are, after {at_most} at the latest; --now leaves {percent_of(ready, need)} %"
    return RollbackReady(True, why)


def _from_reserve(back: Rotation, side: Side) -> RollbackReady:
    """In one group: the reserve comes back into service, and the instances that are missing then are launched."""
    old, need, kept = back.old, back.need, side.reserve_count
    missing = max(need - sum(i.counts for i in side.state.instances) - kept, 0)
    count = f"{old.number} has {side.ready_count} of {need} in service and {kept} in reserve"
    revival = Revival(old, side.ready_count, need, missing) if missing else None
    if side.ready_count >= need:
        why = f"{old.number} has {side.ready_count} of {need}: {back.new.number} leaves"
        return RollbackReady(True, why, at_once=True)
    if missing and old.template_version is None:
        return RollbackReady(False, f"{count}; the template version of {old.number} is not known")
    dead = sum(i.stands_by for i in side.state.instances) - kept
    draining = sum(i.lifecycle is Lifecycle.DRAINING for i in side.state.instances)
    lost = f", {dead} more of which no longer answer" if dead else ""
    launched = f"; {missing} are launched and proved first" if missing else ""
    then = "they serve again after one registration" if kept else "it grows first"
    then = f"{draining} of them still drain, then {then}" if draining else then
    return RollbackReady(True, f"{count}{lost}: {then}{launched}", at_once=not missing, revival=revival)


def _without_weights(back: Rotation, ready: int, revival: Revival | None) -> RollbackReady:
    count = f"{back.old.number} has {ready} of {back.need}; no load balancer"
    if ready >= back.need:
        return RollbackReady(True, f"{count}: {back.new.number} is let go at once", at_once=True)
    return RollbackReady(True, f"{count}: it grows first", revival=revival)


def _anew(back: Rotation, seen: Observation) -> RollbackReady | None:
    """The launches before traffic goes back to a slot that was let go and runs another version since; None where all
    instances that serve there are of the generation, as far as is known.

    A rollback asks which image they run. Until then, only instances of the generation's version are promised.
    """
    old, state = back.old, seen.slots[back.old.slot]
    others = () if back.terms.serving.reserve else _of_other_versions(old, state)
    if old.template_version is None or not others:
        return None
    healthy = len(ready_instances(state, old, back.terms.serving.health))
    there = sum(i.counts for i in old.of(state))
    if healthy >= back.need:
        return None
    revival = Revival(old, healthy, back.need, back.need - min(there, back.need))
    launched = f"{revival.missing} more of version {old.template_version}" if revival.missing else "nothing more"
    then = "then weights move" if back.terms.serving.weights else f"then {back.new.number} is let go"
    why = f"{old.number} has {healthy} of {back.need} healthy: {launched} to be launched and proved first, {then}"
    return RollbackReady(True, why, revival=revival if revival.missing else None)


def _of_other_versions(old: Generation, state: SlotState) -> list[Instance]:
    return [i for i in state.instances if i.in_service and not old.has_launched(i)]


def _by_now(revival: Revival) -> str:
    return f"; --now leaves {revival.left} % until then" if revival.healthy else ""


def _cannot_grow(revival: Revival, reasons: Sequence[str]) -> RollbackReady:
    now = f" --now leaves {revival.left} %." if revival.healthy else ""
    count = f"{revival.generation.number} has {revival.healthy} of {revival.needed} healthy"
    return RollbackReady(False, f"{count} and cannot grow: {' '.join(reasons)}{now}", revival=revival)


# --- a slot that another writer has changed ---------------------------------------------------------------------------


def _heed_changes(record: GroupRecord, back: Rotation, seen: Observation, found: RollbackReady) -> RollbackReady:
    """Add the changes in the retained generation's slot. Only those that keep it from growing stand in the way."""
    state = seen.slots[back.old.slot]
    fatal = [*_detached(record, state), *_suspended(state)]
    if found.revival is not None and fatal:
        return _cannot_grow(found.revival, fatal)
    told = _other_versions(back.old, state, grows=found.revival is not None) if not seen.is_one_group else []
    if state.slot in made_anew(record, seen):
        told.insert(0, f"{state.auto_scaling_group} was deleted and made anew by another writer since the rotation")
    noted = "; ".join(told)
    return replace(found, why=f"{found.why}; but {noted}") if noted else found


def _detached(record: GroupRecord, state: SlotState) -> list[str]:
    gone = [arn for arn in record.target_groups.get(state.slot, ()) if arn not in state.sources]
    name = state.auto_scaling_group
    return [f"{name} registers no more with target group {name_of(arn)}." for arn in gone]


def _suspended(state: SlotState) -> list[str]:
    missing = (each for each in NEEDED_TO_GROW if each in state.suspended)
    return [f"{each.capitalize()} are suspended on {state.auto_scaling_group}, not by phoenix." for each in missing]


def _other_versions(old: Generation, state: SlotState, *, grows: bool) -> list[str]:
    """The slot launches something else now, or already has. A growing slot is set back to its version by the growth."""
    if old.template_version is None:
        return []
    told = []
    if not old.is_launched_by(state):
        mended = f"; the rollback makes a version with {old.image} there" if grows else ""
        told.append(
            f"{state.auto_scaling_group} launches from {state.template} now, not from {old.template}: its launch"
            f" template was replaced{mended}"
        )
    elif state.template_version != old.template_version:
        number = state.template_version
        launched = "no pinned template version" if number is None else f"template version {number}"
        version = f"{launched}, not {old.template_version}"
        mended = ", which the rollback sets back" if grows else ""
        told.append(f"{state.auto_scaling_group} launches from {version}{mended}")
    others = _of_other_versions(old, state)
    if others:
        verb = "is" if len(others) == 1 else "are"
        told.append(f"{counted(len(others), 'instance')} there {verb} not of {old.number}'s template version")
    return told
