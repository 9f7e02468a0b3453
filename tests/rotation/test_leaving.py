"""Whole rotations of groups whose instances run an orchestrator's work: it has left before they do."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.control import resume
from phoenix.engine.plan import make_plan
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.request import RotateRequest
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


def test_a_person_has_drained_instances_that_serve_at_rest_given_work_again(open_one: OneOpener) -> None:
    stage = open_one("api", sections={"before_leaving": ECS, "rotate_when": {"new_image": False}})
    cluster = joined(stage, "api")
    stage.tick()
    drained = min(cluster.containers.values(), key=lambda each: each.instance_id)
    with stage.unnoticed():
        arn = f"arn:aws:ecs:eu-west-1:123456789012:container-instance/shop/{drained.id}"
        stage.client("ecs").update_container_instances_state(
            cluster="shop", containerInstances=[arn], status="DRAINING"
        )
    stage.clock.advance(60)

    stage.tick()
    assert drained.status == "DRAINING"
    found = find_repairs(stage.group, weights=True)
    assert found.texts == (f"{drained.instance_id} serves and takes no work: ecs shop; it is told to take work again",)
    repair(stage.group, found, reason="drained by hand")

    assert {status for status, _ in at_work(stage, cluster).values()} == {"ACTIVE"}
    assert find_repairs(stage.group, weights=True).texts == ()


# --- another station --------------------------------------------------------------------------------------------------

SSM = {"kind": "ssm", "document": "phoenix-logs", "undo": "phoenix-undo"}


def commands(stage: Stage) -> list[tuple[str, str]]:
    """Document and status of everything that was run."""
    return [(each.document, each.status) for each in stage.box.world.commands.invocations]


def test_a_document_is_run_once_on_each_instance_after_its_tasks_have_left(open_one: OneOpener) -> None:
    stage = open_one("api", sections={"before_leaving": [*ECS, SSM]})
    stage.box.world.commands.documents.update({"phoenix-logs", "phoenix-undo"})
    joined(stage, "api")

    stage.rotate()

    assert commands(stage) == [("phoenix-logs", "Success")] * 4
    calls = stage.writes()
    assert calls.index("UpdateContainerInstancesState") < calls.index("SendCommand") < calls.index("EnterStandby")


def test_what_a_document_has_done_is_undone_where_the_instances_come_back(open_one: OneOpener) -> None:
    stage = open_one("api", sections={"before_leaving": [SSM]})
    stage.box.world.commands.documents.update({"phoenix-logs", "phoenix-undo"})
    stage.rotate()

    stage.rollback()

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert (
        commands(stage)
        == [("phoenix-logs", "Success")] * 4 + [("phoenix-undo", "Success")] * 4 + [("phoenix-logs", "Success")] * 4
    )


# --- time -------------------------------------------------------------------------------------------------------------


def a_stuck_stage(open_one: OneOpener, **keys: Any) -> tuple[OneStage, Cluster]:
    """One task of the old generation belongs to no service, and does not end."""
    stage = open_one("api", sections={"before_leaving": [ECS[0] | {"timeout": "5m"} | keys]})
    cluster = joined(stage, "api")
    next(iter(cluster.containers.values())).lone = 1
    return stage, cluster


def test_a_task_that_does_not_end_holds_the_rotation_and_is_not_cut_off(open_one: OneOpener) -> None:
    stage, cluster = a_stuck_stage(open_one)

    report = stage.rotate()

    assert report.outcome is Outcome.HELD
    assert "3 of 4 drained: i-" in report.sentence
    assert "has 1 task (ecs shop): ecs shop had 5 minutes" in report.sentence
    assert (cluster.cut_off, len(stage.members("Standby"))) == (0, 0)


def test_an_abort_of_a_held_rotation_gives_the_instances_their_work_back(open_one: OneOpener) -> None:
    stage, cluster = a_stuck_stage(open_one)
    stage.rotate()

    stage.rollback(reason="not today")

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert {status for status, _ in at_work(stage, cluster).values()} == {"ACTIVE"}
    assert cluster.cut_off == 0


def test_a_held_rotation_that_is_resumed_has_the_whole_time_again(open_one: OneOpener) -> None:
    stage, cluster = a_stuck_stage(open_one)
    stage.rotate()
    stage.clock.advance(3600)
    next(each for each in cluster.containers.values() if each.lone).lone = 0

    resume(stage.group)
    stage.tick_until(lambda report: report.outcome is not Outcome.IN_PROGRESS)

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert cluster.cut_off == 0


def test_with_go_on_an_instance_leaves_with_what_is_left_on_it(open_one: OneOpener) -> None:
    stage, _ = a_stuck_stage(open_one, on_timeout="go_on")

    stage.rotate()

    assert stage.rotation.outcome is Outcome.SUCCEEDED
    assert len(stage.members("Standby")) == 4


def test_an_orchestrator_that_does_not_answer_keeps_no_traffic_from_going_back(open_one: OneOpener) -> None:
    stage = open_one("api", sections={"before_leaving": ECS})
    cluster = joined(stage, "api")
    stage.rotate()
    stage.box.fail_calls(("ListContainerInstances",), count=120)

    stage.rollback()

    assert stage.rotation.outcome is Outcome.ROLLED_BACK
    assert sorted(at_work(stage, cluster).values()) == [("ACTIVE", 2)] * 4
    assert cluster.cut_off == 0


def test_a_plan_moves_no_work_and_says_what_instances_pass(in_place: tuple[OneStage, Cluster]) -> None:
    stage, cluster = in_place
    before = at_work(stage, cluster)
    stage.mark()

    plan = make_plan(stage.group, RotateRequest())

    assert stage.writes() == []
    assert (plan.in_the_way, [station.name for station in plan.before_leaving]) == ((), ["ecs shop"])
    assert plan.writes is not None
    assert at_work(stage, cluster) == before
