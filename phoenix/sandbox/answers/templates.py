"""Launch templates: versions that are merged, idempotent, complete and paged.

moto keeps only the keys that a new version was given, and makes another one for a repeated client token.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.versions import delete_version, existing, find_version, make_version, merged
from phoenix.sandbox.world import ACCOUNT, World

PAGE = 200
MOST_DELETED = 200
"""Versions in one request of DeleteLaunchTemplateVersions."""
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
    if params.get("SourceVersion"):
        content = merged(find_version(template, params["SourceVersion"]).data, content)
    version = make_version(template, content, params.get("VersionDescription", ""))
    if token:
        tokens[token] = (copy.deepcopy(request), version)
    return {"LaunchTemplateVersion": _describe(template, version)}


def describe_versions(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeLaunchTemplateVersions: of one template, or the latest and default ones of all."""
    asked = [str(version) for version in params.get("Versions", [])]
    found: list[tuple[LaunchTemplate, LaunchTemplateVersion]] = []
    if params.get("LaunchTemplateId") or params.get("LaunchTemplateName"):
        template = _template(world, params)
        as_of = world.faults.versions_as_of(world.timeline.now)
        found = [(template, version) for version in _select(template, asked, params, as_of)]
    elif set(asked) <= {"$Latest", "$Default"} and asked:
        for template in world.ec2().launch_templates.values():
            found += [(template, find_version(template, alias)) for alias in asked]
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


def _select(
    template: LaunchTemplate, asked: list[str], params: Mapping[str, Any], as_of: datetime | None
) -> list[LaunchTemplateVersion]:
    if asked:
        return [find_version(template, number, as_of=as_of) for number in asked]
    there = existing(template, as_of)
    least, most = int(params.get("MinVersion") or 1), int(params.get("MaxVersion") or there[-1].number)
    return [version for version in reversed(there) if least <= version.number <= most]


def delete_versions(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """DeleteLaunchTemplateVersions: each by itself; those that cannot go are listed with a reason."""
    template = _template(world, params)
    if len(params["Versions"]) > MOST_DELETED:
        raise refuse("InvalidParameterValue", f"You cannot delete more than {MOST_DELETED} versions in one request.")
    if params.get("DryRun"):
        raise refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    gone, kept = [], []
    for number in map(int, params["Versions"]):
        row = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": number}
        code = delete_version(template, number)
        if code is None:
            gone.append(row)
        else:
            kept.append(row | {"ResponseError": {"Code": code, "Message": f"Cannot delete version {number}."}})
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": gone,
        "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
    }


def _describe_template(template: LaunchTemplate) -> dict[str, Any]:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.create_time,
        "CreatedBy": CREATOR,
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": existing(template)[-1].number,
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
    "DeleteLaunchTemplateVersions": delete_versions,
    "DescribeLaunchTemplateVersions": describe_versions,
    "DescribeLaunchTemplates": describe_templates,
}
