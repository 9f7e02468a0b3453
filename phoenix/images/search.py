"""The newest image that fits name, tags, architecture and age, among those of the given owners.

Must never search without owners: any account can register any name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from phoenix.aws.rights import Names, Rights
from phoenix.aws.scope import Scope
from phoenix.core.image import Candidate, Wanted
from phoenix.images import describe, proof
from phoenix.images.keys import ImageKeys
from phoenix.keys import Owners, Text, wrong


class Settings(ImageKeys):
    """The keys of `image: {kind: search}`."""

    kind: Literal["search"] = "search"
    owners: Owners = Field(description="Accounts whose images count: self, or account ids in quotes. No wildcard.")
    name: Text | None = Field(default=None, description="Name of the image; * and ? are wildcards.")
    tags: Mapping[Text, str] = Field(default_factory=dict, description="Tags that the image must have, all of them.")

    @model_validator(mode="after")
    def _check_narrow(self) -> Settings:
        if self.name is None and not self.tags:
            raise wrong("name or tags are missing: any image of the owners would be taken")
        return self


class SearchImages:
    """Searches by owners and name, and judges the rest itself, so that phoenix can tell why an image was not chosen."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = proof.IAM_ACTIONS

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._settings = settings
        self._aws = scope.aws

    @staticmethod
    def iam_names(settings: Settings) -> Names:
        """The owners of the images, and the place of their statements."""
        return proof.iam_names(settings)

    def candidates(self, at: datetime) -> Sequence[Candidate]:
        """Return every image of that name, the chosen one first; usually one call."""
        wanted = self._settings
        found = describe.search(self._aws, wanted.owners, wanted.name)
        owners = describe.account_ids(self._aws, wanted.owners, found)
        facts = Wanted(owners, wanted.architecture, wanted.name, wanted.tags, wanted.min_age)
        return proof.choose_proven(self._aws, wanted, found, facts, at)

    def named(self, image: str, at: datetime) -> Candidate:
        """One image by id."""
        return proof.named(self._aws, image, self._settings, at)
