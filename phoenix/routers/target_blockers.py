"""Blockers of a start in the target groups themselves: their settings, their targets, their behaviour.

Reads only. Must never count a target that is on its way out for a stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from phoenix.aws.checks import Check, make_checks
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.model import Slot, SlotState
from phoenix.errors import NotFound
from phoenix.routers import target_comparison
from phoenix.routers.action_blockers import name_of
from phoenix.routers.forwarding import Pair, Rule
from phoenix.routers.target_comparison import judge_attributes, judge_together

IAM_ACTIONS: Final = reads("elasticloadbalancing:DescribeTargetGroupAttributes", roles=FORWARD) | reads(
    "elasticloadbalancing:DescribeTargetHealth"
)
CHECKS: Final = (
    *target_comparison.CHECKS,
    "unrouted-target-group",
    "zonal-shift",
    "foreign-targets",
    "dns-failover",
)

FAILOVER: Final = tuple(
    f"target_group_health.dns_failover.minimum_healthy_targets.{part}" for part in ("count", "percentage")
)
_SHIFTED: Final = frozenset({"zonal_shift_active", "zonal_shift_delegated_to_dns"})
_LEAVING: Final = frozenset({"draining", "unhealthy.draining"})
_MOST_SHOWN = 3

Targets = Sequence[Mapping[str, Any]]


def judge_target_groups(described: Sequence[Mapping[str, Any]], behind: Behind) -> Iterator[Blocker]:
    """Judge their descriptions. Nothing is compared where it cannot be told which ones belong together."""
    by_arn = {str(group["TargetGroupArn"]): group for group in described}
    routed = behind.pair.routed_by(behind.rules)
    for arn, group in by_arn.items():
        if routed and arn not in routed:
            yield _unrouted(group, behind.groups[behind.pair.slot_of[arn]])
    for arn, group in by_arn.items():
        mate = by_arn.get(behind.pair.mate_of(arn) or "")
        if mate is not None and behind.pair.slot_of[arn] is behind.live:
            yield from judge_together(group, mate)


def _unrouted(group: Mapping[str, Any], name: str) -> Blocker:
    return Blocker(
        "unrouted-target-group",
        f"target group {group['TargetGroupName']}",
        f"{name} registers with {group['TargetGroupName']}, which no listener and no rule forwards to: AWS never checks"
        " its targets, and phoenix does not count what it says of them. If it is of no use:",
        f"aws autoscaling detach-traffic-sources --auto-scaling-group-name {name} \\\n"
        f"    --traffic-sources Identifier={group['TargetGroupArn']},Type=elbv2",
        warning=True,
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """The rules in front of the target groups: those that name them, or will."""

    rules: Sequence[Rule]
    pair: Pair
    suspends_stickiness: bool
    live: Slot = Slot.BLUE
    groups: Mapping[Slot, str] = field(default_factory=dict)
    """Names of the Auto Scaling groups."""
    suspends_failover: bool = True


Attributes = Mapping[str, Mapping[str, str]]
"""Attributes by target group ARN."""


@dataclass(frozen=True, slots=True)
class AttributeCheck:
    """The checks of a kind of load balancer in the attributes of its target groups, besides that they are alike."""

    names: tuple[str, ...]
    judge: Callable[[Attributes, Behind], Iterator[Blocker]]
    without_failover: str
    """The consequence for clients while a target group that DNS judges has no healthy target."""


def targets_read_once(aws: Aws) -> Callable[[str], Targets]:
    """Read the targets of a target group, by its ARN; a second time they are as they were the first time."""

    @cache
    def read(arn: str) -> Targets:
        # AWS answers with all targets at once; it has no pages for them.
        found: Targets = aws.call("elbv2", "describe_target_health", TargetGroupArn=arn)["TargetHealthDescriptions"]
        return found

    return read


def find_in_targets(
    aws: Aws,
    slots: Mapping[Slot, SlotState],
    behind: Behind,
    targets_of: Callable[[str], Targets],
    of_kind: AttributeCheck,
) -> list[Blocker]:
    """Read each target group's targets and attributes, all of them side by side."""
    arns = [arn for state in slots.values() for arn in state.target_groups]
    checks = [
        Check(
            f"targets of {name_of(arn)}",
            ("zonal-shift", "foreign-targets"),
            partial(_in_health, targets_of, state, arn),
        )
        for state in slots.values()
        for arn in state.target_groups
    ]
    names = (*of_kind.names, "target-attributes-differ", "dns-failover")
    judge = partial(_in_all_attributes, aws, arns, behind, of_kind)
    checks.append(Check("attributes of the target groups", names, judge))
    return make_checks(aws, checks)


