"""`doctor`: what it fails for; and what `--probe` asks on an empty group, refuses, and puts back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from phoenix.sandbox.desk import Call
from tests.cli.conftest import Answer, Terminal
from tests.remedies import run_remedy

PROBE = "doctor --probe web-probe"
UPDATE, MAKE, DELETE = "UpdateAutoScalingGroup", "CreateLaunchTemplateVersion", "DeleteLaunchTemplateVersions"
WRITES = [UPDATE] * 4 + [MAKE, UPDATE, MAKE, UPDATE, UPDATE, DELETE]
"""Those of a probe that makes two versions: plain, own version, $Latest, back; two versions; back; deleted."""
Accident = Callable[[Call], BaseException]


def test_the_doctor_fails_for_groups_that_do_not_exist(phoenix: Terminal) -> None:
    file = phoenix.folder / "web.yaml"
    file.write_text(file.read_text().replace("web-blue", "web-bleu"))

    answer = phoenix("doctor -o json")

    (check,) = [check for check in answer.document["checks"] if check["name"] == "groups"]
    assert (answer.status, check["passed"]) == (1, False)
    assert f"{file}:4:27: no Auto Scaling group web-bleu" in str(check)


# --- --probe: a group of one's own ------------------------------------------------------------------------------------


def client(phoenix: Terminal, service: str) -> Any:
    session: Any = phoenix.sandbox.session
    return session.client(service)


def make_group(phoenix: Terminal, **given: Any) -> None:
    """An empty group with a launch template of its own, as docs/first-hour.md makes them."""
    ec2 = client(phoenix, "ec2")
    blue = group_named(phoenix, "web-blue")
    found = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["1"])["LaunchTemplateVersions"]
    ec2.create_launch_template(LaunchTemplateName="web-probe", LaunchTemplateData=found[0]["LaunchTemplateData"])
    client(phoenix, "autoscaling").create_auto_scaling_group(
        **{
            "AutoScalingGroupName": "web-probe",
            "LaunchTemplate": {"LaunchTemplateName": "web-probe", "Version": "1"},
            "MinSize": 0,
            "MaxSize": 0,
            "VPCZoneIdentifier": blue["VPCZoneIdentifier"],
        }
        | given
    )


@pytest.fixture
def probing(phoenix: Terminal) -> Terminal:
    """There is a group to probe, made a day ago."""
    make_group(phoenix)
    phoenix.clock.advance(86_400)
    return phoenix


def group_named(phoenix: Terminal, name: str) -> Any:
    return client(phoenix, "autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ][0]


def is_as_it_was(phoenix: Terminal) -> bool:
    group = group_named(phoenix, "web-probe")
    numbers = (group["MinSize"], group["MaxSize"], group["DesiredCapacity"], group["LaunchTemplate"]["Version"])
    return numbers == (0, 0, 0, "1") and versions(phoenix) == [1]


def versions(phoenix: Terminal) -> list[int]:
    found = client(phoenix, "ec2").describe_launch_template_versions(LaunchTemplateName="web-probe")
    return sorted(each["VersionNumber"] for each in found["LaunchTemplateVersions"])


def line(answer: Answer, name: str) -> Any:
    found = [check for check in answer.document["checks"] if check["name"] == name]
    return found[0] if found else None


def failed(answer: Answer) -> set[str]:
    """Names of what failed. The sandbox's clock stands still, the doctor's and its headers' do not."""
    return {check["name"] for check in answer.document["checks"] if not check["passed"]} - {"clock"}


def verdict(check: Any) -> str:
    return ("WARN" if check["warning"] else "PASS") if check["passed"] else "FAIL"


def strike(
    phoenix: Terminal, accident: Accident, *operations: str, stage: str = "before", nth: int | None = None
) -> None:
    """Let an accident befall each of these calls, or only the nth of all writes."""
    seen = 0

    def hook(call: Call, when: str) -> None:
        nonlocal seen
        if when != stage or not (call.operation in operations or (not operations and call.mutating)):
            return
        seen += 1
        if nth in (None, seen):
            raise accident(call)

    phoenix.sandbox.intercept(hook)


def denied(call: Call) -> BaseException:
    said: Any = {"Error": {"Code": "AccessDenied", "Message": f"not authorized to perform {call.operation}"}}
    return ClientError(said, call.operation)


def lost(_: Call) -> BaseException:
    return ConnectionClosedError(endpoint_url="the sandbox")


def interrupted(_: Call) -> BaseException:
    return KeyboardInterrupt()


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


