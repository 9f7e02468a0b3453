"""Each remedy of the engine is a command that does what it says, as printed."""

from __future__ import annotations

import shlex
from typing import get_args

import botocore.session
import pytest

from phoenix.core.model import Slot, SlotState
from phoenix.core.remedy import Empty, KeepOldInstances, LeaveTargetGroups, Remedy, Resize, ShowTargetGroups
from phoenix.fleets.group_commands import command
from phoenix.fleets.group_shapes import slot_state
from tests.account import Account
from tests.remedies import commands_of, parameters_of, run_remedy

BLUE, GREEN = Slot.BLUE, Slot.GREEN
REMEDIES = (LeaveTargetGroups(GREEN, ("arn:tg/web",)), ShowTargetGroups(GREEN), Resize(GREEN), Empty(GREEN),
            KeepOldInstances(GREEN))  # fmt: skip


def run(account: Account, remedy: Remedy) -> SlotState:
    """The slot after its remedy was typed."""
    run_remedy(account.sandbox.session, account.fleet.command(remedy))
    return account.fleet.observe(None).slots[remedy.slot]


def test_every_remedy_is_spelled_here() -> None:
    assert {type(each) for each in REMEDIES} == set(get_args(Remedy))


def test_a_slot_leaves_the_target_groups_that_it_is_told_to_leave(account: Account) -> None:
    (arn,) = account.fleet.observe(None).slots[GREEN].target_groups

    assert run(account, LeaveTargetGroups(GREEN, (arn,))).target_groups == ()


def test_what_a_slot_registers_with_is_shown(account: Account) -> None:
    ran = run_remedy(account.sandbox.session, account.fleet.command(ShowTargetGroups(GREEN)))

    assert ran == ["describe-traffic-sources"]


def test_a_slot_gets_as_many_instances_as_it_is_told_to(account: Account) -> None:
    assert run(account, Resize(BLUE, 3)).desired == 3


def test_a_number_that_only_a_person_knows_is_left_to_that_person() -> None:
    assert command(Resize(BLUE), "web-blue").endswith("--auto-scaling-group-name web-blue --desired-capacity <n>")


def test_a_slot_is_emptied_and_launches_nothing(account: Account) -> None:
    emptied = run(account, Empty(BLUE))

    assert (emptied.min, emptied.max, emptied.desired) == (0, 0, 0)


def test_aws_lets_old_instances_be(account: Account) -> None:
    client = account.client("autoscaling")
    client.update_auto_scaling_group(AutoScalingGroupName="web-blue", MaxInstanceLifetime=2_592_000)
    assert account.fleet.observe(None).slots[BLUE].max_instance_lifetime is not None

    assert run(account, KeepOldInstances(BLUE)).max_instance_lifetime is None


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_name_with_a_space_stays_one_word(remedy: Remedy) -> None:
    ((_, _, _, *words),) = commands_of(command(remedy, "web green").replace("<n>", "1"))

    assert words[:2] == ["--auto-scaling-group-name", "web green"]


def test_who_has_changed_a_group_is_read_in_cloudtrail() -> None:
    group = {"AutoScalingGroupName": "web-blue", "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    said = slot_state(BLUE, group).writer_words

    client = botocore.session.get_session().create_client("cloudtrail", region_name="eu-west-1")
    _, service, operation, *words = shlex.split(said.removeprefix("CloudTrail knows who: ").removesuffix("."))

    assert (service, operation) == ("cloudtrail", "lookup-events")
    assert parameters_of(client, operation, words) == {
        "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "web-blue"}]
    }
