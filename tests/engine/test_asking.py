"""Gates are asked side by side, each for no longer than the budget; the order of the policy decides what is said."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Judgement, Observation, Verdict
from phoenix.core.rotation import Rotation
from phoenix.engine.apply import OLDEST
from phoenix.engine.asking import Asking
from phoenix.engine.observe import ask_gates
from phoenix.errors import Throttled
from phoenix.ports import GATE_BUDGET
from tests.builders import a_rotation, an_observation
from tests.engine.builders import Bench, VirtualClock, a_bench
from tests.fakes_gate import FakeGate

WAIT, FAIL = Judgement.WAIT, Judgement.FAIL


class SlowGate(FakeGate):
    """Takes that many seconds of the bench's time."""

    def __init__(self, name: str, clock: VirtualClock, seconds: float) -> None:
        super().__init__(name)
        self.clock, self.seconds = clock, seconds

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self.clock.sleep(self.seconds)
        return super().check(rotation, seen)


class HungGate(FakeGate):
    """Does not return before it is released."""

    def __init__(self, name: str = "hung") -> None:
        super().__init__(name)
        self.begun, self.released = threading.Event(), threading.Event()

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        verdict = super().check(rotation, seen)
        self.begun.set()
        self.released.wait()
        return verdict


class Brief:
    """Waits for what answers; where the gate hangs, the bench's time passes instead."""

    def __init__(self, clock: VirtualClock, gate: HungGate) -> None:
        self.clock, self.gate = clock, gate
        self.waits = 0

    def __call__(self, answers: Collection[Future[Any]], seconds: float) -> None:
        self.waits += 1
        self.gate.begun.wait()
        if self.gate.released.is_set():
            wait(answers)
        else:
            self.clock.sleep(seconds)


def hanging() -> tuple[Bench, HungGate, Brief]:
    """A bench whose gate hangs."""
    bench, gate = a_bench(), HungGate()
    brief = Brief(bench.clock, gate)
    bench.group = replace(bench.group, gates=(gate,), asking=Asking(brief))
    return bench, gate, brief


def thread_of(gate: FakeGate) -> threading.Thread:
    """The one in which it is asked."""
    (found,) = [thread for thread in threading.enumerate() if thread.name == f"gate {gate.name}"]
    return found


@pytest.mark.parametrize("seconds", [20, 22])
def test_an_answer_within_the_budget_counts(seconds: float) -> None:
    bench = a_bench()
    bench.group = replace(bench.group, gates=(SlowGate("slow", bench.clock, seconds),))

    (verdict,) = ask_gates(bench.group, a_rotation(), an_observation())

    assert verdict.judgement is Judgement.PASS


@pytest.mark.parametrize("seconds", [23, 31, 45])
def test_an_answer_that_takes_longer_is_waited_for_under_the_gates_name(seconds: int) -> None:
    bench = a_bench()
    bench.group = replace(bench.group, gates=(SlowGate("slow", bench.clock, seconds),))

    (verdict,) = ask_gates(bench.group, a_rotation(), an_observation())

    assert (verdict.gate, verdict.judgement, verdict.cause) == ("slow", WAIT, Cause.ENVIRONMENT)
    assert verdict.reason == f"its answer took {seconds}s, at most 22s; it is asked again"


def test_a_rotation_with_a_gate_that_takes_most_of_its_budget_moves_on() -> None:
    bench = a_bench(gates=())
    bench.group = replace(bench.group, gates=(bench.gate, SlowGate("slow", bench.clock, 20)))

    assert bench.rotated().exit_status == 0


def test_a_gate_that_hangs_ends_its_look_and_leaves_no_second_thread_behind() -> None:
    bench, gate, brief = hanging()

    first = ask_gates(bench.group, a_rotation(), an_observation())
    bench.clock.sleep(5)
    second = ask_gates(bench.group, a_rotation(), an_observation())
    gate.released.set()

    assert [v.reason for v in (*first, *second)] == [
        "no answer for 22s, at most 22s; its last check still runs, and no other is begun",
        "no answer for 27s, at most 22s; its last check still runs, and no other is begun",
    ]
    assert (gate.asked, brief.waits) == (1, 1)


def test_a_gate_that_has_hung_and_returned_is_asked_anew() -> None:
    bench, gate, _ = hanging()
    ask_gates(bench.group, a_rotation(), an_observation())
    thread = thread_of(gate)
    gate.released.set()
    thread.join()

    (verdict,) = ask_gates(bench.group, a_rotation(), an_observation())

    assert (verdict.judgement, gate.asked) == (Judgement.PASS, 2)


def test_a_gate_that_hangs_does_not_keep_the_program_from_ending() -> None:
    bench, gate, _ = hanging()
    ask_gates(bench.group, a_rotation(), an_observation())

    daemon = thread_of(gate).daemon
    gate.released.set()

    assert daemon


def test_of_several_doubts_before_traffic_the_first_of_the_policy_is_told() -> None:
    gates = (FakeGate("first"), FakeGate("second", judgement=WAIT), FakeGate("third", judgement=FAIL))

    verdicts = ask_gates(a_bench(gates=gates).group, a_rotation(), an_observation())

    assert [verdict.gate for verdict in verdicts] == ["first", "second"]


def test_gates_that_make_no_call_spare_those_behind_them_where_they_doubt() -> None:
    counting, asking = FakeGate("counting", judges_alone=True, judgement=WAIT), FakeGate("asking")
    group = a_bench(gates=(counting, asking)).group

    ask_gates(group, a_rotation(), an_observation())
    assert asking.asked == 0
    ask_gates(group, a_rotation(weight=5), an_observation())
    assert asking.asked == 1


def test_a_gate_in_front_of_one_that_makes_no_call_is_told_first_all_the_same() -> None:
    asking, counting = FakeGate("asking", judgement=WAIT), FakeGate("counting", judges_alone=True, judgement=WAIT)

    (verdict,) = ask_gates(a_bench(gates=(asking, counting)).group, a_rotation(), an_observation())

    assert verdict.gate == "asking"


class Meeting(FakeGate):
    """Returns once the others are being asked too."""

    def __init__(self, name: str, barrier: threading.Barrier) -> None:
        super().__init__(name)
        self.barrier = barrier

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self.barrier.wait(timeout=30)
        return super().check(rotation, seen)


def test_gates_are_asked_side_by_side() -> None:
    barrier = threading.Barrier(3)
    gates = tuple(Meeting(name, barrier) for name in ("alarm", "http /", "command"))

    verdicts = ask_gates(a_bench(gates=gates).group, a_rotation(), an_observation())

    assert [verdict.gate for verdict in verdicts] == ["alarm", "http /", "command"]


class Broken(FakeGate):
    """Cannot be asked."""

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        raise Throttled("slow down")


def test_a_gate_that_cannot_be_asked_spoils_the_look() -> None:
    with pytest.raises(Throttled):
        ask_gates(a_bench(gates=(FakeGate(), Broken())).group, a_rotation(weight=5), an_observation())


def test_a_gate_behind_a_doubt_may_break_unheard_before_traffic() -> None:
    gates = (FakeGate(judgement=WAIT), Broken())

    assert len(ask_gates(a_bench(gates=gates).group, a_rotation(), an_observation())) == 1


def test_the_budget_leaves_time_to_look_and_to_act() -> None:
    assert timedelta(0) < GATE_BUDGET < OLDEST - timedelta(seconds=5)
