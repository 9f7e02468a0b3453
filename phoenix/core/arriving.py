"""When the requests that arrive are counted after a shift, the memo of a count, and its meaning. Pure.

Counted are whole minutes after the propagation time of the shift: while a step bakes, and, where the policy asks for
that, on the way back before the candidate is emptied. Must never keep weights from going back to the old generation,
nor outlast `GIVEN_UP` where there are no numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.arrival import STRAY, Arrived, Finding, judge, minutes_of
from phoenix.core.explain import ago, clock_time, counted
from phoenix.core.model import Cause, Judgement, Observation, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Terms

ARRIVAL: Final = "arrival"
"""The name of the verdict, beside those of the gates."""
MINUTE: Final = timedelta(minutes=1)
PUBLISHING: Final = timedelta(minutes=2)
"""After the end of a minute, until CloudWatch has what a load balancer counted in it; one to three minutes in
practice."""
FIRST: Final = 2 * MINUTE
"""Minutes that the first look of a bake has; one is enough at its end, and on the way back."""
BEFORE: Final = 5 * MINUTE
"""How far the first look of a way back goes behind it: to see whether anything is counted at all."""
LATE: Final = timedelta(minutes=5)
"""After the end of a minute, until it is certain that what CloudWatch does not have was not counted."""
GIVEN_UP: Final = timedelta(minutes=8)
"""After the propagation time of a way back: by then there are numbers, or there are none to wait for."""
OPEN_BAKE: Final = timedelta(hours=1)
"""For a price: how long a bake that waits for a person may take."""
BACK: Final = -1
"""In place of a step's number."""

Counts = Mapping[datetime, float]
"""Requests by the beginning of their minute; those without any are left out."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One shift, as far as it was counted. `looked` is the last look, `until` the end of the minutes that it had.
    `suspected` is its finding, for a second look to confirm; `is_over` means that nothing is asked any more."""

    step: int
    looked: datetime | None = None
    until: datetime | None = None
    suspected: str = ""
    judgement: Judgement = Judgement.PASS
    is_over: bool = False
    text: str = "not counted yet"

    def memo(self) -> str:
        """One line for the record."""
        times = [at.isoformat() if at is not None else "" for at in (self.looked, self.until)]
        return json.dumps([self.step, *times, self.suspected, self.judgement.value, self.is_over, self.text])

    @property
    def verdict(self) -> Verdict:
        """As the screens and the record know it."""
        return Verdict(ARRIVAL, self.judgement, self.text, Cause.ENVIRONMENT, self.memo())


def read_memo(memo: str) -> Watch | None:
    """What an earlier look has left; None for none, and for one that is not of this form."""
    try:
        step, looked, until, suspected, judgement, is_over, text = json.loads(memo)
        first, last = (datetime.fromisoformat(at) if at else None for at in (looked, until))
        return Watch(int(step), first, last, str(suspected), Judgement(judgement), bool(is_over), str(text))
    except (ValueError, TypeError):
        return None


def watch_of(rotation: Rotation, seen: Observation) -> Watch | None:
    """The shift that the rotation rests on; None where none is to be watched."""
    if not _is_watched(rotation):
        return None
    step = BACK if rotation.back is not None else rotation.step
    known = read_memo(rotation.memo_of(ARRIVAL))
    if known is None or known.step != step:
        known = Watch(step)
    if known.judgement is Judgement.FAIL and rotation.held is None:
        # A person has gone on with it: what the numbers say of this shift is accepted.
        known = replace(known, judgement=Judgement.PASS, is_over=True, text=f"accepted: {known.text}")
    untold = _untold(rotation, seen)
    return replace(known, judgement=Judgement.PASS, suspected="", text=untold) if untold else known


def _is_watched(rotation: Rotation) -> bool:
    clocks = rotation.clocks
    if not rotation.terms.compares_arrival or clocks.shifted_at is None or clocks.closing_since is not None:
        return False
    if rotation.back is not None:
        return rotation.terms.confirms_return and rotation.exposed_at is not None
    return clocks.baking_since is not None and rotation.current.bake != timedelta(0)


def _untold(rotation: Rotation, seen: Observation) -> str:
    """Why nothing can be told at all, whatever is counted."""
    slot, percent = rotation.new.slot, rotation.current.new_weight
    for route in seen.routes:
        if route.sticky_seconds:
            return f"not judged: {route.name} keeps clients on the target group that they had (stickiness)"
        if sum(route.weights.values()) and route.percent(slot) != percent:
            return f"not judged: {route.name} has another weight"
    return ""


