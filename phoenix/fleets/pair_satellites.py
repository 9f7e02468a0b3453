"""Settings beside an Auto Scaling group: lifecycle hooks, scheduled actions, notifications. Reads only.

Must never leave out one that only the live slot has: once the slots have traded places it works for an empty group.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from phoenix.aws.comparison import json_of, shown
from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.core.blocker import Blocker
from phoenix.fleets.group_owners import CODEDEPLOY, judge_hooks
from phoenix.fleets.group_satellites import hooks_of, schedules_of
from phoenix.fleets.group_schedules import Span, judge_firing, judge_sleeping
from phoenix.fleets.pair_twins import Twins

IAM_ACTIONS: Final = reads(
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:DescribeNotificationConfigurations",
    "autoscaling:DescribeScheduledActions",
    roles=FORWARD,
)
IN_HOOKS: Final = ("codedeploy-hook", "lifecycle-hooks-differ")
IN_SCHEDULES: Final = ("scheduled-shrink", "scheduled-change", "scheduled-action", "scheduled-actions-differ")
IN_NOTIFICATIONS: Final = ("notifications-differ",)
CHECKS: Final = (*IN_HOOKS, *IN_SCHEDULES, *IN_NOTIFICATIONS)

Item = Mapping[str, Any]

_HOOK_APART: Final = frozenset({"AutoScalingGroupName", "LifecycleHookName", "GlobalTimeout"})
_HOOK_DEFAULTS: Final = {"HeartbeatTimeout": 3600, "DefaultResult": "ABANDON"}
_ACTION_APART: Final = frozenset({"AutoScalingGroupName", "ScheduledActionName", "ScheduledActionARN", "Time"})
_ACTION_DEFAULTS: Final = {"TimeZone": "UTC"}


# --- lifecycle hooks --------------------------------------------------------------------------------------------------


def find_in_hooks(aws: Aws, twins: Twins) -> Iterator[Blocker]:
    """Everything about the lifecycle hooks of both slots."""
    live, other = aws.side_by_side([partial(hooks_of, aws, name) for name in twins.names])
    for name, hooks in zip(twins.names, (live, other), strict=True):
        yield from judge_hooks(name, hooks)
    ours = [[h for h in hooks if not str(h["LifecycleHookName"]).startswith(CODEDEPLOY)] for hooks in (live, other)]
    mine, theirs = (_by_name(hooks, "LifecycleHookName") for hooks in ours)
    for name, hook in mine.items():
        mate = theirs.pop(twins.carried_over(name), None) or theirs.pop(name, None)
        if mate is None or not twins.alike(_hook(hook), _hook(mate)):
            yield _hook_differs(twins, hook, mate)
    for name, hook in theirs.items():
        yield Blocker(
            "lifecycle-hooks-differ",
            twins.where,
            f'{twins.names[1]} has the lifecycle hook "{name}", {twins.names[0]} has not: the next generation would'
            f" wait for it, and the one after that would not. Delete it, or give it to {twins.names[0]} too:",
            _put_hook(twins.swapped, hook, twins.swapped.carried_over(name)),
            warning=True,
        )


def _hook(hook: Item) -> dict[str, Any]:
    return _HOOK_DEFAULTS | {k: v for k, v in hook.items() if k not in _HOOK_APART and v not in (None, "")}


def _hook_differs(twins: Twins, hook: Item, mate: Item | None) -> Blocker:
    live, other = twins.names
    name = str(hook["LifecycleHookName"])
    if mate is None:
        text = (
            f'{live} has the lifecycle hook "{name}", {other} has not: after the rotation instances would come and go'
        )
        text += " without what hangs on it."
    else:
        text = f'the lifecycle hook "{name}" is not the same on both: {_listed(twins, _hook(hook), _hook(mate))}.'
    called = str(mate["LifecycleHookName"]) if mate is not None else twins.carried_over(name)
    return Blocker("lifecycle-hooks-differ", twins.where, text, _put_hook(twins, hook, called))


def _put_hook(twins: Twins, hook: Item, called: str) -> str:
    wanted = twins.carried_over(_hook(hook))
    identity = {"AutoScalingGroupName": twins.names[1], "LifecycleHookName": called}
    return f"aws autoscaling put-lifecycle-hook --cli-input-json \\\n    {shlex.quote(json_of(identity | wanted))}"


# --- scheduled actions ------------------------------------------------------------------------------------------------


def find_in_schedules(aws: Aws, twins: Twins, span: Span) -> Iterator[Blocker]:
    """Scheduled actions that fire meanwhile, that sleep meanwhile, or that one of the slots lacks."""
    live, other = aws.side_by_side([partial(schedules_of, aws, name) for name in twins.names])
    yield from judge_sleeping(twins.names[1], other)
    yield from judge_firing(twins.names[0], live, span)
    mine, theirs = (_by_name(actions, "ScheduledActionName") for actions in (live, other))
    for name, action in mine.items():
        mate = theirs.pop(twins.carried_over(name), None) or theirs.pop(name, None)
        wanted = _action(action, span.starts_at)
        if mate is None or not twins.alike(wanted, _action(mate, span.starts_at)):
            yield _action_differs(twins, action, mate, span.starts_at)
    for name, action in theirs.items():
        yield Blocker(
            "scheduled-actions-differ",
            twins.where,
            f'{twins.names[1]} has the scheduled action "{name}", {twins.names[0]} has not: it would fire once the next'
            f" generation is live. Delete it, or give it to {twins.names[0]} too:",
            _put_action(twins.swapped, action, twins.swapped.carried_over(name), span.starts_at),
            warning=True,
        )


def _action(action: Item, now: datetime) -> dict[str, Any]:
    """The action's effect. AWS moves a recurring one's start on to its next firing; a past start or end is over."""
    kept = {k: v for k, v in action.items() if k not in _ACTION_APART and v not in (None, "")}
    if action.get("Recurrence"):
        kept.pop("StartTime", None)
    for key in ("StartTime", "EndTime"):
        if key in kept and kept[key] < now:
            del kept[key]
    return _ACTION_DEFAULTS | kept


def _action_differs(twins: Twins, action: Item, mate: Item | None, now: datetime) -> Blocker:
    live, other = twins.names
    name = str(action["ScheduledActionName"])
    if mate is None:
        text = f'{live} has the scheduled action "{name}", {other} has not: after the rotation it would change an empty'
        text += " group."
    else:
        changes = _listed(twins, _action(action, now), _action(mate, now))
        text = f'the scheduled action "{name}" is not the same on both: {changes}.'
    called = str(mate["ScheduledActionName"]) if mate is not None else twins.carried_over(name)
    remedy = _put_action(twins, action, called, now)
    return Blocker("scheduled-actions-differ", twins.where, text, remedy, warning=not action.get("Recurrence"))


def _put_action(twins: Twins, action: Item, called: str, now: datetime) -> str:
    wanted = {k: v.astimezone(UTC) if isinstance(v, datetime) else v for k, v in _action(action, now).items()}
    identity = {"AutoScalingGroupName": twins.names[1], "ScheduledActionName": called}
    written = shlex.quote(json_of(identity | wanted))
    return f"aws autoscaling put-scheduled-update-group-action --cli-input-json \\\n    {written}"


# --- notifications ----------------------------------------------------------------------------------------------------


def find_in_notifications(aws: Aws, twins: Twins) -> Iterator[Blocker]:
    """Topics that hear of one of the slots only; both are read in one call."""
    found = aws.pages(
        "autoscaling",
        "describe_notification_configurations",
        "NotificationConfigurations",
        AutoScalingGroupNames=list(twins.names),
    )
    told: dict[str, dict[str, set[str]]] = {name: {} for name in twins.names}
    for item in found:
        topics = told[str(item["AutoScalingGroupName"])]
        topics.setdefault(str(item["TopicARN"]), set()).add(str(item["NotificationType"]))
    for side in (twins, twins.swapped):
        for topic, kinds in sorted(told[side.names[0]].items()):
            heard = told[side.names[1]].get(str(side.carried_over(topic)), told[side.names[1]].get(topic, set()))
            if kinds - heard:
                yield _notify(side, topic, sorted(kinds - heard), sorted(kinds | heard))


def _notify(side: Twins, topic: str, missing: Sequence[str], wanted: Sequence[str]) -> Blocker:
    has, lacks = side.names
    return Blocker(
        "notifications-differ",
        side.where,
        f"{topic} is told of {', '.join(missing)} on {has}, and not on {lacks}.",
        f"aws autoscaling put-notification-configuration --auto-scaling-group-name {shlex.quote(lacks)} \\\n"
        f"    --topic-arn {topic} \\\n    --notification-types {' '.join(wanted)}",
        warning=True,
    )


# --- shared -----------------------------------------------------------------------------------------------------------


def _by_name(items: Sequence[Item], key: str) -> dict[str, Item]:
    return {str(item[key]): item for item in items}


def _listed(twins: Twins, live: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    keys = sorted(key for key in {*live, *other} if not twins.alike(live.get(key), other.get(key)))
    return "; ".join(f"{key} is {shown(live.get(key))} and {shown(other.get(key))}" for key in keys)