# --- --probe: what it refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"MaxSize": 1, "DesiredCapacity": 1}, {"MinSize": 1, "MaxSize": 1}])
def test_a_group_that_has_instances_or_wants_some_is_refused_before_the_first_write(
    phoenix: Terminal, given: dict[str, Any]
) -> None:
    make_group(phoenix, **given)

    answer = phoenix(f"{PROBE} -o json")

    assert (answer.status, phoenix.writes) == (5, [])
    assert "desired capacity is 1" in answer.document["error"]["message"]


def test_a_group_that_still_has_an_instance_is_refused(phoenix: Terminal) -> None:
    make_group(phoenix, MaxSize=1, DesiredCapacity=1)
    phoenix.clock.advance(300)
    client(phoenix, "autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="web-probe", MaxSize=0, DesiredCapacity=0
    )

    answer = phoenix(PROBE)

    assert (answer.status, phoenix.writes) == (5, [])
    assert "1 instance" in answer.err


def test_a_group_that_a_policy_names_is_refused(phoenix: Terminal) -> None:
    answer = phoenix("doctor --probe web-green")

    assert (answer.status, phoenix.writes) == (5, [])
    assert "the policy of web names it" in answer.err


def test_a_group_that_a_broken_policy_may_name_is_refused(probing: Terminal) -> None:
    (probing.folder / "api.yaml").write_text("group: [")

    answer = probing(PROBE)

    assert (answer.status, probing.writes) == (2, [])


def test_a_group_that_phoenix_has_rotated_is_refused(probing: Terminal) -> None:
    tag = {"ResourceId": "web-probe", "ResourceType": "auto-scaling-group", "Key": "phoenix:group", "Value": "other"}
    client(probing, "autoscaling").create_or_update_tags(Tags=[tag | {"PropagateAtLaunch": False}])

    answer = probing(PROBE)

    assert (answer.status, probing.writes) == (5, [])
    assert "phoenix has rotated it" in answer.err


def test_a_group_whose_template_another_group_follows_is_refused(probing: Terminal) -> None:
    client(probing, "autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="follower",
        LaunchTemplate={"LaunchTemplateName": "web-probe", "Version": "$Latest"},
        MinSize=0,
        MaxSize=4,
        VPCZoneIdentifier=group_named(probing, "web-blue")["VPCZoneIdentifier"],
    )

    answer = probing(PROBE)

    assert (answer.status, probing.writes) == (5, [])
    assert "follower" in answer.err


def test_a_group_that_follows_its_template_is_refused_with_the_command_that_pins_it(phoenix: Terminal) -> None:
    make_group(phoenix, LaunchTemplate={"LaunchTemplateName": "web-probe", "Version": "$Latest"})

    answer = phoenix(f"{PROBE} -o json")

    assert (answer.status, phoenix.writes) == (5, [])
    run_remedy(phoenix.sandbox.session, answer.document["error"]["hint"])
    assert failed(phoenix(f"{PROBE} -o json")) == set()


def test_a_group_that_aws_does_not_know_is_a_slip(probing: Terminal) -> None:
    answer = probing("doctor --probe web-prob")

    assert (answer.status, probing.writes) == (2, [])
    assert "did you mean web-probe" in answer.err


@pytest.mark.parametrize(
    "words", ["doctor --group web", "doctor --times 3", f"{PROBE} --times 0", f"{PROBE} --times 101"]
)
def test_options_that_make_no_sense_are_told(probing: Terminal, words: str) -> None:
    assert (probing(words).status, probing.writes) == (2, [])


def test_a_group_that_gets_instances_meanwhile_is_put_back_and_left_alone(phoenix: Terminal) -> None:
    make_group(phoenix, MaxSize=1)
    scaling = client(phoenix, "autoscaling")
    pending = [lambda: scaling.set_desired_capacity(AutoScalingGroupName="web-probe", DesiredCapacity=1)]

    def scale_out(call: Call, when: str) -> None:
        if call.operation == MAKE and when == "after" and pending:
            pending.pop()()

    phoenix.sandbox.intercept(scale_out)
    answer = phoenix(f"{PROBE} -o json")

    assert answer.status == 1
    assert "changed meanwhile" in line(answer, "stopped")["text"]
    assert (versions(phoenix), group_named(phoenix, "web-probe")["LaunchTemplate"]["Version"]) == ([1], "1")


