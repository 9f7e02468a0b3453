"""A plan is a rehearsed rotation: its calls are those that the rotation then makes, with all of their parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from phoenix.core.model import Outcome
from phoenix.core.planned_call import NEW_INSTANCE, UNKNOWN_ID
from phoenix.engine.group import Rehearsal
from phoenix.engine.plan import make_plan
from phoenix.engine.report import Plan
from phoenix.engine.request import RotateRequest
from phoenix.errors import AccessDenied
from phoenix.sandbox import Call
from phoenix.sandbox.desk import Stage as When
from tests.rotation.conftest import OneOpener, Opener
from tests.rotation.stage import BRISK, Stage, a_policy

CANARY = {"kind": "canary", "steps": [{"weight": 5, "bake": "30s"}, {"weight": 50, "bake": "30s"}], "bake": "30s"}
ROLLING = {"kind": "rolling", "batch": "50%", "bake": "15s"}
HTTP = {"kind": "http", "path": "/healthz", "expect": 200, "port": 8080}
ON_MANY_ROUTES = ("ModifyListener", "ModifyRule", "ModifyTargetGroupAttributes")
"""Sent side by side, in whichever order."""


def planned(stage: Stage) -> Plan:
    """What `plan` says, before anything is written."""
    stage.mark()
    plan = make_plan(stage.group, RotateRequest())
    assert (plan.in_the_way, stage.writes()) == ((), [])
    return plan


def rotated(stage: Stage) -> list[tuple[str, dict[str, Any]]]:
    """The writes of the rotation, as they were sent: the sandbox goes on with what it was given."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def note(call: Call, when: When) -> None:
        if when == "before" and call.mutating:
            sent.append((call.operation, deepcopy(dict(call.params))))

    stage.box.intercept(note)
    assert stage.rotate().outcome is Outcome.SUCCEEDED
    return sent


def comparable(calls: Sequence[tuple[str, Mapping[str, Any]]], rotation: str) -> list[str]:
    """A line for each call, with placeholders for the rotation's id and for names made from it."""
    lines = []
    for operation, parameters in calls:
        shown = dict(parameters) | ({"ClientToken": "token"} if "ClientToken" in parameters else {})
        lines.append((operation, json.dumps(shown, sort_keys=True).replace(rotation, "ROTATION")))
    runs = groupby(lines, key=lambda line: line[0] in ON_MANY_ROUTES)
    return [" ".join(line) for side_by_side, run in runs for line in (sorted(run) if side_by_side else run)]


def assert_the_plan_was_kept(stage: Stage) -> None:
    plan = planned(stage)
    assert plan.next is not None

    sent = rotated(stage)

    said = [(call.operation, call.parameters) for call in plan.calls or ()]
    unknown = f"{stage.name}-{plan.next.number}-{UNKNOWN_ID}"
    assert comparable(said, unknown) == comparable(sent, stage.rotation.id)
    assert plan.writes == len(sent)


@pytest.mark.parametrize("strategy", [CANARY, None, ROLLING], ids=["canary", "blue_green", "rolling"])
def test_the_calls_of_a_plan_for_a_pair_are_those_that_the_rotation_makes(
    open_stage: Opener, strategy: dict[str, Any] | None
) -> None:
    policy = a_policy() if strategy is None else a_policy(strategy=strategy)

    assert_the_plan_was_kept(open_stage(policy=policy))


def test_the_second_rotation_of_a_pair_is_planned_as_it_goes_too(stage: Stage) -> None:
    stage.rotate()
    stage.clock.advance(60)
    stage.box.bake_image("web-2026.11.25-77aa01")

    assert_the_plan_was_kept(stage)


@pytest.mark.parametrize("strategy", ["blue_green", "canary", "rolling"])
def test_the_calls_of_a_plan_in_one_group_are_those_that_the_rotation_makes(open_one: OneOpener, strategy: str) -> None:
    assert_the_plan_was_kept(open_one(strategy=strategy))


@pytest.mark.parametrize("group", ["tcp", "legacy", "batch"])
def test_so_are_they_behind_other_load_balancers_and_behind_none(open_one: OneOpener, group: str) -> None:
    assert_the_plan_was_kept(open_one(group))


def test_instances_that_are_held_before_traffic_are_planned_one_by_one(open_one: OneOpener) -> None:
    stage = open_one(sections={"gates": [BRISK, HTTP]})
    stage.mark()

    plan = make_plan(stage.group, RotateRequest())

    released = [c.parameters["InstanceId"] for c in plan.calls or () if c.operation == "CompleteLifecycleAction"]
    assert released == [f"{NEW_INSTANCE}{number}" for number in range(1, 5)]


def test_the_numbers_of_a_plan_come_from_the_same_run(open_stage: Opener) -> None:
    plan = planned(open_stage(policy=a_policy(strategy=ROLLING)))

    assert (plan.worst_case, plan.peak, plan.needed) == (4, 6, 4)
    starts = [row.starts_after for row in plan.rows]
    assert plan.ends_after is not None
    assert starts == sorted(set(starts))
    assert starts[-1] < plan.ends_after


def test_a_plan_that_cannot_be_rehearsed_estimates_and_has_no_calls(stage: Stage) -> None:
    def refuse(at: datetime, launch: timedelta) -> Rehearsal:
        raise AccessDenied("autoscaling:DescribeAutoScalingGroups: not authorized")

    plan = make_plan(replace(stage.group, open_rehearsal=refuse), RotateRequest())

    assert (plan.calls, plan.writes, plan.worst_case) == (None, None, 4)
    assert plan.ends_after == timedelta(minutes=2, seconds=10 + 30)


def test_what_the_owner_has_changed_in_the_template_is_told_attribute_by_attribute(stage: Stage) -> None:
    with stage.unnoticed():
        template = stage.versions()[0]["LaunchTemplateId"]
        content = {"InstanceType": "m7i.xlarge", "UserData": "c2VjcmV0"}
        stage.client("ec2").create_launch_template_version(
            LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData=content
        )

    plan = make_plan(stage.group, RotateRequest())

    told = {each.attribute: each.next for each in plan.differences if each.of == "template"}
    assert told["InstanceType"] == "m7i.xlarge"
    assert told["UserData"].startswith("sha256 ")


def test_the_live_image_is_asked_for_where_the_search_does_not_list_it(open_stage: Opener) -> None:
    found = {"kind": "search", "owners": ["self"], "name": "web-2026.11.18-*"}
    plan = make_plan(open_stage(policy=a_policy(image=found)).group, RotateRequest())

    assert plan.live_image is not None
    assert plan.live_image.tags["built_by"].startswith("pipeline/")
