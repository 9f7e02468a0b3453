"""A pair with a load balancer for each slot, from one end to the other: weights of records in Route 53."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.core.model import Outcome
from phoenix.engine.plan import make_plan
from phoenix.engine.report import Report
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.sandbox import Call
from phoenix.sandbox.seeding_records import ZONE
from tests.rotation.conftest import Opener
from tests.rotation.stage import BRISK, Stage, a_policy

NAME = "www.example.com"
CANARY = {"kind": "canary", "steps": [{"weight": 10, "bake": "3m"}], "bake": "3m"}
SHIFT = "ChangeResourceRecordSets"


def opened(
    open_stage: Opener, *, strategy: dict[str, Any] = CANARY, gates: Sequence[dict[str, Any]] = (BRISK,), **options: Any
) -> Stage:
    """The shop at rest: blue answers for both types of record."""
    traffic = {"kind": "route53", "zone": ZONE, "name": NAME, "propagation": "90s"}
    sections: dict[str, Any] = {"strategy": strategy, "gates": list(gates), "retain": {"hot_for": "10m"}}
    return open_stage("shop", policy=a_policy("shop", traffic=traffic, **sections), **options)


def records(stage: Stage) -> dict[tuple[str, str], int]:
    """The weight of each record, by type and SetIdentifier."""
    with stage.unnoticed():
        found = stage.client("route53").list_resource_record_sets(HostedZoneId=ZONE, StartRecordName=NAME)
    return {(r["Type"], r["SetIdentifier"]): r["Weight"] for r in found["ResourceRecordSets"] if "Weight" in r}


def weigh(stage: Stage, **weights: int) -> None:
    """As a person at the console does it, on records of both types."""
    route53 = stage.client("route53")
    with stage.unnoticed():
        found = route53.list_resource_record_sets(HostedZoneId=ZONE, StartRecordName=NAME)["ResourceRecordSets"]
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": {**record, "Weight": weights[record["SetIdentifier"]]}}
            for record in found
            if record.get("SetIdentifier") in weights
        ]
        route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch={"Changes": changes})


def percents_written(stage: Stage) -> list[set[int]]:
    """The weights that each change gave green's records."""
    batches = [call.params["ChangeBatch"]["Changes"] for call in stage.calls() if call.operation == SHIFT]
    sets = [[change["ResourceRecordSet"] for change in batch] for batch in batches]
    return [{int(record["Weight"]) for record in each if record["SetIdentifier"] == "green"} for each in sets]


def test_a_canary_moves_the_weights_of_all_records_in_one_change_each(open_stage: Opener) -> None:
    stage = opened(open_stage)

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.SUCCEEDED, 0)
    assert percents_written(stage) == [{10}, {100}]
    assert records(stage) == {("A", "blue"): 0, ("A", "green"): 100, ("AAAA", "blue"): 0, ("AAAA", "green"): 100}
    assert not {"ModifyRule", "ModifyListener", "ModifyTargetGroupAttributes"} & {*stage.writes()}
    stage.clock.advance(100)
    assert (stage.share("green"), stage.share("blue")) == ((1.0, 1.0), (0.0, 0.0))


def test_a_rollback_moves_traffic_with_its_first_write(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    stage.mark()

    report = stage.rollback()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 0)
    assert stage.writes()[0] == SHIFT
    stage.clock.advance(100)
    assert stage.share("blue") == (1.0, 1.0)


def test_the_old_generation_stays_until_the_last_client_has_asked_again(open_stage: Opener) -> None:
    stage = opened(open_stage, physics=None)
    truth: list[tuple[float, int]] = []

    def look(_: Report) -> None:
        now = stage.box.serving()["shop-blue"]
        truth.append((now.highest_share, now.healthy))

    stage.rotate(watch=look)

    assert min(healthy for share, healthy in truth if share > 0) == 4


def test_weights_settle_from_the_moment_that_all_servers_of_route_53_have_them(open_stage: Opener) -> None:
    stage = opened(open_stage)
    spread: list[bool] = []

    def look(report: Report) -> None:
        rotation = report.record.rotation
        if rotation is not None and rotation.clocks.shifted_at is not None and not spread:
            change = f"C{1 + 1:013d}"
            spread.append(stage.box.world.records.status_of(change) == "INSYNC")

    stage.rotate(watch=look)

    assert spread == [True]
    assert "GetChange" in stage.reads()


