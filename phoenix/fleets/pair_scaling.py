"""Do both slots scale alike? Their scaling policies, and the alarms that step policies hang on. Reads only.

Must never take a policy for good that measures the other slot: it scales on what is not there once the slots have
traded places.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from phoenix.aws.comparison import json_of, shown
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.fleets.group_owners import judge_predictive
from phoenix.fleets.group_satellites import policies_of
from phoenix.fleets.pair_twins import Twins

IAM_ACTIONS: Final = reads("autoscaling:DescribePolicies", "cloudwatch:DescribeAlarms", roles=FORWARD)
CHECKS: Final = ("predictive-scaling", "scaling-policies-differ", "scaling-alarms-differ")

Policy = Mapping[str, Any]

_APART: Final = frozenset({"AutoScalingGroupName", "PolicyName", "PolicyARN", "Alarms"})
"""The fields that differ between two policies that do the same."""
_WRITTEN_BY_AWS: Final = frozenset({"PolicyARN", "Alarms"})
_MADE_BY_AWS: Final = frozenset({"TargetTrackingScaling", "PredictiveScaling"})
"""Types whose alarms, if any, AWS makes and keeps."""
_MOST_ALARMS_PER_CALL: Final = 100
PUT_ALARM: Final = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile",
    "Metrics", "ThresholdMetricId",
)  # fmt: skip
"""The fields of DescribeAlarms that PutMetricAlarm takes."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A policy of the live slot and the one that does its work on the other."""

    live: Policy
    other: Policy


def find_in_policies(aws: Aws, twins: Twins) -> Iterator[Blocker]:
    """Everything about the scaling policies of both slots; one more call where some of them hang on alarms."""
    live, other = aws.side_by_side([partial(policies_of, aws, name) for name in twins.names])
    for name, policies in zip(twins.names, (live, other), strict=True):
        yield from judge_predictive(name, policies)
    strange = [*_about_the_other(twins.swapped, other), *_about_the_other(twins, live)]
    yield from strange
    matches, missing, extra = _matched(twins, live, other)
    # What measures the other slot has its own blocker, whose remedy makes the two alike.
    told = {id(policy) for policy in [*live, *other] if _is_about_the_other(twins, policy)}
    for match in matches:
        if id(match.live) not in told and id(match.other) not in told and not _do_the_same(twins, match):
            yield _differ(twins, match)
    for policy in missing:
        yield _missing(twins, policy)
    for policy in extra:
        yield _extra(twins, policy)
    yield from _in_alarms(aws, twins, matches)


# --- the policies themselves ------------------------------------------------------------------------------------------


def _content(policy: Policy) -> dict[str, Any]:
    """The policy's effect, under AWS's names; a field that AWS leaves out has its default."""
    kept = {key: value for key, value in policy.items() if key not in _APART and value not in (None, [], {}, "")}
    return {"PolicyType": "SimpleScaling", "Enabled": True} | kept


def _do_the_same(twins: Twins, match: _Match) -> bool:
    return twins.alike(_content(match.live), _content(match.other))


def _matched(
    twins: Twins, live: Sequence[Policy], other: Sequence[Policy]
) -> tuple[list[_Match], list[Policy], list[Policy]]:
    """By name, then by what they do; and those of each slot that are left."""
    left, matches, missing = list(other), [], []
    by_name = {str(policy["PolicyName"]): policy for policy in other}
    for policy in live:
        name = str(policy["PolicyName"])
        mate = by_name.get(twins.carried_over(name)) or by_name.get(name)
        if mate is None or mate not in left:
            mate = next((each for each in left if _do_the_same(twins, _Match(policy, each))), None)
        if mate is None:
            missing.append(policy)
        else:
            left.remove(mate)
            matches.append(_Match(policy, mate))
    return matches, missing, left


def _is_about_the_other(twins: Twins, policy: Policy) -> bool:
    side = twins if policy["AutoScalingGroupName"] == twins.names[0] else twins.swapped
    return side.names_the_other(_content(policy))


def _about_the_other(side: Twins, policies: Sequence[Policy]) -> Iterator[Blocker]:
    """`side.live` is the slot that these policies are of."""
    mine, theirs = side.names
    for policy in policies:
        if not side.names_the_other(_content(policy)):
            continue
        mended = side.swapped.carried_over({k: v for k, v in policy.items() if k not in _APART})
        identity = {"AutoScalingGroupName": mine, "PolicyName": policy["PolicyName"]}
        yield Blocker(
            "scaling-policies-differ",
            f"Auto Scaling group {mine}",
            f'the scaling policy "{policy["PolicyName"]}" of {mine} measures {theirs} or its target group: while {mine}'
            " is live, it would scale on what is not there.",
            _put(identity | mended),
        )


def _missing(twins: Twins, policy: Policy) -> Blocker:
    live, other = twins.names
    return Blocker(
        "scaling-policies-differ",
        twins.where,
        f'{live} has the {_type(policy)} policy "{policy["PolicyName"]}", {other} has none like it: after the rotation'
        " the group would no longer scale by it.",
        _put(_carried(twins, policy)),
    )


