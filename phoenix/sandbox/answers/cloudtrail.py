"""CloudTrail's event history, which moto does not have: LookupEvents over the sandbox's own journal of calls.

Its limits are AWS's (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html): one attribute a
call, fifty events a page, ninety days, two calls a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from phoenix.sandbox.answers.common import page, refuse
from phoenix.sandbox.journal import Entry
from phoenix.sandbox.world import World

KEPT_FOR: Final = timedelta(days=90)
A_SECOND: Final = 2
_SOURCES: Final = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "cloudwatch": "monitoring"}
_TYPES: Final = {
    "AutoScalingGroupName": "AWS::AutoScaling::AutoScalingGroup",
    "LaunchTemplateId": "AWS::EC2::LaunchTemplate",
    "LaunchTemplateName": "AWS::EC2::LaunchTemplate",
}
"""The resources that the history knows by name. It knows no rule and no listener, nor the group of a tag."""
_KEYS: Final = frozenset(
    {"EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"}
)


def lookup(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    """LookupEvents."""
    now = world.timeline.now
    _refuse_too_many(world, now)
    asked = params.get("LookupAttributes") or []
    if len(asked) > 1 or any(each.get("AttributeKey") not in _KEYS for each in asked):
        raise refuse("InvalidLookupAttributesException", "One and only one valid lookup attribute can be given.")
    most = int(params.get("MaxResults") or 50)
    if not 1 <= most <= 50:
        raise refuse("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
    start, end = _time(world, params.get("StartTime")), _time(world, params.get("EndTime"))
    if start is not None and end is not None and start > end:
        raise refuse("InvalidTimeRangeException", "The start time is after the end time.")
    earliest = max(start or now - KEPT_FOR, now - KEPT_FOR)
    found = [
        entry
        for entry in world.journal.told_at(now)
        if entry.at >= earliest and (end is None or entry.at <= end) and all(_fits(entry, each) for each in asked)
    ]
    entries, token = page(found, params.get("NextToken"), most)
    return {"Events": [_event(entry) for entry in entries], "NextToken": token}


def _refuse_too_many(world: World, now: datetime) -> None:
    journal = world.journal
    journal.lookups[:] = [at for at in journal.lookups if now - at < timedelta(seconds=1)]
    if len(journal.lookups) >= A_SECOND:
        raise refuse("ThrottlingException", "Rate exceeded")
    journal.lookups.append(now)


def _time(world: World, value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        found: datetime | None = value
    else:
        found = datetime.fromtimestamp(float(value), world.timeline.now.tzinfo)
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=world.timeline.now.tzinfo)


def _fits(entry: Entry, asked: Mapping[str, str]) -> bool:
    key, value = asked["AttributeKey"], asked["AttributeValue"]
    if key == "ResourceName":
        return any(each["ResourceName"] == value for each in _resources(entry))
    if key == "ResourceType":
        return any(each["ResourceType"] == value for each in _resources(entry))
    return bool(_event(entry).get(key) == value)


def _resources(entry: Entry) -> Iterator[dict[str, str]]:
    return (
        {"ResourceType": kind, "ResourceName": str(entry.params[name])}
        for name, kind in _TYPES.items()
        if entry.params.get(name)
    )


def _event(entry: Entry) -> dict[str, Any]:
    source = f"{_SOURCES.get(entry.service, entry.service)}.amazonaws.com"
    id_ = str(uuid5(NAMESPACE_URL, f"{entry.at.isoformat()}/{entry.operation}/{json.dumps(entry.params, default=str)}"))
    user = entry.key.lower()
    told = {
        "eventVersion": "1.09",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::123456789012:user/{user}", "userName": user},
        "eventTime": f"{entry.at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source,
        "eventName": entry.operation,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": entry.agent,
        "requestParameters": _spelled(entry.params),
        "readOnly": False,
        "eventID": id_,
        **({"errorCode": entry.error} if entry.error else {}),
    }
    return {
        "EventId": id_, "EventName": entry.operation, "ReadOnly": "false", "AccessKeyId": entry.key,
        "EventTime": entry.at, "EventSource": source, "Username": user, "Resources": list(_resources(entry)),
        "CloudTrailEvent": json.dumps(told, default=str),
    }  # fmt: skip


def _spelled(value: object) -> object:
    """Parameters as CloudTrail spells them: `autoScalingGroupName`."""
    if isinstance(value, Mapping):
        return {f"{name[:1].lower()}{name[1:]}": _spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(each) for each in value]
    return value


ANSWERS: Mapping[str, Callable[[World, dict[str, Any]], dict[str, Any] | None]] = {"LookupEvents": lookup}