def test_a_bad_image_gets_no_client(open_stage: Opener) -> None:
    stage = opened(open_stage, scenario="bad-image")

    report = stage.rotate()

    assert report.outcome is Outcome.ROLLED_BACK
    assert SHIFT not in stage.writes()


def test_an_alarm_on_the_new_ones_load_balancer_brings_it_back(open_stage: Opener) -> None:
    long = {"kind": "canary", "steps": [{"weight": 10, "bake": "10m"}], "bake": "5m"}
    gates: list[dict[str, Any]] = [BRISK, {"kind": "alarm", "alarms": ["shop-green-5xx"]}]
    stage = opened(open_stage, strategy=long, gates=gates, scenario="alarm")

    report = stage.rotate()

    assert (report.outcome, report.exit_status) == (Outcome.ROLLED_BACK, 3)
    assert "shop-green-5xx" in str(stage.rotation.back)


def test_it_is_brought_back_by_its_tags_alone(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    (stage.folder / "shop.yaml").unlink()
    group = stage.wiring(store=f"sqlite:///{stage.folder}/other.db").group_for_rollback("shop")

    report = rollback(group, RollbackRequest(reason="it burns"))

    assert report.exit_status == 0
    assert records(stage)["A", "green"] == records(stage)["AAAA", "green"] == 0


def test_it_is_brought_back_by_another_machine_that_has_the_record_and_no_policy(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    (stage.folder / "shop.yaml").unlink()
    stage.mark()

    report = rollback(stage.wiring().group_for_rollback("shop"), RollbackRequest(reason="it burns"))

    assert (report.exit_status, stage.writes()[0]) == (0, SHIFT)
    assert "ListHostedZones" not in stage.reads()


def test_it_is_brought_back_by_its_record_when_the_pinned_policy_cannot_be_read(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    (stage.folder / "shop.yaml").write_text("group: [shop\n", encoding="utf-8")
    stage.mark()

    report = rollback(stage.wiring().group_for_rollback("shop"), RollbackRequest(reason="it burns"))

    assert (report.exit_status, stage.writes()[0]) == (0, SHIFT)


def test_it_is_brought_back_with_its_policy_where_the_store_is_gone(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.rotate()
    group = stage.wiring(store=f"sqlite:///{stage.folder}/other.db").group_for_rollback("shop")

    report = rollback(group, RollbackRequest(reason="it burns"))

    assert report.exit_status == 0
    assert records(stage)["A", "blue"] == 100


def test_records_that_were_weighed_by_hand_hold_the_rotation(open_stage: Opener) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    weigh(stage, blue=40, green=60)

    report = stage.tick_until(lambda report: report.outcome is Outcome.HELD)

    assert f"{NAME} A" in report.sentence


@pytest.mark.parametrize("code", ["PriorRequestNotComplete", "Throttling"])
def test_a_change_that_route_53_has_no_time_for_is_made_at_a_later_look(open_stage: Opener, code: str) -> None:
    stage = opened(open_stage)
    refused: list[str] = []

    def refuse(call: Call, when: str) -> None:
        if when == "before" and call.operation == SHIFT and len(refused) < 4:
            refused.append(call.operation)
            answer: Any = {"Error": {"Code": code, "Message": "try again later"}}
            raise ClientError(answer, call.operation)

    stage.box.intercept(refuse)

    report = stage.rotate()

    assert (report.outcome, len(refused)) == (Outcome.SUCCEEDED, 4)


def test_a_record_that_is_gone_in_the_middle_holds_the_rotation_and_takes_nothing_from_the_live_one(
    open_stage: Opener,
) -> None:
    stage = opened(open_stage)
    stage.tick_until(lambda report: "baking at 10 %" in report.sentence)
    zone = stage.box.world.route53().zones[ZONE]
    zone.rrsets = [each for each in zone.rrsets if each.set_identifier != "green"]

    report = stage.tick_until(lambda report: report.outcome is not Outcome.IN_PROGRESS)

    assert report.outcome is Outcome.HELD
    assert records(stage)["A", "blue"] > 0


def test_a_bake_that_ends_before_clients_have_asked_again_stands_in_the_way(open_stage: Opener) -> None:
    brief = {"kind": "canary", "steps": [{"weight": 10, "bake": "1m"}], "bake": "3m"}
    stage = opened(open_stage, strategy=brief)

    plan = make_plan(stage.group, RotateRequest())

    assert [blocker.name for blocker in plan.blockers] == ["slow-to-follow"] * 2
