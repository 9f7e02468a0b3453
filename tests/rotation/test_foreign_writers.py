"""Another writer changes the same groups: put back a few times, then held with what to type; never fought over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from phoenix.core.model import Outcome, Phase
from phoenix.engine.control import resume
from phoenix.engine.repair import find_repairs, repair
from phoenix.engine.report import Report, Watch
from tests.builders import why_held
from tests.rotation.conftest import Opener
from tests.rotation.stage import Stage, a_policy

LONG_BAKE = a_policy(strategy={"kind": "blue_green", "bake": "20m"})
STICKY = {"Enabled": True, "DurationSeconds": 3600}


def while_baking(stage: Stage, meddle: Callable[[], Any], times: int) -> Watch:
    """Another writer does that so often while a step rests, two minutes apart."""
    done: list[Any] = []

    def watch(report: Report) -> None:
        rotation = report.record.in_flight
        if rotation is None or rotation.phase is not Phase.BAKING or len(done) == times:
            return
        if not done or (report.at - done[-1]).total_seconds() >= 120:
            done.append(report.at)
            meddle()

    return watch


def healed(stage: Stage) -> list[str]:
    return [event.text for event in stage.rotation.events if event.name == "healed"]


@pytest.fixture
def patient(open_stage: Opener) -> Stage:
    """The web tier, whose last bake takes twenty minutes."""
    return open_stage(policy=LONG_BAKE)


def test_capacity_that_a_pipeline_sets_back_twice_is_healed_and_the_rotation_goes_on(patient: Stage) -> None:
    report = patient.rotate(while_baking(patient, lambda: patient.resize(MinSize=1, MaxSize=9), 2))

    assert report.outcome is Outcome.SUCCEEDED
    assert healed(patient) == ["web-blue has min 1 max 9, not min 4 max 12; put back"] * 2
    assert patient.size("green") == (2, 12, 4)


def test_capacity_that_a_pipeline_sets_back_every_time_is_held_until_a_person_has_talked_to_it(patient: Stage) -> None:
    report = patient.rotate(while_baking(patient, lambda: patient.resize(MinSize=1, MaxSize=9), 99))

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert why_held(patient.rotation).endswith("phoenix resume --group web")
    assert (patient.staying("blue"), patient.staying("green")) == (4, 4)
    resume(patient.group)
    assert patient.rotate().outcome is Outcome.SUCCEEDED


def at_every_look(stage: Stage, meddle: Callable[[], Any], times: int = 999) -> Watch:
    """Another writer undoes it after every tick, while a step rests or a way back is under way."""
    done: list[datetime] = []

    def watch(report: Report) -> None:
        rotation = report.record.in_flight
        moves = rotation is not None and rotation.phase in (Phase.BAKING, Phase.ROLLING_BACK)
        if rotation is not None and moves and rotation.held is None and len(done) < times:
            done.append(report.at)
            meddle()

    return watch


FIRST = {"LaunchTemplateName": "web", "Version": "1"}
UNDONE: dict[str, Callable[[Stage], Any]] = {
    "web-blue has min 1 max 12, not min 4 max 12": lambda stage: stage.resize("blue", MinSize=1),
    "web-blue has min 4 max 5, not min 4 max 12": lambda stage: stage.resize("blue", MaxSize=5),
    "web-blue has min 0 max 12, not min 4 max 12": lambda s: s.resize("blue", MinSize=0, DesiredCapacity=3),
    "web-green has min 1 max 12, not min 4 max 12": lambda stage: stage.resize("green", MinSize=1),
    "web-green launches template version 1, not 2": lambda stage: stage.resize("green", LaunchTemplate=FIRST),
    "web-green: scheduled actions are running, not suspended": lambda stage: run_schedules(stage, "green"),
}


def run_schedules(stage: Stage, slot: str) -> None:
    with stage.unnoticed():
        name = f"web-{slot}"
        stage.client("autoscaling").resume_processes(AutoScalingGroupName=name, ScalingProcesses=["ScheduledActions"])


@pytest.mark.parametrize("told", UNDONE)
def test_a_change_undone_after_every_tick_is_held_with_what_was_changed_and_what_to_type(
    patient: Stage, told: str
) -> None:
    report = patient.rotate(at_every_look(patient, lambda: UNDONE[told](patient)))

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert len(healed(patient)) == 2
    held = why_held(patient.rotation)
    assert held.startswith(told)
    assert "has put it back" in held
    assert (
        f"aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue={told[:8]}" in held
    )
    assert held.endswith("phoenix resume --group web")
    assert (report.at - patient.rotation.started_at).total_seconds() < 600
    resume(patient.group)
    assert patient.rotate().outcome is Outcome.SUCCEEDED


def test_a_rollback_puts_capacity_back_as_often_as_it_takes(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(strategy={"kind": "rolling", "batch": "50%", "bake": "10m"}))
    stage.rotate(wait=False)
    stage.tick_until(lambda _: stage.rotation.phase is Phase.BAKING, every=5)

    report = stage.rollback(at_every_look(stage, lambda: stage.resize("blue", MinSize=0), times=30))

    assert report.outcome is Outcome.ROLLED_BACK
    assert not [event for event in stage.rotation.events if event.name == "held"]


@pytest.mark.edge(44)
def test_tags_that_another_writer_removes_in_the_middle_are_written_again(patient: Stage) -> None:
    def untag() -> None:
        with patient.unnoticed():
            keys = [{"ResourceId": "web-blue", "ResourceType": "auto-scaling-group", "Key": k} for k in before]
            patient.client("autoscaling").delete_tags(Tags=keys)

    before = ("phoenix:capacity", "phoenix:rotation", "phoenix:store")
    report = patient.rotate(while_baking(patient, untag, 1))

    assert report.outcome is Outcome.SUCCEEDED
    assert healed(patient) == [f"web-blue has lost the tags {', '.join(sorted(before, reverse=True))}; put back"]
    assert set(before) <= set(patient.tags("blue"))


@pytest.mark.edge(6)
def test_what_the_owner_had_suspended_stays_suspended_for_the_live_slot(stage: Stage) -> None:
    suspend(stage, "blue", "ScheduledActions", "AlarmNotification")

    assert stage.rotate().outcome is Outcome.SUCCEEDED
    assert "ScheduledActions" in stage.suspended("green")
    assert stage.rollback().outcome is Outcome.ROLLED_BACK
    assert stage.suspended("blue") == {"ScheduledActions", "AlarmNotification"}


def suspend(stage: Stage, slot: str, *processes: str) -> None:
    with stage.unnoticed():
        name = f"web-{slot}"
        stage.client("autoscaling").suspend_processes(AutoScalingGroupName=name, ScalingProcesses=list(processes))


def test_a_rule_that_never_named_the_new_slot_does_not_name_it_after_a_rollback(open_stage: Opener) -> None:
    stage = open_stage(scenario="bad-image")
    only_blue(stage)
    before = forwards(stage)

    assert stage.rotate().outcome is Outcome.ROLLED_BACK

    assert forwards(stage) == before
    assert "phoenix:ledger" not in stage.tags("green")


def only_blue(stage: Stage) -> None:
    """As an owner writes it who knows of one target group."""
    elbv2 = stage.client("elbv2")
    with stage.unnoticed():
        blue = elbv2.describe_target_groups(Names=["web-blue"])["TargetGroups"][0]["TargetGroupArn"]
    for rule in stage.rules():
        if "web-green" in str(rule["Actions"]):
            stage.rewrite(rule, [{"Type": "forward", "TargetGroupArn": blue}])


def forwards(stage: Stage) -> list[list[str]]:
    """The target groups that each rule forwards to."""
    groups = [r["Actions"][-1].get("ForwardConfig", {}).get("TargetGroups", []) for r in stage.rules()]
    return [[each["TargetGroupArn"].split("/")[1] for each in of_rule] for of_rule in groups]


def test_weights_moved_by_hand_at_rest_are_told_by_every_pass_and_put_back_by_a_person_only(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(retain={"hot_for": "2h"}))
    stage.rotate()
    stage.shift_by_hand("blue", 30)

    told = stage.tick().sentence

    assert "generation 2 is live and has :443 70 %" in told
    assert told.endswith("phoenix repair --group web")
    assert stage.look().record.rotation is not None
    assert find_repairs(stage.group).texts == ()
    report = repair(stage.group, find_repairs(stage.group, weights=True))
    assert report.exit_status == 0
    stage.clock.advance(60)
    assert stage.share("green") == (1.0, 1.0)
    assert find_repairs(stage.group, weights=True).texts == ()
