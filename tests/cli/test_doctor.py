"""`doctor`: what it fails for, and what `--probe` finds out on an empty group."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tests.cli.conftest import Terminal
from tests.cli.probing import (
    PROBE,
    UPDATE,
    WRITES,
    denied,
    failed,
    group_named,
    is_as_it_was,
    line,
    make_group,
    strike,
    verdict,
)


def test_the_doctor_fails_for_groups_that_do_not_exist(phoenix: Terminal) -> None:
    file = phoenix.folder / "web.yaml"
    file.write_text(file.read_text().replace("web-blue", "web-bleu"))

    answer = phoenix("doctor -o json")

    (check,) = [check for check in answer.document["checks"] if check["name"] == "groups"]
    assert (answer.status, check["passed"]) == (1, False)
    assert f"{file}:4:27: no Auto Scaling group web-bleu" in str(check)


def test_a_probe_asks_everything_and_leaves_the_group_as_it_was(probing: Terminal) -> None:
    answer = probing(f"{PROBE} --times 2 -o json")

    assert failed(answer) == set()
    assert probing.writes == WRITES
    assert is_as_it_was(probing)
    assert [verdict(line(answer, name)) for name in ("plain update", "new version", "put back")] == ["PASS"] * 3
    assert "raised" in line(answer, "not asked")["text"]


def test_a_probe_writes_to_nothing_but_its_group_and_its_template(probing: Terminal) -> None:
    probing(f"{PROBE} --group web")

    template = group_named(probing, "web-probe")["LaunchTemplate"]["LaunchTemplateId"]
    touched = {call.params.get("AutoScalingGroupName") or call.params["LaunchTemplateId"]
               for call in probing.sandbox.calls if call.mutating}  # fmt: skip
    assert touched == {"web-probe", template}


def test_a_probe_as_a_policy_tries_the_launch_of_the_image_that_it_chooses(probing: Terminal) -> None:
    answer = probing(f"{PROBE} --group web -o json")

    tried = {call.params["ImageId"] for call in probing.sandbox.calls if call.operation == "RunInstances"}
    chosen = {each["image"] for each in probing("images web -o json").document["candidates"] if each["chosen"]}
    assert tried == chosen
    assert verdict(line(answer, "trial launch")) == "PASS"


def test_a_launch_that_is_denied_fails_the_probe(probing: Terminal) -> None:
    probing.sandbox.fail_launches("permission")

    answer = probing(f"{PROBE} --group web -o json")

    assert (answer.status, verdict(line(answer, "trial launch"))) == (1, "FAIL")
    assert is_as_it_was(probing)


def test_without_a_policy_no_launch_is_tried_and_that_is_said(probing: Terminal) -> None:
    answer = probing(f"{PROBE} -o json")

    assert verdict(line(answer, "trial launch")) == "WARN"
    assert answer.document["probe"]["trial_launch"] is None


# --- --probe: the guard against $Latest -------------------------------------------------------------------------------


def test_without_the_guard_a_probe_says_that_it_cannot_tell(probing: Terminal) -> None:
    answer = probing(f"{PROBE} -o json")

    assert (failed(answer), verdict(line(answer, "never follow"))) == (set(), "WARN")
    assert "phoenix iam --never-follow" in line(answer, "never follow")["hint"]


def test_a_guard_that_lets_plain_updates_through_may_stay(probing: Terminal) -> None:
    probing.sandbox.guard_versions(plain_too=False)

    answer = probing(f"{PROBE} -o json")

    assert (failed(answer), verdict(line(answer, "never follow"))) == (set(), "PASS")
    assert "may stay" in line(answer, "never follow")["text"]
    assert answer.document["probe"]["latest_version"]["outcome"] == "denied"
    assert is_as_it_was(probing)


def test_a_guard_that_stops_plain_updates_must_not_be_attached(probing: Terminal) -> None:
    probing.sandbox.guard_versions(plain_too=True)

    answer = probing(f"{PROBE} -o json")

    assert (answer.status, verdict(line(answer, "plain update"))) == (1, "FAIL")
    assert "attach no never-follow.json" in line(answer, "plain update")["hint"]
    assert "explicit deny" in answer.document["probe"]["plain_update"]["words"]
    assert is_as_it_was(probing)


def test_rights_that_allow_no_update_at_all_are_told_from_the_guard(probing: Terminal) -> None:
    strike(probing, denied, UPDATE)

    answer = probing(f"{PROBE} -o json")

    assert answer.status == 1
    assert "phoenix iam --probe web-probe" in line(answer, "plain update")["hint"]
    assert answer.document["probe"]["versions"] == []
    assert probing.writes == [UPDATE, UPDATE]


# --- --probe: new versions --------------------------------------------------------------------------------------------


def test_a_probe_tells_how_long_a_version_was_unknown_and_in_which_words(probing: Terminal) -> None:
    probing.sandbox.hide_new_versions(10, "Could not find the specified version {number}.")

    answer = probing(f"{PROBE} --times 1 -o json")

    (version,) = answer.document["probe"]["versions"]
    assert failed(answer) == set()
    assert version["accepted_after_seconds"] == 10
    assert set(version["refusals"]) == {
        "You must use a valid fully-formed launch template. Could not find the specified version 2."
    }
    assert is_as_it_was(probing)


def test_a_group_that_was_made_a_moment_ago_is_waited_for(phoenix: Terminal) -> None:
    make_group(phoenix)
    phoenix.sandbox.hide_new_versions(10)

    answer = phoenix(f"{PROBE} --times 1 -o json")

    assert failed(answer) == set()
    assert is_as_it_was(phoenix)


def test_a_version_that_stays_unknown_for_longer_than_phoenix_waits_fails(probing: Terminal) -> None:
    probing.sandbox.hide_new_versions(3600)

    answer = probing(f"{PROBE} -o json")

    assert (answer.status, verdict(line(answer, "new version"))) == (1, "FAIL")
    assert "120 s" in line(answer, "new version")["text"]
    assert is_as_it_was(probing)


def test_words_that_phoenix_would_hold_a_rotation_for_fail(probing: Terminal) -> None:
    said: Any = {"Error": {"Code": "ValidationError", "Message": "the version is being replicated"}}
    strike(probing, lambda call: ClientError(said, call.operation), nth=6)

    answer = probing(f"{PROBE} -o json")

    assert answer.status == 1
    assert "the version is being replicated" in line(answer, "new version")["text"]
    assert is_as_it_was(probing)
