"""`doctor --probe`: which groups it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from phoenix.sandbox.desk import Call
from tests.cli.conftest import Terminal
from tests.cli.probing import (
    DELETE,
    MAKE,
    PROBE,
    UPDATE,
    WRITES,
    Accident,
    client,
    denied,
    failed,
    group_named,
    interrupted,
    is_as_it_was,
    line,
    lost,
    make_group,
    strike,
    undo,
    verdict,
    versions,
)
from tests.remedies import run_remedy

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_questions_and_everything_is_put_back(probing: Terminal, number: signal.Signals) -> None:
    def interrupt(call: Call, when: str) -> None:
        if call.operation == MAKE and when == "after":
            os.kill(os.getpid(), number)

    probing.sandbox.intercept(interrupt)
    answer = probing(f"{PROBE} -o json")

    assert (answer.status, answer.document["probe"]["stopped"]) == (130, "interrupted")
    assert probing.writes.count(MAKE) == 1
    assert is_as_it_was(probing)
