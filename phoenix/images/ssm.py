"""The image whose id an SSM parameter holds.

Must never launch the id unseen: the image's owner is checked like that of any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from phoenix.aws.rights import FORWARD, Names, Right, Rights, arn
from phoenix.aws.scope import Scope
from phoenix.core.image import Candidate, Wanted
from phoenix.errors import NotFound
from phoenix.images import describe, proof
from phoenix.images.keys import ImageKeys
from phoenix.keys import Matching

_PARAMETER = r"(arn:[a-z0-9-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter)?/?[\w.-]+(/[\w.-]+)*(:[\w.-]+)?"


class Settings(ImageKeys):
    """The keys of `image: {kind: ssm}`."""

    kind: Literal["ssm"] = "ssm"
    parameter: Annotated[str, Matching(_PARAMETER, "the name of an SSM parameter, such as /images/web")] = Field(
        description="Name of the SSM parameter that holds the image's id; :version or :label may follow."
    )


PARAMETER_TAG: Final = "ssm:parameter"
"""An additional tag of the candidate: the parameter, with the version that was read."""


class SsmImages:
    """Reads the parameter once per question; the rotation keeps the image id, so a later change of the parameter does
    not affect it."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = proof.IAM_ACTIONS | {
        Right("ssm:GetParameter", "ReadParameters", FORWARD, ("${parameter_arn}",)),
        Right("ssm:GetParameters", "ReadParameters", FORWARD, ("${parameter_arn}",)),
    }

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._settings = settings
        self._aws = scope.aws

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The parameter, and the owners of the images that it may name."""
        return {**proof.iam_names(settings), "parameter_arn": (_arn_of(settings.parameter),)}

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        """The one image that the parameter names now.

        Raises:
            NotFound: there is no such parameter, or it names no image.
        """
        wanted = self._settings
        parameter = self._aws.call("ssm", "get_parameter", Name=wanted.parameter)["Parameter"]
        value = str(parameter["Value"]).strip()
        if not value.startswith("ami-"):
            # The value may be a secret: if the name was mistyped, the log must not show it.
            raise NotFound(
                f"SSM parameter {wanted.parameter} holds {len(value)} characters that are not an image id",
                hint="image.parameter has to name a parameter of type String that holds ami-...",
            )
        image = describe.read_image(self._aws, value)
        origin = {PARAMETER_TAG: f"{parameter['Name']}:{parameter['Version']}"}
        owners = describe.account_ids(self._aws, wanted.owners)
        traced = replace(image, tags={**image.tags, **origin})
        facts = Wanted(owners, wanted.architecture, min_age=wanted.min_age)
        return proof.choose_proven(self._aws, wanted, [traced], facts, at)

    def named(self, image: str, at: datetime) -> Candidate:
        """One image by id."""
        return proof.named(self._aws, image, self._settings, at)


def _arn_of(parameter: str) -> str:
    """Return the ARN, without `:version` or `:label`; AWS's own parameters belong to no account."""
    if parameter.startswith("arn:"):
        return ":".join(parameter.split(":")[:6])
    path = parameter.partition(":")[0].strip("/")
    whole = arn("ssm", f"parameter/{path}")
    return whole.replace("${account}", "") if path.startswith("aws/service/") else whole
