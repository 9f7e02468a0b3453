"""Other ways to the instances of an Auto Scaling group than the target groups whose weights are moved. Pure.

Must never pass over a kind of traffic source that it does not know: whatever is attached may carry users.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.aws.groups import ROUTED
from phoenix.core.blocker import Blocker
from phoenix.fleets.group_shapes import traffic_sources

CHECKS: Final = ("other-traffic-source",)

_CALLED: Final = {"elb": "the Classic Load Balancer", "vpc-lattice": "the VPC Lattice target group"}


def judge_attachments(group: Mapping[str, Any]) -> Iterator[Blocker]:
    """One for each attachment that no router knows: its requests reach an instance as soon as it is in service."""
    name = str(group["AutoScalingGroupName"])
    for identifier, kind in traffic_sources(group):
        if kind == ROUTED:
            continue
        called = _CALLED.get(kind)
        what = f"{called} {identifier}" if called else f'{identifier}, a traffic source of the unknown type "{kind}"'
        yield Blocker(
            "other-traffic-source",
            f"Auto Scaling group {name}",
            f"{name} registers with {what}. phoenix moves no weight there: new instances would get its requests before"
            " any gate, and when this slot is emptied nothing is left behind it. Serve these users through an"
            " Application or Network Load Balancer first; only if it serves no users:",
            f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {shlex.quote(name)} \\\n"
            f"    --traffic-sources {shlex.quote(f'Identifier={identifier},Type={kind}')}",
        )
