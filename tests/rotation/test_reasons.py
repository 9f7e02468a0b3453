"""AWS's reason for poor health: on every driver's screen, and as the cause of an early end."""

from __future__ import annotations

from datetime import timedelta

from phoenix.core.model import Cause, Outcome
from phoenix.engine.look import look
from phoenix.views import instances
from tests.rotation.conftest import OneOpener, Opener

MISMATCH = "4x Target.ResponseCodeMismatch, 503 on /healthz:8080"


def test_an_image_whose_instances_all_answer_503_is_turned_back_long_before_the_launch_s_time_out(
    open_stage: Opener,
) -> None:
    stage = open_stage(scenario="bad-image")

    report = stage.rotate()

    assert (report.outcome, stage.rotation.cause) == (Outcome.ROLLED_BACK, Cause.IMAGE)
    assert stage.rotation.reason == f"0 of 4 became healthy: {MISMATCH}, the same at every look for 5m"
    assert stage.rotation.ended_at is not None
    assert stage.rotation.ended_at - stage.rotation.started_at < timedelta(minutes=10)


def test_another_driver_s_look_names_the_checked_path_and_the_age_of_each_instance(open_stage: Opener) -> None:
    stage = open_stage(scenario="bad-image")
    stage.tick_until(lambda report: MISMATCH.split(",", maxsplit=1)[0] in report.sentence)

    told = instances.table(look(stage.driver("there/2")))

    assert told[0] == f"    2  {MISMATCH}"
    assert len(told) == 5
    assert not any(" - " in line for line in told)


def test_so_does_one_in_a_group_in_place(open_one: OneOpener) -> None:
    stage = open_one(scenario="bad-image")
    stage.tick_until(lambda report: "Target.ResponseCodeMismatch" in report.sentence)

    assert any(MISMATCH in line for line in instances.table(look(stage.driver("there/2"))))
