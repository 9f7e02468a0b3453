"""The same rotation as a plain script makes it with batches, as an instance refresh has them by default.

No strawman: 90 % healthy, the next batch only once the last one serves and has warmed up, terminate before launch.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html. It is no instance refresh: that is
a service of AWS, and nothing here was measured of it.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import boto3

from tests.bench.plain_script import LAUNCH_TIMEOUT_S, Pace

MIN_HEALTHY = 0.9
WARM_UP_S = 30.0
"""The DefaultInstanceWarmup of the sandbox's groups."""


class Refresh:
    """One run for one group behind one target group."""

    def __init__(self, session: boto3.Session, name: str, pace: Pace) -> None:
        self.autoscaling: Any = session.client("autoscaling")
        self.elbv2: Any = session.client("elbv2")
        self.ec2: Any = session.client("ec2")
        self.name, self.pace = name, pace

    def run(self, image: str) -> None:
        """Replace every instance, a batch at a time, and rest."""
        group = self.group()
        template, size = group["LaunchTemplate"], int(group["DesiredCapacity"])
        made = self.ec2.create_launch_template_version(
            LaunchTemplateId=template["LaunchTemplateId"],
            SourceVersion=template["Version"],
            LaunchTemplateData={"ImageId": image},
        )
        version = str(made["LaunchTemplateVersion"]["VersionNumber"])
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": version},
        )
        old = sorted(str(each["InstanceId"]) for each in group["Instances"])
        batch = max(size - ceil(size * MIN_HEALTHY), 1)
        for start in range(0, len(old), batch):
            self.autoscaling.terminate_instance_in_auto_scaling_group(
                AutoScalingGroupName=self.name,
                InstanceIds=old[start : start + batch],
                ShouldDecrementDesiredCapacity=False,
            )
            self.wait_until_healthy(group["TargetGroupARNs"][0], size)
            self.pace.sleep(WARM_UP_S)
        self.pace.sleep(self.pace.bake)

    def group(self) -> dict[str, Any]:
        """As it is now."""
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        return dict(found[0])

    def wait_until_healthy(self, target_group: str, wanted: int) -> None:
        """Look until `wanted` targets are healthy.

        Raises:
            TimeoutError: they never were.
        """
        for _ in range(int(LAUNCH_TIMEOUT_S / self.pace.poll)):
            self.pace.sleep(self.pace.poll)
            targets = self.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
            if sum(target["TargetHealth"]["State"] == "healthy" for target in targets) >= wanted:
                return
        raise TimeoutError(f"{target_group} never had {wanted} healthy targets")
