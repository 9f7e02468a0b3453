"""The keys of `traffic:` in a policy, a class a kind.

Apart from the routers themselves, which must never wait for pydantic: a rollback needs them, and no policy.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from phoenix.keys import Duration, Kind, Matching
from phoenix.routers.record_names import listed_name

HostedZone = Annotated[str, Matching(r"Z[A-Z0-9]{1,31}", "the id of a hosted zone, such as Z0123456789ABC")]
RecordName = Annotated[
    str,
    Matching(r"(\*\.)?([A-Za-z0-9_-]{1,63}\.)+[A-Za-z0-9_-]{1,63}\.?", "a whole domain name, such as www.example.com"),
]


class TrafficKeys(Kind):
    """A router's keys. Each kind narrows `kind` to one word, and answers what a policy asks of any of them."""

    @abstractmethod
    def settles_in(self) -> timedelta:
        """The time until a change of weights is followed everywhere; 0 only where there are no weights."""

    @property
    def compares_arrival(self) -> bool:
        """True where requests are counted by target group, and the count is compared with the weights."""
        return False

    @property
    def confirms_return(self) -> bool:
        """True where that is done on the way back as well, which ends some minutes later by it."""
        return False

    @property
    def has_rules(self) -> bool:
        """True where rules tell requests apart, so that some may be sent to the candidate alone."""
        return False

    @property
    def routed_at(self) -> str:
        """Where the router looks for its routes; empty where the target groups tell."""
        return ""

    @property
    @abstractmethod
    def suspends_stickiness(self) -> bool:
        """True where the stickiness of a group of targets is switched off while a rotation moves traffic."""

    @property
    @abstractmethod
    def suspends_failover(self) -> bool:
        """True where DNS failover is switched off for the slot that does not have all the traffic."""


class Weighted(TrafficKeys):
    """The keys of a load balancer that has weights."""

    stickiness: Literal["refuse", "suspend"] = Field(
        default="refuse",
        description="Group stickiness longer than a minute stands in the way of a start, or is suspended meanwhile.",
    )
    dns_failover: Literal["suspend", "keep"] = Field(
        default="suspend",
        description="DNS failover is switched off on the target groups that do not have all the traffic, or is kept"
        " as it is.",
    )
    propagation: Duration

    def settles_in(self) -> timedelta:
        """As written."""
        return self.propagation

    @property
    def suspends_stickiness(self) -> bool:
        """As written."""
        return self.stickiness == "suspend"

    @property
    def suspends_failover(self) -> bool:
        """As written."""
        return self.dns_failover == "suspend"


class Alb(Weighted):
    """The keys of `traffic: {kind: alb}`; listeners and rules are found from the target groups."""

    kind: Literal["alb"] = "alb"
    propagation: Duration = Field(
        default=timedelta(seconds=60),
        description="How long the load balancer may need to follow a change of weights everywhere.",
    )
    arrival: Literal["compare", "confirm", "ignore"] = Field(
        default="compare",
        description="While a step bakes, the requests that CloudWatch has counted for each target group are compared"
        " with the weights, and a shift that the load balancer does not follow is held; `confirm` does that on the way"
        " back as well, and keeps the new generation until none arrive, which takes 3 to 8 minutes; `ignore` asks for"
        " no counts.",
    )

    @property
    def compares_arrival(self) -> bool:
        """As written."""
        return self.arrival != "ignore"

    @property
    def confirms_return(self) -> bool:
        """As written."""
        return self.arrival == "confirm"

    @property
    def has_rules(self) -> bool:
        """On every listener."""
        return True


class Nlb(Weighted):
    """The keys of `traffic: {kind: nlb}`; listeners are found from the target groups."""

    kind: Literal["nlb"] = "nlb"
    propagation: Duration = Field(
        default=timedelta(seconds=120),
        description="How long the load balancer may need until new connections follow a change of weights everywhere;"
        " connections that exist stay with their target group until they are closed.",
    )


class Route53(TrafficKeys):
    """The keys of `traffic: {kind: route53}`; the records of that name answer with each slot's own load balancer."""

    kind: Literal["route53"] = "route53"
    zone: HostedZone = Field(description="Id of the hosted zone that the records are in.", examples=["Z0123456789ABC"])
    name: RecordName = Field(
        description="Name of the weighted records, A, AAAA or CNAME, two of each type.", examples=["www.example.com"]
    )
    propagation: Duration = Field(
        default=timedelta(minutes=5),
        description="How long clients may need until they ask DNS again and follow a change of weights: the TTL, which"
        " is 60s for a load balancer, and what resolvers and clients add to it.",
    )

    def settles_in(self) -> timedelta:
        """As written."""
        return self.propagation

    @property
    def routed_at(self) -> str:
        """The hosted zone, and the name as AWS lists it."""
        return f"{self.zone}/{listed_name(self.name)}"

    @property
    def suspends_stickiness(self) -> bool:
        """DNS has none of its own; that of each load balancer never reaches the other one."""
        return False

    @property
    def suspends_failover(self) -> bool:
        """Each slot has a load balancer of its own, so DNS never leaves one generation because of the other."""
        return False


class Weightless(TrafficKeys):
    """No keys of its own: there are no weights to follow, and nothing is switched off while instances come and go."""

    def settles_in(self) -> timedelta:
        """At once."""
        return timedelta(0)

    @property
    def suspends_stickiness(self) -> bool:
        """Stickiness ends with the instance: its load balancer drains it first."""
        return False

    @property
    def suspends_failover(self) -> bool:
        """No target group is one generation's alone."""
        return False


class Attached(Weightless):
    """`traffic: attached` has no keys of its own: what the group is attached to is found from it."""

    kind: Literal["attached"] = "attached"


class NoTraffic(Weightless):
    """`traffic: none` has no keys of its own."""

    kind: Literal["none"] = "none"


KEYS: Final[Mapping[str, type[TrafficKeys]]] = {
    "alb": Alb,
    "nlb": Nlb,
    "route53": Route53,
    "attached": Attached,
    "none": NoTraffic,
}
