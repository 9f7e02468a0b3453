"""Could an earlier generation be launched again in its slot? For `status`, before anybody has to type `rollback`.

Reads only, and no dry run: whoever asks may have fewer rights than whoever rolls back. Must never fail: what AWS does
not answer was not checked, and is said so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion, read_version, template_of
from phoenix.core.adopt import UNKNOWN_IMAGE
from phoenix.core.blocker import Blocker
from phoenix.core.record import Generation
from phoenix.errors import NotFound
from phoenix.fleets import addresses, quota
from phoenix.fleets.addresses import find_addresses
from phoenix.fleets.launch_check import demand_of

IAM_ACTIONS: Final = (
    reads("ec2:DescribeImages", "ec2:DescribeLaunchTemplateVersions") | addresses.IAM_ACTIONS | quota.IAM_ACTIONS
)
CHECKS: Final = ("slot-changed", "template-version-gone", "image-gone", *addresses.CHECKS, *quota.CHECKS)

_ALIAS: Final = "resolve:"


@dataclass(frozen=True, slots=True)
class Revival:
    """So many more instances of this generation, launched by that group at that instant."""

    group: Mapping[str, Any]
    generation: Generation
    count: int
    at: datetime


def find_blockers(aws: Aws, revival: Revival) -> list[Blocker]:
    """Everything at once, as far as its template version tells what would be launched."""
    return make_checks(aws, [Check("launch template", CHECKS, partial(_find, aws, revival), optional=True)])


def _find(aws: Aws, revival: Revival) -> list[Blocker]:
    name, generation = str(revival.group["AutoScalingGroupName"]), revival.generation
    use, number = template_of(revival.group), str(generation.template_version)
    where = f"Auto Scaling group {name}"
    if use is None:
        return [Blocker("slot-changed", where, f"{name} has a launch configuration now, and no template version.")]
    try:
        version = _resolved(aws, read_version(aws, use.id, number))
    except NotFound:
        text = f"launch template {use.id} has no version {number} any more."
        return [Blocker("template-version-gone", where, text)]
    image = str(version.content.get("ImageId", ""))
    if generation.image not in (image, UNKNOWN_IMAGE):
        text = (
            f"version {number} of {use.id}, which {name} uses, has {image or 'no image'}, not {generation.image}:"
            " somebody has changed the group's launch template."
        )
        look = f"aws ec2 describe-launch-template-versions --launch-template-id {use.id} --versions {number}"
        return [Blocker("slot-changed", where, text, look)]
    return make_checks(aws, list(_checks(aws, revival, version, image)))


def _resolved(aws: Aws, version: TemplateVersion) -> TemplateVersion:
    """An owner's version may name its image by an alias, and only EC2 knows what that stands for at this moment."""
    if not str(version.content.get("ImageId", "")).startswith(_ALIAS):
        return version
    return read_version(aws, version.template, str(version.number), resolve_alias=True)


def _checks(aws: Aws, revival: Revival, version: TemplateVersion, image: str) -> Iterator[Check]:
    yield Check(f"image {image}", ("image-gone",), partial(_image, aws, image), optional=True)
    room = partial(find_addresses, aws, revival.group, revival.count)
    yield Check("free addresses", addresses.CHECKS, room, optional=True)
    demand = demand_of(revival.group, version, revival.count, revival.at)
    if demand is not None:
        yield Check("vCPU quota", quota.CHECKS, partial(quota.find_quota, aws, demand), optional=True)


def _image(aws: Aws, image: str) -> Iterator[Blocker]:
    """Deprecated is no obstacle to a launch; disabled, failed or forbidden is."""
    where = f"image {image}"
    try:
        found = aws.call("ec2", "describe_images", ImageIds=[image], IncludeDeprecated=True)["Images"]
    except NotFound:
        found = []
    if not found:
        text = f"{image} is gone: deregistered, or no longer shared with this account."
        restore = f"aws ec2 restore-image-from-recycle-bin --image-id {image}"
        yield Blocker("image-gone", where, text, restore)
        return
    state = str(found[0].get("State", ""))
    if state != "available":
        yield Blocker("image-gone", where, f"{image} is {state}, not available.")
    elif not found[0].get("ImageAllowed", True):
        yield Blocker("image-gone", where, f"the account's Allowed AMIs settings forbid {image}.")
