"""Launch one instance of a group, as EC2 would, or fail in AWS's own words.

Never takes anything from a template's default version: only the version that the group names counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.ec2.utils import parse_user_data

from phoenix.sandbox.disks import devices
from phoenix.sandbox.groups import Group
from phoenix.sandbox.physics import Behaviour
from phoenix.sandbox.versions import find_version, refuse_devices

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.amis import Ami
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

BEHAVIOUR_TAG = "sandbox:behaviour"


class LaunchFault(StrEnum):
    """Why AWS may refuse to launch an instance."""

    NO_CAPACITY = "no-capacity"
    QUOTA = "quota"
    NO_ADDRESSES = "no-addresses"
    KMS = "kms"
    BAD_IMAGE = "bad-image"
    PERMISSION = "permission"
    UNSUPPORTED_TYPE = "unsupported-type"


FAILED = "Launching EC2 instance failed."
WORDING: Mapping[LaunchFault, str] = {
    LaunchFault.NO_CAPACITY: (
        "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our"
        " system will be working on provisioning additional capacity. You can currently get {type} capacity by not"
        f" specifying an Availability Zone in your request. {FAILED}"
    ),
    LaunchFault.QUOTA: (
        "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket that"
        " the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request"
        f" an adjustment to this limit. {FAILED}"
    ),
    LaunchFault.NO_ADDRESSES: (
        "There are not enough free addresses in subnet '{subnet}' to satisfy the requested number of instances."
        f" {FAILED}"
    ),
    LaunchFault.KMS: (
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason:"
        " Client.InternalError: Client error on launch"
    ),
    LaunchFault.BAD_IMAGE: f"The image id '[{{image}}]' does not exist. {FAILED}",
    LaunchFault.PERMISSION: (
        "You are not authorized to perform this operation. Encoded authorization failure message:"
        f" 4GIOHlTkIaWHQD0Q0m6XSnuU. {FAILED}"
    ),
    LaunchFault.UNSUPPORTED_TYPE: (
        "Your requested instance type ({type}) is not supported in your requested Availability Zone ({zone})."
        f" {FAILED}"
    ),
}


class LaunchFailed(Exception):
    """The activity's StatusMessage, and the fault that it is about; None for one that the account itself has."""

    def __init__(self, words: str, fault: LaunchFault | None = None) -> None:
        super().__init__(words)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Place:
    """Where to launch."""

    zone: str
    subnet: str | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A launch, with every reference resolved."""

    image: str
    instance_type: str
    template: LaunchTemplate | None = None
    version: LaunchTemplateVersion | None = None
    content: Mapping[str, Any] = field(default_factory=dict)

    def member_template(self) -> dict[str, str] | None:
        """As it stands in `Instances[].LaunchTemplate`: with the number, whatever alias the group names."""
        if self.template is None or self.version is None:
            return None
        return {
            "LaunchTemplateId": self.template.id,
            "LaunchTemplateName": self.template.name,
            "Version": str(self.version.number),
        }


def find_template(ec2: EC2Backend, spec: Mapping[str, Any]) -> tuple[LaunchTemplate, LaunchTemplateVersion]:
    """Resolve a LaunchTemplateSpecification; no version means the default one.

    Raises:
        ServiceException: EC2 knows no such template or version.
    """
    if spec.get("LaunchTemplateId"):
        template = ec2.get_launch_template(spec["LaunchTemplateId"])
    else:
        template = ec2.get_launch_template_by_name(spec.get("LaunchTemplateName", ""))
    return template, find_version(template, spec.get("Version") or "$Default")


def recipe_of(ec2: EC2Backend, settings: Mapping[str, Any]) -> Recipe:
    """Return the launch that a group with these settings makes now.

    Raises:
        ServiceException: the template or its version does not exist.
    """
    mixed = settings.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    spec = settings.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    override = (mixed.get("Overrides") or [{}])[0]
    spec = override.get("LaunchTemplateSpecification") or spec
    if spec is None:
        return _recipe_of_configuration(ec2, settings["LaunchConfigurationName"])
    template, version = find_template(ec2, spec)
    content = version.data
    return Recipe(
        # "The ID of the AMI to use for instances launched with this override" (LaunchTemplateOverrides), whose number
        # is the version's all the same.
        image=_resolve(ec2, override.get("ImageId") or content.get("ImageId", "")),
        instance_type=override.get("InstanceType") or content.get("InstanceType", "m1.small"),
        template=template,
        version=version,
        content=content,
    )


def _recipe_of_configuration(ec2: EC2Backend, name: str) -> Recipe:
    from moto.autoscaling.models import autoscaling_backends

    configuration = autoscaling_backends[ec2.account_id][ec2.region_name].launch_configurations[name]
    return Recipe(configuration.image_id, configuration.instance_type)


def _resolve(ec2: EC2Backend, image: str) -> str:
    if not image.startswith("resolve:ssm:"):
        return image
    from moto.ssm.models import ssm_backends

    parameter = ssm_backends[ec2.account_id][ec2.region_name].get_parameter(image.removeprefix("resolve:ssm:"))
    return parameter.value if parameter else image


def find_image(ec2: EC2Backend, image: str) -> Ami | None:
    """None when it was never there, is deregistered, or cannot be launched."""
    found = ec2.amis.get(image)
    return found if found is not None and found.state == "available" else None


def behaviour_of(ec2: EC2Backend, image: str) -> Behaviour:
    """As tagged; an unknown word counts as healthy."""
    word = ec2.tags.get(image, {}).get(BEHAVIOUR_TAG, "")
    return next((each for each in Behaviour if each.value == word), Behaviour.HEALTHY)


def wording(fault: LaunchFault, recipe: Recipe, place: Place) -> str:
    """The StatusMessage of a launch that failed so."""
    return WORDING[fault].format(
        type=recipe.instance_type, zone=place.zone, subnet=place.subnet or "-", image=recipe.image
    )


def launch(ec2: EC2Backend, group: Group, recipe: Recipe, place: Place) -> Instance:
    """Make the instance in EC2.

    Raises:
        LaunchFailed: with AWS's words.
    """
    image = find_image(ec2, recipe.image)
    if image is None:
        raise LaunchFailed(wording(LaunchFault.BAD_IMAGE, recipe, place), LaunchFault.BAD_IMAGE)
    refused = refuse_devices(image, recipe.content)
    if refused is not None:
        raise LaunchFailed(f"{refused.message} {FAILED}")
    if place.subnet and ec2.get_subnet(place.subnet).available_ip_address_count <= 0:
        raise LaunchFailed(wording(LaunchFault.NO_ADDRESSES, recipe, place), LaunchFault.NO_ADDRESSES)
    content = recipe.content
    interfaces = content.get("NetworkInterfaces") or [{}]
    user_data = content.get("UserData")
    try:
        reservation = ec2.run_instances(
            recipe.image,
            1,
            parse_user_data(str(user_data)) if user_data is not None else None,
            content.get("SecurityGroups", []),
            instance_type=recipe.instance_type,
            is_instance_type_default=False,
            region_name=ec2.region_name,
            subnet_id=place.subnet,
            placement=None if place.subnet else place.zone,
            security_group_ids=list(content.get("SecurityGroupIds") or interfaces[0].get("Groups") or []),
            key_name=content.get("KeyName"),
            monitoring_state="enabled" if content.get("Monitoring", {}).get("Enabled") else "disabled",
            metadata_options=content.get("MetadataOptions", {}),
            associate_public_ip=interfaces[0].get("AssociatePublicIpAddress", False),
            tags={"instance": _tags_for(group, recipe)},
            block_device_mappings=devices(image, content),
            disable_api_termination=bool(content.get("DisableApiTermination", False)),
        )
    except ServiceException as error:
        raise LaunchFailed(f"{error.message} {FAILED}") from error
    return reservation.instances[0]


def _tags_for(group: Group, recipe: Recipe) -> dict[str, str]:
    tags = dict(recipe.version.instance_tags) if recipe.version else {}
    tags |= {key: tag.value for key, tag in group.tags.items() if tag.propagates}
    tags["aws:autoscaling:groupName"] = group.name
    if recipe.template and recipe.version:
        tags["aws:ec2launchtemplate:id"] = recipe.template.id
        tags["aws:ec2launchtemplate:version"] = str(recipe.version.number)
    return tags
