"""The template version of a generation: the owner's newest, with another image and description, and nothing else.

EC2 itself copies the owner's version (SourceVersion), with members that the installed botocore does not know. Must
never leave the mappings to that copy where they have snapshots: EC2 leaves those out unless they are sent.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from phoenix.aws.rights import FORWARD, IS_MANAGED, TEMPLATES, WRITERS, Right, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import OURS, TemplateVersion, newest_first, read_version, template_of, versions_to_copy
from phoenix.core.action import MakeTemplateVersion
from phoenix.errors import NotFound
from phoenix.fleets import group_template_disks
from phoenix.fleets.group_shapes import launched_from
from phoenix.fleets.group_template_disks import fitted, has_snapshots, read_fitting

IAM_ACTIONS: Final = (
    reads("ec2:DescribeLaunchTemplateVersions", roles=FORWARD)
    | {Right("ec2:CreateLaunchTemplateVersion", "MakeTemplateVersion", WRITERS, TEMPLATES, (IS_MANAGED,))}
    | group_template_disks.IAM_ACTIONS
)

SETTLING: Final = timedelta(minutes=2)
"""The time that a new version may be unknown to Auto Scaling, or to some of EC2's own replicas; estimated, AWS says no
number. A refusal after that is final."""
_CLOCK_SKEW = timedelta(minutes=15)
_IMAGE: Final = "ImageId"
_MAPPINGS: Final = "BlockDeviceMappings"


def description(rotation: str, generation: int) -> str:
    """The description of the version: `phoenix web-42-7k3f generation 42`. This is how it is found again."""
    return f"{OURS}{rotation} generation {generation}"


def find_version(aws: Aws, template: str, wanted: str, since: datetime) -> str | None:
    """The number of the version with that description, made since then; the oldest, should there be two."""
    found = [v.number for v in _made_since(newest_first(aws, template), since) if v.description == wanted]
    return str(min(found)) if found else None


def _made_since(versions: Iterator[TemplateVersion], since: datetime) -> Iterator[TemplateVersion]:
    for version in versions:
        if version.created_at is not None and version.created_at < since - _CLOCK_SKEW:
            return
        yield version


def make_version(aws: Aws, template: str, action: MakeTemplateVersion) -> None:
    """Make the generation's version unless it is there already."""
    wanted = description(action.rotation, action.generation)
    to_copy = versions_to_copy(aws, template)
    if all(version.description != wanted for version in to_copy.versions):
        _create(aws, to_copy.source, wanted, action)


def running_version(aws: Aws, group: Mapping[str, Any]) -> TemplateVersion | None:
    """The version that most instances of a group were launched from; None when they have none, or it is gone."""
    use = template_of(group)
    counted = Counter(launched_from(instance) for instance in group.get("Instances", ()))
    version = max(counted, key=lambda each: (counted[each], each or ""), default=None)
    if use is None or version is None:
        return None
    try:
        return read_version(aws, use.id, version)
    except NotFound:
        return None


def made_since(aws: Aws, template: str, version: str) -> datetime | None:
    """Since when there has been that version; None when EC2 does not list it, or not yet."""
    try:
        created_at: datetime | None = read_version(aws, template, version).created_at
    except NotFound:
        return None
    return created_at


def changes(aws: Aws, old: TemplateVersion, new: TemplateVersion) -> tuple[str, ...]:
    """The differences between two versions besides the image, in EC2's words; values are not shown, some are secret."""
    shape = _shape(aws)
    before, after = (_accepted(shape, dict(version.content)) for version in (old, new))
    keys = sorted((before.keys() | after.keys()) - {_IMAGE})
    return tuple(key for key in keys if before.get(key) != after.get(key))


def _create(aws: Aws, source: TemplateVersion, wanted: str, action: MakeTemplateVersion) -> None:
    aws.call(
        "ec2",
        "create_launch_template_version",
        LaunchTemplateId=source.template,
        SourceVersion=str(source.number),
        VersionDescription=wanted,
        LaunchTemplateData={_IMAGE: action.image} | _devices(aws, source, action.image),
        ClientToken=_token(action),
    )


def _devices(aws: Aws, source: TemplateVersion, image: str) -> dict[str, Any]:
    """All mappings where they hold snapshots, else none: then EC2 copies them as they are."""
    if not has_snapshots(source):
        return {}
    shape = _shape(aws).members[_MAPPINGS]
    return {_MAPPINGS: _accepted(shape, fitted(read_fitting(aws, source, image)))}


def _token(action: MakeTemplateVersion) -> str:
    """The same for the same version of the same rotation, so that a lost answer cannot make a second one."""
    content = f"{action.rotation} {action.generation} {action.image}"
    return f"phoenix-{hashlib.sha256(content.encode()).hexdigest()[:40]}"


def _shape(aws: Aws) -> Any:
    return aws.client("ec2").meta.service_model.shape_for("RequestLaunchTemplateData")


def _accepted(shape: Any, value: Any) -> Any:
    """The part of an answer that a request accepts: EC2 also describes states, which a request cannot set."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            members = shape.members
            return {key: _accepted(members[key], inner) for key, inner in value.items() if key in members}
        case "list":
            return [_accepted(shape.member, inner) for inner in value]
        case _:
            return value
