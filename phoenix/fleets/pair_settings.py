"""The settings of two Auto Scaling groups, compared in everything that DescribeAutoScalingGroups shows. Pure.

The live one has what users have now; after the rotation the other one is live. What it lacks is lost without a word, so
each member has a decision here: what loses function stands in the way, the rest is worth a warning.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from phoenix.aws.comparison import Difference, Member, Severity, differences, json_of, shown
from phoenix.aws.templates import TemplateUse, template_of
from phoenix.core.blocker import Blocker
from phoenix.core.tags import MANAGED
from phoenix.fleets.group_shapes import OUR_PREFIX
from phoenix.fleets.pair_twins import Twins

CHECKS: Final = ("settings-differ", "propagated-tags-differ", "policies-differ", "templates-differ")

_AWS_PREFIX = "aws:"
_OURS = frozenset({"ScheduledActions"})
"""phoenix suspends it on the slot that is not live."""
_OF_ITS_OWN = frozenset({"Launch", "Terminate", "AddToLoadBalancer"})
"""Suspended anywhere, these stand in the way by themselves."""
_LOST = frozenset({"AlarmNotification", "HealthCheck", "ReplaceUnhealthy"})
"""A group with one of these suspended no longer scales, or no longer replaces what is broken."""
_NOTHING_MAINTAINED: Final = {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1}


def _types(value: Any) -> list[str]:
    return sorted(word.strip() for word in str(value).split(",") if word.strip())


def _apart(why: str) -> Member:
    return Member(Severity.APART, why)


def _warns(why: str, option: str | None = None, default: Any = None) -> Member:
    return Member(Severity.WARNS, why, option, default)


SETTINGS: Final[Mapping[str, Member]] = {
    # Its identity.
    "AutoScalingGroupName": _apart("its identity"),
    "AutoScalingGroupARN": _apart("its identity"),
    "CreatedTime": _apart("its identity"),
    # What the roles of slots are about.
    "MinSize": _apart("a role's number"),
    "MaxSize": _apart("a role's number"),
    "DesiredCapacity": _apart("a role's number"),
    "DesiredCapacityType": _apart("capacity-in-other-units"),
    "PredictedCapacity": _apart("a forecast"),
    "Instances": _apart("what runs"),
    # Judged by checks of their own.
    "LaunchConfigurationName": _apart("launch-configuration"),
    "LaunchTemplate": _apart("templates-differ"),
    "MixedInstancesPolicy": _apart("policies-differ"),
    "AvailabilityZones": _apart("too-few-zones, subnets-differ"),
    "AvailabilityZoneIds": _apart("too-few-zones, subnets-differ"),
    "VPCZoneIdentifier": _apart("subnets-differ"),
    "LoadBalancerNames": _apart("other-traffic-source"),
    "TargetGroupARNs": _apart("the router's checks"),
    "TrafficSources": _apart("other-traffic-source, the router's checks"),
    "SuspendedProcesses": _apart("suspended-process, settings-differ"),
    "EnabledMetrics": _apart("settings-differ, by metric"),
    "Status": _apart("being-deleted"),
    "Tags": _apart("propagated-tags-differ"),
    "NewInstancesProtectedFromScaleIn": _apart("protects-new-instances"),
    "WarmPoolConfiguration": _apart("warm-pool"),
    "WarmPoolSize": _apart("warm-pool"),
    "Operator": _apart("owned-by-another-service"),
    # Lost without a word.
    "HealthCheckType": Member(
        Severity.BLOCKS,
        "what the one replaces because a load balancer calls it sick, the other would leave in service",
        "--health-check-type",
        "EC2",
        _types,
    ),
    # Worth a warning.
    "CapacityRebalance": _warns(
        "Spot instances at risk are replaced early in one of them only", "--capacity-rebalance", default=False
    ),
    "CapacityReservationSpecification": _warns(
        "one of them launches into capacity reservations that the other does not use",
        "--capacity-reservation-specification",
        {"CapacityReservationPreference": "default"},
    ),
    "AvailabilityZoneDistribution": _warns(
        "when a zone has no capacity they do not do the same",
        "--availability-zone-distribution",
        {"CapacityDistributionStrategy": "balanced-best-effort"},
    ),
    "AvailabilityZoneImpairmentPolicy": _warns(
        "a zonal shift reaches one of them only",
        "--availability-zone-impairment-policy",
        {"ZonalShiftEnabled": False, "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy"},
    ),
    "Context": _warns("AWS reserves it", "--context"),
    "DefaultCooldown": _warns("simple scaling policies wait for it", "--default-cooldown", 300),
    "DefaultInstanceWarmup": _warns(
        "scaling policies count a new instance's metrics only after it", "--default-instance-warmup", -1
    ),
    "DeletionProtection": _warns("one of them is easier to delete", "--deletion-protection", "none"),
    "HealthCheckGracePeriod": _warns(
        "a slow boot is given less time in one of them before it is called sick", "--health-check-grace-period", 0
    ),
    "InstanceLifecyclePolicy": _warns(
        "instances whose termination hook is abandoned are kept in one of them only",
        "--instance-lifecycle-policy",
        {"RetentionTriggers": {"TerminateHookAbandon": "terminate"}},
    ),
    "InstanceMaintenancePolicy": _warns(
        "replacements may take capacity away in one of them", "--instance-maintenance-policy", _NOTHING_MAINTAINED
    ),
    "MaxInstanceLifetime": _warns("AWS replaces old instances in one of them only", "--max-instance-lifetime", 0),
    "PlacementGroup": _warns("their instances are placed differently", "--placement-group", ""),
    "ServiceLinkedRoleARN": _warns(
        "the role that launches may lack the grant for the volumes' key", "--service-linked-role-arn"
    ),
    "TerminationPolicies": _warns(
        "a scale-in takes other instances first", "--termination-policies", default=["Default"]
    ),
}
"""Every member of AWS's AutoScalingGroup, and what is decided about it; a test demands that none is missing."""


