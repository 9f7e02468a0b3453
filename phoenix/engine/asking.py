"""Ask a candidate's gates, side by side, and for no longer than their budget.

What they judge is acted upon while it is fresh, so an answer that takes longer is none: it is waited for, under the
gate's name. Must never start a second check of a gate whose first one has not returned.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from phoenix.aside import start
from phoenix.core.blocker import Blocker
from phoenix.core.explain import ago
from phoenix.core.model import Cause, Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.sides import has_traffic
from phoenix.ports import GATE_BUDGET, Clock, Gate

_Key = tuple[str, int, str]
_Answer = tuple[Verdict, timedelta]
Wait = Callable[[Collection[Future[_Answer]], float], object]
"""Returns once all are done, or after that many seconds."""


def _wait(answers: Collection[Future[_Answer]], seconds: float) -> object:
    return wait(answers, timeout=seconds)


@dataclass(frozen=True, slots=True)
class _Check:
    """A check under way, and since when."""

    began: datetime
    answer: Future[_Answer]


class Asking:
    """The checks under way of all groups of this program; those that hang stay known from one look to the next."""

    def __init__(self, wait: Wait = _wait) -> None:
        self._wait = wait
        self._under_way: dict[_Key, _Check] = {}
        self._lock = threading.Lock()

    def ask(self, gates: Sequence[Gate], rotation: Rotation, seen: Observation, clock: Clock) -> tuple[Verdict, ...]:
        """The verdicts in the order of the gates. Before there is traffic they end with the first that is no PASS; the
        gates behind it are not asked where that is known beforehand.

        Raises:
            PhoenixError: a gate could not be asked; the whole observation is spoiled.
        """
        verdicts: list[Verdict] = []
        enough = not has_traffic(rotation, seen)
        for verdict in self._verdicts(gates, rotation, seen, clock):
            verdicts.append(verdict)
            if enough and verdict.judgement is not Judgement.PASS:
                break
        return tuple(verdicts)

    def _verdicts(
        self, gates: Sequence[Gate], rotation: Rotation, seen: Observation, clock: Clock
    ) -> Iterator[Verdict]:
        first = next((number for number, gate in enumerate(gates) if not gate.judges_alone), len(gates))
        for gate in gates[:first]:
            yield gate.check(rotation, seen)
        keys = [(rotation.group, number, gate.name) for number, gate in enumerate(gates[first:])]
        checks = [self._begin(key, gate, rotation, seen, clock) for key, gate in zip(keys, gates[first:], strict=True)]
        fresh = [check.answer for check, late in checks if not late]
        if fresh:
            self._wait(fresh, GATE_BUDGET.total_seconds())
        for gate, key, (check, _) in zip(gates[first:], keys, checks, strict=True):
            yield self._verdict(gate, key, check, clock, rotation.memo_of(gate.name))

    def _begin(self, key: _Key, gate: Gate, rotation: Rotation, seen: Observation, clock: Clock) -> tuple[_Check, bool]:
        """The check of this gate, and whether it is an earlier one that has not returned yet."""
        with self._lock:
            earlier = self._under_way.get(key)
            if earlier is not None and not earlier.answer.done():
                return earlier, True
            began = clock.now()

            def check() -> _Answer:
                verdict = gate.check(rotation, seen)
                return verdict, clock.now() - began

            self._under_way[key] = _Check(began, start(check, f"gate {gate.name}"))
            return self._under_way[key], False

    def _verdict(self, gate: Gate, key: _Key, check: _Check, clock: Clock, memo: str) -> Verdict:
        limit = f"at most {ago(GATE_BUDGET)}"
        if not check.answer.done():
            took = ago(clock.now() - check.began)
            return _overrun(
                gate, memo, f"no answer for {took}, {limit}; its last check still runs, and no other is begun"
            )
        with self._lock:
            if self._under_way.get(key) is check:
                del self._under_way[key]
        verdict, took_all = check.answer.result()
        if took_all > GATE_BUDGET:
            return _overrun(gate, verdict.memo, f"its answer took {ago(took_all)}, {limit}; it is asked again")
        return verdict


def _overrun(gate: Gate, memo: str, reason: str) -> Verdict:
    return Verdict(gate.name, Judgement.WAIT, reason, Cause.ENVIRONMENT, memo)


class Kept:
    """A gate as the record knows it: for a look that must not begin what the gate would begin."""

    before_traffic_only = False
    judges_alone = True
    begins_something = False
    checks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, gate: Gate) -> None:
        self.name = gate.name

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """The driver's last verdict; WAIT where there was none."""
        kept = (verdict for verdict in rotation.verdicts if verdict.gate == self.name)
        return next(kept, Verdict(self.name, Judgement.WAIT, "not asked yet", Cause.ENVIRONMENT))

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """None: it is about the past."""
        return ()
