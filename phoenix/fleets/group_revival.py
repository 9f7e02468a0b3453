"""Could an earlier generation be launched again in its slot? For `status`, before a person has to type `rollback`.

Reads only, and no dry run: the reader may have fewer rights than the role that rolls back. Must never fail: a check
that AWS does not answer was not made, and the text says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion, template_of, versions_to_copy
from phoenix.core.blocker import Blocker
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.errors import NotFound
from phoenix.fleets import group_addresses, group_quota
from phoenix.fleets.group_addresses import find_addresses
from phoenix.fleets.group_identity import identify, read_if_there
from phoenix.fleets.group_launch import demand_of

IAM_ACTIONS: Final = (
    reads("ec2:DescribeImages", "ec2:DescribeLaunchTemplateVersions")
    | group_addresses.IAM_ACTIONS
    | group_quota.IAM_ACTIONS
)
CHECKS: Final = ("slot-changed", "template-version-gone", "image-gone", *group_addresses.CHECKS, *group_quota.CHECKS)


@dataclass(frozen=True, slots=True)
class Revival:
    """Launching `count` more instances of a generation, by that group, at that instant."""

    group: Mapping[str, Any]
    generation: Generation
    count: int
    at: datetime


def find_blockers(aws: Aws, revival: Revival) -> list[Blocker]:
    """Everything at once, as far as its template version tells what would be launched."""
    return make_checks(aws, [Check("launch template", CHECKS, partial(_find, aws, revival), optional=True)])


def find_losses(aws: Aws, group: Mapping[str, Any], generation: Generation) -> list[Blocker]:
    """Only what no room would mend: nothing that could launch it, or no image. `generation` as just identified."""
    lost = _without_template(aws, group, generation)
    return lost or ([*_image(aws, generation.image)] if generation.image != UNKNOWN_IMAGE else [])


def _without_template(aws: Aws, group: Mapping[str, Any], generation: Generation) -> list[Blocker]:
    name, use = str(group["AutoScalingGroupName"]), template_of(group)
    where = f"Auto Scaling group {name}"
    if use is None:
        return [Blocker("slot-changed", where, f"{name} has a launch configuration now, not a launch template.")]
    if generation.template_version is None and _to_copy(aws, use.id) is None:
        text = f"{name} launches from {use.id} now, which is gone."
        look = f"aws ec2 describe-launch-template-versions --launch-template-id {use.id}"
        return [Blocker("template-version-gone", where, text, look)]
    return []


def _find(aws: Aws, revival: Revival) -> list[Blocker]:
    """By the version that launches it, else that from which one with its image would be made."""
    generation, use = identify(aws, revival.group, revival.generation), template_of(revival.group)
    lost = _without_template(aws, revival.group, generation)
    if lost or use is None:
        return lost
    version = generation.template_version
    source = read_if_there(aws, use.id, version) if version is not None else _to_copy(aws, use.id)
    return make_checks(aws, list(_checks(aws, replace(revival, generation=generation), source))) if source else []


def _to_copy(aws: Aws, template: str) -> TemplateVersion | None:
    try:
        return versions_to_copy(aws, template).source
    except NotFound:
        return None


def _checks(aws: Aws, revival: Revival, version: TemplateVersion) -> Iterator[Check]:
    image = revival.generation.image
    if image != UNKNOWN_IMAGE:
        yield Check(f"image {image}", ("image-gone",), partial(_image, aws, image), optional=True)
    room = partial(find_addresses, aws, revival.group, revival.count)
    yield Check("free addresses", group_addresses.CHECKS, room, optional=True)
    demand = demand_of(revival.group, version, revival.count, revival.at)
    if demand is not None:
        yield Check("vCPU quota", group_quota.CHECKS, partial(group_quota.find_quota, aws, demand), optional=True)


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