def judge_settings(twins: Twins) -> Iterator[Blocker]:
    """One for each setting that differs, with the command that gives the other slot what the live one has."""
    for found in differences(SETTINGS, twins.live, twins.other):
        yield _setting(twins, found)
    yield from _processes(twins)
    yield from _metrics(twins)
    yield from _tags(twins)
    yield from _templates(twins)


def _setting(twins: Twins, found: Difference) -> Blocker:
    text = f"{found.text}: {found.member.why}."
    blocks = found.member.severity is Severity.BLOCKS and not _only_gains(found)
    remedy = _look(twins) if found.option is None else f"{_update(twins.names[1])} \\\n    {found.option}"
    return Blocker("settings-differ", twins.where, text, remedy, warning=not blocks)


def _only_gains(found: Difference) -> bool:
    """More health checks than the live one has lose nothing."""
    return found.key == "HealthCheckType" and set(_types(found.live)) <= set(_types(found.other))


def _update(name: str) -> str:
    return f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {shlex.quote(name)}"


def _look(twins: Twins) -> str:
    names = " ".join(map(shlex.quote, twins.names))
    return f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {names}"


def _processes(twins: Twins) -> Iterator[Blocker]:
    """Suspended by the owner on one of them only."""
    mine, theirs = (
        {item["ProcessName"] for item in g.get("SuspendedProcesses", ())} for g in (twins.live, twins.other)
    )
    name = twins.names[1]
    ignored = _OURS | _OF_ITS_OWN
    for more, call, text in (
        (theirs - mine, "resume-processes", f"suspended on {name} only"),
        (mine - theirs, "suspend-processes", f"suspended on {twins.names[0]} only"),
    ):
        words = sorted(more - ignored)
        if words:
            lost = call == "resume-processes" and not _LOST.isdisjoint(words)
            yield Blocker(
                "settings-differ",
                twins.where,
                f"{', '.join(words)} {'is' if len(words) == 1 else 'are'} {text}: the groups do not look after their"
                " instances in the same way.",
                f"aws autoscaling {call} --auto-scaling-group-name {shlex.quote(name)} \\\n"
                f"    --scaling-processes {' '.join(words)}",
                warning=not lost,
            )


def _metrics(twins: Twins) -> Iterator[Blocker]:
    live, other = ({m["Metric"]: m for m in g.get("EnabledMetrics", ())} for g in (twins.live, twins.other))
    missing = sorted(live.keys() - other.keys())
    if missing:
        yield Blocker(
            "settings-differ",
            twins.where,
            f"{twins.names[1]} does not publish {', '.join(missing)}, which {twins.names[0]} does: alarms and graphs on"
            " them would have no data.",
            f"aws autoscaling enable-metrics-collection --auto-scaling-group-name {shlex.quote(twins.names[1])} \\\n"
            f"    --granularity 1Minute --metrics {' '.join(missing)}",
            warning=True,
        )


