"""EC2 images: registered as the caller describes them, and findable by date.

moto ignores nearly all parameters of RegisterImage, and shows no member that tells a bootable image from another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from moto.ec2.exceptions import InvalidAMIIdError
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from phoenix.sandbox.answers.common import page
from phoenix.sandbox.world import World


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """A new image. `created_at` None means now; `owner` "self" means the sandbox's account."""

    name: str
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    owner: str = "self"
    architecture: str = "x86_64"
    boot_mode: str = "uefi-preferred"
    root_device: str = "/dev/xvda"


def add_image(world: World, spec: ImageSpec) -> str:
    """Make an available image; return its id."""
    ec2 = world.ec2()
    ami = Ami(
        ec2,
        random_ami_id(),
        name=spec.name,
        description=spec.description,
        owner_id=None if spec.owner == "self" else spec.owner,
        virtualization_type="hvm",
        architecture=spec.architecture,
        image_location=f"{ec2.account_id if spec.owner == 'self' else spec.owner}/{spec.name}",
        hypervisor="xen",
        root_device_type="ebs",
        root_device_name=spec.root_device,
        creation_date=(spec.created_at or world.timeline.now).astimezone(UTC).replace(tzinfo=None),
        boot_mode=spec.boot_mode,
        tags=dict(spec.tags),
        region_name=f"{ec2.region_name}a",
    )
    ami.ena_support = True
    ami.platform_details, ami.usage_operation = "Linux/UNIX", "RunInstances"
    if spec.owner != "self":
        ami.launch_permissions.append({"Group": "all"})
    ec2.amis[ami.id] = ami
    return str(ami.id)


def register(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """RegisterImage."""
    if params.get("DryRun"):
        return None
    tags = {
        tag["Key"]: tag.get("Value", "")
        for spec in params.get("TagSpecifications", [])
        if spec.get("ResourceType") == "image"
        for tag in spec.get("Tags", [])
    }
    spec = ImageSpec(
        params["Name"],
        params.get("Description"),
        tags,
        architecture=params.get("Architecture", "x86_64"),
        boot_mode=params.get("BootMode", "uefi-preferred"),
        root_device=params.get("RootDeviceName", "/dev/xvda"),
    )
    return {"ImageId": add_image(world, spec)}


def describe(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeImages: filtered by date too, ids that are gone are an error, pages; in an order that says nothing."""
    filters = {each["Name"]: each.get("Values", []) for each in params.get("Filters", [])}
    dates = filters.pop("creation-date", None)
    ids = params.get("ImageIds") or []
    missing = [image for image in ids if image.startswith("ami-") and image not in world.ec2().amis]
    if missing:
        raise InvalidAMIIdError(missing)
    found = world.ec2().describe_images(
        ami_ids=ids,
        filters=filters,
        exec_users=params.get("ExecutableUsers", []),
        owners=params.get("Owners", []),
    )
    if dates:
        found = [each for each in found if any(fnmatchcase(_date(each), pattern) for pattern in dates)]
    found.sort(key=lambda each: str(each.id))
    images, token = page(found, params.get("NextToken"), int(params.get("MaxResults") or 1000))
    return {"Images": images, "NextToken": token}


def deprecate(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """EnableImageDeprecation."""
    ami: Any = world.ec2().describe_images(ami_ids=[params["ImageId"]])[0]
    ami.deprecation_time = params["DeprecateAt"].strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"Return": True}


def _date(ami: Any) -> str:
    return str(ami.creation_date.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "RegisterImage": register,
    "DescribeImages": describe,
    "EnableImageDeprecation": deprecate,
}
