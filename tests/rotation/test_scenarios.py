"""Each of the sandbox's bad days, and how a rotation has to end on it: cause, quarantine, exit status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.model import Cause, Outcome
from phoenix.engine.report import NotStarted, Report
from phoenix.errors import Throttled
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, NEW_NAME, OLD_NAME, Stage, a_policy

ALARMS = {"kind": "alarm", "alarms": ["web-5xx", "web-p99"]}
CANARY = {"kind": "canary", "steps": [{"weight": 20, "bake": "3m"}], "bake": "30s"}


def rotated(open_stage: Opener, scenario: str, **sections: Any) -> tuple[Stage, Report]:
    policy = a_policy(**({"gates": [BRISK, ALARMS], "strategy": CANARY, "timeouts": {"launch": "5m"}} | sections))
    stage = open_stage(policy=policy, scenario=scenario)
    return stage, stage.rotate()


def assert_old_generation_is_back(stage: Stage, report: Report) -> None:
    """As before the start: traffic, numbers, and nothing of ours left."""
    stage.clock.advance(120)
    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert stage.share("blue") == (1.0, 1.0)
    assert stage.images("blue") == {OLD_NAME: 4}
    assert (stage.size("blue"), stage.size("green")) == ((2, 12, 4), (0, 0, 0))
    assert (stage.instances("green"), stage.suspended("blue")) == ([], set())
    assert not any("phoenix:capacity" in stage.tags(slot) for slot in ("blue", "green"))


def quarantined(stage: Stage) -> list[str]:
    return [each.image for each in stage.record.quarantine]


def test_a_good_day_ends_with_the_new_generation(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "healthy")

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("green") == {NEW_NAME: 4}
    assert {20, 100} <= set(stage.weights_written("green"))
    assert quarantined(stage) == []


@pytest.mark.parametrize("scenario", ["bad-image", "slow-boot", "flapping", "alarm"])
def test_an_image_that_does_not_work_is_rolled_back_and_quarantined(open_stage: Opener, scenario: str) -> None:
    stage, report = rotated(open_stage, scenario)

    assert_old_generation_is_back(stage, report)
    assert stage.rotation.cause is Cause.IMAGE
    assert quarantined(stage) == [stage.rotation.new.image]


def test_an_image_that_never_answers_gets_no_traffic_at_all(open_stage: Opener) -> None:
    stage, _ = rotated(open_stage, "bad-image")

    assert set(stage.weights_written("green")) == {0}
    assert "0 of 4 became healthy within 5m" in (stage.rotation.reason or "")


def test_an_image_that_is_slow_to_boot_is_left_to_boot_until_the_launch_times_out(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "slow-boot")

    assert "SetInstanceHealth" not in stage.writes()
    assert report.at - stage.rotation.started_at >= timedelta(minutes=5)
    assert "run and are not healthy" in (stage.rotation.reason or "")


def test_an_image_that_needs_twenty_minutes_succeeds_when_the_policy_gives_it_the_time(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "slow-boot", timeouts={"launch": "30m"})

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("green") == {NEW_NAME: 4}


def test_an_alarm_takes_the_first_step_back_before_the_second(open_stage: Opener) -> None:
    stage, _ = rotated(open_stage, "alarm")

    texts = [event.text for event in stage.rotation.events]
    assert "gates passed; 20 %" in texts
    assert "gates passed; 100 %" not in texts
    assert "web-5xx" in (stage.rotation.reason or "")


def test_missing_capacity_is_not_the_image_s_fault_and_is_tried_again_later(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "no-capacity")

    assert_old_generation_is_back(stage, report)
    assert stage.rotation.cause is Cause.ENVIRONMENT
    assert "m7i.large" in (stage.rotation.reason or "")
    assert quarantined(stage) == []
    assert stage.record.setback is not None
    assert stage.record.setback.not_before == report.at + timedelta(hours=1)


def test_a_tick_waits_out_the_setback_and_a_person_need_not(open_stage: Opener) -> None:
    stage, _ = rotated(open_stage, "no-capacity")
    stage.box.allow_launches()
    stage.clock.advance(600)
    stage.mark()

    waits = stage.tick()
    written = stage.writes()
    report = stage.rotate()

    assert (waits.outcome, waits.exit_status, written) == (Outcome.NONE, 0, [])
    assert report.outcome is Outcome.SUCCEEDED
    assert stage.record.setback is None


def test_an_image_that_ec2_does_not_know_everywhere_yet_is_launched_again_and_not_blamed(open_stage: Opener) -> None:
    stage = open_stage()
    stage.box.fail_launches("bad-image", count=2, auto_scaling_group="web-green")

    report = stage.rotate()

    assert (report.outcome, quarantined(stage)) == (Outcome.SUCCEEDED, [])
    assert any("does not exist" in said for said in stage.said)


def test_an_image_that_ec2_still_does_not_know_after_minutes_is_blamed_in_awss_words(open_stage: Opener) -> None:
    stage = open_stage()
    stage.box.fail_launches("bad-image", auto_scaling_group="web-green")

    report = stage.rotate()

    assert_old_generation_is_back(stage, report)
    assert stage.rotation.cause is Cause.IMAGE
    assert "does not exist" in (stage.rotation.reason or "")
    assert timedelta(minutes=5) <= report.at - stage.rotation.started_at < timedelta(minutes=15)


def test_a_quarantined_image_is_not_rotated_to_again(open_stage: Opener) -> None:
    stage, _ = rotated(open_stage, "bad-image")
    stage.mark()

    ticked = stage.tick()
    with pytest.raises(NotStarted, match="quarantine") as refused:
        stage.rotate()

    assert (stage.writes(), ticked.exit_status, refused.value.exit_status) == ([], 0, 5)


def test_a_newer_image_ends_what_a_quarantine_has_stopped(open_stage: Opener) -> None:
    stage, _ = rotated(open_stage, "bad-image")
    stage.box.bake_image("web-2026.11.19-77d0aa")

    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert stage.images("green") == {"web-2026.11.19-77d0aa": 4}


def test_a_rotation_succeeds_while_aws_refuses_one_call_in_five(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "throttled")

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert stage.images("green") == {NEW_NAME: 4}


def test_throttling_that_outlasts_the_driver_s_patience_changes_nothing(stage: Stage) -> None:
    stage.rotate(wait=False)
    stage.box.throttle(["Describe*"])
    stage.mark()

    with pytest.raises(Throttled):
        stage.rotate()

    assert stage.writes() == []
    assert stage.record.in_flight is not None


def test_throttling_right_after_the_start_is_waited_out(stage: Stage) -> None:
    stage.box.throttle(["CreateLaunchTemplateVersion"], count=7)

    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED
    assert len(stage.versions()) == 2


def test_an_alarm_that_rings_already_stands_in_the_way_of_a_start(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(gates=[ALARMS]))
    stage.box.set_alarm("web-5xx", "ALARM")
    stage.mark()

    with pytest.raises(NotStarted, match="nothing was changed"):
        stage.rotate()

    assert stage.writes() == []


OWN = {"kind": "alarm", "alarms": ["blue-own", "green-own"]}


def with_alarms_of_the_slots(open_stage: Opener, metric: str, missing: str) -> Stage:
    """One alarm for each slot, on its own target group; green's has never had data."""
    stage = open_stage(policy=a_policy(gates=[BRISK, OWN], strategy=CANARY))
    groups = {g["TargetGroupName"]: g for g in stage.client("elbv2").describe_target_groups()["TargetGroups"]}
    for slot in ("blue", "green"):
        target_group = groups[f"web-{slot}"]["TargetGroupArn"].rpartition(":")[2]
        stage.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{slot}-own", Namespace="AWS/ApplicationELB", MetricName=metric, Statistic="Sum", Threshold=25,
            Dimensions=[{"Name": "TargetGroup", "Value": target_group}], ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1, Period=60, TreatMissingData=missing,
        )  # fmt: skip
    stage.box.set_alarm("blue-own", "OK")
    return stage


