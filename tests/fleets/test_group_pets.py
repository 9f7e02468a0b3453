"""Instances with something of their own: what would be lost, or left behind, is said before."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.fleets.group_pets import find_pets
from tests.answers import ScriptedAws

GROUP = {"AutoScalingGroupName": "web-blue", "Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]}


def said_of(**facts: Any) -> list[tuple[str, bool]]:
    """What is said when one of the instances is like that."""
    aws = ScriptedAws(describe_instances={"Reservations": [{"Instances": [{"InstanceId": "i-1"} | facts]}]})
    return [(blocker.name, blocker.warning) for blocker in find_pets(aws, GROUP)]


@pytest.mark.parametrize(("deleted", "said"), [(False, [("volumes-kept", True)]), (True, [])])
def test_volumes_that_outlive_their_instance_are_worth_a_warning(deleted: bool, said: Any) -> None:
    volumes = [{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": deleted}}]

    assert said_of(BlockDeviceMappings=volumes) == said


@pytest.mark.parametrize(("owner", "said"), [("123456789012", [("elastic-address", True)]), ("amazon", [])])
def test_addresses_of_their_own_are_worth_a_warning(owner: str, said: Any) -> None:
    assert said_of(NetworkInterfaces=[{"Association": {"IpOwnerId": owner, "PublicIp": "192.0.2.1"}}]) == said


def test_plain_instances_are_no_pets() -> None:
    assert said_of(NetworkInterfaces=[{}]) == []


def test_a_large_group_is_asked_for_in_batches() -> None:
    aws = ScriptedAws(describe_instances={"Reservations": []})

    list(find_pets(aws, GROUP | {"Instances": [{"InstanceId": f"i-{n}"} for n in range(450)]}))

    assert [len(parameters["Filters"][0]["Values"]) for _, parameters in aws.asked] == [200, 200, 50]