def _extra(twins: Twins, policy: Policy) -> Blocker:
    live, other = twins.names
    return Blocker(
        "scaling-policies-differ",
        twins.where,
        f'{other} has the {_type(policy)} policy "{policy["PolicyName"]}", {live} has none like it: the next generation'
        f" would begin to scale by it, and the one after that would not. Delete it, or give it to {live} too:",
        _put(_carried(twins.swapped, policy)),
        warning=True,
    )


def _differ(twins: Twins, match: _Match) -> Blocker:
    live, other = _content(twins.carried_over(match.live)), _content(match.other)
    keys = sorted(key for key in {*live, *other} if not twins.alike(live.get(key), other.get(key)))
    listed = "; ".join(f"{key} is {shown(live.get(key))} and {shown(other.get(key))}" for key in keys)
    name = match.other["PolicyName"]
    wanted = _carried(twins, match.live) | {"PolicyName": name}
    return Blocker(
        "scaling-policies-differ",
        twins.where,
        f'the scaling policy "{name}" is not the same on both: {listed}. After the rotation the group would scale'
        " differently.",
        _put(wanted),
    )


def _type(policy: Policy) -> str:
    return str(_content(policy)["PolicyType"])


def _carried(twins: Twins, policy: Policy) -> dict[str, Any]:
    kept = {key: value for key, value in policy.items() if key not in _WRITTEN_BY_AWS and value not in (None, [], {})}
    carried: dict[str, Any] = twins.carried_over(kept)
    return carried | {"AutoScalingGroupName": twins.names[1]}


def _put(policy: Mapping[str, Any]) -> str:
    return f"aws autoscaling put-scaling-policy --cli-input-json \\\n    {shlex.quote(json_of(policy))}"


# --- alarms -----------------------------------------------------------------------------------------------------------


def _in_alarms(aws: Aws, twins: Twins, matches: Sequence[_Match]) -> Iterator[Blocker]:
    hanging = [match for match in matches if _type(match.live) not in _MADE_BY_AWS]
    names = sorted({name for match in hanging for policy in (match.live, match.other) for name in _alarms(policy)})
    if not names:
        return
    described = {str(alarm["AlarmName"]): alarm for alarm in _read_alarms(aws, names)}
    for match in hanging:
        for side, policy in ((twins, match.live), (twins.swapped, match.other)):
            for name in _alarms(policy):
                if name in described and side.names_the_other(_measured(described[name])):
                    yield _alarm_of_the_other(side, policy, described[name])
        if _alarms(match.live) and not _alarms(match.other):
            yield _without_alarm(twins, match, [described[n] for n in _alarms(match.live) if n in described])


def _alarms(policy: Policy) -> list[str]:
    return sorted(str(alarm["AlarmName"]) for alarm in policy.get("Alarms") or ())


def _read_alarms(aws: Aws, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(names), _MOST_ALARMS_PER_CALL):
        batch = list(names[start : start + _MOST_ALARMS_PER_CALL])
        yield from aws.call("cloudwatch", "describe_alarms", AlarmNames=batch)["MetricAlarms"]


def _measured(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say what the alarm measures; its name may say anything."""
    return {key: alarm[key] for key in ("Dimensions", "Metrics") if alarm.get(key)}


def _alarm_of_the_other(side: Twins, policy: Policy, alarm: Mapping[str, Any]) -> Blocker:
    mine, theirs = side.names
    return Blocker(
        "scaling-alarms-differ",
        f"Auto Scaling group {mine}",
        f'the scaling policy "{policy["PolicyName"]}" of {mine} hangs on the alarm "{alarm["AlarmName"]}", which'
        f" measures {theirs}: while {mine} is live, it would never ring. Give it one of its own:",
        _put_twin(side.swapped, alarm, policy),
    )


def _without_alarm(twins: Twins, match: _Match, alarms: Sequence[Mapping[str, Any]]) -> Blocker:
    live, other = twins.names
    hangs = ", ".join(f'"{name}"' for name in _alarms(match.live))
    return Blocker(
        "scaling-alarms-differ",
        f"Auto Scaling group {other}",
        f'no alarm sets off the scaling policy "{match.other["PolicyName"]}" of {other}; that of {live} hangs on'
        f" {hangs}. After the rotation the group would no longer scale by it.",
        "\n".join(_put_twin(twins, alarm, match.other) for alarm in alarms) or None,
    )


def _put_twin(twins: Twins, alarm: Mapping[str, Any], policy: Policy) -> str:
    """The same alarm about `twins.other`, with that slot's policy for its action."""
    kept = {key: alarm[key] for key in PUT_ALARM if alarm.get(key) not in (None, [], "")}
    made: dict[str, Any] = twins.carried_over(kept)
    if made["AlarmName"] == alarm["AlarmName"]:
        made["AlarmName"] = f"{alarm['AlarmName']}-{twins.names[1]}"
    others = [arn for arn in alarm.get("AlarmActions", ()) if ":scalingPolicy:" not in str(arn)]
    made["AlarmActions"] = [*others, str(policy["PolicyARN"])]
    return f"aws cloudwatch put-metric-alarm --cli-input-json \\\n    {shlex.quote(json_of(made))}"