def is_due(watch: Watch, rotation: Rotation, seen: Observation) -> bool:
    """True when the requests are to be counted now: once a minute at most, and not after the answer is there."""
    if watch.is_over or _untold(rotation, seen) or not seen.routes:
        return False
    if watch.looked is not None and seen.at - watch.looked < MINUTE:
        return False
    return seen.at >= _settled(rotation) if rotation.back is not None else _has_minutes(rotation, seen.at)


def _has_minutes(rotation: Rotation, at: datetime) -> bool:
    since, until = window(rotation, at)
    least = MINUTE if _bake_is_over(rotation, at) else FIRST
    return until - since >= least


def _bake_is_over(rotation: Rotation, at: datetime) -> bool:
    since, bake = rotation.clocks.baking_since, rotation.current.bake
    is_promoted = rotation.clocks.promoted is not None
    return is_promoted or (since is not None and bake is not None and at >= since + bake)


def _settled(rotation: Rotation) -> datetime:
    shifted_at = rotation.clocks.shifted_at
    assert shifted_at is not None  # noqa: S101 - only a shift that was read back is watched
    return shifted_at + rotation.terms.propagation


def window(rotation: Rotation, at: datetime) -> tuple[datetime, datetime]:
    """The whole minutes after the shift that are counted at that time, from the first until before the second."""
    since = _settled(rotation)
    if since.second or since.microsecond:
        since = _whole(since) + MINUTE
    return since, max(_whole(at - PUBLISHING), since)


def looks_at_most(terms: Terms) -> int:
    """How often a rotation under these terms counts at the most, a way back left out."""
    bakes = [step.bake or OPEN_BAKE for step in terms.steps if step.bake != timedelta(0)]
    return sum(max(int((bake - terms.propagation - PUBLISHING) / MINUTE), 0) for bake in bakes)


def asked_from(rotation: Rotation, at: datetime) -> datetime:
    """From where on requests are asked for: on the way back some minutes before it, too."""
    since, _ = window(rotation, at)
    return since - BEFORE if rotation.back is not None else since


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def next_due(rotation: Rotation) -> datetime | None:
    """When the next look is worth a look at the group; None where nothing has to be looked at for this alone."""
    if not _is_watched(rotation):
        return None
    watch = read_memo(rotation.memo_of(ARRIVAL))
    step = BACK if rotation.back is not None else rotation.step
    if watch is None or watch.step != step or watch.looked is None:
        since, _ = window(rotation, _settled(rotation))
        return _settled(rotation) if rotation.back is not None else since + FIRST + PUBLISHING
    if watch.is_over or watch.judgement is not Judgement.WAIT:
        return None
    return watch.looked + MINUTE


def without_numbers(watch: Watch, at: datetime, why: str) -> Watch:
    """After a look that had no answer: nothing waits for it, and it is not asked again."""
    text = f"what arrives is not known: {why}"
    return replace(watch, looked=at, judgement=Judgement.PASS, suspected="", is_over=True, text=text)


def without_answer(watch: Watch, rotation: Rotation, at: datetime, why: str) -> Watch:
    """After a look that failed, and is made again: only a way back waits for that, and not for long."""
    is_over = rotation.back is not None and at >= _settled(rotation) + GIVEN_UP
    waits = rotation.back is not None and not is_over
    judgement = Judgement.WAIT if waits else Judgement.PASS
    return replace(watch, looked=at, judgement=judgement, is_over=is_over, text=f"what arrives is not known: {why}")


def after_look(watch: Watch, rotation: Rotation, at: datetime, new: Counts, old: Counts) -> Watch:
    """After a look with these requests, from `asked_from` on, by generation."""
    since, until = window(rotation, at)
    sides = _within(new, since, until), _within(old, since, until)
    minutes = minutes_of(*sides)
    finding = _judged(rotation, minutes)
    looked = replace(watch, looked=at, until=until, text=_told(rotation, finding, minutes, until - since))
    if finding.is_off:
        known = _judged(rotation, minutes_of(*_published(sides, finding, at)))
        return _doubt(looked, watch, rotation, finding, is_known=known is finding)
    looked = replace(looked, suspected="", is_over=finding is Finding.FOLLOWED, judgement=Judgement.PASS)
    if rotation.back is None:
        return looked
    is_quiet = bool(minutes) and minutes[-1].new <= STRAY * minutes[-1].total
    return _on_the_way_back(looked, rotation, at, counts=bool(new or old), is_quiet=is_quiet)


