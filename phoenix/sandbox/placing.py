"""Where the next instance goes, and which one leaves first.

Both keep the zones in balance; neither touches a protected instance, nor one in Standby.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.launching import Place

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

Order = tuple[Any, ...]


def places_of(ec2: EC2Backend, group: Group) -> list[Place]:
    """The group's subnets, or its zones when it names none."""
    subnets = group.settings.get("VPCZoneIdentifier")
    if subnets:
        return [Place(ec2.get_subnet(subnet).availability_zone, subnet) for subnet in subnets.split(",")]
    return [Place(zone, None) for zone in group.settings["AvailabilityZones"]]


def next_place(group: Group, places: Sequence[Place]) -> Place:
    """The emptiest zone, in the order in which the group names them."""
    crowd = Counter(member.zone for member in group.active())
    return min(places, key=lambda place: crowd[place.zone])


def choose_victims(group: Group, count: int, template: str | None) -> list[Member]:
    """The fullest zone; there the order of the group's first termination policy, given the id of its launch template.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    """
    first = next(iter(group.settings.get("TerminationPolicies") or ()), "Default")
    order = ORDERS.get(first, _by_template)
    remaining = group.active()
    chosen: list[Member] = []
    while len(chosen) < count:
        candidates = [member for member in remaining if not member.protected]
        if not candidates:
            break
        crowd = Counter(member.zone for member in remaining)
        victim = min(candidates, key=lambda member: (-crowd[member.zone], *order(member, template)))
        remaining.remove(victim)
        chosen.append(victim)
    return chosen


def _by_template(member: Member, template: str | None) -> Order:
    """Those of another template first, then the oldest versions of the group's, whichever it names now."""
    told = member.template or {}
    version = int(told["Version"]) if told.get("Version", "").isdigit() else 0
    return (told.get("LaunchTemplateId") == template, version, *_oldest(member, template))


def _oldest(member: Member, _template: str | None) -> Order:
    return member.launched.isoformat(), member.instance_id


def _newest(member: Member, _template: str | None) -> Order:
    return -member.launched.timestamp(), member.instance_id


ORDERS: Mapping[str, Callable[[Member, str | None], Order]] = {
    "Default": _by_template,
    "OldestLaunchTemplate": _by_template,
    "OldestInstance": _oldest,
    "ClosestToNextInstanceHour": _oldest,
    "NewestInstance": _newest,
}
"""All others are taken for the default one."""
