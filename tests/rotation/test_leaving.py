"""Whole rotations of groups whose instances run an orchestrator's work: it has left before they do."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.sandbox.containers import Cluster
from tests.rotation.conftest import OneOpener, Opener
from tests.rotation.one_stage import OneStage
from tests.rotation.stage import Stage, a_policy

ECS: list[dict[str, Any]] = [{"kind": "ecs", "cluster": "shop", "timeout": "10m"}]
ROLLING = {"kind": "rolling", "batch": "50%", "bake": "15s"}


def joined(stage: Stage, *groups: str) -> Cluster:
    """The cluster in which the groups' instances are registered."""
    return next(iter([stage.box.join_cluster(group, "shop") for group in groups]))


def at_work(stage: Stage, cluster: Cluster) -> dict[str, tuple[str, int]]:
    """Status and tasks of each instance that is in service."""
    with stage.unnoticed():
        stage.box.world.containers.look(cluster.name)
        found = stage.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    serving = {i["InstanceId"] for g in found for i in g["Instances"] if i["LifecycleState"] == "InService"}
    return {i: (c.status, c.running) for i, c in cluster.containers.items() if i in serving}


@pytest.fixture
def in_place(open_one: OneOpener) -> tuple[OneStage, Cluster]:
    stage = open_one("api", sections={"before_leaving": ECS})
    return stage, joined(stage, "api")


def test_in_one_group_nothing_is_cut_off_when_the_old_generation_goes_into_standby(
    in_place: tuple[OneStage, Cluster],
) -> None:
    stage, cluster = in_place

    stage.rotate()

    assert stage.rotation.outcome is Outcome.SUCCEEDED, stage.rotation.reason
    assert len(stage.members("Standby")) == 4
    assert sorted(at_work(stage, cluster).values()) == [("ACTIVE", 2)] * 4
    assert cluster.cut_off == 0
    assert any("drained: i-" in sentence and "tasks (ecs shop)" in sentence for sentence in stage.said)


def test_a_rollback_in_one_group_gives_the_old_instances_work_again_and_drains_the_new_ones(
    in_place: tuple[OneStage, Cluster],
) -> None:
    stage, cluster = in_place
    stage.rotate()
    stage.mark()

    stage.rollback()

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert sorted(at_work(stage, cluster).values()) == [("ACTIVE", 2)] * 4
    assert cluster.cut_off == 0
    calls = stage.writes()
    assert calls.index("ExitStandby") < calls.index("UpdateContainerInstancesState")


@pytest.mark.parametrize("strategy", [{"kind": "blue_green", "bake": "30s"}, ROLLING], ids=["blue_green", "rolling"])
def test_in_a_pair_nothing_is_cut_off_before_the_old_slot_shrinks(open_stage: Opener, strategy: dict[str, Any]) -> None:
    stage = open_stage(policy=a_policy(strategy=strategy, before_leaving=ECS, retain={"hot_for": "10m"}))
    cluster = joined(stage, "web-blue", "web-green")

    stage.rotate()
    stage.clock.advance(601)
    stage.tick_until(lambda _: stage.record.hot_until is None, every=30)
    stage.clock.advance(120)

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert stage.instances("blue") == []
    assert (sum(tasks for _, tasks in at_work(stage, cluster).values()), cluster.cut_off) == (8, 0)
