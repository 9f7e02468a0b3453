"""CloudTrail's event history: who has changed a load balancer's rule, an Auto Scaling group or a template.

Must never be asked by what decides or acts: two lookups a second are all that AWS allows an account in a Region, and
an event may take 15 minutes to appear (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.session import Aws
from phoenix.core.trail import Change, Trace
from phoenix.errors import AccessDenied, PhoenixError
from phoenix.ports import Clock

APPEARS_WITHIN: Final = timedelta(minutes=15)
KEPT_FOR: Final = timedelta(days=90)
NOT_YET: Final = "not in CloudTrail yet (it takes up to 15 minutes)"
OLDER: Final = "not among the newest 50 events of CloudTrail; the older ones"
_RULE, _LISTENER = ":listener-rule/", ":listener/"
_OURS: Final = "phoenix/"
"""Part of the user agent of every call that phoenix makes."""

Lookup = tuple[str, str]
"""The key and the value of one lookup; AWS takes one attribute a call."""


@dataclass(frozen=True, slots=True)
class _Page:
    """The newest events of one lookup. Those of an event name are the whole account's, other rotations included."""

    events: tuple[dict[str, Any], ...]
    has_more: bool


class CloudTrail:
    """The event history of one account and Region. What was read is kept: several routes share their lookups."""

    IAM_ACTIONS: ClassVar[Rights] = reads("cloudtrail:LookupEvents", roles=FORWARD)

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws, self._clock = aws, clock
        self._read: dict[tuple[Lookup, datetime], _Page] = {}

    def who_changed(self, resource: str, since: datetime) -> Trace:
        """The changes by others since then, the newest first."""
        now = self._clock.now()
        since = max(since, now - KEPT_FOR)
        lookups = _lookups(resource)
        command = "\n".join(_command(lookup, since) for lookup in lookups)
        try:
            pages = [self._page(lookup, since) for lookup in lookups]
        except AccessDenied:
            return Trace(resource, (), command, "cloudtrail:LookupEvents is denied; ask with")
        except PhoenixError as error:
            return Trace(resource, (), command, f"CloudTrail has not answered ({error.message}); ask with")
        events = [event for page in pages for event in page.events]
        found = sorted(_changes(resource, events), key=lambda change: change.at, reverse=True)
        note = OLDER if any(page.has_more for page in pages) else f"{NOT_YET}; ask again with"
        return Trace(resource, tuple(found), command, "" if found else note)

    def _page(self, lookup: Lookup, since: datetime) -> _Page:
        """The newest fifty: a second page would cost half a second of what the whole account may ask."""
        if (lookup, since) not in self._read:
            key, value = lookup
            asked = [{"AttributeKey": key, "AttributeValue": value}]
            answer = self._aws.call("cloudtrail", "lookup_events", LookupAttributes=asked, StartTime=since)
            self._read[lookup, since] = _Page(tuple(answer["Events"]), bool(answer.get("NextToken")))
        return self._read[lookup, since]


def _lookups(resource: str) -> tuple[Lookup, ...]:
    """A rule's events name it by ARN, and a default rule's name its listener: both are told apart in the events. The
    history finds an Auto Scaling group or a template by its name or id."""
    if _RULE in resource:
        return ("EventName", "ModifyRule"), ("EventName", "ModifyListener")
    if _LISTENER in resource:
        return (("EventName", "ModifyListener"),)
    return (("ResourceName", resource),)


def _names_of(resource: str) -> tuple[str, ...]:
    """What an event about it may call it: `listener-rule/app/x/1/2/3` is the default rule of `listener/app/x/1/2`."""
    if _RULE not in resource:
        return (resource,)
    return resource, resource.replace(_RULE, _LISTENER).rsplit("/", 1)[0]


def _command(lookup: Lookup, since: datetime) -> str:
    key, value = lookup
    attributes = shlex.quote(f"AttributeKey={key},AttributeValue={value}")
    start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"aws cloudtrail lookup-events --start-time {start} \\\n    --lookup-attributes {attributes}"


def _changes(resource: str, events: list[dict[str, Any]]) -> Iterator[Change]:
    names = _names_of(resource)
    for event in events:
        told: Mapping[str, Any] = json.loads(event["CloudTrailEvent"])
        agent = str(told.get("userAgent", ""))
        asked = _texts(told.get("requestParameters"))
        is_read = str(event.get("ReadOnly", "false")) == "true"
        if is_read or "errorCode" in told or _OURS in agent or not any(name in asked for name in names):
            continue
        yield Change(
            at=event["EventTime"].astimezone(UTC),
            event=str(event["EventName"]),
            by=_caller(event, told),
            agent=agent.split(" ", 1)[0],
            address=str(told.get("sourceIPAddress", "")),
        )


def _texts(value: object) -> frozenset[str]:
    """All texts in the parameters of a call, however deep."""
    if isinstance(value, Mapping):
        return frozenset(text for each in value.values() for text in _texts(each))
    if isinstance(value, list):
        return frozenset(text for each in value for text in _texts(each))
    return frozenset({value}) if isinstance(value, str) else frozenset()


def _caller(event: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The role and session, or the user: the last part of the ARN, which persons know each other by."""
    identity = told.get("userIdentity", {})
    arn = str(identity.get("arn", ""))
    return arn.split(":", 5)[-1] if arn else str(event.get("Username") or identity.get("invokedBy") or "unknown")
