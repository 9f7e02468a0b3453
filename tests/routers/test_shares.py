"""Whose traffic is not where it should be, asked for many groups in few calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.errors import AccessDenied
from phoenix.routers.shares import RULES, moved_groups
from tests.account import Account
from tests.builders import a_generation, a_record, a_rotation


@pytest.fixture
def record(account: Account) -> GroupRecord:
    """The web tier at rest, as phoenix knows it."""
    target_groups = account.target_groups()
    routes = {route.arn: route.name for route in account.router().find(target_groups)}
    account.sandbox.calls.clear()
    return a_record(live=a_generation(1, slot=Slot.BLUE), target_groups=target_groups, routes=routes)


def test_a_group_that_is_as_it_was_left_has_not_moved_and_costs_a_part_of_a_call(
    account: Account, record: GroupRecord
) -> None:
    others = [replace(record, group=f"g{number}") for number in range(20)]

    assert moved_groups(account.aws, [record, *others], RULES) == set()
    assert account.operations() == ["DescribeRules"]


def test_a_group_whose_live_slot_does_not_have_all_the_traffic_has_moved(account: Account, record: GroupRecord) -> None:
    elsewhere = replace(record, live=a_generation(2, slot=Slot.GREEN))

    assert moved_groups(account.aws, [elsewhere, replace(record, group="api")], RULES) == {"web"}


def test_a_route_that_is_gone_spoils_no_other_groups_answer(account: Account, record: GroupRecord) -> None:
    gone = next(iter(record.routes)).rpartition("/")[0] + "/0000000000000000"
    other = replace(record, group="api", routes={gone: "rule /api"})

    assert moved_groups(account.aws, [record, other], RULES) == {"api"}


def test_a_missing_right_is_not_taken_for_routes_that_are_gone(account: Account, record: GroupRecord) -> None:
    account.aws.refusals["elasticloadbalancing:DescribeRules"] = "AccessDenied"

    with pytest.raises(AccessDenied):
        moved_groups(account.aws, [record, replace(record, group="api")], RULES)


def test_groups_in_flight_and_without_routes_are_not_asked_about(account: Account, record: GroupRecord) -> None:
    others = [replace(record, rotation=a_rotation()), replace(record, routes={}), replace(record, live=None)]

    assert moved_groups(account.aws, others, RULES) == set()
    assert account.operations() == []
