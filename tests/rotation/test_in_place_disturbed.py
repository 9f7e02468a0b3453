"""Accidents and other writers while one plain Auto Scaling group is rotated, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.core.model import Cause, Outcome, Phase
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest
from phoenix.engine.rollback import rollback
from phoenix.errors import PhoenixError
from tests.rotation.conftest import OneOpener as Open
from tests.rotation.one_stage import (
    PHASES,
    STRATEGIES,
    assert_new_generation_lives,
    assert_old_generation_is_back,
    during,
    healed,
)

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


# --- accidents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "count"), [("kill_instance", 1), ("kill_instance", 4), ("impair_instance", 1)])
def test_a_reserve_that_has_died_is_launched_anew_and_does_not_stay_in_standby(
    open_one: Open, how: str, count: int
) -> None:
    stage = open_one()
    stage.rotate()
    stage.clock.advance(60)
    for instance in stage.members("Standby")[:count]:
        getattr(stage.box, how)(instance)
    stage.clock.advance(30)

    stage.rollback()

    assert_old_generation_is_back(stage)


@pytest.mark.parametrize("phase", PHASES[1:-1])
def test_an_instance_that_dies_beside_the_other_generation_does_not_make_the_group_larger(
    open_one: Open, phase: Phase
) -> None:
    stage = open_one()

    stage.rotate(during(phase, lambda: stage.box.kill_instance(sorted(stage.members())[0])))

    assert_new_generation_lives(stage, 4, 3 if phase is Phase.PROVING else 4)
    assert healed(stage) == []


def test_a_lost_answer_to_enter_standby_takes_nothing_out_twice(open_one: Open) -> None:
    stage = open_one()
    stage.box.lose_responses(("EnterStandby",), count=1)

    stage.rotate()

    assert_new_generation_lives(stage)


@pytest.mark.parametrize("count", [1, 3])
def test_contention_is_waited_for(open_one: Open, count: int) -> None:
    stage = open_one()
    stage.box.contend(("EnterStandby", "ExitStandby", "TerminateInstanceInAutoScalingGroup"), count=count)

    stage.rotate()
    stage.rollback()

    assert_old_generation_is_back(stage)


# --- other writers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("end", ["cold", "back"])
def test_the_owner_s_processes_run_again_only_where_they_ran(open_one: Open, running: bool, end: str) -> None:
    stage = open_one()
    found = set() if running else {"AZRebalance", "ScheduledActions"}
    if found:
        stage.change("suspend_processes", ScalingProcesses=sorted(found))
    stage.rotate()
    if end == "back":
        stage.rollback()
    else:
        stage.clock.advance(3700)
        stage.tick_until(lambda report: report.record.hot_until is None)

    assert (stage.halted, stage.temporary_tags) == (found, set())


def test_a_min_size_that_another_writer_lowers_is_put_back_and_makes_nothing_grow(open_one: Open) -> None:
    stage = open_one()

    stage.rotate(during(Phase.BAKING, lambda: stage.resize(MinSize=1)))

    assert_new_generation_lives(stage)
    assert healed(stage) == ["api has min 1 max 12, not min 4 max 12; put back"]


@pytest.mark.parametrize("phase", [Phase.GROWING, Phase.BAKING])
def test_another_version_is_put_back_and_the_sentence_names_it(open_one: Open, phase: Phase) -> None:
    stage = open_one()
    earlier = {"LaunchTemplateName": "api", "Version": "1"}

    def revert() -> None:
        stage.clock.advance(31)
        stage.resize(LaunchTemplate=earlier)

    stage.rotate(during(phase, revert))

    assert_new_generation_lives(stage)
    assert healed(stage) in ([], ["api launches template version 1, not 2; put back"])


@pytest.mark.parametrize("what", [{"MinSize": 1}, {"MaxSize": 12}, {"LaunchTemplate": {"Version": "1"}}], ids=str)
def test_what_is_changed_again_and_again_is_held(open_one: Open, what: dict[str, Any]) -> None:
    stage = open_one(sections={"strategy": {"kind": "blue_green", "bake": "30m"}})
    if "LaunchTemplate" in what:
        what["LaunchTemplate"]["LaunchTemplateName"] = "api"

    def insist(report: Report) -> None:
        rotation = report.record.in_flight
        if rotation is not None and rotation.phase is Phase.BAKING:
            stage.clock.advance(40)
            stage.resize(**what)

    report = stage.rotate(insist)

    assert report.outcome is Outcome.HELD
    assert "another writer keeps changing it" in (stage.rotation.held.why if stage.rotation.held else "")


def test_a_version_that_the_owner_sets_at_rest_does_not_make_the_reserve_live(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.resize(LaunchTemplate={"LaunchTemplateName": "api", "Version": "1"})
    stage.clock.advance(60)
    stage.mark()

    stage.tick()
    written = stage.writes()
    stage.rollback()

    assert written == []
    assert_old_generation_is_back(stage)


def test_a_max_size_that_the_owner_lowers_while_hot_is_the_owner_s(open_one: Open) -> None:
    stage = open_one()
    stage.rotate()
    stage.resize(MaxSize=4)
    stage.clock.advance(60)

    stage.rollback()

    stage.clock.advance(120)
    assert (stage.numbers, stage.version, stage.members("Standby")) == ((2, 4, 4), "1", [])


def test_an_instance_that_a_person_takes_out_in_flight_is_replaced_and_nothing_grows(open_one: Open) -> None:
    stage = open_one()

    def take_out() -> None:
        stage.change("enter_standby", InstanceIds=stage.members()[:1], ShouldDecrementDesiredCapacity=False)

    stage.rotate(during(Phase.GROWING, take_out))

    assert_new_generation_lives(stage)
    assert healed(stage) == []


def test_an_instance_that_a_person_took_out_before_the_shift_stays_there_after_a_rollback(open_one: Open) -> None:
    stage = open_one()

    def take_out_and_turn() -> None:
        stage.change("enter_standby", InstanceIds=stage.members()[:1], ShouldDecrementDesiredCapacity=False)
        rollback(stage.driver("there/9", "bob"), RollbackRequest())

    stage.rotate(during(Phase.GROWING, take_out_and_turn))

    stage.clock.advance(120)
    assert (stage.numbers, stage.version) == ((2, 12, 4), "1")
    assert len(stage.members("Standby")) == 1


def test_an_instance_that_protects_itself_in_flight_is_waited_for(open_one: Open) -> None:
    stage = open_one()
    looks: list[Report] = []
    protect = during(
        Phase.GROWING,
        lambda: stage.change("set_instance_protection", InstanceIds=stage.members()[:1], ProtectedFromScaleIn=True),
    )

    def watch(report: Report) -> None:
        protect(report)
        looks.append(report)

    with pytest.raises(PhoenixError, match="protect themselves"):
        stage.rotate(watch)
    left = stage.running()
    stage.change("set_instance_protection", InstanceIds=stage.members(), ProtectedFromScaleIn=False)
    stage.rotate()

    assert left == {"api-2026.11.11-41aa07": 1, "api-2026.11.18-9f2c1e": 4}
    assert_new_generation_lives(stage)
    assert healed(stage) == []


def test_an_image_that_kills_its_instances_is_to_blame_for_it(open_one: Open) -> None:
    stage = open_one("tcp", scenario="bad-image")

    stage.rotate()

    assert stage.rotation.cause is Cause.IMAGE