def _in_health(targets_of: Callable[[str], Targets], slot: SlotState, arn: str) -> Iterator[Blocker]:
    targets = targets_of(arn)
    where = f"target group {name_of(arn)}"
    shifted = [item for item in targets if item.get("AdministrativeOverride", {}).get("State") in _SHIFTED]
    if shifted:
        said = str(shifted[0]["AdministrativeOverride"].get("Description") or "a zonal shift is active").rstrip(".")
        yield Blocker(
            "zonal-shift",
            where,
            f"{counted(len(shifted), 'target')} of {name_of(arn)} {'gets' if len(shifted) == 1 else 'get'} no traffic,"
            f" healthy or not: {said}. A generation cannot be proved in a zone that gets no traffic. When the zone is"
            " well again:",
            "aws arc-zonal-shift list-zonal-shifts --status ACTIVE\n"
            "aws arc-zonal-shift cancel-zonal-shift --zonal-shift-id <id>",
        )
    ours = {instance.id for instance in slot.instances}
    strangers = sorted(
        {str(item["Target"]["Id"]) for item in targets if item["TargetHealth"]["State"] not in _LEAVING} - ours
    )
    if strangers:
        listed = " ".join(f"Id={target}" for target in strangers)
        yield Blocker(
            "foreign-targets",
            where,
            f"{counted(len(strangers), 'target')} ({_shown(strangers)}) {'is' if len(strangers) == 1 else 'are'} not"
            f" of {slot.auto_scaling_group}: traffic moves to and from them with the slot, whatever they run.",
            f"aws elbv2 deregister-targets --target-group-arn {arn} \\\n    --targets {listed}",
            warning=True,
        )


def attributes_of(aws: Aws, arn: str) -> dict[str, str]:
    """The target group's attributes by AWS's keys."""
    answer = aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)
    return {item["Key"]: item["Value"] for item in answer["Attributes"]}


def attributes_if_there(aws: Aws, arn: str) -> dict[str, str] | None:
    """The same; None where it was deleted, which an Auto Scaling group that names it does not notice."""
    try:
        return attributes_of(aws, arn)
    except NotFound:
        return None


def is_cross_zone_off(attributes: Mapping[str, str]) -> bool:
    """True when the target group overrides its load balancer, which for an Application one always is cross-zone."""
    return attributes.get("load_balancing.cross_zone.enabled") == "false"


def _in_all_attributes(aws: Aws, arns: Sequence[str], behind: Behind, of_kind: AttributeCheck) -> Iterator[Blocker]:
    """One read for each target group, side by side."""
    read = dict(zip(arns, aws.side_by_side([partial(attributes_of, aws, arn) for arn in arns]), strict=True))
    yield from of_kind.judge(read, behind)
    if not behind.suspends_failover:
        for arn, attributes in read.items():
            yield from _in_failover(arn, attributes, of_kind.without_failover)
    for arn, mate in pairs_of(read, behind):
        # What phoenix itself has switched off on one of the two is no difference.
        shown = [{k: v for k, v in read[each].items() if k not in FAILOVER} for each in (arn, mate)]
        yield from judge_attributes(arn, mate, *shown)


def pairs_of(read: Attributes, behind: Behind) -> Iterator[tuple[str, str]]:
    """The target groups (ARNs) of the live slot, each with its counterpart."""
    for arn in read:
        mate = behind.pair.mate_of(arn)
        if mate is not None and mate in read and behind.pair.slot_of[arn] is behind.live:
            yield arn, mate


def _in_failover(arn: str, attributes: Mapping[str, str], without: str) -> Iterator[Blocker]:
    judged = [key for key in FAILOVER if attributes.get(key, "off") != "off"]
    if judged:
        yield Blocker(
            "dns-failover",
            f"target group {name_of(arn)}",
            "DNS failover is on, and `dns_failover: keep` leaves it so: while none of its targets is healthy, that is"
            f" as long as a new generation boots, {without}. Write `dns_failover: suspend` under traffic in the"
            " policy, or:",
            f"aws elbv2 modify-target-group-attributes --target-group-arn {arn} \\\n    --attributes "
            + " ".join(f"Key={key},Value=off" for key in judged),
            warning=True,
        )


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_SHOWN]) + (", …" if len(ids) > _MOST_SHOWN else "")
