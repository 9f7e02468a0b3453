"""Whether a Route 53 alias that evaluates target health would still answer with a load balancer.

By Route 53's documented rule (API_AliasTarget): every target group that contains targets must contain at least one
healthy one, and "a target group that has no registered targets is considered unhealthy". The thresholds are in the
attributes `target_group_health.dns_failover…`; `off` is documented as "DNS fail away is disabled". Not known, so both
can be asked for: whether an empty group at weight 0 counts, and whether the alias honours `off`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phoenix.sandbox.answers.elbv2_actions import FAILOVER

if TYPE_CHECKING:
    from phoenix.sandbox.world import World


def is_healthy(world: World, balancer: str, *, empty_fails: bool = True, honours_off: bool = True) -> bool:
    """Whether every target group that a rule of this load balancer (ARN) names is healthy enough for DNS."""
    named = [arn for arn in world.elbv2().target_groups if balancer in world.routes.load_balancers_naming(arn)]
    return all(_is_enough(world, arn, empty_fails=empty_fails, honours_off=honours_off) for arn in named)


def _is_enough(world: World, target_group: str, *, empty_fails: bool, honours_off: bool) -> bool:
    attributes = world.elbv2().target_groups[target_group].attributes
    count, percentage = (str(attributes[FAILOVER + part]) for part in ("count", "percentage"))
    if honours_off and count == percentage == "off":
        return True
    targets = world.targets.of(target_group)
    if not targets:
        return not empty_fails
    healthy = sum(target.state == "healthy" for target in targets)
    least = int(count) if count.isdigit() else 0 if honours_off else 1
    share = int(percentage) if percentage.isdigit() else 0
    return healthy >= least and 100 * healthy >= share * len(targets)
