"""The script that phoenix is measured against: the same blue/green rotation, as one writes it in an afternoon.

Sensible, and no strawman: it finds out which side is live, waits for health, shifts every listener and rule, rests, and
only then empties the old side. It keeps no record, so a run that is killed leaves whatever it was in the middle of.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

LAUNCH_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and of rest before the old side goes; `sleep` lets them pass."""

    poll: float = 5.0
    bake: float = 300.0
    sleep: Callable[[float], None] = time.sleep


class Script:
    """One run for one pair of groups."""

    def __init__(self, session: boto3.Session, name: str, pace: Pace) -> None:
        self.autoscaling: Any = session.client("autoscaling")
        self.elbv2: Any = session.client("elbv2")
        self.ec2: Any = session.client("ec2")
        self.name, self.pace = name, pace

    def run(self, image: str) -> str:
        """Rotate to the image; returns what it did in a sentence."""
        blue, green = self.groups()
        routes = self.routes(blue, green)
        live, idle = (green, blue) if weight_of(routes[0], target_group(green)) > 0 else (blue, green)
        if self.image_of(live) == image:
            return f"{live['AutoScalingGroupName']} runs {image} already"
        version = self.new_version(live, image)
        self.start(idle, live, version)
        self.wait_until_healthy(target_group(idle), live["DesiredCapacity"])
        for route in routes:
            self.shift(route, idle, live)
        self.pace.sleep(self.pace.bake)
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=live["AutoScalingGroupName"], MinSize=0, MaxSize=0, DesiredCapacity=0
        )
        return f"{idle['AutoScalingGroupName']} runs {image}"

    def groups(self) -> list[dict[str, Any]]:
        """Blue and green."""
        names = [f"{self.name}-blue", f"{self.name}-green"]
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        return sorted(found, key=lambda group: str(group["AutoScalingGroupName"]))

    def routes(self, *groups: dict[str, Any]) -> list[dict[str, Any]]:
        """Every default action and rule that forwards to one of the groups."""
        wanted = {target_group(group) for group in groups}
        balancer = self.elbv2.describe_target_groups(TargetGroupArns=sorted(wanted))["TargetGroups"][0]
        listeners = self.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArns"][0])["Listeners"]
        rules = [
            {**rule, "ListenerArn": listener["ListenerArn"]}
            for listener in listeners
            for rule in self.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        ]
        return [rule for rule in rules if wanted & weights(rule).keys()]

    def image_of(self, group: dict[str, Any]) -> str:
        """The image that the group launches."""
        version = self.ec2.describe_launch_template_versions(
            LaunchTemplateId=group["LaunchTemplate"]["LaunchTemplateId"],
            Versions=[group["LaunchTemplate"]["Version"]],
        )["LaunchTemplateVersions"][0]
        return str(version["LaunchTemplateData"]["ImageId"])

    def new_version(self, live: dict[str, Any], image: str) -> str:
        """A template version like the live one, with the image."""
        template = live["LaunchTemplate"]
        made = self.ec2.create_launch_template_version(
            LaunchTemplateId=template["LaunchTemplateId"],
            SourceVersion=template["Version"],
            LaunchTemplateData={"ImageId": image},
        )
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def start(self, idle: dict[str, Any], live: dict[str, Any], version: str) -> None:
        """Give the idle group the version, and the size of the live one."""
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=idle["AutoScalingGroupName"],
            LaunchTemplate={"LaunchTemplateId": live["LaunchTemplate"]["LaunchTemplateId"], "Version": version},
            MinSize=live["MinSize"],
            MaxSize=live["MaxSize"],
            DesiredCapacity=live["DesiredCapacity"],
        )

    def wait_until_healthy(self, group: str, wanted: int) -> None:
        """Look until `wanted` targets are healthy.

        Raises:
            TimeoutError: they never were.
        """
        for _ in range(int(LAUNCH_TIMEOUT_S / self.pace.poll)):
            targets = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            if sum(target["TargetHealth"]["State"] == "healthy" for target in targets) >= wanted:
                return
            self.pace.sleep(self.pace.poll)
        raise TimeoutError(f"{group} never had {wanted} healthy targets")

    def shift(self, route: dict[str, Any], to: dict[str, Any], away_from: dict[str, Any]) -> None:
        """Send all of the route's traffic to one group."""
        shares = weights(route) | {target_group(to): 100, target_group(away_from): 0}
        forward = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": share} for arn, share in shares.items()]}
        actions = [{"Type": "forward", "ForwardConfig": forward}]
        if route["IsDefault"]:
            self.elbv2.modify_listener(ListenerArn=route["ListenerArn"], DefaultActions=actions)
        else:
            self.elbv2.modify_rule(RuleArn=route["RuleArn"], Actions=actions)


def target_group(group: dict[str, Any]) -> str:
    """ARN of the group's target group."""
    return str(group["TargetGroupARNs"][0])


def weights(route: dict[str, Any]) -> dict[str, int]:
    """Weight by target group ARN."""
    forwards = [action["ForwardConfig"]["TargetGroups"] for action in route["Actions"] if "ForwardConfig" in action]
    return {each["TargetGroupArn"]: each.get("Weight", 1) for targets in forwards for each in targets}


def weight_of(route: dict[str, Any], group: str) -> int:
    """The weight that the route gives to one target group."""
    return weights(route).get(group, 0)


def main() -> int:
    """Run as a process of its own."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--name", default="web")
    options.add_argument("--image", required=True)
    options.add_argument("--poll", type=float, default=5.0)
    options.add_argument("--bake", type=float, default=300.0)
    given = options.parse_args()
    print(Script(boto3.Session(), given.name, Pace(given.poll, given.bake)).run(given.image))
    return 0


if __name__ == "__main__":
    sys.exit(main())
