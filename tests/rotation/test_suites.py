"""A suite of the owner's in a whole rotation: before traffic, in each bake, over the deaths of drivers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from phoenix.core.model import Outcome
from phoenix.sandbox.functions import add_function
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, NEW_NAME, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 5, "bake": "30s"}, {"weight": 50, "bake": "30s"}], "bake": "30s"}


@dataclass
class Suite:
    """A function of the owner's: WAIT at first, then PASS, unless `fails_in` names the phase."""

    fails_in: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> object:
        self.asked.append(event)
        if event["phase"] == self.fails_in:
            return {"verdict": "FAIL", "reason": "checkout answered 500"}
        first = Counter(each["phase"] for each in self.asked)[event["phase"]] == 1
        return {"verdict": "WAIT" if first else "PASS", "reason": "9 of 9"}


def a_stage(open_stage: Opener, suite: Suite) -> Stage:
    gate = {"kind": "lambda", "function": "acceptance", "when": "both", "ask_every": "10s"}
    stage = open_stage(policy=a_policy(strategy=CANARY, gates=[BRISK, gate]))
    add_function(stage.box.session, "acceptance", suite)
    return stage


def test_each_phase_asks_until_it_passes_and_then_no_more_whichever_driver_looks(open_stage: Opener) -> None:
    suite = Suite()
    stage = a_stage(open_stage, suite)

    def another_driver(report: Any) -> bool:
        stage.look()
        stage.__dict__["group"] = stage.driver(f"there/{len(stage.box.calls)}")
        return bool(report.outcome is Outcome.SUCCEEDED)

    stage.tick_until(another_driver, every=61)

    phases = Counter(event["phase"] for event in suite.asked)
    assert phases == {"before traffic": 2, "step 1": 2, "step 2": 2, "step 3": 2}
    assert stage.images("green") == {NEW_NAME: 4}


def test_before_traffic_a_failure_costs_no_user_anything(open_stage: Opener) -> None:
    suite = Suite(fails_in="before traffic")
    stage = a_stage(open_stage, suite)

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert set(stage.weights_written("green")) <= {0}
    assert "checkout answered 500" in (stage.rotation.reason or "")
    assert stage.record.quarantine


def test_a_failure_in_a_bake_brings_the_traffic_back(open_stage: Opener) -> None:
    stage = a_stage(open_stage, Suite(fails_in="step 2"))

    report = stage.rotate()

    assert report.outcome is Outcome.ROLLED_BACK
    assert max(stage.weights_written("green")) == 50
    assert stage.share("green") == (0.0, 0.0)


def test_a_look_begins_no_suite(open_stage: Opener) -> None:
    suite = Suite()
    stage = a_stage(open_stage, suite)
    stage.tick_until(lambda report: bool(suite.asked))
    asked = len(suite.asked)
    stage.clock.advance(60)

    stage.look()

    assert len(suite.asked) == asked