@pytest.mark.parametrize(
    ("metric", "missing"),
    [
        ("TargetResponseTime", "missing"),
        ("TargetResponseTime", "ignore"),
        ("HTTPCode_Target_5XX_Count", "notBreaching"),
    ],
)
def test_an_alarm_of_the_idle_slot_does_not_keep_it_from_the_traffic_that_it_is_to_measure(
    open_stage: Opener, metric: str, missing: str
) -> None:
    stage = with_alarms_of_the_slots(open_stage, metric, missing)

    assert stage.rotate().outcome is Outcome.SUCCEEDED


def test_an_alarm_that_could_never_become_ok_stands_in_the_way_of_a_start(open_stage: Opener) -> None:
    stage = with_alarms_of_the_slots(open_stage, "HTTPCode_Target_5XX_Count", "missing")

    with pytest.raises(NotStarted) as refused:
        stage.rotate()

    assert [b.name for b in refused.value.plan.in_the_way] == ["alarm-never-ok"]


def test_the_cure_of_a_bad_live_image_passes_its_alarm_by_name(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(gates=[BRISK, ALARMS], strategy=CANARY))
    stage.box.set_alarm("web-5xx", "ALARM", "the live image is bad")

    def cured(report: Report) -> None:
        if report.record.rotation is not None and report.record.rotation.weight == 100:
            stage.box.set_alarm("web-5xx", "OK", "no more errors")

    report = stage.rotate(cured, ignore=frozenset({"alarm:web-5xx"}), reason="INC-7: the live image is bad")

    assert report.outcome is Outcome.SUCCEEDED
    assert stage.rotation.origin.ignored["alarm:web-5xx"].reason == "INC-7: the live image is bad"


