"""What people do to one plain Auto Scaling group while it is rotated in place, and appliances behind a gateway."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from phoenix.core.model import Outcome, Phase
from phoenix.engine.plan import make_plan
from phoenix.engine.report import NotStarted
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.engine.tick import tick
from phoenix.errors import LeaseHeld, LeaseLost, PhoenixError, TransientError
from tests.chaos.on_sandbox import Crossroads, Scene
from tests.rotation.conftest import OneOpener as Open
from tests.rotation.one_stage import (
    OneStage,
    assert_new_generation_lives,
    assert_old_generation_is_back,
    during,
)
from tests.rotation.stage import BRISK

ROTATE = RotateRequest()
# --- other hands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [3, 2])
def test_a_max_size_that_is_lowered_below_what_comes_back_is_kept_in_the_end(open_one: Open, most: int) -> None:
    stage = open_one()
    stage.rotate()
    stage.resize(MaxSize=most)
    stage.clock.advance(120)

    stage.rollback()

    stage.clock.advance(300)
    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert (stage.numbers, stage.version, stage.members("Standby")) == ((2, most, most), "1", [])
    assert stage.running() == {"api-2026.11.11-41aa07": most}


# --- a Gateway Load Balancer ------------------------------------------------------------------------------------------


def put_behind_a_gateway(stage: OneStage) -> None:
    """Appliances: packets come in GENEVE, health is asked for by HTTP."""
    elbv2 = stage.client("elbv2")
    group = stage.slot("blue")
    subnets = str(group["VPCZoneIdentifier"]).split(",")
    with stage.unnoticed():
        found = stage.client("ec2").describe_subnets(SubnetIds=subnets[:1])["Subnets"]
        balancer = elbv2.create_load_balancer(Name="appliances", Type="gateway", Subnets=subnets)["LoadBalancers"][0]
        made = elbv2.create_target_group(
            Name="appliances",
            Protocol="GENEVE",
            Port=6081,
            VpcId=found[0]["VpcId"],
            HealthCheckProtocol="HTTP",
            HealthCheckPort="8080",
            HealthCheckPath="/healthz",
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
        elbv2.modify_target_group_attributes(TargetGroupArn=made, Attributes=[delay])
        elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], DefaultActions=[{"Type": "forward", "TargetGroupArn": made}]
        )
    stage.change("attach_traffic_sources", TrafficSources=[{"Identifier": made, "Type": "elbv2"}])
    stage.clock.advance(600)


@pytest.mark.parametrize("scenario", ["healthy", "bad-image"])
def test_appliances_behind_a_gateway_load_balancer(open_one: Open, scenario: str) -> None:
    stage = open_one("batch", scenario=scenario, sections={"traffic": {"kind": "attached"}, "gates": [BRISK]})
    put_behind_a_gateway(stage)

    stage.rotate()
    if scenario == "healthy":
        assert_new_generation_lives(stage)
        stage.rollback()

    assert_old_generation_is_back(stage)


# --- an instance refresh that a person begins -------------------------------------------------------------------------


def refresh_in_batches(stage: OneStage, report: Any) -> None:
    """What AWS does for a refresh at each look: end one instance that the group would not launch today, once all that
    are wanted are in service. With instances in Standby it waits for them, and fails after an hour."""
    group = stage.slot("blue")
    refreshes = stage.change("describe_instance_refreshes")["InstanceRefreshes"]
    if not any(each["Status"] == "InProgress" for each in refreshes):
        return
    serving = [each for each in group["Instances"] if each["LifecycleState"] == "InService"]
    outdated = [each for each in serving if each["LaunchTemplate"]["Version"] != stage.version]
    if outdated and len(serving) >= group["DesiredCapacity"] and not stage.members("Standby"):
        with stage.unnoticed():
            stage.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=outdated[0]["InstanceId"], ShouldDecrementDesiredCapacity=False
            )


@pytest.mark.parametrize(
    ("strategy", "phase"), [("blue_green", Phase.GROWING), ("blue_green", Phase.BAKING), ("rolling", Phase.PROVING)]
)
def test_a_refresh_that_a_person_begins_mid_way_leaves_the_size_and_one_version(
    open_one: Open, strategy: str, phase: Phase
) -> None:
    stage = open_one(strategy=strategy)
    begin = during(phase, lambda: stage.change("start_instance_refresh"))

    def watch(report: Any) -> None:
        begin(report)
        refresh_in_batches(stage, report)

    stage.rotate(watch)

    stage.clock.advance(300)
    assert stage.rotation.outcome is Outcome.SUCCEEDED, stage.rotation.reason
    assert (stage.numbers, stage.version) == ((2, 12, 4), "2")
    assert stage.running() == {"api-2026.11.18-9f2c1e": 4}


def test_a_refresh_that_a_person_begins_while_hot_waits_and_a_rollback_goes_through(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.change("start_instance_refresh")
    stage.clock.advance(60)

    stage.rollback(lambda report: refresh_in_batches(stage, report))

    assert_old_generation_is_back(stage)


def test_a_refresh_is_in_the_way_of_the_next_start(open_one: Open) -> None:
    stage = open_one()
    stage.change("start_instance_refresh")

    found = make_plan(stage.group, RotateRequest()).in_the_way

    assert any("refresh" in each.name for each in found), [each.name for each in found]


# --- another driver ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stall", [0, 61])
def test_another_driver_between_two_actions_or_after_a_lease_is_over_changes_no_end(open_one: Open, stall: int) -> None:
    stage = open_one()
    passed, met, meeting = [0], [0], [False]

    def meet() -> None:
        passed[0] += not meeting[0]
        if meeting[0] or passed[0] % 3:
            return
        meeting[0], met[0] = True, met[0] + 1
        stage.clock.advance(stall)
        with suppress(PhoenixError):
            tick(stage.driver(f"there/{met[0]}"))
        meeting[0] = False

    for _ in range(40):
        here = stage.driver("here/1")
        with suppress(TransientError, LeaseHeld, LeaseLost, NotStarted):
            rotate(replace(here, store=Crossroads(here.store, cast("Scene", SimpleNamespace(between=meet)))), ROTATE)
        if stage.record.in_flight is None:
            break
        stage.clock.advance(70)

    assert met[0] > 1
    assert_new_generation_lives(stage)
