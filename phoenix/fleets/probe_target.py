"""The Auto Scaling group to probe: one that is empty, that no policy names, and that phoenix never rotated.

Must refuse before the first write. Reads only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.groups import read_groups, unknown_groups
from phoenix.aws.session import Aws
from phoenix.aws.templates import OURS, TemplateVersion, read_version, template_of
from phoenix.errors import Blocked, NotFound, UsageError
from phoenix.fleets.group_shapes import our_tags

PROBE: Final = f"{OURS}probe "
"""The prefix of the description of every version that a probe makes; no version of the owner's is described so."""
LATEST: Final = "$Latest"
_MADE_FROM = re.compile(re.escape(PROBE) + r"\S+ of version (\d+)")


@dataclass(frozen=True, slots=True)
class Target:
    """The group as it was found, and the template version that it launches from."""

    name: str
    group: Mapping[str, Any]
    template: str
    version: str
    source: TemplateVersion

    def with_version(self, version: str) -> dict[str, Any]:
        """The parameters of UpdateAutoScalingGroup that give the group a version, and nothing else."""
        return {"LaunchTemplate": {"LaunchTemplateId": self.template, "Version": version}}

    def command(self, version: str) -> str:
        """The same for a person to type."""
        return (
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {self.name}"
            f" --launch-template LaunchTemplateId={self.template},Version={version}"
        )


def find_target(aws: Aws, name: str, owners: Mapping[str, str]) -> Target:
    """The group, if it may be probed. `owners` are groups of policies by the Auto Scaling groups that they name.

    Raises:
        UsageError: AWS does not know it.
        Blocked: it is in use, or may be, or a probe could not put it back.
    """
    if name in owners:
        raise Blocked(
            f"{name} is not probed: the policy of {owners[name]} names it", hint="name an empty Auto Scaling group"
        )
    group = read_groups(aws, (name,)).get(name)
    if group is None:
        unknown = unknown_groups(aws, (name,))
        raise UsageError(unknown.message, hint=f"looked in {aws.region or 'no Region'}; docs/first-hour.md makes one")
    reason = why_not_empty(group) or _why_in_use(group)
    if reason is not None:
        raise Blocked(f"{name} is not probed: {reason}", hint="docs/first-hour.md makes an empty Auto Scaling group")
    target = _with_template(aws, name, group)
    _refuse_leftovers(target)
    _refuse_followers(aws, target)
    return target


def why_not_empty(group: Mapping[str, Any]) -> str | None:
    """The sign that a group has instances, or may have some in a moment; None where there is none."""
    instances, warm = len(group.get("Instances", ())), group.get("WarmPoolConfiguration")
    if instances or int(group.get("WarmPoolSize") or 0):
        return f"it has {instances or group['WarmPoolSize']} instance(s)"
    if int(group["DesiredCapacity"]) or int(group["MinSize"]):
        return f"its desired capacity is {group['DesiredCapacity']}, its minimum {group['MinSize']}"
    return "it has a warm pool" if warm else None


def _why_in_use(group: Mapping[str, Any]) -> str | None:
    if our_tags(group):
        return f"phoenix has rotated it (tag {min(our_tags(group))})"
    if group.get("Status"):
        return f"AWS says of it: {group['Status']}"
    if not group.get("LaunchTemplate"):
        return "it launches from a mixed instances policy or a launch configuration; a probe needs a launch template"
    return None


def _with_template(aws: Aws, name: str, group: Mapping[str, Any]) -> Target:
    use = template_of(group)
    assert use is not None  # noqa: S101 - refused above
    if not use.version.isdigit():
        raise Blocked(
            f"{name} is not probed: it follows {use.version}, and rights that forbid that could not put it back",
            hint=_pinning(name, use.id),
        )
    try:
        source = read_version(aws, use.id, use.version)
    except NotFound as error:
        raise Blocked(f"{name} is not probed: {error.message}", hint=_pinning(name, use.id)) from error
    if "ImageId" not in source.content:
        raise Blocked(
            f"{name} is not probed: version {use.version} of its launch template names no image",
            hint=f"aws ec2 describe-launch-template-versions --launch-template-id {use.id}",
        )
    return Target(name, group, use.id, use.version, source)


def _pinning(name: str, template: str) -> str:
    return (
        f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name}"
        f" --launch-template LaunchTemplateId={template},Version=1"
    )


def _refuse_leftovers(target: Target) -> None:
    """A probe that was killed outright has left the group on a version of its own, whose description says which one
    the group had."""
    made_from = _MADE_FROM.match(target.source.description)
    if made_from is not None:
        raise Blocked(
            f"{target.name} still launches from version {target.version}, which a probe that was killed has made from"
            f" version {made_from[1]}",
            hint=target.command(made_from[1]),
        )


def _refuse_followers(aws: Aws, target: Target) -> None:
    """A version that a probe makes is the latest one until it is deleted."""
    following = sorted(_followers(aws, target))
    if following:
        raise Blocked(
            f"{target.name} is not probed: {', '.join(following)} would launch the probe's versions, following"
            f" {LATEST} of the same launch template {target.template}",
            hint="give the group that is probed a launch template of its own: docs/first-hour.md",
        )


def _followers(aws: Aws, target: Target) -> Iterator[str]:
    groups = aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", IncludeInstances=False)
    for group in groups:
        for use in (template_of(group), *_overridden(group)):
            if use is not None and use.id == target.template and use.version == LATEST:
                yield str(group["AutoScalingGroupName"])


def _overridden(group: Mapping[str, Any]) -> Iterator[Any]:
    """Overrides of a mixed instances policy may bring templates of their own."""
    launches = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {})
    for override in launches.get("Overrides") or ():
        if override.get("LaunchTemplateSpecification"):
            yield template_of({"LaunchTemplate": override["LaunchTemplateSpecification"]})
