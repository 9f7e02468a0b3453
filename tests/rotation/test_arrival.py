"""The share of the requests that arrives is compared with the weight, in whole rotations on the sandbox."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from phoenix.core.model import Judgement, Outcome
from phoenix.engine.control import resume
from phoenix.engine.report import Report
from phoenix.sandbox import Call
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, NEW_NAME, OLD_NAME, Stage, a_policy

STEPS = [{"weight": 10, "bake": "10m"}]
CANARY = {"kind": "canary", "steps": STEPS, "bake": "10m"}


CONFIRM = {"kind": "alb", "propagation": "15s", "arrival": "confirm"}


def a_stage(open_stage: Opener, **sections: Any) -> Stage:
    return open_stage(policy=a_policy(**{"strategy": CANARY, "gates": [BRISK]} | sections))


def until_held(stage: Stage) -> Report:
    return stage.tick_until(lambda report: report.outcome is Outcome.HELD)


def ended(report: Report) -> bool:
    return report.outcome in (Outcome.SUCCEEDED, Outcome.ROLLED_BACK)


def looks(stage: Stage) -> list[Call]:
    return [call for call in stage.box.calls if call.operation == "GetMetricData"]


def told(stage: Stage) -> str:
    return stage.rotation.memo_of("arrival")


def port_of(stage: Stage) -> int:
    """A listener of the pair's: one of two."""
    with stage.unnoticed():
        elbv2 = stage.aws.client("elbv2")
        balancers = [each["LoadBalancerArn"] for each in elbv2.describe_load_balancers()["LoadBalancers"]]
        found = [each for arn in balancers for each in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]]
    return max(int(each["Port"]) for each in found)


@pytest.mark.parametrize(("word", "counts"), [("compare", len(STEPS) + 1), ("ignore", 0)])
def test_a_shift_that_is_followed_is_counted_once_and_costs_no_time(word: str, counts: int, open_stage: Opener) -> None:
    stage = a_stage(open_stage, traffic={"kind": "alb", "propagation": "15s", "arrival": word})

    stage.tick_until(ended)

    rotation = stage.rotation
    assert rotation.ended_at is not None
    assert rotation.outcome is Outcome.SUCCEEDED
    assert ("arrived at generation" in told(stage)) is (word == "compare")
    assert len(looks(stage)) == counts
    assert rotation.ended_at - rotation.started_at == timedelta(minutes=21, seconds=30)


def test_weights_that_are_echoed_and_not_followed_are_held_with_both_numbers(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.box.world.routes.ignore_weights(None)

    report = until_held(stage)

    assert "0 % of " in report.sentence
    assert "whose weight is 10 %" in report.sentence
    assert max(stage.weights_written("green")) == 10
    apart = [later.at - earlier.at for earlier, later in pairwise(looks(stage))]
    assert min(apart) >= timedelta(minutes=1)


def test_one_listener_that_does_not_follow_is_held_at_the_end(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.box.world.routes.ignore_weights([port_of(stage)])

    report = until_held(stage)

    assert "the load balancer does not follow" in report.sentence


def test_a_person_goes_on_and_is_not_held_for_the_same_shift_again(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.box.world.routes.ignore_weights(None)
    until_held(stage)

    resume(stage.group, "the counters are wrong")
    again = until_held(stage)

    assert "whose weight is 100 %" in again.sentence
    assert stage.rotation.step == 2


def test_the_candidate_is_kept_while_requests_go_on_arriving_on_the_way_back(open_stage: Opener) -> None:
    stage = a_stage(open_stage, traffic=CONFIRM)
    stage.tick_until(lambda _: stage.rotation.clocks.baking_since is not None)
    stage.clock.advance(60)
    stage.box.world.routes.ignore_weights(None)

    report = stage.rollback()

    assert report.outcome is Outcome.HELD
    assert "whose weight is 0 %" in report.sentence
    assert stage.weights_written("green")[-1] == 0
    assert stage.images("green") == {NEW_NAME: 4}


def test_a_way_back_that_is_asked_for_again_takes_the_candidate_away(open_stage: Opener) -> None:
    stage = a_stage(open_stage, traffic=CONFIRM)
    stage.tick_until(lambda _: stage.rotation.clocks.baking_since is not None)
    stage.clock.advance(60)
    stage.box.world.routes.ignore_weights(None)
    stage.rollback()

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert stage.images("green") == {}
    assert stage.images("blue") == {OLD_NAME: 4}


def test_the_first_write_of_a_rollback_comes_before_any_count(open_stage: Opener) -> None:
    stage = a_stage(open_stage, traffic=CONFIRM)
    stage.tick_until(lambda _: stage.rotation.clocks.baking_since is not None)
    since = len(stage.box.calls)

    report = stage.rollback()

    operations = [call.operation for call in stage.box.calls[since:]]
    assert report.outcome is Outcome.ROLLED_BACK
    assert operations.index("ModifyListener") < operations.index("GetMetricData")
    assert "GetMetricData" in operations


def test_without_the_right_nothing_is_held_and_it_is_said(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.deny("GetMetricData")

    stage.tick_until(ended)

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert "what arrives is not known: " in told(stage)
    assert len(looks(stage)) == len(STEPS) + 1


def test_too_few_requests_hold_nothing(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.box.world.measurements.requests = 3
    stage.box.world.routes.ignore_weights(None)

    stage.tick_until(lambda _: stage.rotation.step == 2)

    assert stage.rotation.held is None


def test_metrics_that_come_minutes_late_hold_nothing(open_stage: Opener) -> None:
    stage = a_stage(open_stage)
    stage.box.world.measurements.delays["web-green*"] = timedelta(minutes=2)

    stage.tick_until(ended)

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert all(verdict.judgement is Judgement.PASS for verdict in stage.rotation.verdicts)


def test_a_way_back_waits_for_no_count_unless_the_policy_says_so(open_stage: Opener) -> None:
    stage = a_stage(open_stage, traffic=CONFIRM | {"arrival": "compare"})
    stage.tick_until(lambda _: stage.rotation.clocks.baking_since is not None)
    before = len(looks(stage))

    report = stage.rollback()

    assert report.outcome is Outcome.ROLLED_BACK
    assert len(looks(stage)) == before
