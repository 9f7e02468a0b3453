"""When a bake is judged, and how much chance of a false alarm each look may take.

Pure. Many looks at the same noise find something sooner or later: those of one rotation together may not take more than
the owner allows. Must never judge at a look what an earlier one has paid for, nor forget that
when a driver dies.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from phoenix.core.model import Judgement
from phoenix.core.progress import bake_ends_at
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Step, Terms

EARLY: Final = 0.2
END: Final = 0.4
EXTENDED: Final = 0.2
LIMIT: Final = 0.2
"""The shares of the chance of a false alarm: all looks before the end of the bake, the one at its end, all after it,
and the last one."""
OPEN_BAKE: Final = timedelta(hours=1)
"""For a bake that waits for a person, who may promote it at any time: the early looks' chance is for so long."""
EARLY_LEAST: Final = 5
"""Points that an early look needs on either side."""
SETTLING: Final = timedelta(minutes=1)
"""Left out after the begin of a bake: requests of before it are still answered."""
PUBLISHING: Final = timedelta(minutes=2)
"""After the end of a minute, until its measurements are complete; one to three minutes in practice."""
LOOK_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the memo keeps of one bake. `early` and `late` are the shares of the chance that looks before and after the
    end have taken, `ended` whether the bake's end has been judged; `looked` is the last look, None before the first."""

    step: int
    since: datetime
    looked: datetime | None = None
    early: float = 0.0
    ended: bool = False
    late: float = 0.0
    judgement: Judgement = Judgement.WAIT
    reason: str = ""
    blames_image: bool = False

    def memo(self) -> str:
        """One line for the record."""
        looked = self.looked.isoformat() if self.looked else ""
        times = [self.step, self.since.isoformat(), looked]
        chance = [self.early, self.ended, self.late]
        return json.dumps([*times, *chance, self.judgement.value, self.reason, self.blames_image], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One look's place in the bake: the share of the chance that it may take, and what it decides."""

    share: float
    is_end: bool = False
    is_limit: bool = False

    @property
    def is_early(self) -> bool:
        """Before the end of the bake: only a verdict beyond doubt is told."""
        return not self.is_end


def kept(memo: str) -> Progress | None:
    """What an earlier look has left; None for none, and for one that is not of this form."""
    try:
        step, since, looked, early, ended, late, judgement, reason, blames = json.loads(memo)
        at = datetime.fromisoformat(looked) if looked else None
        began = datetime.fromisoformat(since)
        told = Judgement(judgement), str(reason), bool(blames)
        return Progress(int(step), began, at, float(early), bool(ended), float(late), *told)
    except (ValueError, TypeError):
        return None


def turn_of(progress: Progress, rotation: Rotation, at: datetime, extend: timedelta) -> Turn:
    """The place of a look at that time. The early looks' chance grows with the third power of the time (Kim and
    DeMets): a look takes what has grown since the last one, so that fewer looks lose none of it."""
    ends_at = bake_ends_at(rotation)
    if rotation.clocks.promoted is not None:
        return Turn(LIMIT if progress.ended else END, is_end=True, is_limit=True)
    end = ends_at or progress.since + OPEN_BAKE
    if ends_at is None or at < ends_at:
        return Turn(max(EARLY * _third(progress.since, at, end) - progress.early, 0.0))
    limit = at >= ends_at + extend
    if not progress.ended:
        return Turn(END, is_end=True, is_limit=limit)
    grown = max(EXTENDED * _third(ends_at, at, ends_at + extend) - progress.late, 0.0)
    return Turn(grown + (LIMIT if limit else 0.0), is_end=True, is_limit=limit)


def window(progress: Progress, at: datetime) -> tuple[datetime, datetime]:
    """The whole minutes to judge, from the first until before the second."""
    begins = progress.since + SETTLING
    if begins.second or begins.microsecond:
        begins = begins.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return begins, (at - PUBLISHING).replace(second=0, microsecond=0)


def compared_steps(terms: Terms) -> tuple[Step, ...]:
    """The steps in whose bakes both generations answer users: a comparison needs both at the same time."""
    return tuple(
        step
        for step in terms.steps
        if (0 < step.new_weight < 100 if terms.serving.weights else step.old_capacity > 0 and step.new_capacity > 0)
        and step.bake != timedelta(0)
    )


def _third(since: datetime, at: datetime, end: datetime) -> float:
    """The third power of the share of the time that has passed."""
    whole = (end - since).total_seconds()
    return min(max((at - since).total_seconds() / whole, 0.0), 1.0) ** 3 if whole > 0 else 1.0
