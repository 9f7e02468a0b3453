"""What every gate promises: a verdict of its own name, a reason in one line, and blockers before a start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from phoenix.core.model import Cause, Instance, Judgement, Observation, Slot, SlotState, TargetState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.engine.asking import Asking
from phoenix.gates import KINDS
from phoenix.gates.http_fetch import Reply
from phoenix.gates.http_post import Response
from phoenix.ports import Gate
from phoenix.sandbox.functions import add_function
from tests.account import Account, Opener
from tests.builders import a_generation, a_rotation
from tests.engine.builders import VirtualClock
from tests.fakes_gate import FakeGate, FakeRuns

BLUE, GREEN = Slot.BLUE, Slot.GREEN


@dataclass
class Case:
    """A gate, and a candidate in green that every gate should let pass: as good as the live generation."""

    make: Callable[[], Gate]
    rotation: Rotation
    seen: Observation
    account: Account
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = self.make()

    def settled(self) -> Verdict:
        """The verdict once that is done which the gate has begun; a minute between two looks."""
        verdict = self.gate.check(self.rotation, self.seen)
        for _ in range(5):
            if verdict.judgement is not Judgement.WAIT:
                break
            self.account.clock.advance(60)
            self.rotation = self.rotation.look(self.seen.at, self.rotation.need, (verdict,))
            self.seen = replace(self.seen, at=self.account.clock.now())
            verdict = self.gate.check(self.rotation, self.seen)
        return verdict


def _proven(state: SlotState) -> SlotState:
    healthy: tuple[Instance, ...] = tuple(replace(i, target=TargetState.HEALTHY) for i in state.instances)
    return replace(state, slot=GREEN, instances=healthy)


def _real(kind: str, account: Account) -> Gate:
    known: dict[str, dict[str, Any]] = {
        "alarm": {"alarms": ("web-5xx", "web-p99")},
        "http": {"path": "/healthz"},
        "command": {"command": ("true",)},
        "lambda": {"function": "acceptance"},
        "ssm": {"document": "phoenix-goss"},
        "webhook": {"url": "https://example.com/acceptance"},
        "metrics": {"metrics": ({"name": "errors", "metric": "HTTPCode_Target_5XX_Count", "per": "RequestCount"},)},
    }
    fakes: dict[str, dict[str, Any]] = {
        "http": {"fetch": lambda request: Reply(200)},
        "command": {"runs": FakeRuns()},
        "webhook": {"post": lambda request: Response(200, b'{"verdict": "PASS", "reason": "all is well"}')},
    }
    if kind == "ssm":
        account.sandbox.world.commands.documents.add("phoenix-goss")
    if kind == "lambda":
        add_function(account.sandbox.session, "acceptance", lambda event: {"verdict": "PASS", "reason": "all is well"})
    settings, extra = known.get(kind, {}), fakes.get(kind, {})
    made: Any = KINDS[kind]
    gate: Gate = account.make(made, made.settings(**settings), **extra)
    return gate


CASES: dict[str, Callable[[Account], Gate]] = {"fake": lambda account: FakeGate()} | {
    kind: partial(_real, kind) for kind in KINDS
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, open_account: Opener) -> Case:
    account = open_account()
    make = partial(CASES[request.param], account)
    slots = account.slots()
    at = account.clock.now()
    rotation = a_rotation(
        new=a_generation(42, template_version="1"), started_at=at, ready_since=at - timedelta(hours=1), looked_at=at
    )
    return Case(make, rotation, Observation(at=at, slots=slots | {GREEN: _proven(slots[BLUE])}), account)


def test_a_good_candidate_passes_under_the_gates_own_name(case: Case) -> None:
    verdict = case.settled()

    assert (verdict.gate, verdict.judgement) == (case.gate.name, Judgement.PASS)


def test_the_reason_is_one_line(case: Case) -> None:
    reason = case.gate.check(case.rotation, case.seen).reason

    assert reason == reason.strip() != ""
    assert "\n" not in reason


def test_asking_again_gives_the_same_answer(case: Case) -> None:
    assert case.gate.check(case.rotation, case.seen) == case.gate.check(case.rotation, case.seen)


def test_one_made_anew_with_what_the_record_kept_gives_the_same_answer(case: Case) -> None:
    first = case.gate.check(case.rotation, case.seen)
    kept = case.rotation.look(case.seen.at, case.rotation.need, (first,))

    assert case.make().check(kept, case.seen) == first


def test_nothing_stands_in_the_way_on_a_good_day(case: Case) -> None:
    assert case.gate.find_blockers(case.seen.slots, BLUE) == []


def test_one_that_judges_alone_asks_no_service(case: Case) -> None:
    case.account.sandbox.calls.clear()

    case.gate.check(case.rotation, case.seen)

    assert not case.gate.judges_alone or case.account.operations() == []


def test_an_answer_that_overruns_the_budget_is_waited_for_under_the_gates_name(case: Case) -> None:
    clock = VirtualClock()
    gate: Any = Overrunning(case.gate, clock)

    (verdict,) = Asking().ask((gate,), case.rotation, case.seen, clock)

    assert (verdict.gate, verdict.judgement, verdict.cause) == (gate.name, Judgement.WAIT, Cause.ENVIRONMENT)
    assert "took 31s, at most 22s" in verdict.reason


class Overrunning:
    """The gate of the case behind a network that takes 31 s."""

    judges_alone = False
    begins_something = False

    def __init__(self, gate: Gate, clock: VirtualClock) -> None:
        self.name, self.before_traffic_only, self.checks = gate.name, gate.before_traffic_only, gate.checks
        self.find_blockers = gate.find_blockers
        self._gate, self._clock = gate, clock

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        self._clock.sleep(31)
        return self._gate.check(rotation, seen)
