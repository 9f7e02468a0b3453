"""Objections of a mixed instances policy to a rotation. Pure.

Must never let a member pass that Auto Scaling would lose when the policy is written back with another version.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from phoenix.core.blocker import Blocker

CHECKS: Final = (
    "weighted-capacity",
    "template-per-override",
    "image-per-override",
    "distribution-segments",
)
UNKNOWN: Final = "policy-member-unknown"
POLICY: Final = "AutoScalingGroups.MixedInstancesPolicy"


def judge_mixed(name: str, policy: Mapping[str, Any]) -> Iterator[Blocker]:
    """Find settings that allow no rotation. `policy` is as Auto Scaling describes it; empty where there is none."""
    where = f"Auto Scaling group {name}"
    overrides = policy.get("LaunchTemplate", {}).get("Overrides", ())
    if any(str(item.get("WeightedCapacity", "1")) != "1" for item in overrides):
        yield Blocker(
            "weighted-capacity",
            where,
            f"{name} counts capacity in weights, not in instances: a need could not be compared with what is healthy."
            " Remove WeightedCapacity from its overrides:",
            _without(name, policy, "WeightedCapacity"),
        )
    if any(item.get("LaunchTemplateSpecification") for item in overrides):
        yield Blocker(
            "template-per-override",
            where,
            f"{name} has overrides with launch templates of their own: they would go on launching the old image."
            " Remove LaunchTemplateSpecification from its overrides:",
            _without(name, policy, "LaunchTemplateSpecification"),
        )
    if any(item.get("ImageId") for item in overrides):
        yield Blocker(
            "image-per-override",
            where,
            f"{name} has overrides with images of their own: they would go on launching the old image under the number"
            " of the new template version. Remove ImageId from its overrides:",
            _without(name, policy, "ImageId"),
        )
    if policy.get("InstancesDistribution", {}).get("DistributionSegments"):
        yield Blocker(
            "distribution-segments",
            where,
            f"{name} has distribution segments. A new template version is set together with the whole policy, and AWS"
            " drops the segments where it is also told on-demand numbers, as it describes them. Remove the segments:",
            _unsegmented(name),
        )


def find_unknown(unknown: Collection[str]) -> list[Blocker]:
    """`unknown`: members of the policies that AWS has answered and the installed botocore does not know."""
    if not unknown:
        return []
    members = ", ".join(sorted({path.rpartition(".")[2] for path in unknown}))
    return [
        Blocker(
            "policy-member-unknown",
            "mixed instances policies",
            f"they have {members}, which the installed botocore does not know. A new template version is set together"
            " with the whole policy, so that would be lost. Install a newer one:",
            "pip install --upgrade boto3 botocore",
        )
    ]


def _unsegmented(name: str) -> str:
    return (
        f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
        '    --mixed-instances-policy \'{"InstancesDistribution":{"DistributionSegments":[]}}\''
    )


def _without(name: str, policy: Mapping[str, Any], unwanted: str) -> str:
    """The command that takes a key out of all overrides. AWS replaces the whole policy, so all of it is in there."""
    template = policy["LaunchTemplate"]
    overrides = [{key: value for key, value in item.items() if key != unwanted} for item in template["Overrides"]]
    specification = dict(template["LaunchTemplateSpecification"])
    if "LaunchTemplateId" in specification:
        specification.pop("LaunchTemplateName", None)  # AWS shows both, and refuses both
    changed = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    written = json.dumps(dict(policy) | {"LaunchTemplate": changed}, separators=(",", ":"))
    return (
        f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} \\\n"
        f"    --mixed-instances-policy '{written}'"
    )
