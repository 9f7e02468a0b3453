"""Days on which anything happens to a plain group: in the end it is whole again, whatever was done and broken.

Must never depend on luck: a seed decides, and names the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.sandbox import PLAIN
from tests.sandbox.conftest import Ground, Opener

HOOKS = ("phoenix-hold", "owner")
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
EVENTS = 60
REFUSED = {"ValidationError", "ScalingActivityInProgress", "IdempotentParameterMismatch"}
"""Codes of calls that come at a wrong time; any other one is a defect of the sandbox."""


class Day:
    """One group, and everything that can happen to it."""

    def __init__(self, ground: Ground, dice: Random) -> None:
        self.ground, self.dice = ground, dice
        self.name = dice.choice(PLAIN)
        self.named = {"AutoScalingGroupName": self.name}
        self.calls = ground.autoscaling
        ground.sandbox.seed(self.name)

    def happen(self) -> None:
        """One event, and some time."""
        members = self.ground.ids(self.name)
        if members:
            try:
                self.dice.choice(EVENTS_OF_A_DAY)(self, self.dice.sample(members, min(3, len(members))))
            except ClientError as error:
                if error.response["Error"]["Code"] not in REFUSED:
                    raise
        self.ground.clock.advance(self.dice.choice([0, 1, 5, 20, 60, 200]))

    def enter(self, ids: list[str]) -> None:
        self.calls.enter_standby(**self.named, InstanceIds=ids[:2], ShouldDecrementDesiredCapacity=self.often())

    def leave(self, _: list[str]) -> None:
        kept = [each["InstanceId"] for each in self.members() if each["LifecycleState"] == "Standby"]
        self.calls.exit_standby(**self.named, InstanceIds=kept or ["i-0123456789abcdef0"])

    def terminate(self, ids: list[str]) -> None:
        asked = {"InstanceIds": ids, "ShouldDecrementDesiredCapacity": not self.often()}
        self.calls.terminate_instance_in_auto_scaling_group(**self.named, **asked)

    def launch(self, _: list[str]) -> None:
        where = {"AvailabilityZones": [self.dice.choice(ZONES)]}
        token = str(self.dice.randrange(9))
        self.calls.launch_instances(**self.named, RequestedCapacity=2, ClientToken=token, **where)

    def hold(self, _: list[str]) -> None:
        transition = self.dice.choice(["LAUNCHING", "TERMINATING"])
        self.calls.put_lifecycle_hook(
            **self.named,
            LifecycleHookName=self.dice.choice(HOOKS),
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
            HeartbeatTimeout=self.dice.choice([30, 300]),
            DefaultResult=self.dice.choice(["ABANDON", "CONTINUE"]),
        )

    def unhold(self, _: list[str]) -> None:
        self.calls.delete_lifecycle_hook(**self.named, LifecycleHookName=self.dice.choice(HOOKS))

    def answer(self, ids: list[str]) -> None:
        self.ground.sandbox.answer_hooks(ids[0], self.dice.choice(["ABANDON", "CONTINUE"]))

    def break_one(self, ids: list[str]) -> None:
        box = self.ground.sandbox
        if box.world.servers.get(ids[0]) is not None:
            self.dice.choice([box.kill_instance, box.impair_instance, box.make_unhealthy])(ids[0])

    def resize(self, _: list[str]) -> None:
        sizes = {"MinSize": self.dice.randint(0, 4), "MaxSize": self.dice.randint(4, 12), "DesiredCapacity": 4}
        self.ground.update(self.name, **sizes)

    def scale(self, _: list[str]) -> None:
        self.calls.set_desired_capacity(**self.named, DesiredCapacity=self.dice.randint(0, 8))

    def protect(self, ids: list[str]) -> None:
        self.calls.set_instance_protection(**self.named, InstanceIds=ids, ProtectedFromScaleIn=not self.often())

    def suspend(self, _: list[str]) -> None:
        process = self.dice.choice(["AZRebalance", "Launch", "Terminate", "ReplaceUnhealthy"])
        self.calls.suspend_processes(**self.named, ScalingProcesses=[process])

    def resume(self, _: list[str]) -> None:
        self.calls.resume_processes(**self.named)

    def end_quietly(self) -> None:
        """Take back what holds things up, and wait."""
        self.resume([])
        for hook in self.calls.describe_lifecycle_hooks(**self.named)["LifecycleHooks"]:
            self.calls.delete_lifecycle_hook(**self.named, LifecycleHookName=hook["LifecycleHookName"])
        stable = [m["InstanceId"] for m in self.members() if m["LifecycleState"] in ("InService", "Standby")]
        if stable:
            self.calls.set_instance_protection(**self.named, InstanceIds=stable, ProtectedFromScaleIn=False)
        self.ground.clock.advance(7200)

    def members(self) -> list[Any]:
        return list(self.ground.group(self.name)["Instances"])

    def often(self) -> bool:
        return self.dice.random() < 0.7


EVENTS_OF_A_DAY: tuple[Callable[[Day, list[str]], None], ...] = (
    Day.enter,
    Day.leave,
    Day.terminate,
    Day.launch,
    Day.hold,
    Day.unhold,
    Day.answer,
    Day.break_one,
    Day.resize,
    Day.scale,
    Day.protect,
    Day.suspend,
    Day.resume,
)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_day_a_group_is_whole_again_and_standby_is_left_alone(open_sandbox: Opener, seed: int) -> None:
    day = Day(open_sandbox(seed_group=False, random_seed=seed), Random(seed))
    for _ in range(EVENTS):
        day.happen()

    day.end_quietly()

    serving = [each for each in day.members() if each["LifecycleState"] == "InService"]
    assert len(serving) == day.ground.group(day.name)["DesiredCapacity"]
    assert {each["LifecycleState"] for each in day.members()} <= {"InService", "Standby"}
    assert {each["HealthStatus"] for each in serving} <= {"Healthy"}
    by_zone = Counter(dict.fromkeys(ZONES, 0)) + Counter(each["AvailabilityZone"] for each in serving)
    assert max(by_zone[zone] for zone in ZONES) - min(by_zone[zone] for zone in ZONES) <= 1
    for source in day.ground.group(day.name)["TrafficSources"]:
        found = {each.instance_id: each.state for each in day.ground.sandbox.world.targets.of(source["Identifier"])}
        assert found == {each["InstanceId"]: "healthy" for each in serving}