# --- --probe: nothing is left behind ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accident", "stage"),
    [(denied, "before"), *((each, stage) for each in (lost, interrupted) for stage in ("before", "after"))],
)
@pytest.mark.parametrize("nth", range(1, len(WRITES) + 1))
def test_whatever_befalls_a_write_nothing_is_left_behind(
    probing: Terminal, accident: Accident, stage: str, nth: int
) -> None:
    strike(probing, accident, stage=stage, nth=nth)

    answer = probing(f"{PROBE} --times 2 -o json")

    probing.sandbox.stop_intercepting()
    if is_as_it_was(probing):
        assert not answer.document["probe"]["left"]
    else:  # denied: a person gets the command
        assert accident is denied
        undo(probing, answer)
        assert is_as_it_was(probing)


@pytest.mark.parametrize("operation", [UPDATE, MAKE, DELETE])
def test_what_cannot_be_put_back_comes_with_the_command_that_does_it(probing: Terminal, operation: str) -> None:
    def break_down(call: Call, when: str) -> None:
        """From the first version on, this operation is carried out and not answered any more."""
        if when == "after" and call.operation == operation and MAKE in probing.writes:
            raise lost(call)

    probing.sandbox.intercept(break_down)
    answer = probing(f"{PROBE} --times 1 -o json")
    probing.sandbox.stop_intercepting()

    assert answer.document["probe"]["left"]
    for left in answer.document["probe"]["left"]:
        assert line(answer, "put back") is not None
        run_remedy(probing.sandbox.session, left["command"])
    assert operation == MAKE or group_named(probing, "web-probe")["LaunchTemplate"]["Version"] == "1"


def test_a_role_that_may_not_delete_is_told_which_versions_are_left(probing: Terminal) -> None:
    strike(probing, denied, DELETE)

    answer = probing(f"{PROBE} --times 2 -o json")
    probing.sandbox.stop_intercepting()

    assert (failed(answer), versions(probing)) == (set(), [1, 2, 3])
    assert [verdict(check) for check in answer.document["checks"] if check["name"] == "put back"] == ["PASS", "WARN"]
    undo(probing, answer)
    assert is_as_it_was(probing)


def test_versions_that_are_left_are_never_taken_for_the_owners(probing: Terminal) -> None:
    strike(probing, denied, DELETE)

    probing(PROBE)

    found = client(probing, "ec2").describe_launch_template_versions(LaunchTemplateName="web-probe", Versions=["2"])
    assert found["LaunchTemplateVersions"][0]["VersionDescription"].startswith("phoenix probe ")


def test_a_group_that_a_killed_probe_has_left_is_named_with_the_way_back(probing: Terminal) -> None:
    ec2, scaling = client(probing, "ec2"), client(probing, "autoscaling")
    ec2.create_launch_template_version(
        LaunchTemplateName="web-probe", SourceVersion="1", LaunchTemplateData={},
        VersionDescription="phoenix probe 1f0c-1 of version 1",
    )  # fmt: skip
    scaling.update_auto_scaling_group(
        AutoScalingGroupName="web-probe", LaunchTemplate={"LaunchTemplateName": "web-probe", "Version": "2"}
    )

    answer = probing(f"{PROBE} -o json")

    assert (answer.status, probing.writes) == (5, [])
    run_remedy(probing.sandbox.session, answer.document["error"]["hint"])
    assert group_named(probing, "web-probe")["LaunchTemplate"]["Version"] == "1"


def test_what_another_writer_has_given_the_group_meanwhile_is_left(probing: Terminal) -> None:
    ec2, scaling = client(probing, "ec2"), client(probing, "autoscaling")
    theirs = ec2.create_launch_template_version(
        LaunchTemplateName="web-probe", SourceVersion="1", LaunchTemplateData={}, VersionDescription="the owner's"
    )["LaunchTemplateVersion"]["VersionNumber"]
    pending = [{"LaunchTemplateName": "web-probe", "Version": str(theirs)}]

    def meddle(call: Call, when: str) -> None:
        if call.operation == MAKE and when == "before" and pending:
            scaling.update_auto_scaling_group(AutoScalingGroupName="web-probe", LaunchTemplate=pending.pop())
            raise denied(call)

    probing.sandbox.intercept(meddle)
    probing(PROBE)

    assert group_named(probing, "web-probe")["LaunchTemplate"]["Version"] == str(theirs)


def undo(phoenix: Terminal, answer: Answer) -> None:
    for left in answer.document["probe"]["left"]:
        run_remedy(phoenix.sandbox.session, left["command"])
