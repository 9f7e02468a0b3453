"""Read weighted records of Route 53: the load balancers that they answer with, and their weights. Reads only.

Must never take a record for a slot's by its SetIdentifier: the load balancer that it answers with says whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, takewhile
from typing import Any, Final

from phoenix.aws.rights import reads
from phoenix.aws.session import Aws
from phoenix.core.model import Route, Slot
from phoenix.core.tags import MANAGED
from phoenix.routers.forwarding import Arns
from phoenix.routers.listeners import Listeners
from phoenix.routers.record_names import balancer_name, listed_name

IAM_ACTIONS: Final = reads(
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "route53:ListHostedZones",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResources",
)
TYPES: Final = ("A", "AAAA", "CNAME")
ALIAS_TTL: Final = 60
"""Seconds: "you can't set the TTL" of an alias, and a load balancer's is 60 seconds.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html"""

_MOST_BALANCERS: Final = 20  # DescribeLoadBalancers: "up to 20 load balancers in a single call"
_MOST_TAGGED: Final = 10  # ListTagsForResources, model of Route 53: ResourceIds has at most 10
_ROUTE: Final = "arn:aws:route53:::hostedzone/"

Balancers = Mapping[str, Slot]
"""The slot of each load balancer, by its name in DNS."""
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A hosted zone, and a name in it as AWS lists it."""

    zone: str
    name: str

    @classmethod
    def read(cls, text: str) -> Place:
        """`Z0123/www.example.com`, or a route's ARN, which begins so after its prefix."""
        zone, name, *_ = text.removeprefix(_ROUTE).split("/")
        return cls(zone, name)


@dataclass(frozen=True, slots=True)
class RecordSets:
    """All records of one name and type, as AWS describes them."""

    place: Place
    type: str
    records: tuple[Record, ...]

    @property
    def arn(self) -> str:
        """The ARN of the hosted zone, with name and type behind it: AWS has none for records."""
        return f"{_ROUTE}{self.place.zone}/{self.place.name}/{self.type}"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.place.name} {self.type}"

    @property
    def others(self) -> tuple[Record, ...]:
        """Those that are not weighted."""
        return tuple(record for record in self.records if "Weight" not in record)

    def of(self, balancers: Balancers) -> dict[Slot, list[Record]]:
        """The weighted records that answer with each slot's load balancer; of one that has several, the first counts
        when they are written, and all of them when they are read."""
        found: dict[Slot, list[Record]] = {}
        for record in self.records:
            slot = balancers.get(target_of(record))
            if slot is not None and "Weight" in record:
                found.setdefault(slot, []).append(record)
        return found

    def route(self, balancers: Balancers, *, spreading: bool = False) -> Route:
        """The records as the model knows them.

        If all records of a name and type have weight 0, Route 53 answers with each of them equally often
        (API_ResourceRecordSet, Weight): each counts as 1 then.
        """
        equal = not any(int(record.get("Weight", 0)) for record in self.records)
        found = self.of(balancers)
        weights = {slot: sum(1 if equal else int(r["Weight"]) for r in records) for slot, records in found.items()}
        return Route(self.arn, self.name, weights, spreading=spreading, stays=True)


