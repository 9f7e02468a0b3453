"""Find the template version that launches a generation's image. A number has a meaning only with its template's id.

Reads only. Must never believe a number: the owner's IaC may have replaced the template, and numbers begin again there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateUse, TemplateVersion, read_version, template_of
from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.errors import NotFound

ALIAS: Final = "resolve:"
"""The prefix of an image that EC2 looks up with each launch: another one, perhaps, than it was."""


def identify(aws: Aws, group: Mapping[str, Any], generation: Generation) -> Generation:
    """The generation with what launches it from this group: see `phoenix.ports.Fleet.identify`.

    Looked at, in this order: the version it is remembered by, the one that most instances run, the group's own.
    """
    use = template_of(group)
    for number in dict.fromkeys(_numbers(group, use, generation)) if use is not None else ():
        version = read_if_there(aws, use.id, number) if use is not None else None
        if version is not None and generation.image in (image_of(aws, version), UNKNOWN_IMAGE):
            template = None if is_alias(version) else version.template
            return replace(generation, template_version=str(version.number), template=template)
    return replace(generation, template_version=None, template=None)


def read_if_there(aws: Aws, template: str, number: str) -> TemplateVersion | None:
    """The version; None where there is no such template or version."""
    try:
        return read_version(aws, template, number)
    except NotFound:
        return None


def image_of(aws: Aws, version: TemplateVersion) -> str:
    """The image that the version launches at this moment; empty for a version without one."""
    if is_alias(version):
        version = read_version(aws, version.template, str(version.number), resolve_alias=True)
    return str(version.content.get("ImageId", ""))


def is_alias(version: TemplateVersion) -> bool:
    """True where EC2 looks the image up with each launch."""
    return str(version.content.get("ImageId", "")).startswith(ALIAS)


def _numbers(group: Mapping[str, Any], use: TemplateUse, generation: Generation) -> Iterator[str]:
    if generation.template_version is not None and generation.template in (None, use.id):
        yield generation.template_version
    launched = (item.get("LaunchTemplate", {}) for item in group.get("Instances", ()))
    own = Counter(str(item["Version"]) for item in launched if item.get("LaunchTemplateId") == use.id)
    if own:
        yield max(own, key=lambda number: (own[number], number))
    yield use.version
