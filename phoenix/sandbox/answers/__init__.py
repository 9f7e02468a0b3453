"""The sandbox's own answers, operation by operation; moto answers everything else.

How to mend one more operation: write a function `(world, params) -> dict | None` in the module of its service, and add
it to that module's table. A dict is the answer in the API's shape; None lets moto answer, with `params` as the
function has left them. Raise a ServiceException to refuse. A function that must run after moto has answered goes into
`AFTER`. An answer must never wait or read the caller's clock: `world.timeline.now` is the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from phoenix.sandbox.answers import (
    auto_scaling_groups,
    auto_scaling_launches,
    auto_scaling_members,
    auto_scaling_reads,
    auto_scaling_refreshes,
    auto_scaling_satellites,
    auto_scaling_sources,
    auto_scaling_standby,
    cloudtrail,
    cloudwatch,
    ecs,
    elb,
    elbv2,
    elbv2_actions,
    identity,
    images,
    instances,
    lattice,
    quotas,
    route53,
    security_groups,
    servicediscovery,
    ssm,
    templates,
)
from phoenix.sandbox.world import World

Answer = Callable[[World, dict[str, Any]], dict[str, Any] | None]
After = Callable[[World], None]

AUTO_SCALING = (
    auto_scaling_groups,
    auto_scaling_launches,
    auto_scaling_members,
    auto_scaling_reads,
    auto_scaling_refreshes,
    auto_scaling_satellites,
    auto_scaling_sources,
    auto_scaling_standby,
)

ANSWERS: Mapping[tuple[str, str], Answer] = {
    **{("autoscaling", name): answer for part in AUTO_SCALING for name, answer in part.ANSWERS.items()},
    **{("cloudtrail", name): answer for name, answer in cloudtrail.ANSWERS.items()},
    **{("cloudwatch", name): answer for name, answer in cloudwatch.ANSWERS.items()},
    **{("ecs", name): answer for name, answer in ecs.ANSWERS.items()},
    **{("elb", name): answer for name, answer in elb.ANSWERS.items()},
    **{("elbv2", name): answer for name, answer in elbv2.ANSWERS.items()},
    **{("ec2", name): answer for name, answer in images.ANSWERS.items()},
    **{("ec2", name): answer for name, answer in instances.ANSWERS.items()},
    **{("ec2", name): answer for name, answer in security_groups.ANSWERS.items()},
    **{("ec2", name): answer for name, answer in templates.ANSWERS.items()},
    **{("route53", name): answer for name, answer in route53.ANSWERS.items()},
    **{("servicediscovery", name): answer for name, answer in servicediscovery.ANSWERS.items()},
    **{("ssm", name): answer for name, answer in ssm.ANSWERS.items()},
    **{("iam", name): answer for name, answer in identity.ANSWERS.items()},
    **{("service-quotas", name): answer for name, answer in quotas.ANSWERS.items()},
    **{("vpc-lattice", name): answer for name, answer in lattice.ANSWERS.items()},
}

AFTER: Mapping[tuple[str, str], After] = {
    ("elbv2", "CreateLoadBalancer"): elbv2.balancer_made,
    ("elbv2", "CreateTargetGroup"): elbv2_actions.target_groups_made,
    ("elbv2", "SetSubnets"): elbv2.zones_changed,
    **{("elbv2", name): elbv2.routes_changed for name in elbv2.CHANGES_ROUTES},
}
