"""Whether a Route 53 alias that evaluates target health would still answer with a load balancer, and with which zones
the own name of a Network Load Balancer does.

By Route 53's documented rule (API_AliasTarget): every target group that contains targets must contain at least one
healthy one, and "a target group that has no registered targets is considered unhealthy". The thresholds are in the
attributes `target_group_health.dns_failover…`; `off` is documented as "DNS fail away is disabled". Not known, so both
can be asked for: whether an empty group at weight 0 counts, and whether the alias honours `off`. A Network Load
Balancer leaves a zone out of its name whose healthy targets are fewer than the thresholds ("Target group health" in its
guide); which targets count for a zone is a matter of cross-zone load balancing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phoenix.sandbox.answers.elbv2_actions import FAILOVER

if TYPE_CHECKING:
    from phoenix.sandbox.targets import Target
    from phoenix.sandbox.world import World


def is_healthy(world: World, balancer: str, *, empty_fails: bool = True, honours_off: bool = True) -> bool:
    """Whether every target group that a rule of this load balancer (ARN) names is healthy enough for DNS."""
    return all(
        _is_enough(world, arn, world.targets.of(arn), empty_fails=empty_fails, honours_off=honours_off)
        for arn in _named(world, balancer)
    )


def zones(world: World, balancer: str, *, empty_fails: bool = True) -> frozenset[str]:
    """The zones that the name of this load balancer (ARN) answers with. AWS answers with all of them where this has
    none."""
    enabled: frozenset[str] = frozenset().union(*(world.routes.zones_of(arn) for arn in _named(world, balancer)))
    return frozenset(zone for zone in enabled if _is_zone_well(world, balancer, zone, empty_fails=empty_fails))


def _is_zone_well(world: World, balancer: str, zone: str, *, empty_fails: bool) -> bool:
    for arn in _named(world, balancer):
        targets = world.targets.of(arn)
        if not _spans_zones(world, arn, balancer):
            targets = [target for target in targets if world.targets.zone_of(target) == zone]
        if not _is_enough(world, arn, targets, empty_fails=empty_fails, honours_off=True):
            return False
    return True


def _spans_zones(world: World, target_group: str, balancer: str) -> bool:
    said = str(world.elbv2().target_groups[target_group].attributes.get("load_balancing.cross_zone.enabled"))
    return said == "true" or (said != "false" and world.routes.is_cross_zone(balancer))


def _named(world: World, balancer: str) -> list[str]:
    return [arn for arn in world.elbv2().target_groups if balancer in world.routes.load_balancers_naming(arn)]


def _is_enough(
    world: World, target_group: str, targets: Sequence[Target], *, empty_fails: bool, honours_off: bool
) -> bool:
    attributes = world.elbv2().target_groups[target_group].attributes
    count, percentage = (str(attributes[FAILOVER + part]) for part in ("count", "percentage"))
    if honours_off and count == percentage == "off":
        return True
    if not targets:
        return not empty_fails
    healthy = sum(target.state == "healthy" for target in targets)
    least = int(count) if count.isdigit() else 0 if honours_off else 1
    share = int(percentage) if percentage.isdigit() else 0
    return healthy >= least and 100 * healthy >= share * len(targets)
