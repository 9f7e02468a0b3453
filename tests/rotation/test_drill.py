"""Drills on the sandbox: deaths around each call, and plain groups; never more than agreed, never below the floor.

The recorder of the stage holds every call against the rights of the rotate role, but those of a crash.
"""

from __future__ import annotations

import pytest

from phoenix.core.drill import Drill, Ending
from phoenix.engine.drill import DrillRequest, NotDrilled, run_drill
from phoenix.sandbox import Call
from phoenix.sandbox.desk import Stage as When
from tests.rotation.conftest import OneOpener, Opener
from tests.rotation.stage import Stage, UnhurriedAws, a_policy
from tests.rotation.test_killed import Killed, kill_at, without_last_words

TWO = {"most": 2, "floor": "50%"}
ONE = {"most": 1, "floor": "50%"}
A_LEASE = 70
"""Seconds until the next driver may take over."""


def watch_the_floor(stage: Stage, group: str) -> list[int]:
    """How many instances serve at each call to AWS."""
    served: list[int] = []

    def count(_: Call, moment: When) -> None:
        members = stage.box.world.scaling.groups[group].members
        served.append(sum(m.lifecycle == "InService" for m in members))

    stage.box.intercept(count)
    return served


def terminated(stage: Stage) -> set[str]:
    return {
        str(call.params["InstanceId"])
        for call in stage.calls()
        if call.operation == "TerminateInstanceInAutoScalingGroup"
    }


def last(stage: Stage) -> Drill:
    return stage.record.drills[-1]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
def test_death_around_a_call_ends_no_other_instance_and_keeps_the_floor(
    open_stage: Opener, number: int, when: When
) -> None:
    stage = open_stage(policy=a_policy(drill=TWO, rotate_when={"new_image": False}))
    served = watch_the_floor(stage, "web-blue")
    doomed = without_last_words(stage.driver("here/1", aws=UnhurriedAws(session=stage.box.session, threads=1)))
    kill_at(stage, number, when, writes_only=True)
    with pytest.raises(Killed):
        run_drill(doomed, DrillRequest())
    stage.box.stop_intercepting()
    chosen = set(last(stage).victims)
    stage.clock.advance(A_LEASE)
    served += watch_the_floor(stage, "web-blue")

    stage.tick_until(lambda _: not last(stage).in_flight)

    assert last(stage).ending is Ending.WHOLE
    assert terminated(stage) <= chosen
    assert len(chosen) == 2
    assert min(served) >= 2
    assert stage.staying("blue") == 4


@pytest.mark.parametrize("group", ["api", "batch"])
def test_a_plain_group_is_drilled_with_and_without_a_load_balancer(open_one: OneOpener, group: str) -> None:
    stage = open_one(group, sections={"drill": ONE, "rotate_when": {"new_image": False}})

    drilled = run_drill(stage.group, DrillRequest()).drill

    assert drilled.ending is Ending.WHOLE
    assert terminated(stage) == set(drilled.victims)
    assert len(drilled.victims) == 1


@pytest.mark.parametrize("name", ["HealthCheck", "ReplaceUnhealthy", "Terminate"])
def test_no_machine_is_crashed_that_its_group_would_never_replace(open_stage: Opener, name: str) -> None:
    stage = open_stage(policy=a_policy(drill=ONE, rotate_when={"new_image": False}))
    with stage.unnoticed():
        stage.client("autoscaling").suspend_processes(AutoScalingGroupName="web-blue", ScalingProcesses=[name])

    with pytest.raises(NotDrilled, match="suspended"):
        run_drill(stage.group, DrillRequest(hard=True))


def test_one_look_while_it_is_measured_costs_a_handful_of_reads_and_no_write(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(drill=ONE, rotate_when={"new_image": False}))
    run_drill(stage.group, DrillRequest(wait=False))
    stage.clock.advance(5)
    stage.mark()

    stage.tick()

    assert stage.writes() == []
    assert len(stage.reads()) <= 5
