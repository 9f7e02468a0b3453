"""Would the next generation launch at all? Asks EC2 with a dry run of the very launch that is planned.

Must never launch anything: DryRun is always set, and its only good answer is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.errors import code_of
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion, newest_of_the_owner, read_version, template_of
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.errors import AccessDenied, NotFound, PhoenixError, TransientError
from phoenix.fleets import launch_rights, quota
from phoenix.fleets.pair_judgement import subnets_of
from phoenix.fleets.pair_template import changes, running_version

IAM_ACTIONS: Final = (
    reads("ec2:DescribeLaunchTemplateVersions", roles=FORWARD) | launch_rights.IAM_ACTIONS | quota.IAM_ACTIONS
)
CHECKS: Final = ("unknown-launch-template", "launch-denied", "launch-impossible", "template-changed", *quota.CHECKS)

_WOULD_SUCCEED = "DryRunOperation"
_NO_SUCH_IMAGE = "InvalidAMIID.NotFound"
_IMAGE: Final = "ImageId"


@dataclass(frozen=True, slots=True)
class Launch:
    """`count` instances of this image, launched by the candidate at that instant, after those that live."""

    live: Mapping[str, Any]
    candidate: Mapping[str, Any]
    image: Image
    count: int
    at: datetime


def check_launch(aws: Aws, launch: Launch) -> list[Blocker]:
    """The template can be read, one instance of it with the new image could be launched, and there is room for all."""
    name = str(launch.candidate["AutoScalingGroupName"])
    use = template_of(launch.candidate)
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
                unchecked=CHECKS,
            )
        ]
    checks = [
        Check("dry run", CHECKS[1:3], partial(_dry_run, aws, launch.candidate, source, launch.image)),
        Check("launch template", CHECKS[3:4], partial(_changed, aws, launch.live, source)),
    ]
    demand = demand_of(launch.candidate, source, launch.count, launch.at)
    if demand is not None:
        checks.append(Check("vCPU quota", quota.CHECKS, partial(quota.find_quota, aws, demand), optional=True))
    return make_checks(aws, checks)


def _changed(aws: Aws, live: Mapping[str, Any], source: TemplateVersion) -> Iterator[Blocker]:
    """What the owner has changed since the live generation was launched goes along with the image, so it is said."""
    running = running_version(aws, live)
    differing = changes(aws, running, source) if running is not None else ()
    if running is None or not differing:
        return
    yield Blocker(
        "template-changed",
        f"launch template {source.template}",
        f"the next generation is made from version {source.number}, which differs from version {running.number}, the"
        f" live one's, in more than the image: {', '.join(differing)}.",
        f"aws ec2 describe-launch-template-versions --launch-template-id {source.template} \\\n"
        f"    --versions {running.number} {source.number}",
        warning=True,
    )


def demand_of(group: Mapping[str, Any], source: TemplateVersion, count: int, at: datetime) -> quota.Demand | None:
    """None where the type is not known beforehand, or where spot instances may be launched."""
    instance_type = source.content.get("InstanceType")
    if instance_type is None or group.get("MixedInstancesPolicy") or count <= 0:
        return None
    return quota.Demand(str(instance_type), count, at)


def _dry_run(aws: Aws, group: Mapping[str, Any], source: TemplateVersion, image: Image) -> list[Blocker]:
    where = f"launch template {source.template} version {source.number}"
    try:
        aws.call("ec2", "run_instances", DryRun=True, MinCount=1, MaxCount=1, **_launch(group, source, image))
    except AccessDenied as error:
        denied = Blocker("launch-denied", where, f"A launch would be refused. {error.message}", error.hint)
        return [replace(denied, of_rights=not _may_make_versions(aws, source))]
    except TransientError:
        raise
    except PhoenixError as error:
        if code_of(error) == _WOULD_SUCCEED:
            return []
        if code_of(error) == _NO_SUCH_IMAGE:
            # Its description was read a moment ago: another of EC2's replicas does not know it yet, or no more.
            raise TransientError(f"{image.id} is not known everywhere yet: {error}") from error
        remedy = f"aws ec2 describe-launch-template-versions --launch-template-id {source.template}"
        return [Blocker("launch-impossible", where, f"{image.id} cannot be launched. {error.message}", remedy)]
    return []


def _may_make_versions(aws: Aws, source: TemplateVersion) -> bool:
    """Whether whoever asks may do the first thing of every rotation; if not, they are here to read."""
    version = {"LaunchTemplateId": source.template, "LaunchTemplateData": {_IMAGE: source.content.get(_IMAGE, "")}}
    try:
        aws.call("ec2", "create_launch_template_version", DryRun=True, **version)
    except AccessDenied:
        return False
    except PhoenixError as error:
        if isinstance(error, TransientError):
            raise
    return True


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
