from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import replace
from typing import Any

import pytest

from phoenix.core.model import Slot
from phoenix.sandbox import Behaviour, Call
from phoenix.stores import open_store
from tests.cli.conftest import Terminal

STATE = {"group", "outcome", "sentence", "rotation", "generations", "waiting_for", "rollback_ready"}
KEYS = STATE | {"acts", "changed_by", "next", "old_base", "snowflakes", "routes", "drill"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_rotation_that_is_due_goes_to_its_end(phoenix: Terminal) -> None:
    answer = phoenix("rotate web -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "succeeded")
    assert set(answer.document) >= KEYS
    assert RFC_3339.fullmatch(answer.document["rotation"]["ended_at"])
    assert {row["role"]: row["weight"] for row in answer.document["generations"]} == {"live": 100, "retained": 0}


def test_progress_goes_to_standard_error_a_line_a_change(phoenix: Terminal) -> None:
    answer = phoenix("rotate web -o json")

    assert "gates passed; 10 %" in answer.err
    assert len(answer.err.splitlines()) < 40


def test_quiet_silences_progress(phoenix: Terminal) -> None:
    assert phoenix("rotate web -q").err == ""


def test_nothing_due_is_outcome_none_without_a_write(phoenix: Terminal) -> None:
    phoenix("rotate web")

    answer = phoenix("rotate web -o json")

    assert (answer.status, answer.document["outcome"], phoenix.writes) == (0, "none", [])


def test_a_bad_image_ends_with_3_and_the_old_generation(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix.sandbox.bake_image("web-2026.11.19-bad000", behaviour=Behaviour.ERRING)

    answer = phoenix("rotate web")

    assert answer.status == 3
    assert "ROLLED BACK" in answer.out
    assert "phoenix retry --group web" in answer.out


def test_a_rollback_moves_traffic_with_its_first_write(phoenix: Terminal) -> None:
    phoenix("rotate web")

    answer = phoenix("rollback web -o json --reason INC-4711")

    assert (answer.status, answer.document["outcome"]) == (0, "rolled_back")
    assert phoenix.writes[0] in {"ModifyListener", "ModifyRule"}


def test_a_rollback_reads_the_policy_only_when_traffic_has_moved(phoenix: Terminal) -> None:
    phoenix("rotate web")
    file = phoenix.folder / "web.yaml"
    file.rename(phoenix.folder / "away")

    def notice(call: Call, _when: str) -> None:
        if call.mutating and not file.exists():
            (phoenix.folder / "away").rename(file)

    phoenix.sandbox.intercept(notice)
    answer = phoenix("rollback web")

    assert (answer.status, phoenix.writes[0]) == (0, "ModifyListener")
    assert "policy.left_out" not in answer.err


def test_a_rollback_whose_record_names_what_is_gone_goes_by_the_policy(phoenix: Terminal) -> None:
    phoenix("rotate web")
    store = open_store(f"sqlite:///{phoenix.folder}/phoenix.db")
    record = store.load("web")
    assert record is not None
    store.save(replace(record, slots={slot: f"old-{slot}" for slot in Slot}))

    answer = phoenix("rollback web -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "rolled_back")


def test_a_second_rollback_has_nothing_to_do_and_writes_nothing(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix("rollback web")

    answer = phoenix("rollback web")

    assert (answer.status, phoenix.writes) == (0, [])
    assert answer.out.startswith("Nothing to do: web is already back on 1.")


def test_a_rollback_with_nothing_to_go_back_to_is_5(phoenix: Terminal) -> None:
    assert phoenix("rollback web").status == 5


def test_plan_writes_nothing_and_10_says_that_a_rotation_is_due(phoenix: Terminal) -> None:
    answer = phoenix("plan web -o json --detailed-exitcode")

    assert (answer.status, phoenix.writes) == (10, [])
    assert (answer.document["due"], answer.document["blockers"]) == (True, [])


def test_a_dry_run_is_a_plan(phoenix: Terminal) -> None:
    answer = phoenix("rotate web --dry-run")

    assert (answer.status, phoenix.writes) == (0, [])
    assert answer.out.splitlines()[2].startswith("DUE")


def test_a_blocked_plan_is_5_and_names_the_blocker(phoenix: Terminal) -> None:
    phoenix.sandbox.set_alarm("web-5xx", "ALARM")

    answer = phoenix("plan web -o json")

    assert answer.status == 5
    assert [blocker["name"] for blocker in answer.document["blockers"]] == ["alarm-already-ringing"]


def test_a_blocked_rotation_leaves_error_and_blockers_in_one_document(phoenix: Terminal) -> None:
    phoenix.sandbox.set_alarm("web-5xx", "ALARM")

    answer = phoenix("rotate web -o json")

    assert (answer.status, answer.document["error"]["code"], phoenix.writes) == (5, "blocked", [])
    assert answer.document["blockers"]


def test_no_wait_is_one_tick_and_later_ticks_go_on(phoenix: Terminal) -> None:
    answer = phoenix("rotate web --no-wait -o json")
    assert (answer.status, answer.document["outcome"]) == (0, "in_progress")

    assert phoenix("rotate web -o json").document["outcome"] == "succeeded"


def test_status_of_one_group_writes_nothing(phoenix: Terminal) -> None:
    answer = phoenix("status -o json web")

    assert set(answer.document) >= KEYS
    assert (answer.status, phoenix.writes) == (0, [])


def test_status_without_a_group_is_an_array_that_a_broken_policy_does_not_hide(phoenix: Terminal) -> None:
    (phoenix.folder / "api.yaml").write_text("version: 1\ngroup: api\n")

    answer = phoenix("status -o json")

    api, web = answer.document
    assert (answer.status, api["error"]["code"], web["group"]) == (2, "invalid_policy", "web")


def test_watching_prints_one_object_a_line(phoenix: Terminal) -> None:
    phoenix.clock.most = 3

    answer = phoenix("status web --watch -o json")

    assert answer.status == 0
    assert [json.loads(line)["group"] for line in answer.out.splitlines()] == ["web"] * 3


def test_waiting_gives_up_with_1_after_its_timeout(phoenix: Terminal) -> None:
    phoenix("rotate web --no-wait")

    answer = phoenix("status web --wait --timeout 1m -o json")

    assert (answer.status, answer.document["outcome"]) == (1, "in_progress")


def test_watching_outlives_trouble_that_passes(phoenix: Terminal) -> None:
    phoenix.clock.most = 3
    phoenix.sandbox.throttle(["DescribeAutoScalingGroups"], count=8)

    answer = phoenix("status web --watch -o json")

    assert answer.status == 0
    assert "slow down" in answer.err


def test_waiting_with_nothing_in_flight_returns_at_once(phoenix: Terminal) -> None:
    assert phoenix("status web --wait").status == 0


def test_an_unknown_group_is_2_with_a_suggestion(phoenix: Terminal) -> None:
    answer = phoenix("status wbe")

    assert answer.status == 2
    assert "did you mean web?" in answer.err


def test_a_paused_group_does_not_start_until_it_is_resumed(phoenix: Terminal) -> None:
    assert phoenix("pause web --reason peak").status == 0
    assert phoenix("rotate web").status == 5
    assert phoenix("resume web").status == 0

    assert phoenix("rotate web").status == 0


@pytest.mark.parametrize("command", ["resume", "promote", "abort"])
def test_with_nothing_to_act_on_a_command_says_so_and_is_0(command: str, phoenix: Terminal) -> None:
    answer = phoenix(f"{command} web")

    assert (answer.status, phoenix.writes) == (0, [])
    assert answer.out.startswith("nothing to")


def test_abort_brings_the_old_generation_back(phoenix: Terminal) -> None:
    phoenix("rotate web --no-wait")

    answer = phoenix("abort web --reason typo -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "rolled_back")


def test_history_tells_every_rotation(phoenix: Terminal) -> None:
    phoenix("rotate web")

    told = phoenix("history web -o json").document["rotations"]

    assert [(rotation["outcome"], rotation["by"]) for rotation in told] == [("succeeded", "tester")]


def test_images_say_which_one_is_chosen(phoenix: Terminal) -> None:
    images = phoenix("images web -o json").document["candidates"]

    assert [image["chosen"] for image in images].count(True) == 1
    assert all(image["chosen"] or image["rejected"] for image in images)


def test_a_quarantine_ends_only_with_a_yes(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix("rollback web")
    image = phoenix("images web -o json").document["quarantine"][0]["image"]

    assert phoenix(f"images release {image} -g web").status == 2
    assert phoenix(f"images release {image} -g web --yes").status == 0
    assert phoenix("images web -o json").document["quarantine"] == []


def test_retry_rotates_to_the_image_that_was_rolled_back(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix("rollback web")

    assert phoenix("retry web").status == 2
    assert phoenix("retry web --yes -o json").document["outcome"] == "succeeded"


def test_a_tick_starts_what_is_due_and_the_next_ones_go_on(phoenix: Terminal) -> None:
    assert phoenix("tick -o json").document[0]["outcome"] == "in_progress"
    assert phoenix("status web -o json").document["rotation"]["phase"] != "done"


def test_a_tick_is_silent_when_nothing_is_due(phoenix: Terminal) -> None:
    phoenix("rotate web")
    phoenix("tick")

    answer = phoenix("tick")

    assert (answer.status, answer.err) == (0, "")


def test_a_tick_that_only_waits_says_nothing(phoenix: Terminal) -> None:
    assert phoenix("tick").out.startswith("web: step 1 of 2")

    assert phoenix("tick").out == ""


def test_a_broken_policy_makes_a_tick_2_and_stops_no_other_group(phoenix: Terminal) -> None:
    (phoenix.folder / "api.yaml").write_text("version: 1\ngroup: api\n")

    answer = phoenix("tick -o json")

    assert answer.status == 2
    assert [("error" in each, each["group"]) for each in answer.document] == [(True, "api"), (False, "web")]


def test_policies_are_validated_with_the_place_of_each_mistake(phoenix: Terminal) -> None:
    (phoenix.folder / "api.yaml").write_text("version: 1\ngroup: api\nfleeet: 1\n")

    answer = phoenix("policy validate -o json")

    assert (answer.status, answer.document["valid"]) == (2, False)
    assert all(problem["line"] and problem["column"] for problem in answer.document["problems"])


def test_a_policy_is_shown_with_its_defaults(phoenix: Terminal) -> None:
    assert "on_failure: rollback" in phoenix("policy show web").out
    assert phoenix("policy show web -o json").document["on_failure"] == "rollback"


def test_the_doctor_finds_the_sandbox_in_order(phoenix: Terminal) -> None:
    answer = phoenix("doctor -o json")

    failed = [check["name"] for check in answer.document["checks"] if not check["passed"]]
    assert set(failed) <= {"clock"}  # the sandbox's headers come from the real clock, or are missing
    assert phoenix.writes == []


def test_a_signal_ends_between_two_ticks_with_130_and_the_same_command_goes_on(phoenix: Terminal) -> None:
    def interrupt(call: Call, stage: str) -> None:
        if call.operation == "CreateLaunchTemplateVersion" and stage == "after":
            os.kill(os.getpid(), signal.SIGTERM)

    phoenix.sandbox.intercept(interrupt)
    answer = phoenix("rotate web")
    phoenix.sandbox.stop_intercepting()
    phoenix.clock.go_on()

    assert answer.status == 130
    assert "phoenix rotate --group web" in answer.err
    assert phoenix("rotate web").status == 0


def test_signal_handlers_are_put_back(phoenix: Terminal) -> None:
    before: Any = signal.getsignal(signal.SIGINT)

    phoenix("rotate web")

    assert signal.getsignal(signal.SIGINT) is before


def test_a_plan_hands_on_what_it_was_told_to_ignore(phoenix: Terminal) -> None:
    answer = phoenix("plan web --ignore window --reason INC-1")

    assert "--ignore window --reason INC-1\n" in answer.out


def test_a_rotation_that_was_started_and_left_says_how_it_goes_on(phoenix: Terminal) -> None:
    phoenix("rotate web --no-wait")

    assert "none; phoenix rotate --group web goes on" in phoenix("status web").out