def test_on_failure_pause_holds_and_keeps_the_candidate_for_a_person(open_stage: Opener) -> None:
    stage, report = rotated(open_stage, "bad-image", on_failure="pause")

    assert (report.outcome, report.exit_status) == (Outcome.HELD, 1)
    assert stage.share("blue") == (1.0, 1.0)
    assert stage.images("green") == {NEW_NAME: 4}
    assert "on_failure: pause" in report.sentence


@pytest.mark.parametrize(
    ("behaviour", "outcome", "cause"),
    [("healthy", Outcome.SUCCEEDED, None), ("abandoning", Outcome.ROLLED_BACK, Cause.IMAGE)],
)
def test_an_image_whose_start_up_abandons_the_owners_hook_is_to_blame_for_it(
    open_stage: Opener, behaviour: str, outcome: Outcome, cause: Cause | None
) -> None:
    stage = open_stage(policy=a_policy())
    the_owner_has_a_launch_hook(stage)
    stage.box.bake_image(f"{stage.name}-9", behaviour=behaviour, tags={"service": "web", "channel": "stable"})
    stage.clock.advance(60)

    report = stage.rotate()

    assert (report.outcome, stage.rotation.cause) == (outcome, cause)
    assert bool(quarantined(stage)) is (cause is Cause.IMAGE)


def test_a_hook_without_an_answer_does_not_quarantine_the_image(open_stage: Opener) -> None:
    stage = open_stage(policy=a_policy(timeouts={"launch": "10m"}), scenario="slow-boot")
    the_owner_has_a_launch_hook(stage)

    stage.rotate()

    assert stage.rotation.cause is Cause.ENVIRONMENT
    assert "Heartbeat Timeout" in str(stage.rotation.reason)
    assert quarantined(stage) == []


def the_owner_has_a_launch_hook(stage: Stage) -> None:
    """On both halves, as for a start-up script that reports for duty."""
    for slot in ("blue", "green"):
        stage.client("autoscaling").put_lifecycle_hook(
            AutoScalingGroupName=f"{stage.name}-{slot}",
            LifecycleHookName="started-up",
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
            HeartbeatTimeout=120,
            DefaultResult="ABANDON",
        )
