"""Quotas that a load balancer would exceed, and zones that it does not reach: found before the start. Reads only.

Must never count the generations one after the other: at the peak the targets of both are registered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws import quotas
from phoenix.aws.checks import Check, make_checks
from phoenix.aws.quotas import Quota, request_for, value_of
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Ahead, Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.errors import PhoenixError
from phoenix.routers.action_blockers import balancer_of, name_of
from phoenix.routers.forwarding import Pair, Rule

IAM_ACTIONS: Final = (
    reads("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth")
    | reads("elasticloadbalancing:DescribeLoadBalancers", "ec2:DescribeSubnets", roles=FORWARD)
    | quotas.IAM_ACTIONS
)
CHECKS: Final = ("too-many-targets", "zone-not-enabled")

_ELB: Final = "elasticloadbalancing"
# "Quotas for your Application Load Balancers" and "… Network Load Balancers" in the guides; codes as `aws
# service-quotas list-service-quotas --service-code elasticloadbalancing` prints them. phoenix adds no listener,
# and rules only where a policy has requests ask for the candidate: opt_in_blockers counts those.
TARGETS_A_BALANCER: Final = Quota(_ELB, "L-7E6692B2", "Targets per Application Load Balancer", 1000)
TARGETS_A_GROUP: Final = Quota(_ELB, "L-A0D0B863", "Targets per Target Group per Region", 1000)
GROUPS_A_BALANCER: Final = Quota(
    _ELB, "L-822D1B1B", "Target Groups per Application Load Balancer", 100, adjustable=False
)
NETWORK_TARGETS_A_BALANCER: Final = Quota(_ELB, "L-EEF1AD04", "Targets per Network Load Balancer", 3000)
NETWORK_TARGETS_A_ZONE: Final = Quota(
    _ELB, "L-B211E961", "Targets per Availability Zone per Network Load Balancer", 500
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The quotas of a kind of load balancer. `zone` holds for the targets of each zone; where a load balancer is
    cross-zone, which `is_cross_zone` reads, for all of them."""

    targets: Quota
    groups: Quota | None = None
    zone: Quota | None = None
    is_cross_zone: Callable[[Aws, str], bool] | None = None


Targets = Callable[[str], Sequence[Mapping[str, Any]]]
"""The answer of DescribeTargetHealth for a target group."""


@dataclass(frozen=True, slots=True)
class Peak:
    """Both slots when most instances run: `live` stays as it is, and the other slot grows; and what their load
    balancers take."""

    slots: Mapping[Slot, SlotState]
    live: Slot
    ahead: Ahead
    limits: Limits

    @property
    def need(self) -> int:
        """Instances of the live slot; the other ends with as many."""
        return self.slots[self.live].desired

    def of(self, slot: Slot) -> int:
        """Instances of the slot while both are there."""
        return self.need if slot is self.live or self.ahead.extra is None else self.ahead.extra


def find_in_balancers(aws: Aws, rules: Sequence[Rule], pair: Pair, peak: Peak, targets: Targets) -> Iterator[Blocker]:
    """Everything about the load balancers whose rules name the slots, or will."""
    served: dict[str, dict[str, Slot]] = {}
    for rule in rules:
        arns = [*pair.named_in(rule).values(), pair.missing_in(rule)]
        served.setdefault(balancer_of(rule.arn), {}).update({arn: pair.slot_of[arn] for arn in arns if arn is not None})
    if not served:
        return
    listed = aws.side_by_side([partial(_groups_of, aws, balancer) for balancer in served])
    checks = [Check("zones of the load balancers", ("zone-not-enabled",), partial(_reach, aws, served, peak))]
    for (balancer, ours), known in zip(served.items(), listed, strict=True):
        if peak.limits.groups is not None:
            yield from _full(balancer, known, ours.keys() - known, peak.limits.groups.default)
        room = partial(_room, aws, balancer, ours, known - ours.keys(), _Count(peak, targets))
        checks.append(Check(f"targets of {name_of(balancer)}", ("too-many-targets",), room))
    yield from make_checks(aws, checks)


