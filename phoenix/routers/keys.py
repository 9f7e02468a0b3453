"""The keys of `traffic:` in a policy, a class a kind.

Apart from the routers themselves, which must never wait for pydantic: a rollback needs them, and no policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from pydantic import Field

from phoenix.keys import Duration, Kind


class Alb(Kind):
    """The keys of `traffic: {kind: alb}`; listeners and rules are found from the target groups."""

    kind: Literal["alb"] = "alb"
    stickiness: Literal["refuse", "suspend"] = Field(
        default="refuse",
        description="Group stickiness longer than a minute stands in the way of a start, or is suspended meanwhile.",
    )
    dns_failover: Literal["suspend", "keep"] = Field(
        default="suspend",
        description="DNS failover is switched off on the target groups that do not have all the traffic, or is kept"
        " as it is.",
    )
    propagation: Duration = Field(
        default=timedelta(seconds=60),
        description="How long the load balancer may need to follow a change of weights everywhere.",
    )


class NoTraffic(Kind):
    """`traffic: none` has no keys of its own."""

    kind: Literal["none"] = "none"


KEYS: Final[Mapping[str, type[Kind]]] = {"alb": Alb, "none": NoTraffic}
