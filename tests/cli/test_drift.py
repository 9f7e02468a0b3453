"""`drift`, `taint` and `untaint` on the sandbox, where a person changes what runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cli.conftest import Terminal

ROOT = Path(__file__).parents[2]
IN_PLACE = """\
version: 1
group: api
fleet: {kind: in_place, auto_scaling_group: api, hooks: harmless}
traffic: {kind: attached}
image: {kind: search, owners: [self], name: "api-*", tags: {service: api}}
strategy: {kind: blue_green, bake: 30s}
"""


def members(phoenix: Terminal, slot: str = "blue") -> list[str]:
    return [member.instance_id for member in phoenix.sandbox.world.scaling.groups[f"web-{slot}"].members]


def ec2(phoenix: Terminal) -> Any:
    session: Any = phoenix.sandbox.session
    return session.client("ec2")


def open_a_port(phoenix: Terminal, instance: str) -> None:
    described = ec2(phoenix).describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    made = ec2(phoenix).create_security_group(GroupName="debug", Description="x", VpcId=described["VpcId"])
    own = [each["GroupId"] for each in described["SecurityGroups"]]
    ec2(phoenix).modify_instance_attribute(InstanceId=instance, Groups=[*own, made["GroupId"]])


def attach_a_disk(phoenix: Terminal, instance: str) -> None:
    described = ec2(phoenix).describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    zone = described["Placement"]["AvailabilityZone"]
    disk = ec2(phoenix).create_volume(Size=10, AvailabilityZone=zone, VolumeType="gp3")["VolumeId"]
    ec2(phoenix).attach_volume(VolumeId=disk, InstanceId=instance, Device="/dev/sdf")


def weaken_metadata(phoenix: Terminal, instance: str) -> None:
    ec2(phoenix).modify_instance_metadata_options(InstanceId=instance, HttpTokens="optional")


def rename(phoenix: Terminal, instance: str) -> None:
    ec2(phoenix).create_tags(Resources=[instance], Tags=[{"Key": "service", "Value": "mine"}])


def test_a_group_that_was_rotated_is_converged_whatever_runs_in_it(phoenix: Terminal) -> None:
    assert phoenix("rotate web").status == 0

    answer = phoenix("drift web --deep -o json")

    assert (answer.status, answer.document["outcome"]) == (0, "converged")
    assert answer.document["counts"] == {"instances": 8, "diverged": 0, "tainted": 0}
    assert phoenix.writes == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (open_a_port, "security-groups"),
        (attach_a_disk, "volumes"),
        (weaken_metadata, "metadata"),
        (rename, "tag:service"),
    ],
)
def test_what_a_person_changes_is_found_and_exits_10(
    phoenix: Terminal, change: Callable[[Terminal, str], None], what: str
) -> None:
    instance = members(phoenix)[0]
    phoenix.clock.advance(3600)
    change(phoenix, instance)

    answer = phoenix("drift web -o json")

    diverged = [each for each in answer.document["instances"] if each["outcome"] == "diverged"]
    assert answer.status == 10
    assert [(each["id"], [d["what"] for d in each["differences"]]) for each in diverged] == [(instance, [what])]
    assert f"AttributeValue={instance}" in answer.document["lookups"][0]


def test_protection_from_termination_is_found_by_a_deep_look_alone(phoenix: Terminal) -> None:
    ec2(phoenix).modify_instance_attribute(InstanceId=members(phoenix)[0], DisableApiTermination={"Value": True})

    assert phoenix("drift web").status == 0
    assert phoenix("drift web --deep").status == 10


def test_a_look_at_a_group_takes_a_dozen_calls_whatever_its_size(phoenix: Terminal) -> None:
    phoenix("drift web")
    assert len(phoenix.sandbox.calls) <= 12

    phoenix.sandbox.session.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="web-blue", MaxSize=40, DesiredCapacity=40
    )
    phoenix.clock.advance(600)
    phoenix("drift web")
    assert len(phoenix.sandbox.calls) <= 12


def test_a_reserve_in_standby_is_no_drift(phoenix: Terminal) -> None:
    phoenix.sandbox.seed("api")
    (phoenix.folder / "api.yaml").write_text(IN_PLACE)
    assert phoenix("rotate api").status == 0

    answer = phoenix("drift api -o json")

    states = {each["state"] for each in answer.document["instances"]}
    assert (answer.status, states) == (0, {"InService", "Standby"})


def test_spot_instances_of_several_types_are_no_drift(phoenix: Terminal) -> None:
    phoenix.sandbox.seed("workers")
    policy = (ROOT / "policies" / "workers.yaml").read_text()
    (phoenix.folder / "workers.yaml").write_text(policy)

    assert phoenix("drift workers").status == 0


def test_all_groups_are_a_table_with_the_diverged_ones_first(phoenix: Terminal) -> None:
    rename(phoenix, members(phoenix)[0])

    answer = phoenix("drift")

    assert answer.status == 10
    assert "1 group of 1 diverged." in answer.out
    assert "tag:service" in answer.out


def test_a_group_that_cannot_be_read_is_an_error_and_not_converged(phoenix: Terminal) -> None:
    text = (phoenix.folder / "web.yaml").read_text()
    (phoenix.folder / "gone.yaml").write_text(text.replace("web-blue", "no-blue").replace("group: web", "group: gone"))

    answer = phoenix("drift -o json")

    assert answer.status not in (0, 10)
    assert [each["group"] for each in answer.document] == ["gone", "web"]
    assert "error" in answer.document[0]


def test_taint_finds_the_group_by_itself_and_the_status_of_all_shows_it_first(phoenix: Terminal) -> None:
    instance = members(phoenix)[0]

    done = phoenix.type(["taint", instance, "--reason", "looked into the cache", "-o", "json"])

    assert (done.status, phoenix.writes) == (0, ["CreateTags"])
    assert [(each["instance"], each["group"], each["tainted"]) for each in done.document] == [(instance, "web", True)]
    shown = phoenix("status").out
    assert "web *" in shown
    assert f"1 tainted ({instance})" in shown
    assert phoenix("status web -o json").document["snowflakes"]["tainted"] == [instance]
    found = phoenix("drift web")
    assert found.status == 10
    assert "tainted: looked into the cache, tester" in found.out


@pytest.mark.parametrize("words", ["untaint {}", "taint --clear {}"])
def test_a_taint_is_taken_away_again(phoenix: Terminal, words: str) -> None:
    instance = members(phoenix)[0]
    phoenix.type(["taint", instance, "--reason", "x"])

    assert phoenix(words.format(instance)).status == 0

    assert phoenix("drift web").status == 0
    assert "*" not in phoenix("status").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["taint", "i-1"], "taint needs --reason"),
        (["taint", "web", "--reason", "x"], "an instance's id begins with i-"),
        (["taint", "i-0123456789abcdef0", "--reason", "x"], "no running instance of a group that a policy is about"),
        (["taint", "i-0123456789abcdef0", "-g", "web", "--reason", "x"], "not in web; nothing was changed"),
        (["taint"], "Missing argument"),
    ],
)
def test_a_taint_that_makes_no_sense_changes_nothing(phoenix: Terminal, words: list[str], said: str) -> None:
    answer = phoenix.type(words)

    assert answer.status == 2
    assert said in answer.err
    assert phoenix.writes == []


def test_a_running_instance_keeps_its_type_and_its_user_data(phoenix: Terminal) -> None:
    for changed in ({"InstanceType": {"Value": "m5.large"}}, {"UserData": {"Value": b"#!/bin/sh"}}):
        with pytest.raises(ClientError, match="is not in the 'stopped' state"):
            ec2(phoenix).modify_instance_attribute(InstanceId=members(phoenix)[0], **changed)
