"""Launch templates: versions that are merged, idempotent, complete and paged.

moto keeps only the keys that a new version was given, and makes another one for a repeated client token.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.world import ACCOUNT, World

PAGE = 200
CREATOR = f"arn:aws:iam::{ACCOUNT}:root"


def create(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateLaunchTemplate: its own tags belong to it, not to what is launched from it, as with moto."""
    tags = {
        each["ResourceType"]: {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags", [])}
        for each in params.get("TagSpecifications", [])
    }
    if params.get("DryRun"):
        raise refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    content = copy.deepcopy(params.get("LaunchTemplateData", {}))
    template = world.ec2().create_launch_template(
        params["LaunchTemplateName"], params.get("VersionDescription", ""), content, tags
    )
    return {"LaunchTemplate": _describe_template(template)}


def create_version(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """CreateLaunchTemplateVersion: merged over SourceVersion, once per ClientToken."""
    template = _template(world, params)
    token, content = params.get("ClientToken"), params.get("LaunchTemplateData", {})
    tokens: dict[str, tuple[Any, LaunchTemplateVersion]] = template.__dict__.setdefault("tokens", {})
    request = (content, params.get("SourceVersion"), params.get("VersionDescription"))
    if token in tokens:
        before, version = tokens[token]
        if before != request:
            raise refuse("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent.")
        return {"LaunchTemplateVersion": _describe(template, version)}
    if params.get("DryRun"):
        raise refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    merged = copy.deepcopy(content)
    if params.get("SourceVersion"):
        merged = copy.deepcopy(template.get_version(params["SourceVersion"]).data) | merged
    version = template.create_version(merged, params.get("VersionDescription", ""))
    world.faults.note_version(str(version.number), world.timeline.now)
    if token:
        tokens[token] = (copy.deepcopy(request), version)
    return {"LaunchTemplateVersion": _describe(template, version)}


def describe_versions(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLaunchTemplateVersions: of one template, or the latest and default ones of all."""
    asked = [str(version) for version in params.get("Versions", [])]
    found: list[tuple[LaunchTemplate, LaunchTemplateVersion]] = []
    if params.get("LaunchTemplateId") or params.get("LaunchTemplateName"):
        template = _template(world, params)
        found = [(template, version) for version in _select(template, asked, params)]
    elif set(asked) <= {"$Latest", "$Default"} and asked:
        for template in world.ec2().launch_templates.values():
            found += [(template, template.get_version(alias)) for alias in asked]
    else:
        return None
    rows, token = page(found, params.get("NextToken"), int(params.get("MaxResults") or PAGE))
    return {
        "LaunchTemplateVersions": [_describe(template, version) for template, version in rows],
        "NextToken": token,
    }


def describe_templates(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLaunchTemplates, all of them."""
    found = world.ec2().describe_launch_templates(
        template_names=params.get("LaunchTemplateNames", []),
        template_ids=params.get("LaunchTemplateIds", []),
        filters={each["Name"]: each.get("Values", []) for each in params.get("Filters", [])},
    )
    rows, token = page(found, params.get("NextToken"), int(params.get("MaxResults") or PAGE))
    return {
        "LaunchTemplates": [_describe_template(template) for template in rows],
        "NextToken": token,
    }


def _template(world: World, params: Mapping[str, Any]) -> LaunchTemplate:
    if params.get("LaunchTemplateId"):
        return world.ec2().get_launch_template(params["LaunchTemplateId"])
    return world.ec2().get_launch_template_by_name(params["LaunchTemplateName"])


def _select(template: LaunchTemplate, asked: list[str], params: Mapping[str, Any]) -> list[LaunchTemplateVersion]:
    if asked:
        return [_version(template, number) for number in asked]
    least, most = int(params.get("MinVersion") or 1), int(params.get("MaxVersion") or len(template.versions))
    newest_first = sorted(template.versions, key=lambda version: -version.number)
    return [version for version in newest_first if least <= version.number <= most]


def _version(template: LaunchTemplate, number: str) -> LaunchTemplateVersion:
    if number.isdigit() and int(number) < 1:
        raise refuse("InvalidLaunchTemplateId.VersionNotFound", f"Could not find launch template version {number}.")
    try:
        return template.get_version(number)
    except ValueError as error:
        raise refuse("InvalidLaunchTemplateId.VersionNotFound", f"Invalid launch template version {number}.") from error


def _describe_template(template: LaunchTemplate) -> dict[str, Any]:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.create_time,
        "CreatedBy": CREATOR,
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "Tags": template.get_tags(),
    }


def _describe(template: LaunchTemplate, version: LaunchTemplateVersion) -> dict[str, Any]:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "VersionDescription": version.description,
        "CreateTime": version.create_time,
        "CreatedBy": CREATOR,
        "DefaultVersion": template.is_default(version),
        "LaunchTemplateData": version.data,
    }


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {
    "CreateLaunchTemplate": create,
    "CreateLaunchTemplateVersion": create_version,
    "DescribeLaunchTemplateVersions": describe_versions,
    "DescribeLaunchTemplates": describe_templates,
}
