"""A/B and dark launches: requests that ask for the candidate reach it before any weight, and until the end."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.engine.plan import make_plan
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.sandbox import Call
from phoenix.views.json_plan import plan as document
from phoenix.views.plan import render
from tests.rotation.conftest import Opener
from tests.rotation.stage import Stage, a_policy

HEADER = {"header": "X-Canary", "values": ["always"]}
DARK = {
    "kind": "canary",
    "routes": [HEADER],
    "steps": [{"weight": 0, "bake": "2m"}, {"weight": 20, "bake": "30s"}],
    "bake": "30s",
}


def ours(stage: Stage) -> list[dict[str, Any]]:
    """The rules with a condition on the header, by the console."""
    return [rule for rule in stage.rules() if "X-Canary" in str(rule["Conditions"])]


@pytest.fixture
def stage(open_stage: Opener) -> Stage:
    return open_stage(policy=a_policy(strategy=DARK))


def in_the_dark(stage: Stage) -> None:
    stage.tick_until(lambda report: "baking" in report.sentence or bool(ours(stage)), every=20)
    stage.clock.advance(20)


def test_requests_that_ask_for_it_reach_the_candidate_while_it_has_no_weight(stage: Stage) -> None:
    in_the_dark(stage)

    assert stage.share("green") == (0.0, 0.0)
    assert stage.box.serving()["web-green"].asked_for
    assert stage.rotation.exposed_at is not None


def test_a_rotation_ends_without_rules_of_its_own(stage: Stage) -> None:
    report = stage.rotate()

    assert report.outcome is Outcome.SUCCEEDED, report.sentence
    assert ours(stage) == []
    stage.clock.advance(60)
    assert not stage.box.serving()["web-green"].asked_for
    assert "phoenix:ledger" not in stage.tags("green")


def test_going_back_takes_the_rules_away_with_the_first_tick(stage: Stage) -> None:
    in_the_dark(stage)

    stage.rollback(reason="checkout is slow", wait=False)

    assert ours(stage) == []


def test_a_rollback_by_tags_alone_finds_the_rules(stage: Stage) -> None:
    in_the_dark(stage)
    group = stage.wiring(store=f"sqlite:///{stage.folder}/lost.db").group_for_rollback("web")

    report = rollback(group, RollbackRequest())

    assert report.outcome is Outcome.ROLLED_BACK, report.sentence
    assert ours(stage) == []


def test_a_rule_that_another_writer_deletes_is_put_back_and_told(stage: Stage) -> None:
    in_the_dark(stage)
    stage.clock.advance(40)
    stage.tick()
    with stage.unnoticed():
        stage.client("elbv2").delete_rule(RuleArn=ours(stage)[0]["RuleArn"])

    stage.clock.advance(40)
    stage.tick()

    assert len(ours(stage)) == len(stage.record.routes)
    assert any(event.name == "healed" and "X-Canary" in event.text for event in stage.rotation.events)


def test_rules_go_ahead_of_the_ones_they_shadow_and_take_no_priority_of_the_owner(stage: Stage) -> None:
    before = {rule["RuleArn"]: (rule["Priority"], rule["Actions"]) for rule in stage.rules()}
    in_the_dark(stage)

    after = {rule["RuleArn"]: rule for rule in stage.rules()}
    made = [rule for arn, rule in after.items() if arn not in before]
    assert {arn: after[arn]["Priority"] for arn in before} == {arn: each[0] for arn, each in before.items()}
    assert len(made) == len(stage.record.routes)
    assert {rule["RuleArn"] for rule in made} == {rule["RuleArn"] for rule in ours(stage)}


@pytest.mark.parametrize("stage_of_call", ["before", "after"])
@pytest.mark.parametrize("operation", ["CreateRule", "DeleteRule"])
def test_death_at_any_call_leaves_no_rule_behind_and_makes_none_twice(
    stage: Stage, operation: str, stage_of_call: str
) -> None:
    struck: list[Call] = []

    def die(call: Call, when: str) -> None:
        if call.operation == operation and when == stage_of_call and len(struck) < 2:
            struck.append(call)
            raise KeyboardInterrupt

    stage.box.intercept(die)
    most = 0
    for _ in range(60):
        with suppress(KeyboardInterrupt):
            stage.tick()
        most = max(most, len(ours(stage)))
        stage.clock.advance(65)
        if stage.record.rotation is not None and not stage.rotation.in_flight:
            break

    assert (len(struck), stage.rotation.outcome) == (2, Outcome.SUCCEEDED)
    assert most == len(stage.record.routes)
    assert ours(stage) == []


def test_a_plan_names_the_requests_and_lists_the_calls_for_their_rules(stage: Stage) -> None:
    plan = make_plan(stage.group, RotateRequest())

    operations = [call.operation for call in plan.calls or ()]
    assert plan.in_the_way == ()
    assert "header X-Canary: always: to generation 2" in render(plan)
    assert operations.count("CreateRule") == operations.count("DeleteRule") == 3
    assert [each["kind"] for each in document(plan)["opt_ins"]] == ["header"]
