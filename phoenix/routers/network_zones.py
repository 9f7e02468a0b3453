"""Cross-zone load balancing of Network Load Balancers, which their target groups may override. Reads only.

Must never take a target group for cross-zone because it says nothing of its own: its load balancer decides then, and
that one's default is off.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from phoenix.aws.session import Aws
from phoenix.errors import NotFound
from phoenix.routers.forwarding import Arns
from phoenix.routers.listeners import Listeners
from phoenix.routers.target_blockers import attributes_if_there

CROSS_ZONE: Final = "load_balancing.cross_zone.enabled"
FOLLOWS: Final = "use_load_balancer_configuration"
"""The target group leaves it to its load balancer, which is the default."""


def is_any_zonal(aws: Aws, listeners: Listeners, target_groups: Arns) -> bool:
    """True when the zones of one of these target groups get their own share each, by its own attribute or by that of
    its load balancer."""
    arns = [arn for each in target_groups.values() for arn in each]
    read = dict(zip(arns, aws.side_by_side([partial(attributes_if_there, aws, arn) for arn in arns]), strict=True))
    said = {arn: found.get(CROSS_ZONE, FOLLOWS) for arn, found in read.items() if found is not None}
    if "false" in said.values():
        return True
    following = [arn for arn, value in said.items() if value == FOLLOWS]
    homes = {home for group in listeners.existing(following) for home in group.get("LoadBalancerArns", ())}
    return any(not is_cross_zone(aws, home) for home in sorted(homes))


def is_cross_zone(aws: Aws, balancer: str) -> bool:
    """True when the load balancer's own attribute is on; False as well if it is gone."""
    try:
        answer = aws.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=balancer)
    except NotFound:
        return False
    return any(item["Key"] == CROSS_ZONE and item.get("Value") == "true" for item in answer["Attributes"])
