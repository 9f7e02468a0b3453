"""A sandbox that stands still, and short ways to ask it.

Must never wait for real time: these tests move the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

from phoenix.sandbox import ManualClock, Physics, Sandbox

STEADY = Physics(boot_spread=0)
"""All instances boot alike, so that a test can say when."""


@dataclass
class Ground:
    """A sandbox with its clock, and questions that tests ask often."""

    sandbox: Sandbox
    clock: ManualClock

    @cached_property
    def autoscaling(self) -> Any:
        return self.sandbox.session.client("autoscaling")

    @cached_property
    def elbv2(self) -> Any:
        return self.sandbox.session.client("elbv2")

    @cached_property
    def ec2(self) -> Any:
        return self.sandbox.session.client("ec2")

    @cached_property
    def cloudwatch(self) -> Any:
        return self.sandbox.session.client("cloudwatch")

    def group(self, name: str = "web-green") -> Any:
        return self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def update(self, name: str = "web-green", **changes: Any) -> None:
        self.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, **changes)

    def ids(self, name: str = "web-green") -> list[str]:
        return [each["InstanceId"] for each in self.group(name)["Instances"]]

    def lifecycles(self, name: str = "web-green") -> Counter[str]:
        return Counter(each["LifecycleState"] for each in self.group(name)["Instances"])

    def activities(self, name: str = "web-green", **options: Any) -> Any:
        return self.autoscaling.describe_scaling_activities(AutoScalingGroupName=name, **options)["Activities"]

    def target_group(self, name: str = "web-green") -> str:
        return str(self.elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])

    def health(self, name: str = "web-green") -> Counter[tuple[str, str | None]]:
        found = self.elbv2.describe_target_health(TargetGroupArn=self.target_group(name))["TargetHealthDescriptions"]
        return Counter((each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")) for each in found)

    def listeners(self, balancer: str = "web") -> list[Any]:
        arn = self.elbv2.describe_load_balancers(Names=[balancer])["LoadBalancers"][0]["LoadBalancerArn"]
        return list(self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"])

    def rules(self, balancer: str = "web") -> list[Any]:
        arns = [each["ListenerArn"] for each in self.listeners(balancer)]
        found = [self.elbv2.describe_rules(ListenerArn=arn)["Rules"] for arn in arns]
        return [rule for rules in found for rule in rules]

    def shift(self, blue: int, green: int) -> None:
        action = self.forward({"web-blue": blue, "web-green": green})
        for listener in self.listeners():
            self.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])
        for rule in self.rules():
            if not rule["IsDefault"]:
                self.elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=[action])

    def forward(self, weights: dict[str, int]) -> dict[str, Any]:
        groups = [{"TargetGroupArn": self.target_group(name), "Weight": weight} for name, weight in weights.items()]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}

    def newest(self) -> str:
        found = self.ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["web-*9f2c1e"]}])
        return str(found["Images"][0]["ImageId"])

    def grow_green(self, image: str, size: int = 4) -> None:
        """Launch that image in the green slot, and give it time to come up as far as it will."""
        made = self.ec2.create_launch_template_version(
            LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"ImageId": image}
        )
        version = str(made["LaunchTemplateVersion"]["VersionNumber"])
        template = {"LaunchTemplateName": "web", "Version": version}
        self.update(LaunchTemplate=template, MinSize=size, MaxSize=12)
        self.clock.advance(120)


def new_version(ground: Ground, image: str, **options: Any) -> Any:
    arguments = {"LaunchTemplateName": "web", "SourceVersion": "1", "LaunchTemplateData": {"ImageId": image}}
    return ground.ec2.create_launch_template_version(**arguments, **options)["LaunchTemplateVersion"]


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """The code and message of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


Opener = Callable[..., Ground]


@pytest.fixture
def open_sandbox() -> Iterator[Opener]:
    """Open a sandbox of your own; it is closed after the test."""
    with ExitStack() as stack:

        def opener(**options: Any) -> Ground:
            clock = ManualClock()
            sandbox = stack.enter_context(Sandbox(clock=clock, **{"physics": STEADY, **options}))
            return Ground(sandbox, clock)

        yield opener


@pytest.fixture
def ground(open_sandbox: Opener) -> Ground:
    """The web tier on a good day."""
    return open_sandbox()
