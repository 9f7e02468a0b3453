"""Would the next generation launch at all? Asks EC2 with a dry run of the very launch that is planned.

Must never launch anything: DryRun is always set, and its only good answer is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from phoenix.aws.errors import code_of
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion, newest_of_the_owner, read_version, template_of
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.errors import AccessDenied, NotFound, PhoenixError, TransientError
from phoenix.fleets.pair_judgement import subnets_of

IAM_ACTIONS: Final = frozenset({"ec2:DescribeLaunchTemplateVersions", "ec2:RunInstances", "iam:PassRole"})

_WOULD_SUCCEED = "DryRunOperation"


def check_launch(aws: Aws, group: Mapping[str, Any], image: Image) -> list[Blocker]:
    """The template can be read, and one instance of it with the new image could be launched."""
    name = str(group["AutoScalingGroupName"])
    use = template_of(group)
    if use is None:
        return []
    try:
        source = newest_of_the_owner(aws, use.id)
        if use.version.isdigit():
            read_version(aws, use.id, use.version)
    except NotFound as error:
        return [
            Blocker(
                "unknown-launch-template",
                f"Auto Scaling group {name}",
                f"{name} launches from {use.id} version {use.version}, which cannot be resolved. {error.message}",
                f"aws ec2 describe-launch-template-versions --launch-template-id {use.id}",
            )
        ]
    return _dry_run(aws, group, source, image)


def _dry_run(aws: Aws, group: Mapping[str, Any], source: TemplateVersion, image: Image) -> list[Blocker]:
    where = f"launch template {source.template} version {source.number}"
    try:
        aws.call("ec2", "run_instances", DryRun=True, MinCount=1, MaxCount=1, **_launch(group, source, image))
    except AccessDenied as error:
        return [Blocker("launch-denied", where, f"A launch would be refused. {error.message}", error.hint)]
    except TransientError:
        raise
    except PhoenixError as error:
        if code_of(error) == _WOULD_SUCCEED:
            return []
        remedy = f"aws ec2 describe-launch-template-versions --launch-template-id {source.template}"
        return [Blocker("launch-impossible", where, f"{image.id} cannot be launched. {error.message}", remedy)]
    return []


def _launch(group: Mapping[str, Any], source: TemplateVersion, image: Image) -> dict[str, Any]:
    launch: dict[str, Any] = {
        "LaunchTemplate": {"LaunchTemplateId": source.template, "Version": str(source.number)},
        "ImageId": image.id,
    }
    subnet = min(subnets_of(group), default=None)
    interfaces = source.content.get("NetworkInterfaces")
    if subnet and interfaces:
        # EC2 takes a subnet either for the launch or for an interface, and the template has chosen.
        launch["NetworkInterfaces"] = [dict(interfaces[0]) | {"SubnetId": subnet}]
    elif subnet:
        launch["SubnetId"] = subnet
    overrides = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {}).get("Overrides") or [{}]
    if "InstanceType" in overrides[0]:
        launch["InstanceType"] = overrides[0]["InstanceType"]
    return launch
