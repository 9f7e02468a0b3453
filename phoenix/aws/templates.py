"""Launch templates: the one that a group uses, the owner's versions of it, and ours.

Must never take a version that phoenix made for the owner's wish: its description tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phoenix.aws.session import Aws
from phoenix.errors import NotFound

OURS = "phoenix "
"""The beginning of the description of every version that phoenix makes."""

MOST_VERSIONS = 10_000
"""The number of versions that EC2 allows for one template."""
_WINDOW = 100
_MOST_PER_CALL = 200  # not the default page size: a short list is easily taken for a complete one


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """The template that an Auto Scaling group launches from. `version` is a number, `$Latest` or `$Default`."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a template with its whole `content`, as EC2 spells it."""

    template: str
    number: int
    description: str
    created_at: Any
    content: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        """True for versions that phoenix has made."""
        return self.description.startswith(OURS)


def template_of(group: Mapping[str, Any]) -> TemplateUse | None:
    """Return the template that an Auto Scaling group launches from; None for a launch configuration."""
    policy = group.get("MixedInstancesPolicy")
    found = policy["LaunchTemplate"]["LaunchTemplateSpecification"] if policy else group.get("LaunchTemplate")
    if not found:
        return None
    # AWS leaves the key out if the group follows the default version.
    return TemplateUse(str(found["LaunchTemplateId"]), str(found.get("Version") or "$Default"))


def read_version(aws: Aws, template: str, version: str, *, resolve_alias: bool = False) -> TemplateVersion:
    """Return one version, by number, `$Latest` or `$Default`. `resolve_alias` replaces `resolve:ssm:…` by an image id.

    Raises:
        NotFound: there is no such template or version.
    """
    extra = {"ResolveAlias": True} if resolve_alias else {}
    found = _read(aws, template, Versions=[version], **extra)
    if not found:
        raise NotFound(f"launch template {template} has no version {version}")
    return found[0]


def newest_first(aws: Aws, template: str) -> Iterator[TemplateVersion]:
    """Yield all versions, newest first. One call usually suffices, two nearly always. Older versions are listed in
    full, one call per two hundred, because deleted versions leave gaps in the numbers."""
    latest = read_version(aws, template, "$Latest")
    yield latest
    top, bottom = latest.number - 1, max(1, latest.number - _WINDOW)
    for least, most in ((bottom, top), (1, bottom - 1)):
        if least <= most:
            found = _read(aws, template, MinVersion=str(least), MaxVersion=str(most))
            yield from sorted(found, key=lambda version: version.number, reverse=True)


def count_versions(aws: Aws, template: str) -> int:
    """Return the number of versions; one call per two hundred."""
    return len(_read(aws, template))


def newest_of_the_owner(aws: Aws, template: str) -> TemplateVersion:
    """Return the newest version that phoenix did not make.

    Raises:
        NotFound: every version is ours.
    """
    return down_to_the_owners(aws, template)[-1]


def down_to_the_owners(aws: Aws, template: str) -> Sequence[TemplateVersion]:
    """Return all versions down to the newest that phoenix did not make, newest first.

    Raises:
        NotFound: every version is ours.
    """
    to_copy = versions_to_copy(aws, template)
    if to_copy.is_ours:
        raise NotFound(f"every version of launch template {template} was made by phoenix; make one that is yours")
    return to_copy.versions


@dataclass(frozen=True, slots=True)
class ToCopy:
    """The source of the next version, and all `versions` down to the owner's newest, newest first.

    `is_ours`: the owner's versions are all deleted, as a clean-up of old versions does. Then our newest is copied,
    which equals the owner's but for the image.
    """

    source: TemplateVersion
    versions: Sequence[TemplateVersion]
    is_ours: bool = False


def versions_to_copy(aws: Aws, template: str) -> ToCopy:
    """Return the owner's newest version, or ours if the owner has none.

    Raises:
        NotFound: there is no such template.
    """
    found: list[TemplateVersion] = []
    for version in newest_first(aws, template):
        if found and is_copy(found[-1], version):
            return ToCopy(found[-1], found)
        found.append(version)
        if not version.is_ours:
            return ToCopy(version, found)
    return ToCopy(found[0], found, is_ours=True)


def is_copy(version: TemplateVersion, older: TemplateVersion) -> bool:
    """True if the owner made this version out of ours, the next older one: phoenix never describes two versions alike.

    Terraform does that if another argument changes and the description is ignored.
    """
    return version.is_ours and version.description == older.description


def _read(aws: Aws, template: str, **selection: Any) -> list[TemplateVersion]:
    if "Versions" not in selection:
        selection["PaginationConfig"] = {"PageSize": _MOST_PER_CALL}
    found = aws.pages(
        "ec2", "describe_launch_template_versions", "LaunchTemplateVersions", LaunchTemplateId=template, **selection
    )
    return [
        TemplateVersion(
            template=template,
            number=int(item["VersionNumber"]),
            description=str(item.get("VersionDescription") or ""),
            created_at=item.get("CreateTime"),
            content=item.get("LaunchTemplateData", {}),
        )
        for item in found
    ]
