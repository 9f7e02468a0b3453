"""A candidate is compared with the live generation, by metrics, in a whole rotation."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from phoenix.core.model import Outcome
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, NEW_NAME, OLD_NAME, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 10, "bake": "15m"}], "bake": "30s"}
ERRORS = {"name": "errors", "metric": "HTTPCode_Target_5XX_Count", "per": "RequestCount"}
ARRIVAL = 2
"""Metrics of a look of another kind: how many requests arrive."""
LATENCY = {"name": "latency", "metric": "TargetResponseTime", "stat": "p99"}


def a_stage(open_stage: Opener, **kwargs: Any) -> Stage:
    gate = {"kind": "metrics", "metrics": [ERRORS, LATENCY]}
    return open_stage(policy=a_policy(strategy=CANARY, gates=[BRISK, gate]), **kwargs)


def test_a_candidate_as_good_as_the_live_generation_passes_after_its_bake(open_stage: Opener) -> None:
    stage = a_stage(open_stage)

    report = stage.tick_until(lambda report: report.outcome is Outcome.SUCCEEDED)

    told = stage.rotation.memo_of("metrics")
    assert report.exit_status == 0
    assert "errors not proven worse" in told
    assert "latency not proven worse" in told
    assert stage.images("green") == {NEW_NAME: 4}


def test_an_image_that_fails_users_and_not_its_health_checks_is_caught_within_one_bake(open_stage: Opener) -> None:
    stage = a_stage(open_stage, scenario="alarm")

    report = stage.tick_until(lambda report: report.outcome is Outcome.ROLLED_BACK)

    since, shares = stage.rotation.exposed_at, stage.weights_written("green")
    assert since is not None
    assert stage.clock.now() - since < timedelta(minutes=15)
    assert max(shares) == 10
    assert report.outcome is Outcome.ROLLED_BACK
    assert "errors worse: x" in (stage.rotation.reason or "")
    assert stage.record.quarantine
    assert stage.images("blue") == {OLD_NAME: 4}


def test_a_look_is_made_once_a_minute_at_most_and_in_one_call(open_stage: Opener) -> None:
    stage = a_stage(open_stage)

    stage.tick_until(lambda report: report.outcome is Outcome.SUCCEEDED, every=20)

    asked = [call for call in stage.box.calls if call.operation == "GetMetricData"]
    looks = [call for call in asked if len(call.params["MetricDataQueries"]) != ARRIVAL]
    apart = [later.at - earlier.at for earlier, later in pairwise(looks)]
    assert 10 <= len(looks) <= 18
    assert min(apart[1:]) >= timedelta(minutes=1)
    assert {len(call.params["MetricDataQueries"]) for call in looks[1:]} == {6}
