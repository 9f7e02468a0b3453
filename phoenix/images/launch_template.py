"""The image in the owner's newest version of the group's launch template.

Must never take a version that phoenix made for the owner's wish.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal

from phoenix.aws.groups import read_groups
from phoenix.aws.rights import FORWARD, Names, Right, Rights, arn, reads
from phoenix.aws.scope import Scope
from phoenix.aws.templates import TemplateVersion, newest_of_the_owner, read_version, template_of
from phoenix.core.image import Candidate, Wanted
from phoenix.errors import NotFound
from phoenix.images import describe, proof
from phoenix.images.keys import ImageKeys


class Settings(ImageKeys):
    """The keys of `image: {kind: launch_template}`."""

    kind: Literal["launch_template"] = "launch_template"


class LaunchTemplateImages:
    """Follows the owner, who publishes an image by making a template version with it."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = (
        proof.IAM_ACTIONS
        | reads("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeLaunchTemplateVersions", roles=FORWARD)
        # EC2 checks the caller's right when it resolves `resolve:ssm:…` in a template.
        | {Right("ssm:GetParameters", "ReadParameters", FORWARD, ("${parameter_arn}",), implied=True)}
    )

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._settings = settings
        self._scope = scope

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The owners of the images; a template may name any parameter."""
        return {**proof.iam_names(settings), "parameter_arn": (arn("ssm", "parameter/*"),)}

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        """Return the images of the newest version of each template that the slots use, usually one template.

        Raises:
            NotFound: a slot has no template, or its template names no image.
        """
        wanted = self._settings
        aws = self._scope.aws
        versions = [newest_of_the_owner(aws, template) for template in self._templates()]
        ids = {self._image_of(version) for version in versions}
        images = [describe.read_image(aws, image) for image in sorted(ids)]
        owners = describe.account_ids(aws, wanted.owners)
        facts = Wanted(owners, wanted.architecture, min_age=wanted.min_age)
        return proof.choose_proven(aws, wanted, images, facts, at)

    def named(self, image: str, at: datetime) -> Candidate:
        """One image by id."""
        return proof.named(self._scope.aws, image, self._settings, at)

    def _templates(self) -> list[str]:
        groups = read_groups(self._scope.aws, self._scope.slots.values())
        uses = [template_of(group) for group in groups.values()]
        if not uses or None in uses:
            raise NotFound(
                f"the Auto Scaling groups {', '.join(self._scope.slots.values())} need a launch template each"
            )
        return sorted({use.id for use in uses if use is not None})

    def _image_of(self, version: TemplateVersion) -> str:
        image = str(version.content.get("ImageId", ""))
        if image.startswith("resolve:"):
            # Only EC2 can resolve the alias now.
            resolved = read_version(self._scope.aws, version.template, str(version.number), resolve_alias=True)
            image = str(resolved.content.get("ImageId", ""))
        if not image.startswith("ami-"):
            raise NotFound(f"launch template {version.template} version {version.number} names no image")
        return image
