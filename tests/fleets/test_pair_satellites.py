"""Hooks, scheduled actions and notifications: what only one slot has works for an empty group half of the time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.blocker import Blocker
from phoenix.fleets.group_schedules import Span
from phoenix.fleets.pair_satellites import find_in_hooks, find_in_notifications, find_in_schedules
from phoenix.fleets.pair_twins import Twins
from tests.account import Account
from tests.remedies import run_remedy

HOOK: dict[str, Any] = {
    "LifecycleHookName": "drain-queue",
    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    "HeartbeatTimeout": 300,
    "NotificationMetadata": "of web-blue",
}
NIGHTLY: dict[str, Any] = {"ScheduledActionName": "nightly", "Recurrence": "0 22 * * *", "MaxSize": 4}
DIFFERS = [("lifecycle-hooks-differ", False)]


def twins(account: Account) -> Twins:
    groups = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue", "web-green"])
    return Twins(*groups["AutoScalingGroups"])


def hook(account: Account, group: str, **changes: Any) -> None:
    account.client("autoscaling").put_lifecycle_hook(AutoScalingGroupName=group, **(HOOK | changes))


def in_hooks(account: Account) -> list[Blocker]:
    return list(find_in_hooks(account.aws, twins(account)))


def schedule(account: Account, group: str, **changes: Any) -> None:
    action = {key: value for key, value in (NIGHTLY | changes).items() if value is not None}
    account.client("autoscaling").put_scheduled_update_group_action(AutoScalingGroupName=group, **action)


def in_schedules(account: Account) -> list[Blocker]:
    """Differences only."""
    span = Span(account.clock.now(), timedelta(0), 4)
    said = find_in_schedules(account.aws, twins(account), span)
    return [blocker for blocker in said if blocker.name == "scheduled-actions-differ"]


def mend(account: Account, said: list[Blocker]) -> None:
    for blocker in said:
        run_remedy(account.sandbox.session, blocker.remedy)


def test_a_hook_that_only_the_live_slot_has_stands_in_the_way_until_it_is_copied(account: Account) -> None:
    hook(account, "web-blue")

    said = in_hooks(account)
    mend(account, said)

    assert [(b.name, b.warning) for b in said] == DIFFERS
    assert in_hooks(account) == []
    copy = account.client("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName="web-green")["LifecycleHooks"][0]
    assert copy["NotificationMetadata"] == "of web-green"


@pytest.mark.parametrize("change", [{"HeartbeatTimeout": 60}, {"DefaultResult": "CONTINUE"}])
def test_a_hook_that_is_not_the_same_stands_in_the_way_until_it_is(account: Account, change: dict[str, Any]) -> None:
    hook(account, "web-blue")
    hook(account, "web-green", NotificationMetadata="of web-green", **change)

    said = in_hooks(account)
    mend(account, said)

    assert [(b.name, b.warning) for b in said] == DIFFERS
    assert in_hooks(account) == []


def test_a_hook_that_only_the_other_slot_has_is_a_warning(account: Account) -> None:
    hook(account, "web-green", NotificationMetadata="of web-green")

    said = in_hooks(account)
    mend(account, said)

    assert [(b.name, b.warning) for b in said] == [("lifecycle-hooks-differ", True)]
    assert in_hooks(account) == []


@pytest.mark.parametrize("change", [None, {"TimeZone": "Europe/Berlin"}, {"MaxSize": 9}, {"Recurrence": "0 23 * * *"}])
def test_a_recurring_action_has_to_be_the_same_on_both(account: Account, change: dict[str, Any] | None) -> None:
    schedule(account, "web-blue")
    if change is not None:
        schedule(account, "web-green", **change)

    said = in_schedules(account)
    mend(account, said)

    assert [b.warning for b in said] == [False]
    assert in_schedules(account) == []


def test_one_single_action_of_the_live_slot_is_a_warning(account: Account) -> None:
    at = account.clock.now() + timedelta(days=2)
    schedule(account, "web-blue", Recurrence=None, StartTime=at)

    said = in_schedules(account)
    mend(account, said)

    assert [b.warning for b in said] == [True]
    assert in_schedules(account) == []


def test_topics_hear_of_both_slots_or_it_is_said(account: Account) -> None:
    kinds = ["autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"]
    for group, told in (("web-blue", kinds), ("web-green", kinds[:1])):
        account.client("autoscaling").put_notification_configuration(
            AutoScalingGroupName=group, TopicARN="arn:aws:sns:eu-west-1:123456789012:ops", NotificationTypes=told
        )

    said = list(find_in_notifications(account.aws, twins(account)))
    mend(account, said)

    assert [(b.name, b.warning, kinds[1] in b.text) for b in said] == [("notifications-differ", True, True)]
    assert list(find_in_notifications(account.aws, twins(account))) == []
