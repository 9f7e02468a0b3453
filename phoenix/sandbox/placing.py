"""Where the next instance goes, and which one leaves first.

Both keep the zones in balance; neither touches a protected instance.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from phoenix.sandbox.groups import Group, Member
from phoenix.sandbox.launching import Place

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend


def places_of(ec2: EC2Backend, group: Group) -> list[Place]:
    """The group's subnets, or its zones when it names none."""
    subnets = group.settings.get("VPCZoneIdentifier")
    if subnets:
        return [Place(ec2.get_subnet(subnet).availability_zone, subnet) for subnet in subnets.split(",")]
    return [Place(zone, None) for zone in group.settings["AvailabilityZones"]]


def next_place(group: Group, places: list[Place]) -> Place:
    """The emptiest zone, in the order in which the group names them."""
    crowd = Counter(member.zone for member in group.active())
    return min(places, key=lambda place: crowd[place.zone])


def choose_victims(group: Group, count: int, newest_version: str | None) -> list[Member]:
    """AWS's default order: the fullest zone; there instances of another version than the group's; there the oldest."""
    remaining = group.active()
    chosen: list[Member] = []
    while len(chosen) < count:
        candidates = [member for member in remaining if not member.protected]
        if not candidates:
            break
        crowd = Counter(member.zone for member in remaining)
        victim = min(candidates, key=lambda member: (-crowd[member.zone], *_age(member, newest_version)))
        remaining.remove(victim)
        chosen.append(victim)
    return chosen


def _age(member: Member, newest_version: str | None) -> tuple[bool, str, str]:
    current = (member.template or {}).get("Version") == newest_version
    return current, member.launched.isoformat(), member.instance_id
