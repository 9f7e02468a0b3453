"""How many calls a rotation makes, and that their number does not grow with the group."""

from __future__ import annotations

from itertools import pairwise

import pytest
from botocore.exceptions import ReadTimeoutError

from phoenix.core.model import Outcome
from phoenix.engine.plan import make_plan
from phoenix.engine.report import Report
from phoenix.engine.request import RotateRequest
from phoenix.sandbox import Call
from phoenix.sandbox.desk import Stage as When
from tests.rotation.conftest import Opener
from tests.rotation.stage import Stage, a_policy

SIZES = (1, 4, 40)
MOST_WRITES = 12
MOST_WRITES_OF_FAILOVER = 5
"""Thresholds off on the new slot and on the old one, back on the new one, and two calls for their tags."""
MOST_READS_PER_POLL = 6
ALARM = {"kind": "alarm", "alarms": ["web-5xx"]}


def sized(open_stage: Opener, size: int, dns_failover: str = "suspend") -> Stage:
    """The web tier with that many instances, all of them up."""
    traffic = {"kind": "alb", "propagation": "15s", "dns_failover": dns_failover}
    stage = open_stage(policy=a_policy(gates=[ALARM], traffic=traffic))
    stage.resize(MinSize=1, MaxSize=80, DesiredCapacity=size)
    stage.clock.advance(300)
    assert len(stage.instances("blue")) == size
    return stage


def reads_per_poll(stage: Stage) -> list[int]:
    """How many reads there were between two looks of the driver in which nothing was written."""
    marks: list[int] = []
    stage.rotate(watch=lambda _: marks.append(len(stage.box.calls)))
    polls = [stage.box.calls[a:b] for a, b in pairwise(marks)]
    return [len(poll) for poll in polls if not any(call.mutating for call in poll)]


@pytest.mark.parametrize(("dns_failover", "more"), [("keep", 0), ("suspend", MOST_WRITES_OF_FAILOVER)])
@pytest.mark.parametrize("size", SIZES)
def test_a_blue_green_rotation_writes_twelve_times_at_most_whatever_the_size(
    open_stage: Opener, size: int, dns_failover: str, more: int
) -> None:
    stage = sized(open_stage, size, dns_failover)
    stage.mark()

    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert len(stage.writes()) <= MOST_WRITES + more
    assert sum(stage.images("green").values()) == size


@pytest.mark.parametrize("size", SIZES)
def test_a_poll_reads_six_times_at_most_whatever_the_size(open_stage: Opener, size: int) -> None:
    polls = reads_per_poll(sized(open_stage, size))

    assert len(polls) >= 5
    assert max(polls) <= MOST_READS_PER_POLL


def test_a_plan_counts_the_writes_that_the_rotation_then_makes(stage: Stage) -> None:
    plan = make_plan(stage.group, RotateRequest())
    assert stage.writes() == []

    stage.rotate()

    assert plan.writes == len(stage.writes())


def test_a_driver_that_is_told_to_wait_polls_at_the_pace_of_the_settings(stage: Stage) -> None:
    at: list[Report] = []

    stage.rotate(watch=at.append)

    gaps = {(b.at - a.at).total_seconds() for a, b in pairwise(at)}
    assert max(gaps) <= 30
    assert len(at) < 20


@pytest.mark.parametrize("lost", [1, 3], ids=["once", "and every retry"])
def test_a_template_version_is_made_once_even_if_the_answer_is_lost(stage: Stage, lost: int) -> None:
    left = [lost]

    def lose(call: Call, when: When) -> None:
        if when == "after" and call.operation == "CreateLaunchTemplateVersion" and left[0]:
            left[0] -= 1
            raise ReadTimeoutError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")

    stage.box.intercept(lose)
    report = stage.rotate()

    assert (report.outcome, left) == (Outcome.SUCCEEDED, [0])
    assert [each["VersionNumber"] for each in stage.versions()] == [1, 2]


@pytest.mark.parametrize("operation", ["UpdateAutoScalingGroup", "ModifyListener", "CreateOrUpdateTags"])
def test_any_other_answer_may_be_lost_as_well(stage: Stage, operation: str) -> None:
    left = [3]

    def lose(call: Call, when: When) -> None:
        if when == "after" and call.operation == operation and left[0]:
            left[0] -= 1
            raise ReadTimeoutError(endpoint_url="https://eu-west-1.amazonaws.com")

    stage.box.intercept(lose)
    report = stage.rotate()

    assert (report.outcome, left) == (Outcome.SUCCEEDED, [0])
    assert (stage.size("green"), stage.share("green")) == ((2, 12, 4), (1.0, 1.0))
