"""What an interrupted rotation leaves behind, as anybody can see it through the API.

Reads only, and judges by what a group at rest looks like: one side has all the traffic, the newest image and the
owner's numbers; the other is empty; nothing temporary is left on either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

SIDES = ("blue", "green")
TEMPORARY_TAGS = ("phoenix:capacity", "phoenix:hold")
"""The others of phoenix's tags stay for good: from them a rollback finds its way without a store."""
VERSIONS_OF_ONE_ROTATION = 1


@dataclass(frozen=True, slots=True)
class Side:
    """One Auto Scaling group of the pair, and its share of the traffic."""

    share: float
    image: str | None
    """Of its instances; None when there are none, or of several."""
    instances: int
    bounds: tuple[int, int]
    desired: int
    suspended: frozenset[str]
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """The pair at one moment."""

    sides: Mapping[str, Side]
    template_versions: int
    newest_image: str

    @property
    def live(self) -> str | None:
        """The side that has all the traffic; None when it is split."""
        return next((name for name, side in self.sides.items() if side.share == 1), None)


def leftovers(before: Standing, now: Standing) -> tuple[str, ...]:
    """What differs from a rotation that has ended well, in words; `before` is the pair as its owner had left it."""
    found: list[str] = []
    owner = before.sides[str(before.live)]
    spare = now.template_versions - before.template_versions - VERSIONS_OF_ONE_ROTATION
    if spare > 0:
        found.append(f"{spare} template version too many")
    instances = sum(side.instances for side in now.sides.values())
    if instances > owner.desired:
        found.append(f"{instances} instances running where {owner.desired} are needed")
    if now.live is None:
        shares = ", ".join(f"{name} {side.share:.0%}" for name, side in now.sides.items())
        return (*found, f"the traffic is split: {shares}")
    live = now.sides[now.live]
    if live.image != now.newest_image:
        found.append("the old image is live")
    if live.bounds != owner.bounds:
        found.append(f"{now.live} is pinned to {live.bounds}, its owner wants {owner.bounds}")
    if live.suspended - owner.suspended:
        found.append(f"suspended on {now.live}, which is live: {', '.join(sorted(live.suspended))}")
    marks = sorted({tag for side in now.sides.values() for tag in side.tags if tag in TEMPORARY_TAGS})
    return (*found, *(f"tag {mark}" for mark in marks))


def look(session: boto3.Session) -> Standing:
    """Read the web pair."""
    autoscaling, ec2 = session.client("autoscaling"), session.client("ec2")
    names = {f"web-{side}": side for side in SIDES}
    groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=list(names))["AutoScalingGroups"]
    shares = _shares(session)
    images = _images(ec2)
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    return Standing(
        sides={names[each["AutoScalingGroupName"]]: _side(each, shares, images) for each in groups},
        template_versions=len(versions),
        newest_image=newest_image(session),
    )


def newest_image(session: boto3.Session) -> str:
    """What the web policy chooses."""
    images: Any = session.client("ec2").describe_images(
        Owners=["self"],
        Filters=[
            {"Name": "name", "Values": ["web-*"]},
            {"Name": "architecture", "Values": ["x86_64"]},
            {"Name": "tag:channel", "Values": ["stable"]},
        ],
    )["Images"]
    return str(max(images, key=lambda image: str(image["CreationDate"]))["ImageId"])


def _side(group: Any, shares: Mapping[str, float], images: Mapping[str, str]) -> Side:
    staying = [each["InstanceId"] for each in group["Instances"] if not each["LifecycleState"].startswith("Termin")]
    found = {images.get(instance) for instance in staying}
    return Side(
        share=shares.get(group["TargetGroupARNs"][0], 0.0),
        image=found.pop() if len(found) == 1 else None,
        instances=len(staying),
        bounds=(group["MinSize"], group["MaxSize"]),
        desired=group["DesiredCapacity"],
        suspended=frozenset(each["ProcessName"] for each in group["SuspendedProcesses"]),
        tags=frozenset(each["Key"] for each in group["Tags"]),
    )


def _images(ec2: Any) -> dict[str, str]:
    pages = ec2.get_paginator("describe_instances").paginate()
    reservations = [reservation for page in pages for reservation in page["Reservations"]]
    return {each["InstanceId"]: each["ImageId"] for reservation in reservations for each in reservation["Instances"]}


def _shares(session: boto3.Session) -> dict[str, float]:
    """The smallest share that any rule of the web load balancer gives to each target group that it names."""
    elbv2: Any = session.client("elbv2")
    balancer = elbv2.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["LoadBalancerArn"]
    shares: dict[str, float] = {}
    for listener in elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            targets = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
            total = sum(each["Weight"] for each in targets) or 1
            for each in targets:
                arn, share = each["TargetGroupArn"], each["Weight"] / total
                shares[arn] = min(shares.get(arn, 1.0), share)
    return shares