def _groups_of(aws: Aws, balancer: str) -> frozenset[str]:
    found = aws.pages("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=balancer)
    return frozenset(str(group["TargetGroupArn"]) for group in found)


# --- room -------------------------------------------------------------------------------------------------------------


def _full(balancer: str, known: Collection[str], joining: Collection[str], most: int) -> Iterator[Blocker]:
    """AWS counts a target group once, however many rules name it."""
    if joining and len(known) + len(joining) > most:
        names = ", ".join(sorted(map(name_of, joining)))
        yield Blocker(
            "load-balancer-full",
            f"load balancer {name_of(balancer)}",
            f"{name_of(balancer)} has {len(known)} target groups; AWS allows {most}, and {names}"
            f" {'has' if len(joining) == 1 else 'have'} to be added. Take rules away that are not needed:",
            f"aws elbv2 describe-target-groups --load-balancer-arn {balancer}",
        )


@dataclass(frozen=True, slots=True)
class _Count:
    """The number of targets at the peak."""

    peak: Peak
    targets: Targets

    def besides(self, arn: str, slot: Slot) -> int:
        """Those in a slot's target group that are not its instances."""
        mine = {instance.id for instance in self.peak.slots[slot].instances}
        return sum(1 for item in self.targets(arn) if str(item["Target"]["Id"]) not in mine)


def _room(
    aws: Aws, balancer: str, ours: Mapping[str, Slot], others: Collection[str], count: _Count
) -> Iterator[Blocker]:
    """Of other target groups as many targets as there are, of ours as many as there will be."""
    besides = {arn: count.besides(arn, slot) for arn, slot in ours.items()}
    for arn in ours:
        yield from _over(aws, TARGETS_A_GROUP, f"target group {name_of(arn)}", besides[arn] + count.peak.need)
    read = aws.side_by_side([partial(count.targets, arn) for arn in sorted(others)]) if others else []
    total = sum(map(len, read)) + sum(besides[arn] + count.peak.of(slot) for arn, slot in ours.items())
    yield from _over(aws, count.peak.limits.targets, f"load balancer {name_of(balancer)}", total)
    zone = count.peak.limits.zone
    if zone is not None and total > zone.default:
        where = f"a zone of load balancer {name_of(balancer)}"
        yield from _over(aws, zone, where, _in_a_zone(aws, balancer, total, count.peak.limits))


def _in_a_zone(aws: Aws, balancer: str, total: int, limits: Limits) -> int:
    """The targets that the fullest zone has at least. A cross-zone load balancer counts all of them in every zone."""
    if limits.is_cross_zone is not None and limits.is_cross_zone(aws, balancer):
        return total
    found = list(aws.pages("elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[balancer]))
    zones = max((len(each["AvailabilityZones"]) for each in found), default=1)
    return -(-total // max(1, zones))


def _over(aws: Aws, quota: Quota, where: str, count: int) -> Iterator[Blocker]:
    """Service Quotas is asked only where AWS's default would not do. An account's value is never below it."""
    if count <= quota.default:
        return
    doubt = ""
    try:
        most = value_of(aws, quota)
    except PhoenixError as error:
        most, doubt = quota.default, f" by default; this account's own quota could not be read ({error.message})"
    if count > most:
        yield Blocker(
            "too-many-targets",
            where,
            f"it would have {count} targets while both generations run; AWS allows {most}{doubt}"
            f' ("{quota.name}", {quota.code}). Those above it are not registered, and get no traffic. Ask for more, or'
            " rotate in smaller steps (`rolling`):",
            request_for(quota, count),
            warning=bool(doubt),
        )


# --- reach ------------------------------------------------------------------------------------------------------------


def _reach(aws: Aws, served: Mapping[str, Mapping[str, Slot]], peak: Peak) -> Iterator[Blocker]:
    """Zones in which a slot launches, and its load balancer has no subnet."""
    arns = sorted(served)
    for balancer in aws.pages("elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=arns):
        enabled = {str(zone["ZoneName"]): str(zone.get("SubnetId")) for zone in balancer["AvailabilityZones"]}
        slots = set(served[str(balancer["LoadBalancerArn"])].values())
        missing = {slot: sorted(set(peak.slots[slot].zones) - enabled.keys()) for slot in Slot if slot in slots}
        if any(missing.values()):
            yield _not_enabled(aws, balancer, sorted(enabled.values()), missing, peak)


def _not_enabled(
    aws: Aws, balancer: Mapping[str, Any], subnets: Sequence[str], missing: Mapping[Slot, Sequence[str]], peak: Peak
) -> Blocker:
    """In the way where the next generation launches there; a warning where the live one does, which users have now."""
    name = str(balancer["LoadBalancerName"])
    launching = " and ".join(
        f"{peak.slots[slot].auto_scaling_group} in {', '.join(zones)}" for slot, zones in missing.items() if zones
    )
    wanted = sorted({zone for zones in missing.values() for zone in zones})
    is_public = balancer.get("Scheme") == "internet-facing"
    found = [_subnet(aws, str(balancer["VpcId"]), zone, is_public=is_public) for zone in wanted]
    kind = "a public" if is_public else "its"
    return Blocker(
        "zone-not-enabled",
        f"load balancer {name}",
        f"{name} is not enabled in {', '.join(wanted)}, and its targets are launched there ({launching}): AWS never"
        f" checks these targets, says that they are unused, and sends them nothing. Enable {kind} subnet there, or take"
        " the zone out of the Auto Scaling groups:",
        f"aws elbv2 set-subnets --load-balancer-arn {balancer['LoadBalancerArn']} \\\n"
        f"    --subnets {' '.join([*subnets, *found])}",
        warning=not missing.get(peak.live.other),
    )


def _subnet(aws: Aws, vpc: str, zone: str, *, is_public: bool) -> str:
    """The likeliest one of the zone: one that gives out public addresses for a load balancer of the internet."""
    wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "availability-zone", "Values": [zone]}]
    found = list(aws.pages("ec2", "describe_subnets", "Subnets", Filters=wanted))
    found.sort(key=lambda subnet: (bool(subnet.get("MapPublicIpOnLaunch")) is not is_public, subnet["SubnetId"]))
    return str(found[0]["SubnetId"]) if found else f"<subnet in {zone}>"