def _tags(twins: Twins) -> Iterator[Blocker]:
    """Those that instances inherit: costs, access and monitoring hang on them."""
    live, other = _propagated(twins.live), _propagated(twins.other)
    missing = {key: twins.carried_over(value) for key, value in live.items() if not twins.alike(value, other.get(key))}
    extra = sorted(other.keys() - live.keys())
    if missing:
        listed = ", ".join(f"{key} {shown(live[key])} and {shown(other.get(key))}" for key in sorted(missing))
        yield Blocker(
            "propagated-tags-differ",
            twins.where,
            f"Instances inherit other tags: {listed}.",
            f"aws autoscaling create-or-update-tags --tags {shlex.quote(json_of(_written(twins.names[1], missing)))}",
            warning=True,
        )
    if extra:
        yield Blocker(
            "propagated-tags-differ",
            twins.where,
            f"Instances of {twins.names[1]} inherit {', '.join(extra)}, those of {twins.names[0]} do not.",
            "aws autoscaling create-or-update-tags --tags "
            + shlex.quote(
                json_of(_written(twins.names[0], {key: twins.swapped.carried_over(other[key]) for key in extra}))
            ),
            warning=True,
        )


def _written(name: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": True,
        }
        for key, value in sorted(tags.items())
    ]


def _propagated(group: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(tag["Key"]): str(tag.get("Value", ""))
        for tag in group.get("Tags", ())
        if tag.get("PropagateAtLaunch") and not str(tag["Key"]).startswith((OUR_PREFIX, _AWS_PREFIX, MANAGED))
    }


# --- what they launch from --------------------------------------------------------------------------------------------


def _templates(twins: Twins) -> Iterator[Blocker]:
    uses = template_of(twins.live), template_of(twins.other)
    if uses[0] is None or uses[1] is None:
        return
    if uses[0].id != uses[1].id:
        text = f"They have different launch templates; the next generation is made from {uses[1].id}."
        yield Blocker("templates-differ", twins.where, text, _look(twins), warning=True)
    policies = twins.live.get("MixedInstancesPolicy") or {}, twins.other.get("MixedInstancesPolicy") or {}
    if bool(policies[0]) != bool(policies[1]):
        text = "Only one of them has a mixed instances policy."
    elif differing := _in_policies(*policies):
        text = f"Their mixed instances policies differ: {'; '.join(differing)}."
    else:
        return
    yield Blocker("policies-differ", twins.where, text, _give_policy(twins, uses[1]), warning=True)


def _in_policies(live: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found = []
    spread = [policy.get("InstancesDistribution") or {} for policy in (live, other)]
    for key in sorted({*spread[0], *spread[1]}):
        if spread[0].get(key) != spread[1].get(key):
            found.append(f"{key} is {shown(spread[0].get(key))} and {shown(spread[1].get(key))}")
    overrides = [[_override(item) for item in _overrides(policy)] for policy in (live, other)]
    if overrides[0] != overrides[1]:
        found.append(f"Overrides are {shown(overrides[0])} and {shown(overrides[1])}")
    rest = [
        {k: v for k, v in policy.items() if k not in ("InstancesDistribution", "LaunchTemplate")}
        for policy in (live, other)
    ]
    found += [f"{key} is not the same" for key in sorted({*rest[0], *rest[1]}) if rest[0].get(key) != rest[1].get(key)]
    return found


def _overrides(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(policy.get("LaunchTemplate", {}).get("Overrides") or ())


def _override(item: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says which image it launches, which other checks judge."""
    return {key: value for key, value in item.items() if key not in ("ImageId", "LaunchTemplateSpecification")}


def _give_policy(twins: Twins, use: TemplateUse) -> str:
    """The other slot keeps its own template and version: `use`."""
    own = {"LaunchTemplateId": use.id, "Version": use.version}
    policy = twins.live.get("MixedInstancesPolicy")
    if not policy:
        return f"{_update(twins.names[1])} \\\n    --launch-template {shlex.quote(json_of(own))}"
    launch = {"LaunchTemplateSpecification": own, "Overrides": [_override(item) for item in _overrides(policy)]}
    written = shlex.quote(json_of(dict(policy) | {"LaunchTemplate": launch}))
    return f"{_update(twins.names[1])} \\\n    --mixed-instances-policy {written}"
