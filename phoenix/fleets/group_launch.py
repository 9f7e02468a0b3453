"""Would the next generation launch at all? Its template, a trial launch, and room in the quota that counts it.

Must never launch anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion, template_of, versions_to_copy
from phoenix.core.blocker import Blocker
from phoenix.core.image import Image
from phoenix.errors import NotFound
from phoenix.fleets import group_dry_run, group_launch_rights, group_quota, group_template_versions
from phoenix.fleets.group_template import changes, running_version
from phoenix.fleets.group_template_versions import Ground, find_versions, mappings_for

IAM_ACTIONS: Final = (
    reads("ec2:DescribeLaunchTemplateVersions", roles=FORWARD)
    | group_launch_rights.IAM_ACTIONS
    | group_quota.IAM_ACTIONS
    | group_template_versions.IAM_ACTIONS
)
_CHANGED: Final = ("template-changed",)
CHECKS: Final = (
    "unknown-launch-template",
    *group_dry_run.CHECKS,
    *_CHANGED,
    *group_quota.CHECKS,
    *group_template_versions.CHECKS,
)

_ON_DEMAND: Final = "on-demand"
_SPOT: Final = "spot"


@dataclass(frozen=True, slots=True)
class Launch:
    """`count` instances of this image, launched by the candidate at that instant, after those that live."""

    live: Mapping[str, Any]
    candidate: Mapping[str, Any]
    image: Image
    count: int
    at: datetime


def check_launch(aws: Aws, launch: Launch) -> list[Blocker]:
    """The template can be read, one instance of it with the new image could be launched, and there is room for all."""
    name = str(launch.candidate["AutoScalingGroupName"])
    use = template_of(launch.candidate)
    if use is None:
        return []
    try:
        to_copy = versions_to_copy(aws, use.id)
        source = to_copy.source
    except NotFound as error:
        return [
            Blocker(
                "unknown-launch-template",
                f"Auto Scaling group {name}",
                f"{name} launches from {use.id} version {use.version}, which cannot be resolved. {error.message}",
                f"aws ec2 describe-launch-template-versions --launch-template-id {use.id}",
                unchecked=CHECKS,
            )
        ]
    trial = group_dry_run.Trial(launch.candidate, source, launch.image, mappings_for(aws, source, launch.image))
    ground = Ground(source, to_copy.versions[0].number)
    checks = [
        Check("trial launch", group_dry_run.CHECKS, partial(group_dry_run.try_launch, aws, trial)),
        Check("launch template", _CHANGED, partial(_changed, aws, launch.live, source)),
        Check("launch template", group_template_versions.CHECKS, partial(find_versions, aws, ground, launch.image)),
    ]
    demand = demand_of(launch.candidate, source, launch.count, launch.at)
    if demand is not None:
        checks.append(
            Check("vCPU quota", group_quota.CHECKS, partial(group_quota.find_quota, aws, demand), optional=True)
        )
    return make_checks(aws, checks)


def _changed(aws: Aws, live: Mapping[str, Any], source: TemplateVersion) -> Iterator[Blocker]:
    """Name the owner's changes since the live generation was launched: they go along with the new image."""
    running = running_version(aws, live)
    differing = changes(aws, running, source) if running is not None else ()
    if running is None or not differing:
        return
    yield Blocker(
        "template-changed",
        f"launch template {source.template}",
        f"the next generation is made from version {source.number}, which differs from version {running.number}, the"
        f" live one's, in more than the image: {', '.join(differing)}.",
        f"aws ec2 describe-launch-template-versions --launch-template-id {source.template} \\\n"
        f"    --versions {running.number} {source.number}",
        warning=True,
    )


def demand_of(group: Mapping[str, Any], source: TemplateVersion, count: int, at: datetime) -> group_quota.Demand | None:
    """None where no quota of vCPUs counts these instances, or where their type is not known beforehand.

    A mixed group's market is not known either. A reservation is counted as long as it is there, used or not. Dedicated
    machines and hosts have quotas of their own.
    """
    content = source.content
    instance_type = group_dry_run.instance_type_of({}, source)
    market = content.get("InstanceMarketOptions", {}).get("MarketType", _ON_DEMAND)
    reserved = "CapacityReservationTarget" in content.get("CapacityReservationSpecification", {})
    shared = content.get("Placement", {}).get("Tenancy", "default") == "default"
    if instance_type is None or group.get("MixedInstancesPolicy") or count <= 0 or reserved or not shared:
        return None
    if market not in (_ON_DEMAND, _SPOT):
        return None
    return group_quota.Demand(instance_type, count, at, spot=market == _SPOT)