class Records:
    """The records of Route 53, and the load balancers behind target groups."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def balancers_of(self, target_groups: Arns) -> Balancers:
        """The load balancers that each slot's target groups are behind. One of both slots is neither's: no record tells
        them apart there."""
        arns = [arn for each in target_groups.values() for arn in each]
        homes = {
            str(group["TargetGroupArn"]): tuple(group.get("LoadBalancerArns", ()))
            for group in Listeners(self._aws).existing(arns)
        }
        by_slot = {slot: {home for arn in each for home in homes.get(arn, ())} for slot, each in target_groups.items()}
        shared = set.intersection(*by_slot.values()) if len(by_slot) > 1 else set()
        slots = {home: slot for slot, found in by_slot.items() for home in found - shared}
        return {name: slots[arn] for arn, name in self.names_of(slots).items()}

    def names_of(self, balancers: Iterable[str]) -> dict[str, str]:
        """The names in DNS of load balancers, by ARN."""
        arns = sorted(balancers)
        batches = [arns[start : start + _MOST_BALANCERS] for start in range(0, len(arns), _MOST_BALANCERS)]
        found = self._aws.side_by_side([partial(self._describe, batch) for batch in batches])
        return {str(each["LoadBalancerArn"]): balancer_name(str(each["DNSName"])) for each in chain(*found)}

    def read(self, places: Iterable[Place]) -> list[RecordSets]:
        """All records of these names, by type: one call for each name that has fewer than three hundred records.

        The answer has changes that are PENDING as well (ListResourceRecordSets).

        Raises:
            NotFound: there is no such hosted zone.
        """
        wanted = sorted(set(places), key=lambda place: (place.zone, place.name))
        return list(chain(*self._aws.side_by_side([partial(self._read, place) for place in wanted])))

    def search(self, balancers: Balancers) -> list[RecordSets]:
        """All weighted records that answer with one of these load balancers, in every hosted zone that its owner has
        marked: several calls, for a rollback that does not know the name."""
        marked = self.marked(str(each["Id"]).rpartition("/")[2] for each in self._hosted_zones())
        found = chain(*self._aws.side_by_side([partial(self._in_zone, zone) for zone in marked]))
        return [each for each in found if each.of(balancers)]

    def marked(self, zones: Iterable[str]) -> list[str]:
        """Those of these hosted zones (ids) that carry the owner's mark."""
        ids = sorted(zones)
        batches = [ids[start : start + _MOST_TAGGED] for start in range(0, len(ids), _MOST_TAGGED)]
        return list(chain(*self._aws.side_by_side([partial(self._marked, batch) for batch in batches])))

    def zones_above(self, names: Collection[str]) -> list[Mapping[str, Any]]:
        """The hosted zones that are called like one of these."""
        return [each for each in self._hosted_zones() if listed_name(str(each["Name"])) in names]

    def _hosted_zones(self) -> Iterator[dict[str, Any]]:
        return self._aws.pages("route53", "list_hosted_zones", "HostedZones")

    def _marked(self, zones: Sequence[str]) -> list[str]:
        answer = self._aws.call("route53", "list_tags_for_resources", ResourceType="hostedzone", ResourceIds=zones)
        return [
            str(each["ResourceId"])
            for each in answer["ResourceTagSets"]
            if any(tag["Key"] == MANAGED and tag.get("Value") == "true" for tag in each.get("Tags", ()))
        ]

    def _describe(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        return list(self._aws.pages("elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=list(arns)))

    def _read(self, place: Place) -> list[RecordSets]:
        found = self._pages(place.zone, StartRecordName=place.name)
        return _by_type(place.zone, takewhile(lambda record: listed_name(str(record["Name"])) == place.name, found))

    def _in_zone(self, zone: str) -> list[RecordSets]:
        return _by_type(zone, self._pages(zone))

    def _pages(self, zone: str, **start: Any) -> Iterator[dict[str, Any]]:
        return self._aws.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone, **start)


def target_of(record: Record) -> str:
    """The name that a record answers with: an alias's, or the one value of a CNAME; empty for addresses."""
    if "AliasTarget" in record:
        return balancer_name(str(record["AliasTarget"]["DNSName"]))
    values = [str(each["Value"]) for each in record.get("ResourceRecords", ())]
    return balancer_name(values[0]) if record["Type"] == "CNAME" and values else ""


def ttl_of(record: Record) -> int:
    """Seconds that a resolver keeps an answer."""
    return int(record.get("TTL", ALIAS_TTL))


def _by_type(zone: str, records: Iterable[Record]) -> list[RecordSets]:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record["Type"] in TYPES:
            found.setdefault((listed_name(str(record["Name"])), str(record["Type"])), []).append(record)
    return [RecordSets(Place(zone, name), kind, tuple(each)) for (name, kind), each in found.items()]
