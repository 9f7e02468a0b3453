"""EC2's status checks, which nothing else looks at while an instance is in Standby. "Model" is botocore 1.44.5."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Ground, refusal
from tests.sandbox.plain import DRAIN, enter, newcomer, reserve, state


def status(ground: Ground, *ids: str) -> list[str]:
    found = ground.ec2.describe_instance_status(InstanceIds=list(ids))["InstanceStatuses"]
    return [each["InstanceStatus"]["Status"] for each in found]


def test_a_running_instance_is_asked_for_its_status_and_console_output(ground: Ground) -> None:
    instance = ground.ids("web-blue")[0]

    found = ground.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]
    output = ground.ec2.get_console_output(InstanceId=instance)

    assert (found["InstanceState"]["Name"], found["InstanceStatus"]["Status"]) == ("running", "ok")
    assert found["InstanceStatus"]["Details"] == [{"Name": "reachability", "Status": "passed"}]
    assert (found["SystemStatus"]["Status"], output["InstanceId"]) == ("ok", instance)
    assert output["Output"]


def test_the_first_checks_of_a_new_instance_take_some_minutes(ground: Ground) -> None:
    """Model: "initializing" is a status; how long it lasts is not published."""
    instance = newcomer(ground)

    early = status(ground, instance)
    ground.clock.advance(120)

    assert (early, status(ground, instance)) == (["initializing"], ["ok"])


def test_an_impaired_instance_is_replaced_in_the_words_of_aws(ground: Ground) -> None:
    """The sentence is matched by a public tool and quoted in a public runbook. A load balancer finds out
    sooner."""
    ground.update("web-blue", HealthCheckType="EC2")
    victim = ground.ids("web-blue")[0]

    ground.sandbox.impair_instance(victim)
    found = status(ground, victim)
    ground.clock.advance(120)

    causes = [each["Cause"] for each in ground.activities("web-blue")]
    assert (found, state(ground, victim)) == (["impaired"], "gone")
    assert any(each.endswith("in response to an EC2 instance status checks failure.") for each in causes)


def test_an_impaired_instance_in_standby_stays_there_and_does_not_answer(ground: Ground) -> None:
    (victim,) = reserve(ground, 1)

    ground.sandbox.impair_instance(victim)
    ground.clock.advance(3600)

    assert (state(ground, victim), status(ground, victim)) == ("Standby", ["impaired"])


def test_an_instance_that_is_impaired_while_it_enters_standby_is_not_replaced(ground: Ground) -> None:
    victim = ground.ids("web-blue")[0]
    ground.sandbox.impair_instance(victim)

    enter(ground, [victim])
    ground.clock.advance(DRAIN + 60)

    assert state(ground, victim) == "Standby"


def test_only_running_instances_have_a_status_unless_all_are_asked_for(ground: Ground) -> None:
    """Model: IncludeAllInstances."""
    (victim,) = reserve(ground, 1)
    ground.sandbox.kill_instance(victim)
    ground.clock.advance(60)

    every = ground.ec2.describe_instance_status(InstanceIds=[victim], IncludeAllInstances=True)["InstanceStatuses"]

    assert (status(ground, victim), every[0]["InstanceState"]["Name"]) == ([], "terminated")


def test_an_id_that_ec2_has_forgotten_refuses_the_whole_call_although_the_group_lists_it(ground: Ground) -> None:
    """keikoproj/upgrade-manager#150: "Actual instance is terminated, but AWS call to DescribeAutoScalingGroups returns
    it", and EC2 says InvalidInstanceID.NotFound."""
    dead, alive = reserve(ground)
    ground.sandbox.kill_instance(dead)
    ground.clock.advance(2 * 3600)

    code, words = refusal(ground.ec2.describe_instance_status, InstanceIds=[alive, dead])

    assert (state(ground, dead), code) == ("Standby", "InvalidInstanceID.NotFound")
    assert words == f"The instance ID '{dead}' does not exist"


@pytest.mark.parametrize(("count", "refused"), [(100, False), (101, True)])
def test_a_hundred_ids_a_call_are_the_most(ground: Ground, count: int, refused: bool) -> None:
    """Model: "Maximum 100 explicitly specified instance IDs". The words are reasoned."""
    ids = (ground.ids("web-blue") * 26)[:count]

    if refused:
        assert refusal(ground.ec2.describe_instance_status, InstanceIds=ids)[0] == "InvalidParameterValue"
    else:
        assert set(status(ground, *ids)) == {"ok"}
