from __future__ import annotations

import json as parser
from dataclasses import replace

from phoenix.core.image import Candidate
from phoenix.errors import PhoenixError
from phoenix.views import image_json, json, json_past, json_plan, status
from tests.schemas import is_valid
from tests.views.builders import (
    BLOCKERS,
    a_plan,
    a_record,
    a_report,
    a_rolled_back_rotation,
    a_rotation,
    an_image,
    at_rest_after_success,
)

STATE = ["group", "outcome", "sentence", "rotation", "generations", "waiting_for", "rollback_ready"]
KEYS = [*STATE, "acts", "changed_by", "next", "old_base", "snowflakes", "routes", "drill"]


def test_a_report_has_the_keys_of_the_contract_and_no_others_than_its_schema_names() -> None:
    document = json.report(a_report())
    rotation = document["rotation"]

    assert rotation is not None
    assert {*KEYS} <= {*document}
    assert {
        "id", "outcome", "phase", "step", "steps", "cause", "reason", "started_at", "ended_at", "ignored",
    } <= {*rotation}  # fmt: skip
    assert {
        "number", "role", "image", "slot", "auto_scaling_group", "launch_template_version", "desired", "in_service",
        "healthy", "weight", "not_ready", "reserve", "instances",
    } <= {*document["generations"][0]}  # fmt: skip
    assert is_valid("status", document)
    assert document["rollback_ready"] == {"ready": True, "why": "41 has 12 of 12 healthy, weights move first"}


def test_a_report_carries_what_its_screen_shows() -> None:
    report = a_report()
    document, screen = json.report(report), status.render(report)
    rotation = document["rotation"]

    assert rotation is not None
    assert document["state"] == "ROTATING"
    assert [(gate["gate"], gate["verdict"]) for gate in document["gates"]] == [
        (verdict.gate, str(verdict.judgement)) for verdict in (report.record.rotation or a_rotation()).verdicts
    ]
    assert str(document["generations"][0]["image_name"]) in screen
    assert all(each["command"] in screen and each["purpose"] in screen for each in document["commands"])
    assert len(document["commands"]) == 3
    assert (rotation["by"], rotation["trigger"]) == ("schedule", "new image (27m old)")
    assert str(document["runbook"]) in screen


def test_after_a_rollback_the_document_tells_how_soon_traffic_was_back() -> None:
    rotation = json.report(a_report(a_rolled_back_rotation()))["rotation"]

    assert rotation is not None
    assert rotation["way_back"] == "traffic back after 0.5s, all clean after 1m"
    assert rotation["turned_back_by"] == {"by": "gate alarm", "reason": None, "at": "2026-11-18T02:56:39Z"}


def test_generations_come_with_role_capacity_and_weight() -> None:
    candidate, live = json.report(a_report())["generations"]

    assert (candidate["number"], candidate["role"], candidate["weight"], candidate["healthy"]) == (
        42,
        "candidate",
        50,
        12,
    )
    assert (live["number"], live["role"], live["auto_scaling_group"], live["desired"]) == (41, "live", "web-blue", 12)


def test_times_are_rfc_3339_in_utc() -> None:
    rotation = json.report(a_report(a_rolled_back_rotation()))["rotation"]

    assert rotation is not None
    assert (rotation["started_at"], rotation["ended_at"]) == ("2026-11-18T02:41:12Z", "2026-11-18T02:57:39Z")


def test_a_group_that_was_never_rotated_has_null_for_its_rotation() -> None:
    document = json.report(a_report(record=a_record(live=None), seen=None))

    assert (document["rotation"], document["generations"], document["waiting_for"]) == (None, [], None)


def test_after_a_success_the_earlier_generation_is_retained() -> None:
    roles = {row["number"]: row["role"] for row in json.report(at_rest_after_success())["generations"]}

    assert roles == {42: "live", 41: "retained"}


def test_a_retained_generation_that_is_no_longer_hot_is_cold() -> None:
    report = at_rest_after_success()
    cold = replace(report, record=replace(report.record, hot_until=None))

    assert {row["number"]: row["role"] for row in json.report(cold)["generations"]} == {42: "live", 41: "cold"}


def test_routes_that_differ_show_the_least_weight() -> None:
    report = a_report()
    assert report.seen is not None
    first, second = report.seen.routes
    weights = {slot: 100 * (slot == "blue") for slot in first.weights}
    torn = replace(report.seen, routes=(first, replace(second, weights=weights)))

    candidate, _ = json.report(replace(report, seen=torn))["generations"]

    assert candidate["weight"] == 0


def test_a_plan_tells_what_each_gate_costs() -> None:
    document = json_plan.plan(replace(a_plan(), prices={"metrics": "up to 12 looks: $0.001"}))

    assert document["prices"] == {"metrics": "up to 12 looks: $0.001"}


def test_a_plan_keeps_blockers_and_warnings_apart() -> None:
    document = json_plan.plan(a_plan(blockers=BLOCKERS))

    assert [b["name"] for b in document["blockers"]] == ["suspended-process", "window"]
    assert [b["name"] for b in document["warnings"]] == ["not checked"]
    assert document["due"] is True
    assert document["next"] is not None
    assert document["next"]["image"] == "ami-0d3c5e71a9f4b2086"
    assert [step["weight"] for step in document["steps"]] == [0, 5, 50, 100]


def test_an_error_is_a_document_with_code_message_and_hint() -> None:
    assert json.failure(PhoenixError("no", hint="yes")) == {"error": {"code": "failed", "message": "no", "hint": "yes"}}


def test_history_tells_the_events_of_each_rotation() -> None:
    told = json_past.history("web", [a_rolled_back_rotation()])["rotations"][0]

    assert (told["outcome"], told["cause"], told["duration_seconds"]) == ("rolled_back", "image", 987)
    first = {"at": "2026-11-18T02:44:12Z", "name": "step 1", "text": "gates passed; 5 %", "by": None, "reason": None}
    assert told["events"][0] == first


def test_images_say_which_one_is_chosen() -> None:
    candidates = [Candidate(an_image(2)), Candidate(an_image(1), "older")]

    told = image_json.images("web", candidates, (), an_image(1).id, an_image(3).created_at)["candidates"]

    assert [(image["chosen"], image["live"], image["rejected"]) for image in told] == [
        (True, False, None),
        (False, True, "older"),
    ]


def test_a_stream_has_one_object_a_line() -> None:
    line = json.dump(json.report(a_report()), one_line=True)

    assert "\n" not in line
    assert parser.loads(line)["group"] == "web"
