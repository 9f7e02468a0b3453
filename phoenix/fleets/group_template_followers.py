"""Other Auto Scaling groups that launch whatever version of the pair's template is the newest. Pure.

Every rotation makes a newest version, of an image that is not proven yet: it must never be launched unwatched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from phoenix.aws.templates import template_of
from phoenix.core.blocker import Blocker

CHECK: Final = "template-followed-elsewhere"
_LATEST: Final = "$Latest"


def find_followers(
    templates: Collection[str], names: Collection[str], groups: Iterable[Mapping[str, Any]]
) -> Iterator[Blocker]:
    """Those of the account's groups, other than `names`, that follow `$Latest` of one of the templates.

    `$Default` moves only if the owner moves it: phoenix never does, and never makes a version the default.
    """
    for group in groups:
        name = str(group["AutoScalingGroupName"])
        followed = sorted(_followed(group) & set(templates))
        if name in names or not followed:
            continue
        yield Blocker(
            "template-followed-elsewhere",
            f"Auto Scaling group {name}",
            f"{name} launches the newest version of {', '.join(followed)}, which the next rotation makes: its next"
            " scale-out would launch an image that is not proven. Give it a number, or a template of its own:",
            f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name} \\\n"
            "    --query 'AutoScalingGroups[].[LaunchTemplate,MixedInstancesPolicy.LaunchTemplate]'",
        )


def _followed(group: Mapping[str, Any]) -> set[str]:
    """Templates that a group follows: with all of its instances, or with those of an override."""
    use = template_of(group)
    overrides = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {}).get("Overrides") or ()
    own = (item["LaunchTemplateSpecification"] for item in overrides if item.get("LaunchTemplateSpecification"))
    found = {str(each.get("LaunchTemplateId")) for each in own if each.get("Version") == _LATEST}
    return found | ({use.id} if use is not None and use.version == _LATEST else set())
