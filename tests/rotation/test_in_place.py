"""Whole rotations of one plain Auto Scaling group: what they end with, forward and back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from phoenix.core.model import Cause, Outcome, Phase
from phoenix.engine.plan import make_plan
from phoenix.engine.report import NotStarted, Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from tests.rotation.conftest import OneOpener as Open
from tests.rotation.one_stage import (
    ATTACHED,
    PHASES,
    STRATEGIES,
    OneStage,
    assert_new_generation_lives,
    assert_old_generation_is_back,
    during,
    healed,
)
from tests.rotation.stage import BRISK

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


# --- undisturbed ------------------------------------------------------------------------------------------------------


@every_strategy
@pytest.mark.parametrize("group", ATTACHED)
def test_a_good_image_takes_over_behind_every_kind_of_load_balancer(open_one: Open, group: str, strategy: str) -> None:
    stage = open_one(group, strategy)

    stage.rotate()

    assert_new_generation_lives(stage)
    assert healed(stage) == []


@every_strategy
def test_a_plan_counts_the_writes_that_the_rotation_then_makes(open_one: Open, strategy: str) -> None:
    stage = open_one(strategy=strategy)
    plan = make_plan(stage.group, RotateRequest())
    stage.mark()

    stage.rotate()

    assert len(stage.writes()) == plan.writes


@every_strategy
@pytest.mark.parametrize("scenario", ["bad-image", "slow-boot", "flapping"])
def test_an_image_that_does_not_work_leaves_the_old_generation_as_it_was(
    open_one: Open, scenario: str, strategy: str
) -> None:
    stage = open_one(strategy=strategy, scenario=scenario)
    stage.mark()

    stage.rotate()

    assert_old_generation_is_back(stage)
    # One that flaps is healthy for long enough now and then.
    assert scenario == "flapping" or "EnterStandby" not in stage.writes()
    assert healed(stage) == []
    assert [each.image for each in stage.record.quarantine] == [stage.rotation.new.image]


def test_instances_that_aws_has_replaced_as_unhealthy_meanwhile_are_not_kept_by_the_way_back(open_one: Open) -> None:
    stage = open_one("tcp", scenario="bad-image")

    stage.rotate()

    assert_old_generation_is_back(stage)


@pytest.mark.parametrize("strategy", ["blue_green", "rolling"])
@pytest.mark.parametrize("desired", [3, 7])
def test_groups_of_any_size_end_with_as_many_as_they_had(open_one: Open, strategy: str, desired: int) -> None:
    stage = open_one(strategy=strategy, desired=desired)

    stage.rotate()

    assert_new_generation_lives(stage, desired, desired)


@pytest.mark.parametrize(("strategy", "size"), [("blue_green", 1), ("canary", 4)])
def test_a_group_of_a_fixed_size_keeps_it(open_one: Open, strategy: str, size: int) -> None:
    stage = open_one("tcp", strategy, desired=max(size, 2))
    stage.resize(MinSize=size, MaxSize=size, DesiredCapacity=size)
    stage.clock.advance(120)

    stage.rotate()
    forward = stage.numbers
    stage.rollback()

    assert (forward, stage.numbers) == ((size, size, size), (size, size, size))
    assert healed(stage) == []


# --- the way back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"now": True}], ids=["plain", "now"])
def test_a_hot_rollback_launches_nothing(open_one: Open, options: dict[str, Any]) -> None:
    stage = open_one()
    stage.rotate()
    stage.clock.advance(60)
    known = {each["InstanceId"] for each in stage.instances("blue")}

    report = stage.rollback(**options)

    assert report.exit_status == 0
    assert_old_generation_is_back(stage)
    assert {each["InstanceId"] for each in stage.instances("blue")} <= known


def test_a_second_rollback_writes_nothing(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.rollback()
    stage.mark()

    report = stage.rollback()

    assert (report.exit_status, stage.writes()) == (0, [])


def test_a_cold_rollback_launches_the_earlier_version_again(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.clock.advance(3700)
    stage.tick_until(lambda report: report.record.hot_until is None)
    gone = stage.members("Standby")

    stage.rollback()

    assert gone == []
    assert_old_generation_is_back(stage)


@pytest.mark.parametrize(
    ("strategy", "phase"),
    [*(("blue_green", phase) for phase in PHASES), *(("rolling", phase) for phase in PHASES[2:4])],
)
def test_a_rollback_in_any_phase_leaves_everything_as_it_was(open_one: Open, phase: Phase, strategy: str) -> None:
    stage = open_one(strategy=strategy)

    stage.rotate(during(phase, lambda: rollback(stage.driver("there/9", "bob"), RollbackRequest())))

    assert_old_generation_is_back(stage)
    assert healed(stage) == []


def test_a_rollback_waits_for_what_still_drains(open_one: Open) -> None:
    stage = open_one()
    ends: list[Report] = []

    def turn(report: Report) -> None:
        if not ends and stage.members("EnteringStandby"):
            ends.append(rollback(stage.driver("there/9", "bob"), RollbackRequest()))

    stage.rotate(turn)

    assert [end.outcome for end in ends] == [Outcome.ROLLED_BACK]
    assert_old_generation_is_back(stage)


def test_the_tags_alone_are_enough_for_a_rollback(open_one: Open, tmp_path: Path) -> None:
    stage = open_one()
    stage.rotate()
    stage.clock.advance(60)
    stage.box.stop_intercepting()
    alone = stage.driver("there/9", store=f"sqlite:///{tmp_path}/other.db")

    report = rollback(alone, RollbackRequest())

    stage.clock.advance(120)
    assert report.outcome is Outcome.ROLLED_BACK
    assert (stage.numbers, stage.version, stage.halted) == ((2, 12, 4), "1", set())
    assert stage.members("Standby") == []


def test_the_next_rotation_ends_the_reserve_of_the_one_before(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.box.bake_image("api-2026.12.02-600d00", tags={"service": "api", "channel": "stable"})

    stage.rotate()

    stage.clock.advance(300)
    assert stage.running() == {"api-2026.12.02-600d00": 4}
    assert stage.running("Standby") == {"api-2026.11.18-9f2c1e": 4}
    assert (stage.numbers, stage.version) == ((2, 12, 4), "3")


def test_an_image_that_was_rolled_back_from_is_not_rotated_to_again(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.rollback()

    with pytest.raises(NotStarted):
        stage.rotate()

    assert [each.image for each in stage.record.quarantine] == [stage.rotation.new.image]


# --- load balancers without target groups -----------------------------------------------------------------------------


def an_alarm_on(stage: OneStage) -> str:
    """A quiet alarm about a load balancer, which makes the gate ask for the group's own."""
    with stage.unnoticed():
        stage.client("cloudwatch").put_metric_alarm(
            AlarmName="legacy-5xx",
            Namespace="AWS/ApplicationELB",
            MetricName="HTTPCode_Target_5XX_Count",
            Dimensions=[{"Name": "LoadBalancer", "Value": "app/legacy/0123456789abcdef"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=25,
            ComparisonOperator="GreaterThanThreshold",
        )
        stage.box.set_alarm("legacy-5xx", "OK")
    return "legacy-5xx"


def test_gates_that_know_target_groups_pass_over_a_load_balancer_that_has_none(open_one: Open) -> None:
    gates = [BRISK, {"kind": "alarm", "alarms": ["legacy-5xx"]}, {"kind": "http", "path": "/", "port": 8080}]
    stage = open_one("legacy", sections={"gates": gates}, web_servers=True)
    an_alarm_on(stage)

    stage.rotate()

    assert_new_generation_lives(stage)


def test_where_no_target_group_tells_the_port_the_policy_has_to(open_one: Open) -> None:
    stage = open_one("legacy", sections={"gates": [BRISK, {"kind": "http", "path": "/"}]})

    (found,) = make_plan(stage.group, RotateRequest()).in_the_way

    assert (found.name, "legacy does not tell the port" in found.text) == ("http-port-unknown", True)


def test_no_traffic_is_refused_where_the_group_is_behind_something(open_one: Open) -> None:
    stage = open_one("legacy", sections={"traffic": "none", "gates": []})

    (found,) = make_plan(stage.group, RotateRequest()).in_the_way

    assert found.name == "unwatched-target-group"
    assert "`traffic: attached`" in found.text
    assert "Identifier=legacy,Type=elb" in (found.remedy or "")


# --- alarms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.PROVING, Phase.BAKING])
def test_an_alarm_that_rings_while_new_instances_serve_turns_the_rotation_back_at_once(
    open_one: Open, phase: Phase
) -> None:
    gates = [BRISK | {"healthy_for": "60s"}, {"kind": "alarm", "alarms": ["api-5xx"]}]
    stage = open_one(sections={"gates": gates})
    began = stage.clock.now()

    stage.rotate(during(phase, lambda: stage.box.set_alarm("api-5xx", "ALARM")))

    assert_old_generation_is_back(stage)
    assert stage.rotation.cause is Cause.IMAGE
    assert stage.clock.now() - began < timedelta(minutes=20)


# --- autoscaling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "phase"),
    [*(("blue_green", phase) for phase in PHASES[:-1]), ("canary", Phase.PROVING), ("rolling", Phase.BAKING)],
)
def test_a_scale_out_in_any_phase_is_kept(open_one: Open, phase: Phase, strategy: str) -> None:
    stage = open_one(strategy=strategy)

    stage.rotate(during(phase, lambda: stage.resize(DesiredCapacity=stage.numbers[2] + 2)))

    stage.clock.advance(120)
    assert stage.numbers == (2, 12, 6)
    assert sum(stage.running().values()) == 6
    assert healed(stage) == []


@pytest.mark.parametrize("desired", [3, 6])
def test_a_group_that_was_scaled_while_hot_comes_back_at_that_size(open_one: Open, desired: int) -> None:
    stage = open_one()
    stage.rotate()
    stage.resize(DesiredCapacity=desired)
    stage.clock.advance(120)

    stage.rollback()

    assert_old_generation_is_back(stage, desired)
