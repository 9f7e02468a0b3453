"""A pair behind a Network Load Balancer, from one end to the other: weights of listeners, and zones by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from phoenix.core import tags
from phoenix.core.model import Outcome
from phoenix.engine.plan import make_plan
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 10, "bake": "1m"}], "bake": "30s"}
WATCHED = (BRISK, {"kind": "alarm", "alarms": ["edge-resets"]})
ZONES = frozenset({"eu-west-1a", "eu-west-1b", "eu-west-1c"})


def opened(
    open_stage: Opener,
    *,
    named: str = "both",
    strategy: dict[str, Any] = CANARY,
    gates: Sequence[dict[str, Any]] = (BRISK,),
    stickiness: str = "refuse",
    **options: Any,
) -> Stage:
    """The edge tier at rest; `named` blue: its listeners name blue only, as phoenix leaves them."""
    sections: dict[str, Any] = {"strategy": strategy, "gates": list(gates), "retain": {"hot_for": "10m"}}
    traffic = {"kind": "nlb", "propagation": "90s", "stickiness": stickiness}
    stage = open_stage("edge", policy=a_policy("edge", traffic=traffic, **sections), **options)
    if named == "blue":
        with stage.unnoticed():
            arn = stage.client("elbv2").describe_target_groups(Names=["edge-blue"])["TargetGroups"][0]["TargetGroupArn"]
            for rule in stage.rules():
                stage.rewrite(rule, [{"Type": "forward", "TargetGroupArn": arn}])
    return stage


def watched(stage: Stage) -> list[frozenset[str]]:
    """Zones that the load balancer's own name lost; looked for before and after every call."""
    lost: list[frozenset[str]] = []

    def look(_call: object, _when: str) -> None:
        there = stage.box.dns_zones()["edge"]
        if there != ZONES:
            lost.append(ZONES - there)

    stage.box.intercept(look)
    return lost


def rest(stage: Stage) -> None:
    """Let the retained generation go cold, as cron does."""
    stage.clock.advance(3600)
    for _ in range(12):
        stage.tick()
        stage.clock.advance(30)


def named_slots(stage: Stage) -> list[int]:
    """The number of target groups that each listener names."""
    return [len(rule["Actions"][0]["ForwardConfig"]["TargetGroups"]) for rule in stage.rules()]


def test_a_canary_moves_weights_on_every_listener_and_writes_no_rule(open_stage: Opener) -> None:
    stage = opened(open_stage)

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert {0, 10, 100} >= set(stage.weights_written("green"))
    assert not {"ModifyRule", "DescribeRules"} & {*stage.writes(), *stage.reads()}
    stage.clock.advance(80)
    assert (stage.share("green"), stage.share("blue")) == ((1.0, 1.0), (0.0, 0.0))


def test_a_canary_has_an_instance_in_every_zone_before_it_gets_a_tenth(open_stage: Opener) -> None:
    small = {"kind": "canary", "steps": [{"weight": 10, "capacity": 10, "bake": "1m"}], "bake": "30s"}
    stage = opened(open_stage, strategy=small)

    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)

    assert {each["AvailabilityZone"] for each in stage.instances("green")} == ZONES
    assert stage.staying("green") == 3


def test_a_rollback_moves_traffic_with_its_first_write(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    stage.mark()

    report = stage.rollback()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert stage.writes()[0] == "ModifyListener"
    stage.clock.advance(80)
    assert stage.share("blue") == (1.0, 1.0)


def test_the_old_generation_stays_until_new_connections_follow_everywhere(open_stage: Opener) -> None:
    stage = opened(open_stage, physics=None)
    truth: list[tuple[float, int]] = []

    def look(_: Report) -> None:
        now = stage.box.serving()["edge-blue"]
        truth.append((now.highest_share, now.healthy))

    stage.rotate(watch=look)

    assert min(healthy for share, healthy in truth if share > 0) == 4


@pytest.mark.parametrize("scenario", ["healthy", "bad-image", "slow-boot"])
def test_no_rotation_takes_a_zone_out_of_the_load_balancers_name(open_stage: Opener, scenario: str) -> None:
    stage = opened(open_stage, named="blue", scenario=scenario)
    lost = watched(stage)

    stage.rotate()
    rest(stage)

    assert lost == []
    assert not any(tags.FAILOVER in stage.tags(slot) for slot in ("blue", "green"))


def test_a_slot_that_went_cold_leaves_the_listeners_and_joins_them_for_the_next_rotation(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    rest(stage)
    assert named_slots(stage) == [1, 1]

    report = stage.rotate(force=True)

    assert report.outcome is Outcome.SUCCEEDED
    assert named_slots(stage) == [2, 2]


def test_it_is_brought_back_by_its_tags_alone(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    (stage.folder / "edge.yaml").unlink()
    group = stage.wiring(store=f"sqlite:///{stage.folder}/other.db").group_for_rollback("edge")

    report = rollback(group, RollbackRequest(reason="it burns"))

    assert report.exit_status == 0
    stage.clock.advance(80)
    assert stage.share("green")[1] == 0.0


def test_it_is_brought_back_by_its_record_when_the_pinned_policy_cannot_be_read(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    (stage.folder / "edge.yaml").write_text("group: [edge\n", encoding="utf-8")
    stage.mark()

    report = rollback(stage.wiring().group_for_rollback("edge"), RollbackRequest(reason="it burns"))

    assert (report.exit_status, stage.writes()[0]) == (0, "ModifyListener")


def test_a_listener_that_was_moved_by_hand_holds_the_rotation(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    stage.shift_by_hand("green", 60)

    report = stage.tick_until(lambda report: report.outcome is Outcome.HELD)

    assert ":443" in report.sentence


def test_an_alarm_on_the_network_load_balancer_brings_it_back(open_stage: Opener) -> None:
    long = {"kind": "canary", "steps": [{"weight": 10, "bake": "10m"}], "bake": "5m"}
    stage = opened(open_stage, strategy=long, gates=WATCHED, scenario="alarm")

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert "edge-resets" in str(stage.rotation.back)


def test_an_alarm_on_the_network_load_balancer_is_not_about_another_one(open_stage: Opener) -> None:
    stage = opened(open_stage, gates=WATCHED)

    plan = make_plan(stage.group, RotateRequest())

    assert [blocker.name for blocker in plan.blockers] == ["bake-too-short"]


def test_stickiness_of_a_listener_is_off_while_weights_move_and_on_again_afterwards(open_stage: Opener) -> None:
    stage = opened(open_stage, stickiness="suspend")
    for rule in stage.rules():
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        sticky = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": True}}
        stage.rewrite(rule, [{"Type": "forward", "ForwardConfig": sticky}])
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    during = stickiness(stage)

    stage.rotate()

    assert during == [{"Enabled": False}] * 2
    assert stickiness(stage) == [{"Enabled": True}] * 2


def stickiness(stage: Stage) -> list[Any]:
    """That of each listener, as AWS has it."""
    return [rule["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] for rule in stage.rules()]
