"""Count the requests that arrive, where the shift at hand is to be compared with them.

Must never keep a rotation from going on because nothing is counted, nor be asked before the weights of a way back are
written and read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Final

from phoenix.aside import start
from phoenix.core.arriving import (
    Counts,
    Watch,
    after_look,
    asked_from,
    is_due,
    looks_at_most,
    watch_of,
    window,
    without_answer,
    without_numbers,
)
from phoenix.core.model import Observation, Slot, Verdict
from phoenix.core.record import GroupRecord
from phoenix.core.rotation import Rotation
from phoenix.core.terms import Terms
from phoenix.engine.group import Ports
from phoenix.errors import PermanentError, TransientError

PATIENCE: Final = timedelta(seconds=5)
"""How long an observation waits for the count; its first answer must not grow old meanwhile."""


class Arriving:
    """One count under way, asked beside the gates."""

    def __init__(self, group: Ports, record: GroupRecord, seen: Observation, *, driving: bool) -> None:
        self._rotation, self._seen = record.in_flight, seen
        self._watch = watch_of(self._rotation, seen) if self._rotation is not None else None
        self._answer: Future[Mapping[Slot, Counts]] | None = None
        if driving and self._watch is not None and self._rotation is not None:
            self._answer = _ask(group, record, self._watch, self._rotation, seen)

    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on the shift by now; none where no shift is watched."""
        watch, rotation = self._watch, self._rotation
        if watch is None or rotation is None:
            return ()
        if self._answer is not None:
            watch = _with(self._answer, watch, rotation, self._seen)
        return (watch.verdict,)


def _ask(
    group: Ports, record: GroupRecord, watch: Watch, rotation: Rotation, seen: Observation
) -> Future[Mapping[Slot, Counts]] | None:
    if not is_due(watch, rotation, seen):
        return None
    since, (first, until) = asked_from(rotation, seen.at), window(rotation, seen.at)
    until = max(until, first if since < first else until)

    def count() -> Mapping[Slot, Counts]:
        return group.router.count_requests(record.target_groups, tuple(record.routes), since, until)

    return start(count, "arrival")


def _with(answer: Future[Mapping[Slot, Counts]], watch: Watch, rotation: Rotation, seen: Observation) -> Watch:
    try:
        found = answer.result(timeout=PATIENCE.total_seconds())
    except PermanentError as error:
        return without_numbers(watch, seen.at, error.message)
    except (TransientError, TimeoutError) as error:
        why = error.message if isinstance(error, TransientError) else "no answer in time"
        return without_answer(watch, rotation, seen.at, why)
    new = rotation.new.slot
    return after_look(watch, rotation, seen.at, found.get(new, {}), found.get(new.other, {}))


def price_of_arrival(group: Ports, record: GroupRecord, terms: Terms) -> Mapping[str, str]:
    """What the counts of a rotation cost, or why nothing is counted; nothing where no weights are moved."""
    if not terms.serving.weights:
        return {}
    if not terms.compares_arrival:
        why = group.router.uncounted or "the policy says `arrival: ignore`"
        return {"arrival": f"what arrives is not compared with the weights: {why}"}
    looks = looks_at_most(terms)
    price = group.router.price_of_looks(record.target_groups, looks)
    return {"arrival": price} if looks else {"arrival": "no step rests for long enough to count what arrives"}