def _judged(rotation: Rotation, minutes: Sequence[Arrived]) -> Finding:
    asks = bool(rotation.terms.opt_ins) and rotation.back is None
    return judge(minutes, rotation.current.new_weight, more_may_ask=asks)


def _published(sides: tuple[Counts, Counts], finding: Finding, at: datetime) -> tuple[Counts, Counts]:
    """Without the minutes in which the side that lacks requests has no count and no later one: load balancers report no
    zeros, and CloudWatch may have the other side's minutes first."""
    lacking = sides[0] if finding is Finding.TOO_LITTLE else sides[1]
    last = max((*lacking, _whole(at - LATE) - MINUTE))
    new, old = ({minute: count for minute, count in side.items() if minute <= last} for side in sides)
    return new, old


def _doubt(looked: Watch, before: Watch, rotation: Rotation, finding: Finding, *, is_known: bool) -> Watch:
    """Two looks have to say the same, the second with a minute more: CloudWatch may have only a part of one."""
    if not is_known:
        text = f"{looked.text}, unless the count is late"
        return replace(looked, suspected="", judgement=Judgement.WAIT, text=text)
    is_newer = before.until is not None and looked.until is not None and looked.until > before.until
    if before.suspected == finding.value and is_newer:
        text = f"{looked.text}. When that is understood: phoenix resume --group {rotation.group}"
        return replace(looked, suspected=finding.value, judgement=Judgement.FAIL, text=text)
    text = f"{looked.text}; a second look confirms it or not"
    return replace(looked, suspected=finding.value, judgement=Judgement.WAIT, text=text)


def _on_the_way_back(looked: Watch, rotation: Rotation, at: datetime, *, counts: bool, is_quiet: bool) -> Watch:
    """The candidate stays until a whole minute shows that nothing arrives at it, if any is counted at all, and not for
    longer than `GIVEN_UP`."""
    limit = _settled(rotation) + GIVEN_UP
    if is_quiet or at >= limit:
        return replace(looked, is_over=True)
    if not counts:
        return replace(looked, is_over=True, text=f"no requests were counted in {ago(BEFORE)}")
    text = f"whether requests still arrive at generation {rotation.new.number} is known by {clock_time(limit)}"
    return replace(looked, judgement=Judgement.WAIT, text=text)


def _within(counts: Counts, since: datetime, until: datetime) -> Counts:
    return {minute: count for minute, count in counts.items() if since <= minute < until}


def _told(rotation: Rotation, finding: Finding, minutes: Sequence[Arrived], span: timedelta) -> str:
    """Both numbers in one sentence."""
    arrived, total = sum(each.new for each in minutes), sum(each.total for each in minutes)
    weight, number = rotation.current.new_weight, rotation.new.number
    requests = f"{counted(round(total), 'request')} in {ago(span)}"
    if finding is Finding.UNTOLD:
        some = f", {round(arrived)} of them at generation {number}" if total else ""
        return f"{requests}{some}: too few to tell whether {weight} % arrive"
    told = f"{_percent(arrived, total)} of {requests} arrived at generation {number}, whose weight is {weight} %"
    return f"{told}: the load balancer does not follow" if finding.is_off else told


def _percent(part: float, total: float) -> str:
    return f"{100 * part / total:.3g} %"


def not_followed(seen: Observation) -> str | None:
    """Why the rotation is to be held; None where the data plane follows, or nothing is known."""
    found = (v for v in seen.verdicts if v.gate == ARRIVAL and v.judgement is Judgement.FAIL)
    return next((verdict.reason for verdict in found), None)


def awaits_numbers(rotation: Rotation, seen: Observation) -> bool:
    """True while the way back may not empty the candidate yet, as requests may still arrive at it."""
    if rotation.back is None or not _is_watched(rotation):
        return False
    found = next((v for v in seen.verdicts if v.gate == ARRIVAL), None)
    # None: the shift was read back by this very look, and nothing is counted of it yet.
    return found is None or found.judgement is not Judgement.PASS
