"""Obstacles of a rotation in place that only AWS can tell of: hooks, forecasts, schedules, Standby."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phoenix.core.blocker import Ahead, Blocker
from phoenix.core.model import Slot
from phoenix.core.terms import Terms
from tests.account import Account, Opener
from tests.fakes import an_image

AHEAD = Ahead(timedelta(hours=1), 4)


def blockers_of(account: Account, *, harmless: bool = False) -> list[Blocker]:
    account.scope = replace(account.scope, terms=Terms(steps=(), hooks_harmless=harmless))
    image = account.sandbox.bake_image("web-2026.11.18-c0ffee")
    return list(account.fleet_in("web-blue").find_blockers(Slot.BLUE, an_image(image), 4, AHEAD))


def put_hook(account: Account, name: str) -> None:
    account.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="web-blue",
        LifecycleHookName=name,
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )


def test_a_group_at_rest_has_none(open_account: Opener) -> None:
    assert blockers_of(open_account()) == []


def test_a_hook_is_refused_unless_it_is_said_to_be_harmless(open_account: Opener) -> None:
    account = open_account()
    put_hook(account, "register-in-consul")

    (refused,) = blockers_of(account)

    assert (refused.name, "register-in-consul" in refused.text) == ("hooks-not-run", True)
    assert blockers_of(account, harmless=True) == []


def test_a_hook_of_codedeploy_is_never_harmless(open_account: Opener) -> None:
    account = open_account()
    put_hook(account, "CodeDeploy-managed-automatic-launch-deployment-hook-web-1234")

    assert [found.name for found in blockers_of(account, harmless=True)] == ["codedeploy-hook"]


def test_a_schedule_that_fires_meanwhile_is_told_of(open_account: Opener) -> None:
    account = open_account()
    schedule: dict[str, Any] = {"ScheduledActionName": "evening", "MinSize": 1, "MaxSize": 4, "DesiredCapacity": 2}
    fires_at = account.clock.now() + timedelta(minutes=5)
    account.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="web-blue", StartTime=fires_at, **schedule
    )

    assert [found.name for found in blockers_of(account)] == ["scheduled-action"]


@pytest.mark.parametrize("harmless", [True, False])
def test_standby_that_is_not_ours_stands_in_the_way(open_account: Opener, harmless: bool) -> None:
    account = open_account()
    autoscaling = account.client("autoscaling")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="web-blue", MinSize=1)
    (group,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web-blue"])["AutoScalingGroups"]
    autoscaling.enter_standby(
        AutoScalingGroupName="web-blue",
        InstanceIds=[group["Instances"][0]["InstanceId"]],
        ShouldDecrementDesiredCapacity=True,
    )

    assert "standby" in [found.name for found in blockers_of(account, harmless=harmless)]
