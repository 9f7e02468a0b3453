"""Objections of the owner's template to a version of it for another image. Reads only.

Must never look at more than the newest version of the owner: older ones launch nothing of ours any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.members import below, unknown_members
from phoenix.aws.session import Aws
from phoenix.aws.templates import MOST_VERSIONS, TemplateVersion, count_versions, read_version
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.fleets import group_template_disks, group_template_secrets
from phoenix.fleets.group_template_disks import (
    find_disks,
    find_kernel,
    fitted,
    has_snapshots,
    needs_fitting,
    read_fitting,
)

IAM_ACTIONS: Final = group_template_disks.IAM_ACTIONS
CHECKS: Final = (
    "template-member-unknown",
    "template-versions",
    *group_template_disks.CHECKS,
    *group_template_secrets.CHECKS,
)

_DELETE: Final = (
    "Those that no instance, no group and no generation of `phoenix status` uses can go (aws ec2"
    " delete-launch-template-versions, up to 200 a call). They are listed by:"
)
_ROOM = 100
"""Versions that must still fit before it is said: a start makes one, and a template is not mended at night."""
_LONG_RUN = 1000
"""Versions of ours above the owner's newest; more take six calls a look, and more."""
_MAPPINGS: Final = "LaunchTemplateVersions.LaunchTemplateData.BlockDeviceMappings"


@dataclass(frozen=True, slots=True)
class Ground:
    """The template: the owner's newest version, and the number of the newest of all."""

    source: TemplateVersion
    newest: int


def find_versions(aws: Aws, ground: Ground, image: Image) -> Iterator[Blocker]:
    """Everything about the template that EC2 would tell only once the rotation has begun."""
    source = ground.source
    yield from _too_many(aws, ground)
    yield from find_kernel(source)
    yield from group_template_secrets.find_secrets(source, image)
    yield from group_template_secrets.find_environment(image)
    if needs_fitting(source):
        yield from find_disks(read_fitting(aws, source, image.id))
    if has_snapshots(source):
        yield from _unknown(aws, source)


def mappings_for(aws: Aws, source: TemplateVersion, image: Image) -> list[dict[str, Any]] | None:
    """The mappings that the generation's version will have; None where they are the template's own."""
    if not has_snapshots(source):
        return None
    fitting = read_fitting(aws, source, image.id)
    changed = fitted(fitting)
    return None if changed == fitting.mappings else changed


def _too_many(aws: Aws, ground: Ground) -> Iterator[Blocker]:
    """A template with all the versions that it may have refuses the next one, in the middle of a start.

    Counted only where the numbers are that high: numbers are not used again, so there are never more versions.
    """
    template, run = ground.source.template, ground.newest - ground.source.number
    count = count_versions(aws, template) if ground.newest > MOST_VERSIONS - _ROOM else 0
    remedy = (
        f"aws ec2 describe-launch-template-versions --launch-template-id {template} \\\n"
        '    --query "LaunchTemplateVersions[].[VersionNumber,VersionDescription,CreateTime]" --output text'
    )
    if count > MOST_VERSIONS - _ROOM:
        text = (
            f"it has {count} of the {MOST_VERSIONS} versions that EC2 keeps; without room for one more, nothing starts."
            f" {_DELETE}"
        )
        yield Blocker("template-versions", f"launch template {template}", text, remedy, warning=count < MOST_VERSIONS)
    elif run > _LONG_RUN and count == 0:
        text = (
            f"phoenix has made up to {run} versions since the owner's newest, {ground.source.number}: each look has to"
            f" read past them. {_DELETE}"
        )
        yield Blocker("template-versions", f"launch template {template}", text, remedy, warning=True)


def _unknown(aws: Aws, source: TemplateVersion) -> Iterator[Blocker]:
    """Mappings with snapshots are sent back, so all of their members have to be known."""
    with unknown_members(aws, "ec2", "describe_launch_template_versions") as unknown:
        read_version(aws, source.template, str(source.number))
    members = [path.rpartition(".")[2] for path in below(unknown, _MAPPINGS)]
    if members:
        yield Blocker(
            "template-member-unknown",
            f"launch template {source.template} version {source.number}",
            f"its block device mappings have {', '.join(members)}, which the installed botocore does not know: the next"
            " generation's version would lose that. Install a newer one:",
            "pip install --upgrade boto3 botocore",
        )
