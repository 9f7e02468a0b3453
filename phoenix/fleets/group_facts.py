"""Every instance of a group as EC2 describes it, beside what its template version and its group make of a fresh one.

Reads only, all instances together: EC2 tells of user data and of protection from termination one instance a call, so
those are read only if asked for. Must never compare what neither template nor group says.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.instances import by_ids, describe_instances
from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion
from phoenix.core.drift import Compared, Found, Fresh, Volume
from phoenix.errors import NotFound
from phoenix.fleets.group_identity import read_if_there
from phoenix.fleets.group_shapes import lookup

IAM_ACTIONS: Final[Rights] = reads(
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeVolumes",
    "ec2:DescribeImages",
    "ec2:DescribeLaunchTemplateVersions",
    roles=FORWARD,
)

_OPTIONS: Final = ("HttpEndpoint", "HttpProtocolIpv6", "HttpPutResponseHopLimit", "HttpTokens", "InstanceMetadataTags")
_DIGEST_LETTERS: Final = 16


@dataclass(frozen=True, slots=True)
class _Sources:
    """What fresh instances are made of: template versions by template and number, block devices by image."""

    versions: Mapping[tuple[str, str], TemplateVersion | None]
    devices: Mapping[str, Mapping[str, Volume]] = field(default_factory=dict)


def compare(aws: Aws, groups: Sequence[Mapping[str, Any]], *, deep: bool) -> dict[str, Compared]:
    """The instances of these groups, by id, each beside what it should be. Four calls for up to 200 instances of one
    template version; `deep`: two more for each instance."""
    members = {str(item["InstanceId"]): (group, item) for group in groups for item in group.get("Instances", ())}
    if not members:
        return {}
    launched = sorted({key for _, item in members.values() if (key := _launched(item)) is not None})
    questions: list[Callable[[], Any]] = [
        partial(describe_instances, aws, list(members)),
        partial(by_ids, aws, list(members), _read_volumes),
        *(partial(read_if_there, aws, template, number) for template, number in launched),
    ]
    described, disks, *versions = aws.side_by_side(questions)
    images = sorted({str(item["ImageId"]) for item in described})
    sources = _Sources(dict(zip(launched, versions, strict=True)), _read_devices(aws, images))
    volumes = {str(disk["VolumeId"]): disk for disk in disks}
    found = {item["InstanceId"]: _found(item, *members[item["InstanceId"]], volumes) for item in described}
    compared = {name: Compared(each, _fresh(each, *members[name], sources)) for name, each in found.items()}
    return _deepened(aws, compared, sources) if deep else compared


def _launched(item: Mapping[str, Any]) -> tuple[str, str] | None:
    used = item.get("LaunchTemplate")
    return (str(used["LaunchTemplateId"]), str(used["Version"])) if used else None


# --- as it is ---------------------------------------------------------------------------------------------------------


def _found(
    item: Mapping[str, Any],
    group: Mapping[str, Any],
    member: Mapping[str, Any],
    volumes: Mapping[str, Mapping[str, Any]],
) -> Found:
    template, version = _launched(member) or ("", None)
    options = item.get("MetadataOptions", {})
    return Found(
        id=item["InstanceId"],
        image=item["ImageId"],
        launched_at=item["LaunchTime"].astimezone(UTC),
        type=item["InstanceType"],
        version=version,
        template=template,
        zone=item.get("Placement", {}).get("AvailabilityZone", ""),
        security_groups=frozenset(each["GroupId"] for each in item.get("SecurityGroups", ())),
        profile=_name_of(item.get("IamInstanceProfile", {})),
        metadata={key: str(options[key]) for key in _OPTIONS if key in options},
        tags={tag["Key"]: tag["Value"] for tag in item.get("Tags", ())},
        volumes={
            str(each["DeviceName"]): _attached(each["Ebs"], volumes.get(each["Ebs"]["VolumeId"], {}))
            for each in item.get("BlockDeviceMappings", ())
            if "Ebs" in each
        },
        lookups=(lookup(item["InstanceId"]), lookup(group["AutoScalingGroupName"])),
    )


def _attached(mapping: Mapping[str, Any], disk: Mapping[str, Any]) -> Volume:
    """A disk that was attached a moment ago may not be listed yet: then only its id and its age are known."""
    attached: datetime | None = mapping.get("AttachTime")
    return Volume(
        size=disk.get("Size"),
        kind=disk.get("VolumeType"),
        encrypted=disk.get("Encrypted"),
        id=str(mapping["VolumeId"]),
        attached_at=attached.astimezone(UTC) if attached is not None else None,
        tags={tag["Key"]: tag["Value"] for tag in disk.get("Tags", ())},
    )


def _name_of(profile: Mapping[str, Any]) -> str:
    """Templates name a profile by name or by ARN, instances by ARN."""
    return str(profile.get("Name") or str(profile.get("Arn", "")).rpartition("/")[2])


def _read_volumes(aws: Aws, ids: list[str]) -> list[dict[str, Any]]:
    wanted = [{"Name": "attachment.instance-id", "Values": ids}]
    return list(aws.pages("ec2", "describe_volumes", "Volumes", Filters=wanted, PaginationConfig={"PageSize": 500}))


# --- as it should be --------------------------------------------------------------------------------------------------


def _fresh(found: Found, group: Mapping[str, Any], member: Mapping[str, Any], sources: _Sources) -> Fresh | None:
    key = _launched(member)
    version = sources.versions.get(key) if key is not None else None
    if version is None:
        return None
    content = version.content
    brought = sources.devices.get(found.image)
    mappings = content.get("BlockDeviceMappings", ())
    mapped = _mapped(mappings)
    removed = {str(each["DeviceName"]) for each in mappings} - mapped.keys()
    kept = {device: disk for device, disk in (brought or {}).items() if device not in removed}
    return Fresh(
        types=_types(group, content),
        security_groups=_security_groups(content),
        profile=_name_of(content.get("IamInstanceProfile", {})),
        metadata={k: str(v) for k, v in content.get("MetadataOptions", {}).items() if k in _OPTIONS},
        tags=_tags(group, content),
        volumes=kept | {device: _over(kept.get(device, Volume()), disk) for device, disk in mapped.items()},
        devices=None if brought is None else frozenset({*kept, *mapped}),
    )


def _types(group: Mapping[str, Any], content: Mapping[str, Any]) -> frozenset[str] | None:
    """All types that the group may launch; None where it or the template describes types by what they can do."""
    launches = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = launches.get("Overrides", ())
    if "InstanceRequirements" in content or any("InstanceRequirements" in each for each in overrides):
        return None
    named = {str(each["InstanceType"]) for each in overrides if each.get("InstanceType")}
    own = content.get("InstanceType")
    return frozenset(named or ({str(own)} if own else set())) or None


def _security_groups(content: Mapping[str, Any]) -> frozenset[str] | None:
    """Those of the first network interface; None where the template names none, or names them by name only."""
    interfaces = content.get("NetworkInterfaces") or [{}]
    first = min(interfaces, key=lambda each: int(each.get("DeviceIndex") or 0))
    return frozenset(map(str, content.get("SecurityGroupIds") or first.get("Groups") or ())) or None


def _tags(group: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, str]:
    """The template's, and over them the group's, as Auto Scaling does it:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html"""
    given = {
        str(tag["Key"]): str(tag.get("Value", ""))
        for each in content.get("TagSpecifications", ())
        if each.get("ResourceType") == "instance"
        for tag in each.get("Tags", ())
    }
    propagated = {tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", ()) if tag.get("PropagateAtLaunch")}
    return {**given, **propagated}


def _mapped(mappings: Sequence[Mapping[str, Any]]) -> dict[str, Volume]:
    """The EBS volumes of block device mappings; a device that is taken out with NoDevice is none."""
    return {
        str(each["DeviceName"]): _disk(each["Ebs"])
        for each in mappings
        if each.get("Ebs") and each.get("NoDevice") is None
    }


def _disk(ebs: Mapping[str, Any]) -> Volume:
    return Volume(ebs.get("VolumeSize"), ebs.get("VolumeType"), ebs.get("Encrypted"))


def _over(image: Volume, template: Volume) -> Volume:
    """What the template says of a device, and what it leaves to the image."""
    return Volume(
        template.size if template.size is not None else image.size,
        template.kind if template.kind is not None else image.kind,
        template.encrypted if template.encrypted is not None else image.encrypted,
    )


def _read_devices(aws: Aws, images: Sequence[str]) -> dict[str, dict[str, Volume]]:
    """The volumes that each image brings; images that are gone are left out."""
    wanted = [{"Name": "image-id", "Values": list(images)}]
    found = aws.pages("ec2", "describe_images", "Images", Filters=wanted)
    return {
        str(image["ImageId"]): {str(image.get("RootDeviceName")): Volume()}
        | _mapped(image.get("BlockDeviceMappings", ()))
        for image in found
    }


# --- what costs a call an instance ------------------------------------------------------------------------------------


def _deepened(aws: Aws, compared: Mapping[str, Compared], sources: _Sources) -> dict[str, Compared]:
    names = [name for name, each in compared.items() if each.fresh is not None]
    asked = [partial(_attribute, aws, name, what) for name in names for what in ("userData", "disableApiTermination")]
    answers = aws.side_by_side(asked)
    deep = dict(compared)
    for place, name in enumerate(names):
        user_data, protection = answers[2 * place : 2 * place + 2]
        found, fresh = compared[name].found, compared[name].fresh
        version = sources.versions[found.template, str(found.version)]
        if fresh is None or version is None or user_data is None or protection is None:
            continue
        deep[name] = Compared(
            replace(found, user_data=_digest(user_data.get("UserData", {})), protected=_on(protection)),
            replace(
                fresh,
                user_data=_digest({"Value": version.content.get("UserData")}),
                protected=bool(version.content.get("DisableApiTermination", False)),
            ),
        )
    return deep


def _attribute(aws: Aws, instance: str, attribute: str) -> dict[str, Any] | None:
    """None for an instance that has gone meanwhile."""
    try:
        return aws.call("ec2", "describe_instance_attribute", InstanceId=instance, Attribute=attribute)
    except NotFound:
        return None


def _on(answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("DisableApiTermination", {}).get("Value"))


def _digest(user_data: Mapping[str, Any]) -> str:
    """A digest, since user data may hold secrets; of the content, however it was encoded."""
    raw = base64.b64decode(str(user_data.get("Value") or ""))
    return hashlib.sha256(raw).hexdigest()[:_DIGEST_LETTERS]
