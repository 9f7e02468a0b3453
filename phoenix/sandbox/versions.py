"""Launch template versions as EC2 keeps them: merged, deleted, and known to some replicas before others.

Must never use a number twice: moto counts versions by their place in a list, so deleted ones stay there, marked.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.refusal import Refusal

if TYPE_CHECKING:
    from moto.ec2.models.amis import Ami
    from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

MOST_VERSIONS = 10_000
"""A template's versions; "Launch template versions per launch template" in EC2's quotas."""
NO_SUCH_VERSION = "InvalidLaunchTemplateId.VersionNotFound"
ROOT_SNAPSHOT = "snapshotId cannot be modified on root device"
ENCRYPTED_SNAPSHOT = "the encrypted flag cannot be specified since device {} has a snapshot specified."


def find_version(template: LaunchTemplate, number: Any, *, as_of: datetime | None = None) -> LaunchTemplateVersion:
    """The version of that number, `$Latest` or `$Default`; with `as_of`, as a replica of that moment knows it.

    Raises:
        Refusal: there is none, or it was deleted; the sentence is EC2's own.
    """
    there = existing(template, as_of)
    wanted = {"$latest": there[-1].number, "$default": template.default_version_number}.get(str(number).lower(), number)
    found = next((version for version in there if str(version.number) == str(wanted)), None)
    if found is None:
        words = f"Could not find the specified version {number} for the launch template with ID {template.id}."
        raise Refusal(NO_SUCH_VERSION, words)
    return found


def existing(template: LaunchTemplate, as_of: datetime | None = None) -> list[LaunchTemplateVersion]:
    """The versions that there are, the oldest first; the first is there for every replica."""
    deleted = _deleted(template)
    there = [version for version in template.versions if version.number not in deleted]
    if as_of is None:
        return there
    return [version for version in there if version.create_time.replace(tzinfo=UTC) <= as_of] or there[:1]


def make_version(template: LaunchTemplate, content: Mapping[str, Any], description: str) -> LaunchTemplateVersion:
    """A new version.

    Raises:
        Refusal: the template has as many as it may have.
    """
    if len(existing(template)) >= MOST_VERSIONS:
        words = f"You have reached the maximum number of versions ({MOST_VERSIONS}) for launch template {template.id}."
        raise Refusal("VersionLimitExceeded", words)
    return template.create_version(copy.deepcopy(dict(content)), description)


def delete_version(template: LaunchTemplate, number: int) -> str | None:
    """Delete a version, unless it is the default one; the code of the refusal, or None."""
    if number == template.default_version_number:
        return "unexpectedError"
    if all(version.number != number for version in existing(template)):
        return "launchTemplateVersionDoesNotExist"
    _deleted(template).add(number)
    return None


def merged(source: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a new version over SourceVersion: given members overwrite, and snapshots are not inherited.

    "Snapshots applied to the block device mapping are ignored when creating a new version unless they are explicitly
    included" (CreateLaunchTemplateVersion).
    """
    inherited = copy.deepcopy(dict(source))
    for mapping in inherited.get("BlockDeviceMappings", []):
        mapping.get("Ebs", {}).pop("SnapshotId", None)
    return inherited | copy.deepcopy(dict(content))


def refuse_devices(image: Ami, content: Mapping[str, Any]) -> Refusal | None:
    """Why EC2 does not launch an image with these devices; None where it does."""
    for mapping in content.get("BlockDeviceMappings") or ():
        device, disk = mapping.get("DeviceName"), mapping.get("Ebs") or {}
        if disk.get("SnapshotId") and "Encrypted" in disk:
            return Refusal("InvalidBlockDeviceMapping", ENCRYPTED_SNAPSHOT.format(device))
        if device == image.root_device_name and disk.get("SnapshotId"):
            return Refusal("InvalidBlockDeviceMapping", ROOT_SNAPSHOT)
    return None


class Replicas:
    """How far behind the answers about new versions are: Auto Scaling's, and some of EC2's own."""

    def __init__(self) -> None:
        self.auto_scaling, self.words = timedelta(0), ""
        self.lists, self.probability = timedelta(0), 0.0

    def check(self, version: LaunchTemplateVersion, now: datetime) -> None:
        """Refuse a version that Auto Scaling does not know yet.

        Raises:
            Refusal: EC2's sentence inside Auto Scaling's own.
        """
        if now - version.create_time.replace(tzinfo=UTC) >= self.auto_scaling:
            return
        told = self.words.format(number=version.number, template=version.template.id, image=version.image_id)
        raise Refusal("ValidationError", f"You must use a valid fully-formed launch template. {told}")


def _deleted(template: LaunchTemplate) -> set[int]:
    found: set[int] = template.__dict__.setdefault("deleted_versions", set())
    return found
